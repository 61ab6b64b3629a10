"""The bearer tokens of machines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.storage import types

revision = "gateway_0001"
down_revision = None


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_table(
        "api_token",
        sa.Column("token_id", sa.String(16), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("expires_at", types.Instant()),
        sa.Column("revoked_at", types.Instant()),
        sa.Column("last_used_on", sa.Date),
        sa.PrimaryKeyConstraint("token_id", name="pk_api_token"),
    )
