"""Tokens that have a role, and are limited to some communities."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "gateway_0003"
down_revision = "gateway_0002"


def upgrade() -> None:
    """Only add; tokens that there are see the network within their scopes, as before."""
    op.add_column("api_token", sa.Column("role", sa.String(32)))
    op.add_column("api_token", sa.Column("community_ids", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")))
