"""Who facilitates by role, what was said of asking, and a day's count of mails."""

import sqlalchemy as sa
from alembic import op

revision = "meetings_0003"
down_revision = "meetings_0002"


def upgrade() -> None:
    """Only add; who facilitates by now is known once membership has published its log again, or the role anew."""
    op.create_table(
        "facilitator_role",
        sa.Column("assignment_id", sa.Uuid, nullable=False),
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("assignment_id", name="pk_facilitator_role"),
    )
    op.create_index("ix_facilitator_role_community_id_member_id", "facilitator_role", ["community_id", "member_id"])
    op.add_column("meeting", sa.Column("with_survey", sa.Boolean))
    op.create_table(
        "mails_spent",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("token_id", sa.String(64), nullable=False),
        sa.Column("mails", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("day", "token_id", name="pk_mails_spent"),
    )
