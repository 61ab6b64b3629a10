"""Who runs the room of a survey; and the releases of each community, so that they are found by it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.storage import types

revision = "evaluation_0003"
down_revision = "evaluation_0002"

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_SURVEY = sa.table(
    "survey", sa.column("id", sa.Uuid), sa.column("community_ids", _JSON), sa.column("closes_at", types.Instant())
)
_RELEASE = sa.table("release", sa.column("survey_id", sa.Uuid))


def upgrade() -> None:
    """Only add; surveys that are open know nobody who runs their room, but by a role."""
    op.add_column("survey", sa.Column("facilitator_id", sa.Uuid))
    op.add_column("survey", sa.Column("note_taker_id", sa.Uuid))
    table = op.create_table(
        "community_release",
        sa.Column("community_id", sa.Uuid, nullable=False),
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("closes_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "survey_id", name="pk_community_release"),
        sa.ForeignKeyConstraint(["survey_id"], ["release.survey_id"], name="fk_community_release_survey_id"),
    )
    op.create_index(
        "ix_community_release_community_id_closes_at_survey_id",
        "community_release",
        ["community_id", "closes_at", "survey_id"],
    )
    if rows := list(_rows()):
        op.bulk_insert(table, rows)


def _rows() -> Iterator[dict[str, Any]]:
    released = sa.select(_SURVEY.c.id, _SURVEY.c.community_ids, _SURVEY.c.closes_at).join(
        _RELEASE, _RELEASE.c.survey_id == _SURVEY.c.id
    )
    for survey_id, community_ids, closes_at in op.get_bind().execute(released):
        for community_id in dict.fromkeys(community_ids):
            yield {"community_id": UUID(community_id), "survey_id": survey_id, "closes_at": closes_at}
