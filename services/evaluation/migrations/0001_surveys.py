"""Surveys, invitations, markers, responses, releases, and who was at each meeting."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.storage import types

revision = "evaluation_0001"
down_revision = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_table(
        "attendance",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", "member_id", name="pk_attendance"),
    )
    op.create_table(
        "survey",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("community_ids", _JSON, nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("moment", sa.String(32), nullable=False),
        sa.Column("anonymity", sa.String(32), nullable=False),
        sa.Column("questions_version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("opens_at", types.Instant(), nullable=False),
        sa.Column("closes_at", types.Instant(), nullable=False),
        sa.Column("is_meeting_closed", sa.Boolean, nullable=False),
        sa.Column("room_code", sa.String(8)),
        sa.Column("secret", sa.LargeBinary),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_survey"),
        sa.UniqueConstraint("meeting_id", name="uq_survey_meeting_id"),
        sa.UniqueConstraint("room_code", name="uq_survey_room_code"),
        sa.CheckConstraint("anonymity = 'anonymous'", name="ck_survey_stays_anonymous"),
        sa.CheckConstraint("(state = 'open') = (secret is not null)", name="ck_survey_secret_dies_at_close"),
        sa.CheckConstraint("state = 'open' or room_code is null", name="ck_survey_room_code_dies_at_close"),
    )
    op.create_table(
        "invitation",
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("survey_id", "member_id", name="pk_invitation"),
    )
    op.create_table(
        "marker",
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("survey_id", "mac", name="pk_marker"),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name="fk_marker_survey_id"),
    )
    op.create_table(
        "response",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("answered_on", sa.Date, nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(32), nullable=False),
        sa.Column("answers", _JSON, nullable=False),
        sa.Column("ballot_mac", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_response"),
        sa.UniqueConstraint("ballot_mac", name="uq_response_ballot_mac"),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name="fk_response_survey_id"),
    )
    op.create_index("ix_response_survey_id", "response", ["survey_id"])
    op.create_table(
        "release",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("responses", sa.String(32), nullable=False),
        sa.Column("n", sa.Integer),
        sa.Column("cells", _JSON, nullable=False),
        sa.Column("comments", _JSON, nullable=False),
        sa.Column("suppressed_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_release"),
        sa.UniqueConstraint("survey_id", name="uq_release_survey_id"),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name="fk_release_survey_id"),
    )
