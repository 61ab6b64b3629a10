"""Links by which people sign in, and their sessions."""

import sqlalchemy as sa
from alembic import op

from chassis.storage import types

revision = "gateway_0002"
down_revision = "gateway_0001"


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_table(
        "sign_in_link",
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("leads_to", sa.String(200), nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("used_at", types.Instant()),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sign_in_link"),
    )
    op.create_index("ix_sign_in_link_expires_at", "sign_in_link", ["expires_at"])
    op.create_table(
        "person_session",
        sa.Column("session_id", sa.String(16), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("last_seen_on", sa.Date, nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("ended_at", types.Instant()),
        sa.PrimaryKeyConstraint("session_id", name="pk_person_session"),
    )
    op.create_index("ix_person_session_member_id", "person_session", ["member_id"])
    op.create_index("ix_person_session_expires_at", "person_session", ["expires_at"])
