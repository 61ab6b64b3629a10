"""An index by which whoever leads a meeting is found, where nobody is named: by the roles in its communities."""

from alembic import op

revision = "notifications_0007"
down_revision = "notifications_0006"


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_index("ix_community_role_community_id_role", "community_role", ["community_id", "role"])
