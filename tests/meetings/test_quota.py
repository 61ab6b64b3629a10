"""How many mails a program or a person may bring about in a day by scheduling, changing and cancelling meetings."""

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
from chassis.actor import Actor, acting
from pratique.errors import QuotaSpent
from pratique.event import Event
from pratique.events.meetings import MeetingScheduled
from pratique.requests.meetings import CancelMeeting
from pratique.testing import AT
from services.meetings.models import MAILS_SPENT

Fixture = Any  # of conftest.py, which tests do not import
DAY = timedelta(days=1)


@contextmanager
def limited(service: Fixture, mails: int, who: str = "token abc jeton") -> Iterator[None]:
    """A day's quota of so many mails, and a token or a person that acts."""
    before = service.store.settings
    service.store.settings = dataclasses.replace(before, mails_a_day=mails)
    try:
        with acting(Actor.network(who)):
            yield
    finally:
        service.store.settings = before


def test_a_program_brings_about_so_many_mails_in_a_day_and_then_changes_nothing(service: Fixture) -> None:
    """Three belong to the community, so that each of these would mail three people."""
    with limited(service, 9):
        service.schedule()
        service.schedule(capacity=12, if_version=1)
        service.schedule(capacity=12, place="Salle B", if_version=2)
        service.schedule(meeting_id=UUID(int=0x222))
        for ask in (
            partial(service.schedule, meeting_id=UUID(int=0x333)),
            partial(service.schedule, capacity=12, place="Salle C", if_version=3),
            partial(service.do, "cancel"),
        ):
            before = service.published(Event)
            with pytest.raises(QuotaSpent, match="2026-03-13T00:00:00Z"):
                ask()
            assert service.published(Event) == before
        service.schedule(capacity=13, place="Salle B", if_version=3)
        service.do("start")

    assert (service.meeting().place, service.meeting().version) == ("Salle B", 5)


def test_a_quota_is_of_a_token_and_of_a_day(service: Fixture) -> None:
    with limited(service, 3):
        service.schedule(starts_at=AT + DAY, ends_at=AT + DAY + timedelta(hours=1))
        with pytest.raises(QuotaSpent):
            service.do("cancel")
        with acting(Actor.network("token def autre")):
            service.schedule(meeting_id=UUID(int=0x222))
        for who in ("operator amina", "pratique"):
            with acting(Actor.network(who)):
                service.schedule(meeting_id=uuid4())
        clock.move(timedelta(hours=10))
        service.do("cancel")

    with service.store.begin() as session:
        assert session.execute(select(MAILS_SPENT)).all() == [(date(2026, 3, 13), "abc", 3)], "the day before is gone"


def test_a_quota_is_of_a_person_wherever_they_are_signed_in(service: Fixture) -> None:
    with limited(service, 3, f"member {service.AMINA}"):
        service.schedule()
        with acting(Actor(f"member {service.AMINA}", Actor.network().grants, service.AMINA)), pytest.raises(QuotaSpent):
            service.schedule(meeting_id=UUID(int=0x222))
        with acting(Actor.network(f"member {uuid4()}")):
            service.schedule(meeting_id=UUID(int=0x222))


def test_what_mails_nobody_costs_nothing(service: Fixture) -> None:
    with limited(service, 0):
        service.schedule(community_ids=(service.OTHER,))
        clock.move(timedelta(days=30))
        service.schedule(meeting_id=UUID(int=0x222))
        service.call(CancelMeeting, meeting_id=UUID(int=0x222), reason="Vieux")

    assert len(service.published(MeetingScheduled)) == 2


def test_whoever_belongs_to_two_communities_of_a_meeting_is_mailed_once(service: Fixture) -> None:
    service.belongs(service.AMINA, service.OTHER)
    with limited(service, 3):
        service.schedule(community_ids=(service.COMMUNITY, service.OTHER))

    assert len(service.published(MeetingScheduled)) == 1
