"""The tables of meetings: what it knows of the network, meetings, registrations, attendance and its history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.storage import types

revision = "meetings_0001"
down_revision = None

_WORDS = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Only add; removal waits one release."""
    _create_network()
    _create_meeting()
    _create_people_of_meeting()


def _create_network() -> None:
    op.create_table(
        "community",
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("community_id", name="pk_community"),
    )
    op.create_table(
        "membership",
        sa.Column("membership_id", sa.Uuid, nullable=False),
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("membership_id", name="pk_membership"),
    )
    op.create_index("ix_membership_community_id_member_id", "membership", ["community_id", "member_id"])


def _create_meeting() -> None:
    op.create_table(
        "meeting",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("ends_at", types.Instant(), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("place", sa.String(300), nullable=False),
        sa.Column("link", sa.String(1000), nullable=False),
        sa.Column("themes", _WORDS, nullable=False),
        sa.Column("capacity", sa.Integer),
        sa.Column("facilitator_id", sa.Uuid),
        sa.Column("note_taker_id", sa.Uuid),
        sa.Column("started_at", types.Instant()),
        sa.Column("wrap_up_at", types.Instant()),
        sa.Column("closed_at", types.Instant()),
        sa.Column("cancelled_at", types.Instant()),
        sa.Column("cancel_reason", sa.Text, nullable=False),
        sa.Column("head_count", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", name="pk_meeting"),
    )
    op.create_table(
        "meeting_community",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", "community_id", name="pk_meeting_community"),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.meeting_id"], name="fk_meeting_community_meeting_id"),
        sa.ForeignKeyConstraint(["community_id"], ["community.community_id"], name="fk_meeting_community_community_id"),
    )
    op.create_index("ix_meeting_community_community_id", "meeting_community", ["community_id"])


def _create_people_of_meeting() -> None:
    op.create_table(
        "registration",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("partstat", sa.String(32), nullable=False),
        sa.Column("registered_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", "member_id", name="pk_registration"),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.meeting_id"], name="fk_registration_meeting_id"),
    )
    op.create_table(
        "attendance",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("community_id", sa.Uuid),
        sa.Column("organization_id", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", "member_id", name="pk_attendance"),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.meeting_id"], name="fk_attendance_meeting_id"),
    )
    op.create_table(
        "attendance_change",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("from_state", sa.String(32)),
        sa.Column("to_state", sa.String(32), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", "member_id", "version", name="pk_attendance_change"),
        sa.ForeignKeyConstraint(
            ["meeting_id", "member_id"],
            ["attendance.meeting_id", "attendance.member_id"],
            name="fk_attendance_change_meeting_id_member_id",
        ),
    )
