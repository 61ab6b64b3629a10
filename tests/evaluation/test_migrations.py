"""Migrations leave exactly the tables that the models describe, and of what was kept before what may stay."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import ColumnElement, inspect, select, text

from chassis.storage import migrate
from chassis.storage.store import Store
from chassis.testing import open_at
from operations import composition
from services.evaluation.models import Base, CommunityRelease


def test_migrations_and_models_agree(tmp_path: Path) -> None:
    opened = open_at("evaluation", f"sqlite:///{tmp_path}/evaluation.sqlite")
    migrate.migrate(opened, composition.migrations_of("evaluation"))
    migrate.migrate(opened, composition.migrations_of("evaluation"))

    with opened.begin() as session:
        context = MigrationContext.configure(
            session.connection(),
            opts={"include_name": lambda name, kind, _: kind != "table" or name in Base.metadata.tables},
        )
        assert compare_metadata(context, Base.metadata) == []
        checks = {each["name"] for each in inspect(session.connection()).get_check_constraints("survey")}
    opened.close()

    assert checks == {each.name for each in Base.metadata.tables["survey"].constraints if str(each.name)[:2] == "ck"}
    assert migrate_is_current(tmp_path)


def migrate_is_current(folder: Path) -> bool:
    opened = open_at("evaluation", f"sqlite:///{folder}/evaluation.sqlite")
    try:
        return migrate.is_current(opened, composition.migrations_of("evaluation"))
    finally:
        opened.close()


MIGRATIONS = Path("services/evaluation/migrations").absolute()
SURVEY = (
    "insert into survey (id, meeting_id, community_ids, timezone, moment, anonymity, questions_version, state,"
    " opens_at, closes_at, is_meeting_closed, secret, version) values (:id, :meeting, '[]', 'America/Toronto',"
    " 'wrap_up', 'anonymous', 1, :state, '2026-03-12 14:00:00', '2026-03-19 14:00:00', true, :secret, 3)"
)
RELEASE = (
    "insert into release (id, survey_id, responses, n, cells, comments, suppressed_count)"
    " values (:release, :id, '5_to_9', 6, '[]', '[]', 0)"
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store without a table."""
    is_real = request.param == "postgresql"
    made = Store("evaluation", request.getfixturevalue("scratch_url") if is_real else f"sqlite:///{tmp_path}/e.sqlite")
    if is_real:
        with made.begin() as session:
            session.execute(text("drop schema public cascade"))
            session.execute(text("create schema public"))
    yield made
    made.close()


@pytest.fixture
def migrated(tmp_path: Path) -> Callable[[Store, str], None]:
    """Bring a store to the release whose newest migration has this number."""
    folder = tmp_path / "migrations"
    folder.mkdir()

    def to(opened: Store, newest: str) -> None:
        for file in MIGRATIONS.glob("0*.py"):
            if file.name[:4] <= newest:
                shutil.copy(file, folder)
        migrate.migrate(opened, folder)

    return to


def test_what_could_be_joined_to_people_goes_and_releases_stay(
    opened: Store, migrated: Callable[[Store, str], None]
) -> None:
    """A survey that was open is withheld, since its sheets cannot be carried over."""
    released, was_open = UUID(int=1).hex, UUID(int=2).hex
    migrated(opened, "0001")
    with opened.begin() as session:
        for id, state, secret in ((released, "released", None), (was_open, "open", b"secret")):
            row = {"id": id, "meeting": uuid4().hex, "state": state, "secret": secret}
            session.execute(text(SURVEY), row)
        session.execute(text(RELEASE), {"release": uuid4().hex, "id": released})
        session.execute(text("insert into invitation values (:id, :id, 'invited')"), {"id": was_open})

    migrated(opened, "0002")

    with opened.begin() as session:
        tables = set(inspect(session.connection()).get_table_names())
        states = {row.state for row in session.execute(text("select state from survey"))}
        told = {(row.n, row.reason) for row in session.execute(text("select n, reason from release"))}
    assert tables.isdisjoint({"response", "invitation", "kept_survey", "kept_release"})
    assert states == {"released", "withheld"}
    assert told == {(6, None), (None, "below_k")}


def test_the_releases_that_there_are_are_found_by_their_communities(
    opened: Store, migrated: Callable[[Store, str], None]
) -> None:
    one, two, survey = UUID(int=0xC1), UUID(int=0xC2), UUID(int=1)
    migrated(opened, "0001")
    with opened.begin() as session:
        row = {"id": survey.hex, "meeting": uuid4().hex, "state": "released", "secret": None}
        session.execute(text(SURVEY.replace("'[]'", f"""'["{one}", "{two}"]'""")), row)
        session.execute(text(RELEASE), {"release": uuid4().hex, "id": survey.hex})

    migrated(opened, "0003")

    with opened.begin() as session:
        found = {
            each: [row.survey_id for row in session.scalars(select(CommunityRelease).where(of(each)))]
            for each in (one, two, UUID(int=0xC3))
        }
    assert found == {one: [survey], two: [survey], UUID(int=0xC3): []}


def of(community_id: UUID) -> ColumnElement[bool]:
    return CommunityRelease.community_id == community_id
