"""What a store holds already is carried into the tables of a newer release."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text

from chassis.storage.migrate import migrate
from chassis.storage.store import Store
from chassis.testing import open_at
from services.meetings.models import MeetingCommunity

MIGRATIONS = Path("services/meetings/migrations").absolute()
MEETING, COMMUNITY = UUID(int=1), UUID(int=2)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store without a table."""
    is_real = request.param == "postgresql"
    made = open_at("meetings", request.getfixturevalue("scratch_url") if is_real else f"sqlite:///{tmp_path}/m.sqlite")
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
        migrate(opened, folder)

    return to


def test_meetings_held_before_stand_where_they_began(opened: Store, migrated: Callable[[Store, str], None]) -> None:
    ids = {"meeting": MEETING.hex, "community": COMMUNITY.hex}
    migrated(opened, "0001")
    with opened.begin() as session:
        for statement in (
            "insert into community values (:community, 'individuals', 'America/Toronto', 1)",
            "insert into meeting (meeting_id, state, kind, mode, starts_at, ends_at, timezone, place, link, themes,"
            " cancel_reason, head_count, version) values (:meeting, 'closed', 'meeting', 'online',"
            " '2026-03-12 14:00:00', '2026-03-12 15:00:00', 'America/Toronto', '', '', '[]', '', 0, 4)",
            "insert into meeting_community values (:meeting, :community, 0)",
        ):
            session.execute(text(statement), ids)
    migrated(opened, "0002")

    with opened.begin() as session:
        [kept] = session.scalars(select(MeetingCommunity))
        started_at = session.scalar(text("select starts_at from meeting"))
        assert session.scalar(text("select starts_at from meeting_community")) == started_at
        assert (kept.meeting_id, kept.starts_at and kept.starts_at.year) == (MEETING, 2026)
