"""Receipts of the mail server, noted one by one, so that the rest of recording can be done for many at once."""

import sqlalchemy as sa
from alembic import op

from chassis.storage import types

revision = "notifications_0003"
down_revision = "notifications_0002"


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_table(
        "receipt",
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("at", types.Instant, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_receipt"),
    )
