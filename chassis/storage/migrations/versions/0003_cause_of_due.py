"""Due work remembers from what it follows, so that what it publishes correlates with the act that planned it."""

import sqlalchemy as sa
from alembic import op

revision = "0003_cause_of_due"
down_revision = "0002_audit"


def upgrade() -> None:
    """Only add; what was planned before has no cause."""
    op.add_column("due", sa.Column("correlation_id", sa.Uuid))
    op.add_column("due", sa.Column("causation_id", sa.Uuid))
