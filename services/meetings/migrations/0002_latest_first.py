"""When a meeting starts, beside each of its communities, and an index by which the latest of one are found."""

import sqlalchemy as sa
from alembic import op

from chassis.storage import types

revision = "meetings_0002"
down_revision = "meetings_0001"

_FILL = """update meeting_community set starts_at =
    (select starts_at from meeting where meeting.meeting_id = meeting_community.meeting_id)"""
_NEW = "ix_meeting_community_community_id_starts_at_meeting_id"


def upgrade() -> None:
    """Add; the index that goes is the beginning of the new one, so that nothing misses it."""
    op.add_column("meeting_community", sa.Column("starts_at", types.Instant()))
    op.execute(_FILL)
    op.create_index(_NEW, "meeting_community", ["community_id", "starts_at", "meeting_id"])
    op.drop_index("ix_meeting_community_community_id", "meeting_community")
