"""Mails about surveys name nobody; changes of meetings and addresses are told; results go to those who were there.

What the store holds of mails about surveys named people in the clear and had ids that anybody could compute, so it is
dropped, though else removal waits one release. All other messages stay, and stay known: nobody is invited twice.
"""

import sqlalchemy as sa
from alembic import op

from chassis.storage import types

revision = "notifications_0004"
down_revision = "notifications_0003"

_IDS = sa.JSON()
_KEPT = (
    "id, member_id, template, subject_id, meeting_id, survey_id, state, priority, source_version, relevant_until,"
    " due_at, attempts, interruptions, lease_until, last_error, drop_reason, version, created_at, settled_at"
)


def upgrade() -> None:
    """Make the table of messages anew, since SQLite takes no column with a constraint away; add the rest."""
    op.execute(
        f"create table message_before as select {_KEPT} from message"  # noqa: S608  (our own names)
        " where template not in ('survey_invitation', 'survey_reminder')"
    )
    op.drop_table("message")
    _messages()
    op.execute(f"insert into message ({_KEPT}) select {_KEPT} from message_before")  # noqa: S608  (our own names)
    op.drop_table("message_before")
    op.execute("delete from receipt where message_id not in (select id from message)")
    op.execute("delete from revocation")
    _cards()
    op.create_table(
        "meeting_attendance",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("was_there", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", "member_id", name="pk_meeting_attendance"),
    )
    op.create_table(
        "survey_end",
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("at", types.Instant, nullable=False),
        sa.PrimaryKeyConstraint("survey_id", name="pk_survey_end"),
    )


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("template", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, server_default="0"),
        sa.Column("meeting_id", sa.Uuid),
        sa.Column("survey_id", sa.Uuid),
        sa.Column("community_ids", _IDS, nullable=False, server_default="[]"),
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
        sa.Column("box", sa.LargeBinary),
        sa.Column("correlation_id", sa.Uuid),
        sa.Column("causation_id", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("settled_at", types.Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
    )
    for name, columns, only, is_unique in (
        ("ix_message_queued", ["priority", "due_at"], "state = 'queued'", False),
        ("ix_message_sending", ["lease_until"], "state = 'sending'", False),
        (
            "uq_message_member_id_template_subject_id_number",
            ["member_id", "template", "subject_id", "number"],
            "member_id is not null",
            True,
        ),
    ):
        where = sa.text(only)
        op.create_index(name, "message", columns, unique=is_unique, postgresql_where=where, sqlite_where=where)
    op.create_index("ix_message_meeting_id", "message", ["meeting_id"])
    op.create_index("ix_message_survey_id", "message", ["survey_id"])
    op.create_index("ix_message_member_id_created_at_id", "message", ["member_id", "created_at", "id"])


def _cards() -> None:
    op.add_column("contact_card", sa.Column("address_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("contact_card", sa.Column("held_until", types.Instant()))
    op.add_column("meeting_card", sa.Column("facilitator_id", sa.Uuid))
    op.add_column("meeting_card", sa.Column("note_taker_id", sa.Uuid))
    for name in ("people_version", "words_version"):
        op.add_column("meeting_card", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
