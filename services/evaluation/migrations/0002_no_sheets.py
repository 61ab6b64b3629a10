"""Sealed sheets and secrets in tables of their own; no day, channel or language; no invitation that names somebody.

What was kept before could be joined to people, so it goes at once instead of after one release: sheets, markers,
invitations, secrets. A survey that is open while this runs is withheld.
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.storage import types

revision = "evaluation_0002"
down_revision = "evaluation_0001"

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_KEEP_SURVEYS = """create table kept_survey as
    select id, meeting_id, community_ids, timezone, moment, anonymity, questions_version, opens_at, closes_at, version,
        state from survey"""
_KEEP_RELEASES = """create table kept_release as
    select id, survey_id, reason, n, cells, comments, suppressed_count from release"""
_PUT_SURVEYS_BACK = """insert into survey
    (id, meeting_id, community_ids, timezone, moment, anonymity, questions_version, opens_at, closes_at, version,
        k_scores, k_comments, state, is_asked, is_meeting_closed)
    select id, meeting_id, community_ids, timezone, moment, anonymity, questions_version, opens_at, closes_at, version,
        5, 10, case when state = 'open' then 'withheld' else state end, true, true from kept_survey"""
_PUT_RELEASES_BACK = """insert into release (id, survey_id, reason, n, cells, comments, suppressed_count)
    select id, survey_id, reason, n, cells, comments, suppressed_count from kept_release"""


def upgrade() -> None:
    """Keep what may stay aside, make the tables anew, and put it back; SQLite cannot drop what a check names."""
    op.execute(_KEEP_SURVEYS)
    op.execute(_KEEP_RELEASES)
    for table in ("release", "response", "marker", "invitation", "survey"):
        op.drop_table(table)
    _create_survey()
    _create_release()
    op.execute(_PUT_SURVEYS_BACK)
    op.execute(_PUT_RELEASES_BACK)
    op.execute("delete from due where kind = 'give_up'")
    _withhold_open_ones()
    op.drop_table("kept_survey")
    op.drop_table("kept_release")
    _create_volatile()
    op.add_column("attendance", sa.Column("was_eligible", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "kept_answers",
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("question", sa.String(64), nullable=False),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("survey_id", "question", name="pk_kept_answers"),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name="fk_kept_answers_survey_id"),
    )


def _withhold_open_ones() -> None:
    columns = [sa.column("id", sa.Uuid), sa.column("survey_id", sa.Uuid), sa.column("reason", sa.String)]
    columns += [sa.column("cells", _JSON), sa.column("comments", _JSON), sa.column("suppressed_count", sa.Integer)]
    connection = op.get_bind()
    open_ones = (
        sa.select(sa.column("id", sa.Uuid)).select_from(sa.table("kept_survey")).where(sa.column("state") == "open")
    )
    rest = {"reason": "below_k", "cells": [], "comments": [], "suppressed_count": 0}
    rows = [{"id": uuid4(), "survey_id": id} | rest for id in connection.scalars(open_ones)]
    if rows:
        connection.execute(sa.insert(sa.table("release", *columns)), rows)


def _create_survey() -> None:
    op.create_table(
        "survey",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("meeting_id", sa.Uuid, nullable=False),
        sa.Column("community_ids", _JSON, nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("moment", sa.String(32), nullable=False),
        sa.Column("anonymity", sa.String(32), nullable=False),
        sa.Column("questions_version", sa.Integer, nullable=False),
        sa.Column("k_scores", sa.Integer, nullable=False),
        sa.Column("k_comments", sa.Integer, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("opens_at", types.Instant(), nullable=False),
        sa.Column("closes_at", types.Instant(), nullable=False),
        sa.Column("is_asked", sa.Boolean, nullable=False),
        sa.Column("is_meeting_closed", sa.Boolean, nullable=False),
        sa.Column("room_code", sa.String(8)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_survey"),
        sa.UniqueConstraint("meeting_id", name="uq_survey_meeting_id"),
        sa.UniqueConstraint("room_code", name="uq_survey_room_code"),
        sa.CheckConstraint("anonymity = 'anonymous'", name="ck_survey_stays_anonymous"),
        sa.CheckConstraint(
            "room_code is null or (state = 'open' and not is_meeting_closed)", name="ck_survey_room_code_dies_at_close"
        ),
    )


def _create_release() -> None:
    op.create_table(
        "release",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("n", sa.Integer),
        sa.Column("cells", _JSON, nullable=False),
        sa.Column("comments", _JSON, nullable=False),
        sa.Column("suppressed_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_release"),
        sa.UniqueConstraint("survey_id", name="uq_release_survey_id"),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name="fk_release_survey_id"),
    )


def _create_volatile() -> None:
    """What lives only as long as its survey is open; rewritten when one closes, so these tables must stay small."""
    op.create_table(
        "survey_key",
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("survey_id", name="pk_survey_key"),
    )
    op.create_table(
        "marker",
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.Column("ballot_mark", sa.LargeBinary, nullable=False),
        sa.Column("is_cast", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("survey_id", "mac", name="pk_marker"),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name="fk_marker_survey_id"),
    )
    op.create_table(
        "sheet",
        sa.Column("survey_id", sa.Uuid, nullable=False),
        sa.Column("mark", sa.LargeBinary, nullable=False),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("survey_id", "mark", name="pk_sheet"),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name="fk_sheet_survey_id"),
    )
