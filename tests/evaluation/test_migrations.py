"""Migrations leave of what was kept before what may stay, and check what the models check."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import ColumnElement, inspect, select, text

from chassis.storage.store import Store
from services.evaluation.models import Base, CommunityRelease
from tests.harness.migrations import migrate_to, open_empty

SURVEY = (
    "insert into survey (id, meeting_id, community_ids, timezone, moment, anonymity, questions_version, state,"
    " opens_at, closes_at, is_meeting_closed, secret, version) values (:id, :meeting, '[]', 'America/Toronto',"
    " 'wrap_up', 'anonymous', 1, :state, '2026-03-12 14:00:00', '2026-03-19 14:00:00', true, :secret, 3)"
)
RELEASE = (
    "insert into release (id, survey_id, responses, n, cells, comments, suppressed_count)"
    " values (:release, :id, '5_to_9', 6, '[]', '[]', 0)"
)


@pytest.fixture
def opened(empty_url: str) -> Iterator[Store]:
    """A store without a table."""
    with open_empty("evaluation", empty_url) as made:
        yield made


def test_states_and_reasons_are_checked_as_the_models_say(opened: Store) -> None:
    migrate_to(opened)
    with opened.begin() as session:
        checks = {each["name"] for each in inspect(session.connection()).get_check_constraints("survey")}
    assert checks == {each.name for each in Base.metadata.tables["survey"].constraints if str(each.name)[:2] == "ck"}


def test_what_could_be_joined_to_people_goes_and_releases_stay(opened: Store) -> None:
    """A survey that was open is withheld, since its sheets cannot be carried over."""
    released, was_open = UUID(int=1).hex, UUID(int=2).hex
    migrate_to(opened, "0001")
    with opened.begin() as session:
        for id, state, secret in ((released, "released", None), (was_open, "open", b"secret")):
            row = {"id": id, "meeting": uuid4().hex, "state": state, "secret": secret}
            session.execute(text(SURVEY), row)
        session.execute(text(RELEASE), {"release": uuid4().hex, "id": released})
        session.execute(text("insert into invitation values (:id, :id, 'invited')"), {"id": was_open})

    migrate_to(opened, "0002")

    with opened.begin() as session:
        tables = set(inspect(session.connection()).get_table_names())
        states = {row.state for row in session.execute(text("select state from survey"))}
        told = {(row.n, row.reason) for row in session.execute(text("select n, reason from release"))}
    assert tables.isdisjoint({"response", "invitation", "kept_survey", "kept_release"})
    assert states == {"released", "withheld"}
    assert told == {(6, None), (None, "below_k")}


def test_the_releases_that_there_are_are_found_by_their_communities(opened: Store) -> None:
    one, two, survey = UUID(int=0xC1), UUID(int=0xC2), UUID(int=1)
    migrate_to(opened, "0001")
    with opened.begin() as session:
        row = {"id": survey.hex, "meeting": uuid4().hex, "state": "released", "secret": None}
        session.execute(text(SURVEY.replace("'[]'", f"""'["{one}", "{two}"]'""")), row)
        session.execute(text(RELEASE), {"release": uuid4().hex, "id": survey.hex})

    migrate_to(opened, "0003")

    with opened.begin() as session:
        found = {
            each: [row.survey_id for row in session.scalars(select(CommunityRelease).where(of(each)))]
            for each in (one, two, UUID(int=0xC3))
        }
    assert found == {one: [survey], two: [survey], UUID(int=0xC3): []}


def of(community_id: UUID) -> ColumnElement[bool]:
    return CommunityRelease.community_id == community_id
