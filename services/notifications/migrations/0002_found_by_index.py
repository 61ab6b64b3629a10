"""Indexes by which senders find a facilitator's roles, and new members the results that are news to them."""

from alembic import op

revision = "notifications_0002"
down_revision = "notifications_0001"


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_index("ix_community_role_member_id", "community_role", ["member_id"])
    op.create_index("ix_results_notice_meeting_id", "results_notice", ["meeting_id"])
