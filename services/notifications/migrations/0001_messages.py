"""The tables of notifications: messages, and copies of what mails say."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.storage import types

revision = "notifications_0001"
down_revision = None

_WORDS = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Only add; removal waits one release."""
    _messages()
    _people()
    _meetings()
    _surveys()


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("dedup_key", sa.String(120), nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("template", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("survey_id", sa.Uuid),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("source_version", sa.Integer, nullable=False),
        sa.Column("relevant_until", types.Instant(), nullable=False),
        sa.Column("due_at", types.Instant(), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("interruptions", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_until", types.Instant()),
        sa.Column("last_error", sa.Text),
        sa.Column("drop_reason", sa.String(32)),
        sa.Column("token", sa.String(200)),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("settled_at", types.Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("dedup_key", name="uq_message_dedup_key"),
    )
    for name, columns, state in (
        ("ix_message_queued", ["priority", "due_at"], "queued"),
        ("ix_message_sending", ["lease_until"], "sending"),
    ):
        only = sa.text(f"state = '{state}'")
        op.create_index(name, "message", columns, postgresql_where=only, sqlite_where=only)
    op.create_index("ix_message_meeting_id", "message", ["meeting_id"])
    op.create_index("ix_message_survey_id", "message", ["survey_id"])
    op.create_index("ix_message_member_id_created_at_id", "message", ["member_id", "created_at", "id"])


def _people() -> None:
    op.create_table(
        "contact_card",
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("locale", sa.String(32), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name="pk_contact_card"),
    )
    op.create_table(
        "community_card",
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("community_id", name="pk_community_card"),
    )
    op.create_table(
        "community_member",
        sa.Column("membership_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("membership_id", name="pk_community_member"),
    )
    op.create_index("ix_community_member_community_id", "community_member", ["community_id"])
    op.create_table(
        "community_role",
        sa.Column("assignment_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("assignment_id", name="pk_community_role"),
    )
    op.create_index("ix_community_role_community_id", "community_role", ["community_id"])


def _meetings() -> None:
    op.create_table(
        "meeting_card",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("ends_at", types.Instant(), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", name="pk_meeting_card"),
    )
    op.create_table(
        "meeting_community",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", "community_id", name="pk_meeting_community"),
    )
    op.create_index("ix_meeting_community_community_id", "meeting_community", ["community_id"])
    op.create_table(
        "meeting_words",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("themes", _WORDS, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("cancel_reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", name="pk_meeting_words"),
    )
    op.create_table(
        "meeting_end",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", name="pk_meeting_end"),
    )


def _surveys() -> None:
    op.create_table(
        "revocation",
        sa.Column("invitation_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("invitation_id", name="pk_revocation"),
    )
    op.create_index("ix_revocation_survey_id", "revocation", ["survey_id"])
    op.create_table(
        "results_notice",
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("template", sa.String(32), nullable=False),
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("community_ids", _WORDS, nullable=False),
        sa.Column("responses_count", sa.Integer),
        sa.Column("withheld_reason", sa.String(32)),
        sa.Column("told_until", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name="pk_results_notice"),
    )
    op.create_index("ix_results_notice_told_until", "results_notice", ["told_until"])
