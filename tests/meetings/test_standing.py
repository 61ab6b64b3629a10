"""How a meeting stands for one person who is invited: what they read of it, and that nobody else reads it for them."""

from typing import Any
from uuid import UUID

import pytest

from chassis.actor import Actor, acting
from chassis.rpc.access import guarded
from chassis.testing import crossed
from pratique.errors import Forbidden, NotFound
from pratique.events.meetings import MeetingState, Partstat
from pratique.requests.meetings import GetStanding, RegisterMember
from services.meetings.access import ACCESS
from services.meetings.queries import get_standing
from tests.meetings.test_queries import count_statements

Fixture = Any  # of conftest.py, which tests do not import


def standing(service: Fixture, member_id: UUID) -> Any:
    return service.call(GetStanding, meeting_id=service.MEETING, member_id=member_id)


def test_one_reads_the_state_and_what_one_said_oneself(service: Fixture) -> None:
    service.schedule()
    assert standing(service, service.AMINA).partstat is None
    service.call(RegisterMember, meeting_id=service.MEETING, member_id=service.AMINA, partstat=Partstat.DECLINED)
    service.do("start")
    seen = standing(service, service.AMINA)
    assert (seen.state, seen.partstat) == (MeetingState.IN_PROGRESS, Partstat.DECLINED)
    assert standing(service, service.LOUIS).partstat is None


def test_whoever_leads_or_takes_notes_is_invited_without_belonging(service: Fixture) -> None:
    service.schedule()
    for each in (service.FACILITATOR, service.NOTE_TAKER):
        assert standing(service, each).state is MeetingState.SCHEDULED


def test_a_stranger_and_an_unknown_meeting_are_told_the_same(service: Fixture) -> None:
    service.schedule()
    with pytest.raises(NotFound):
        standing(service, service.STRANGER)
    with pytest.raises(NotFound):
        service.call(GetStanding, meeting_id=UUID(int=0x999), member_id=service.AMINA)


def test_it_takes_one_query(service: Fixture) -> None:
    service.schedule()
    assert count_statements(service, lambda: standing(service, service.AMINA)) == 1


def test_nobody_reads_it_in_another_s_name(service: Fixture) -> None:
    service.schedule()
    read = guarded(GetStanding, get_standing, ACCESS)
    asked = crossed(GetStanding(meeting_id=service.MEETING, member_id=service.AMINA))
    with service.store.begin() as transaction:
        with acting(Actor("member", member_id=service.AMINA)):
            assert read(transaction, asked).state is MeetingState.SCHEDULED
        for other in (Actor("member", member_id=service.LOUIS), Actor("anyone")):
            with acting(other), pytest.raises(Forbidden):
                read(transaction, asked)
