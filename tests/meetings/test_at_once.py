"""Two who ask at once: on a real PostgreSQL, where both transactions are open."""

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis import clock, settings
from chassis.actor import Actor, acting
from chassis.storage.store import Store, open_store
from pratique.errors import QuotaSpent
from pratique.events.meetings import MeetingScheduled
from pratique.testing import AT
from services.meetings.models import MAILS_SPENT
from tests.harness.waiting import locked_out, until
from tests.servers import Fresh

pytestmark = pytest.mark.real
Fixture = Any  # of conftest.py, which tests do not import


@pytest.fixture
def real(fresh: Fresh, new_service: Callable[[Store], Fixture]) -> Iterator[Fixture]:
    """A community of three, and a day's quota of four mails."""
    opened = open_store(dataclasses.replace(settings.load(fresh.environ()), mails_a_day=4), "meetings")
    with clock.fixed(AT):
        yield new_service(opened)
    opened.close()


def schedule(service: Fixture, number: int) -> None:
    with acting(Actor.network("token abc jeton")):
        service.schedule(meeting_id=UUID(int=number))


def test_of_two_programs_with_one_token_at_once_one_gets_what_is_left(real: Fixture) -> None:
    row = MAILS_SPENT.insert().values(day=AT.date(), token_id="abc", mails=0)
    with real.store.begin() as session:
        session.execute(row)
    with ThreadPoolExecutor(2) as threads:
        with real.store.begin() as session:
            session.execute(select(MAILS_SPENT).with_for_update())
            both = [threads.submit(schedule, real, number) for number in (1, 2)]
            until(lambda: locked_out(real.store))
        outcomes = sorted(type(each.exception()).__name__ for each in both)

    assert outcomes == ["NoneType", QuotaSpent.__name__]
    assert len(real.published(MeetingScheduled)) == 1
    with real.store.begin() as session:
        assert session.scalar(select(MAILS_SPENT.c.mails)) == 3
