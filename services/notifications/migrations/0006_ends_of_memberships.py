"""A membership can end; and where a person belongs is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0006"
down_revision = "notifications_0005"


def upgrade() -> None:
    """Only add; whoever belongs by now still belongs."""
    op.create_index("ix_community_member_member_id", "community_member", ["member_id"])
    op.add_column("community_member", sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()))
