"""How many mails a program may bring about in a day by scheduling, changing and cancelling meetings."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from chassis import clock
from chassis.actor import acting
from pratique.errors import QuotaSpent
from pratique.event import Event
from pratique.events.meetings import MeetingScheduled
from pratique.requests.meetings import CancelMeeting
from pratique.testing import AT
from services.meetings.models import MAILS_SPENT

World = Any  # of conftest.py, which tests do not import
DAY = timedelta(days=1)


@contextmanager
def limited(world: World, mails: int) -> Iterator[None]:
    """A day's quota of so many mails, and a token that acts."""
    before = world.opened.settings
    world.opened.settings = dataclasses.replace(before, mails_a_day=mails)
    try:
        with acting("token abc jeton"):
            yield
    finally:
        world.opened.settings = before


def test_a_program_brings_about_so_many_mails_in_a_day_and_then_changes_nothing(world: World) -> None:
    """Three belong to the community, so that each of these would mail three people."""
    with limited(world, 9):
        world.schedule()
        world.schedule(capacity=12, if_version=1)
        world.schedule(capacity=12, place="Salle B", if_version=2)
        world.schedule(meeting_id=UUID(int=0x222))
        for ask in (
            partial(world.schedule, meeting_id=UUID(int=0x333)),
            partial(world.schedule, capacity=12, place="Salle C", if_version=3),
            partial(world.do, "cancel"),
        ):
            before = world.heard(Event)
            with pytest.raises(QuotaSpent, match="2026-03-13T00:00:00Z"):
                ask()
            assert world.heard(Event) == before
        world.schedule(capacity=13, place="Salle B", if_version=3)
        world.do("start")

    assert (world.meeting().place, world.meeting().version) == ("Salle B", 5)


def test_a_quota_is_of_a_token_and_of_a_day(world: World) -> None:
    with limited(world, 3):
        world.schedule(starts_at=AT + DAY, ends_at=AT + DAY + timedelta(hours=1))
        with pytest.raises(QuotaSpent):
            world.do("cancel")
        with acting("token def autre"):
            world.schedule(meeting_id=UUID(int=0x222))
        for who in ("operator amina", "pratique"):
            with acting(who):
                world.schedule(meeting_id=uuid4())
        clock.move(timedelta(hours=10))
        world.do("cancel")

    with world.opened.begin() as session:
        assert session.execute(select(MAILS_SPENT)).all() == [(date(2026, 3, 13), "abc", 3)], "the day before is gone"


def test_what_mails_nobody_costs_nothing(world: World) -> None:
    with limited(world, 0):
        world.schedule(community_ids=(world.OTHER,))
        clock.move(timedelta(days=30))
        world.schedule(meeting_id=UUID(int=0x222))
        world.ask(CancelMeeting, meeting_id=UUID(int=0x222), reason="Vieux")

    assert len(world.heard(MeetingScheduled)) == 2


def test_whoever_belongs_to_two_communities_of_a_meeting_is_mailed_once(world: World) -> None:
    world.belongs(world.AMINA, world.OTHER)
    with limited(world, 3):
        world.schedule(community_ids=(world.COMMUNITY, world.OTHER))

    assert len(world.heard(MeetingScheduled)) == 1
