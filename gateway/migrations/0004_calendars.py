"""Addresses at which people's calendars follow their meetings."""

import sqlalchemy as sa
from alembic import op

from chassis.storage import types

revision = "gateway_0004"
down_revision = "gateway_0003"


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_table(
        "calendar_address",
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("last_read_on", sa.Date),
        sa.PrimaryKeyConstraint("member_id", name="pk_calendar_address"),
    )
    op.create_index("ix_calendar_address_token_sha256", "calendar_address", ["token_sha256"], unique=True)
