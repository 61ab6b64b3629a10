"""Meetings are found by whoever leads them or takes their notes; and a membership can end."""

import sqlalchemy as sa
from alembic import op

revision = "meetings_0004"
down_revision = "meetings_0003"


def upgrade() -> None:
    """Only add; whoever belongs by now still belongs."""
    op.create_index("ix_meeting_facilitator_id", "meeting", ["facilitator_id"])
    op.create_index("ix_meeting_note_taker_id", "meeting", ["note_taker_id"])
    op.add_column("membership", sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()))
