"""What a store holds already is carried into the tables of a newer release."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import select, text

from chassis.storage.store import Store
from services.meetings.models import MeetingCommunity
from tests.harness.migrations import migrate_to, open_empty

MEETING, COMMUNITY = UUID(int=1), UUID(int=2)


@pytest.fixture
def opened(empty_url: str) -> Iterator[Store]:
    """A store without a table."""
    with open_empty("meetings", empty_url) as made:
        yield made


def test_meetings_held_before_stand_where_they_began(opened: Store) -> None:
    ids = {"meeting": MEETING.hex, "community": COMMUNITY.hex}
    migrate_to(opened, "0001")
    with opened.begin() as session:
        for statement in (
            "insert into community values (:community, 'individuals', 'America/Toronto', 1)",
            "insert into meeting (meeting_id, state, kind, mode, starts_at, ends_at, timezone, place, link, themes,"
            " cancel_reason, head_count, version) values (:meeting, 'closed', 'meeting', 'online',"
            " '2026-03-12 14:00:00', '2026-03-12 15:00:00', 'America/Toronto', '', '', '[]', '', 0, 4)",
            "insert into meeting_community values (:meeting, :community, 0)",
        ):
            session.execute(text(statement), ids)
    migrate_to(opened, "0002")

    with opened.begin() as session:
        [kept] = session.scalars(select(MeetingCommunity))
        started_at = session.scalar(text("select starts_at from meeting"))
        assert session.scalar(text("select starts_at from meeting_community")) == started_at
        assert (kept.meeting_id, kept.starts_at and kept.starts_at.year) == (MEETING, 2026)
