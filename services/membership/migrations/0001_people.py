"""The tables of membership: organisations, communities, members, memberships, roles."""

import sqlalchemy as sa
from alembic import op

from chassis.storage import types

revision = "membership_0001"
down_revision = None


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_table(
        "organization",
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("region", sa.String(200), nullable=False),
        sa.Column("sector", sa.String(200), nullable=False),
        sa.Column("size_band", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_organization"),
    )
    op.create_table(
        "community",
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(32), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("community_id", name="pk_community"),
    )
    op.create_table(
        "member",
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("locale", sa.String(32), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("member_id", name="pk_member"),
    )
    _create_belonging()


def _create_belonging() -> None:
    op.create_table(
        "membership",
        sa.Column("membership_id", sa.Uuid, nullable=False),
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("capacity", sa.String(32), nullable=False),
        sa.Column("organization_id", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("membership_id", name="pk_membership"),
        sa.UniqueConstraint("community_id", "member_id", name="uq_membership_community_id_member_id"),
        sa.ForeignKeyConstraint(["community_id"], ["community.community_id"], name="fk_membership_community_id"),
        sa.ForeignKeyConstraint(["member_id"], ["member.member_id"], name="fk_membership_member_id"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.organization_id"], name="fk_membership_organization_id"
        ),
    )
    op.create_index("ix_membership_member_id", "membership", ["member_id"])
    op.create_table(
        "role_assignment",
        sa.Column("assignment_id", sa.Uuid, nullable=False),
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("assigned_at", types.Instant(), nullable=False),
        sa.Column("ended_at", types.Instant()),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("assignment_id", name="pk_role_assignment"),
        sa.UniqueConstraint("community_id", "member_id", "role", name="uq_role_assignment_community_id_member_id_role"),
        sa.ForeignKeyConstraint(
            ["community_id", "member_id"],
            ["membership.community_id", "membership.member_id"],
            name="fk_role_assignment_community_id_member_id",
        ),
    )
