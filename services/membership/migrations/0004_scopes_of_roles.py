"""Roles over sets of communities and over the network, with a beginning and an end, and without a membership; ends of
memberships."""

import sqlalchemy as sa
from alembic import op

from chassis.storage import types

revision = "membership_0004"
down_revision = "membership_0003"


def upgrade() -> None:
    """Add, and loosen what held a role to a membership; the roles that there are stay as they are."""
    op.create_table(
        "community_set",
        sa.Column("set_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("community_ids", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("set_id", name="pk_community_set"),
    )
    op.add_column("membership", sa.Column("ended_at", types.Instant()))
    with op.batch_alter_table("role_assignment") as table:
        table.drop_constraint("fk_role_assignment_community_id_member_id", type_="foreignkey")
        table.alter_column("community_id", existing_type=sa.Uuid(), nullable=True)
        table.add_column(sa.Column("set_id", sa.Uuid))
        table.add_column(sa.Column("begins_at", types.Instant()))
        table.add_column(sa.Column("ends_at", types.Instant()))
        table.add_column(sa.Column("has_begun", sa.Boolean, nullable=False, server_default=sa.true()))
        for column, target in (("community_id", "community"), ("member_id", "member"), ("set_id", "community_set")):
            name = f"fk_role_assignment_{column}"
            table.create_foreign_key(name, target, [column], [column])
    op.create_index("ix_membership_organization_id", "membership", ["organization_id"])
    op.create_index("ix_role_assignment_set_id", "role_assignment", ["set_id"])
