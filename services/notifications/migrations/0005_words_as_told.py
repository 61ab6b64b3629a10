"""What mails say of a meeting is kept as it was told, so that a new text needs no column here.

No release has the former columns yet; later, removal waits one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "notifications_0005"
down_revision = "notifications_0004"

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_AT_ONCE = 1000


def upgrade() -> None:
    """Make the table anew and copy it, in portions."""
    op.rename_table("meeting_words", "meeting_words_before")
    op.create_table(
        "meeting_words_anew",
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("described", _JSON, nullable=False),
    )
    before = sa.table("meeting_words_before", *_before())
    anew = sa.table(
        "meeting_words_anew",
        sa.column("meeting_id", sa.Uuid),
        sa.column("version", sa.Integer),
        sa.column("described", _JSON),
    )
    connection = op.get_bind()
    for rows in connection.execute(sa.select(before).order_by(before.c.meeting_id)).partitions(_AT_ONCE):
        connection.execute(sa.insert(anew), [_told(row) for row in rows])
    op.drop_table("meeting_words_before")
    with op.batch_alter_table("meeting_words_anew") as table:
        table.create_primary_key("pk_meeting_words", ["meeting_id"])
    op.rename_table("meeting_words_anew", "meeting_words")


def _before() -> list[sa.ColumnClause[object]]:
    texts = [sa.column(name, sa.Text) for name in ("place", "link", "cancel_reason")]
    return [sa.column("meeting_id", sa.Uuid), sa.column("version", sa.Integer), sa.column("themes", _JSON), *texts]


def _told(row: sa.Row[tuple[object, ...]]) -> dict[str, object]:
    """Return the row as the event told it, but for its communities, which no mail takes from here."""
    words = {name: row._mapping[name] for name in ("themes", "place", "link", "cancel_reason")}
    named = {"version": row.version, "community_ids": [], "meeting_id": str(row.meeting_id)}
    return {"meeting_id": row.meeting_id, "version": row.version, "described": named | words}
