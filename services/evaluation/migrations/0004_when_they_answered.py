"""How many answered during the meeting, where a release tells it."""

import sqlalchemy as sa
from alembic import op

revision = "evaluation_0004"
down_revision = "evaluation_0003"


def upgrade() -> None:
    """Only add; releases that are out already tell nothing of it."""
    op.add_column("release", sa.Column("n_in_meeting", sa.Integer))
