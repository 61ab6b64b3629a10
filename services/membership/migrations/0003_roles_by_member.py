"""Roles are found by whom they are given to."""

from alembic import op

revision = "membership_0003"
down_revision = "membership_0002"


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_index("ix_role_assignment_member_id", "role_assignment", ["member_id"])
