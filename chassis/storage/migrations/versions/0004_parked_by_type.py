"""What is parked of one type is found by an index: each survey that closes looks for what asked about it."""

from alembic import op

revision = "0004_parked_by_type"
down_revision = "0003_cause_of_due"


def upgrade() -> None:
    """Only add."""
    op.create_index("ix_parked_type", "parked", ["type"])
