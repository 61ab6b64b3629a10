"""A meeting's life, as whoever asks and whoever listens sees it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import clock
from chassis.rpc.requests import read
from pratique.errors import Conflict, DomainError, Invalid, NotFound
from pratique.event import Event
from pratique.events.meetings import (
    MeetingCancelled,
    MeetingClosed,
    MeetingDescribed,
    MeetingScheduled,
    MeetingStarted,
    MeetingWrapUpStarted,
    MemberRegisteredForMeeting,
    Partstat,
)
from pratique.requests.meetings import CancelMeeting, GetMeeting, PutMeeting, RegisterMember
from pratique.testing import AT

Fixture = Any  # of conftest.py, which tests do not import
STEPS = {
    "scheduled": (),
    "in_progress": ("start",),
    "wrap_up": ("start", "wrap_up"),
    "closed": ("start", "close"),
    "cancelled": ("cancel",),
}


def names_of(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_meeting_is_scheduled_once_however_often_it_is_said(service: Fixture) -> None:
    for _ in range(3):
        service.schedule()

    assert names_of(service.published(Event)) == ["MeetingScheduled", "MeetingDescribed"]
    (scheduled,) = service.published(MeetingScheduled)
    assert (scheduled.starts_at, scheduled.community_ids, scheduled.version) == (AT, (service.COMMUNITY,), 1)
    assert service.meeting().state.value == "scheduled"


def test_a_meeting_goes_through_its_life_and_each_step_is_heard_once(service: Fixture) -> None:
    service.schedule()
    for verb in ("start", "start", "wrap_up", "start", "wrap_up", "close", "close", "start", "wrap_up"):
        clock.move(timedelta(minutes=30))
        service.do(verb)

    life = service.published(Event)[2:]
    assert [(type(event).__name__, event.version) for event in life] == [
        ("MeetingStarted", 2),
        ("MeetingWrapUpStarted", 3),
        ("MeetingClosed", 4),
    ]
    meeting = service.meeting()
    assert (meeting.state.value, meeting.version) == ("closed", 4)
    assert meeting.started_at < meeting.wrap_up_at < meeting.closed_at


def test_a_meeting_may_close_without_a_wrap_up(service: Fixture) -> None:
    service.schedule()
    service.do("start", "close")

    (closed,) = service.published(MeetingClosed)
    assert (closed.started_at, closed.closed_at, closed.themes_count) == (AT, AT, 1)
    assert service.published(MeetingWrapUpStarted) == []


def test_closing_twice_announces_once(service: Fixture) -> None:
    service.schedule()
    service.do("start", "close")
    first = service.meeting().version
    service.do("close", "close")

    assert len(service.published(MeetingClosed)) == 1
    assert service.meeting().version == first


@pytest.mark.parametrize(
    ("state", "verb", "hint"),
    [
        ("scheduled", "wrap_up", "start it"),
        ("scheduled", "close", "start it"),
        ("in_progress", "cancel", "close it"),
        ("wrap_up", "cancel", "close it"),
        ("closed", "cancel", "stays on record"),
        ("closed", "wrap_up", "no longer"),
        ("cancelled", "start", "schedule another"),
        ("cancelled", "wrap_up", "schedule another"),
        ("cancelled", "close", "schedule another"),
    ],
)
def test_what_cannot_follow_is_a_conflict_that_says_what_can_be_done(
    service: Fixture, state: str, verb: str, hint: str
) -> None:
    service.schedule()
    service.do(*STEPS[state])
    before = service.published(Event), service.meeting().version

    with pytest.raises(Conflict, match=hint):
        service.do(verb)

    assert (service.published(Event), service.meeting().version) == before
    assert service.meeting().state.value == state


def test_a_meeting_starts_two_weeks_before_the_day_that_is_planned_at_the_earliest(service: Fixture) -> None:
    ahead = AT + timedelta(days=14, seconds=1)
    service.schedule(starts_at=ahead, ends_at=ahead + timedelta(hours=1))
    with pytest.raises(Conflict, match="it can start 14 days before at the earliest"):
        service.do("start")
    assert service.meeting().started_at is None

    clock.move(timedelta(seconds=1))
    service.do("start")
    assert service.meeting().started_at == AT + timedelta(seconds=1)


def test_a_cancelled_meeting_tells_when_publicly_and_why_privately(service: Fixture) -> None:
    service.schedule()
    service.do("cancel", "cancel")
    service.call(CancelMeeting, meeting_id=service.MEETING, reason="Une autre raison")

    (cancelled,) = service.published(MeetingCancelled)
    assert (cancelled.cancelled_at, cancelled.version) == (AT, 2)
    described = service.published(MeetingDescribed)
    assert [(event.cancel_reason, event.version) for event in described] == [("", 1), ("Tempête de neige", 2)]
    assert all(event.is_private for event in described)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "\x00", "Voir exemple.com", "a\u2066b"])
def test_a_reason_is_needed_to_cancel(service: Fixture, reason: str) -> None:
    service.schedule()
    with pytest.raises(Invalid) as caught:
        service.call(CancelMeeting, meeting_id=service.MEETING, reason=reason)

    assert set(caught.value.fields) == {"/reason"}
    assert service.meeting().state.value == "scheduled"


def test_the_public_bus_never_hears_a_place_a_link_a_theme_or_a_reason(service: Fixture) -> None:
    service.schedule(place="12, rue Secrète", link="https://secret.example.org/x", themes=("Secret",))
    service.do("cancel")

    public = str([event.dump() for event in service.published(Event) if not event.is_private]).lower()
    assert "meeting_id" in public
    assert "secr" not in public
    assert "tempête" not in public


@pytest.mark.parametrize("command", ["start", "wrap_up", "close", "cancel"])
def test_an_unknown_meeting_is_not_found(service: Fixture, command: str) -> None:
    with pytest.raises(NotFound, match=str(service.MEETING)):
        service.do(command)


def test_what_else_is_asked_of_an_unknown_meeting_is_not_found(service: Fixture) -> None:
    with pytest.raises(NotFound):
        service.mark({})
    with pytest.raises(NotFound):
        service.meeting()
    with pytest.raises(NotFound):
        service.call(RegisterMember, meeting_id=service.MEETING, member_id=service.AMINA, partstat=Partstat.ACCEPTED)


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"ends_at": AT}, "/ends_at"),
        ({"ends_at": AT - timedelta(seconds=1)}, "/ends_at"),
        ({"ends_at": AT + timedelta(hours=24, seconds=1)}, "/ends_at"),
        ({"starts_at": datetime(1026, 3, 12, tzinfo=UTC)}, "/starts_at"),
        ({"timezone": "America/Atlantis"}, "/timezone"),
        ({"community_ids": ()}, "/community_ids"),
        ({"community_ids": tuple(UUID(int=each) for each in range(51))}, "/community_ids"),
        ({"community_ids": (UUID(int=0xC0), UUID(int=0xC1), UUID(int=0xC0))}, "/community_ids/2"),
        ({"community_ids": (UUID(int=0xC0), UUID(int=0xDEAD))}, "/community_ids/1"),
        ({"note_taker_id": UUID(int=0xFA)}, "/note_taker_id"),
        ({"capacity": 0}, "/capacity"),
        ({"capacity": 2**31}, "/capacity"),
        ({"link": "javascript:alert(1)"}, "/link"),
        ({"link": "https://a.example\nBcc: b"}, "/link"),
        ({"place": "x" * 301}, "/place"),
        ({"themes": ("ok", "")}, "/themes/1"),
        ({"themes": ("Répondez sur exemple.com",)}, "/themes/0"),
        ({"place": "https://meet.example.org/abc"}, "/place"),
        ({"place": "Salle \u202e3"}, "/place"),
        ({"link": "https://meet.example.org/\u200babc"}, "/link"),
        ({"themes": ("x",) * 21}, "/themes"),
    ],
)
def test_a_meeting_that_cannot_be_is_refused_at_the_field(service: Fixture, said: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        service.schedule(**said)

    assert pointer in caught.value.fields
    assert service.published(Event) == []
    with pytest.raises(NotFound):
        service.meeting()


def test_a_day_is_the_longest_meeting_and_a_second_the_shortest(service: Fixture) -> None:
    service.schedule(ends_at=AT + timedelta(hours=24))
    service.schedule(meeting_id=UUID(int=0x222), ends_at=AT + timedelta(seconds=1))

    assert len(service.published(MeetingScheduled)) == 2


def test_a_time_without_an_offset_is_refused(service: Fixture) -> None:
    said = {
        "meeting_id": str(service.MEETING),
        "community_ids": [str(service.COMMUNITY)],
        "kind": "meeting",
        "mode": "online",
        "starts_at": "2026-03-12T14:00:00",
        "ends_at": "2026-03-12T16:00:00Z",
        "timezone": "America/Toronto",
    }
    with pytest.raises(Invalid) as caught:
        read(PutMeeting, said)
    assert set(caught.value.fields) == {"/starts_at"}

    planned = read(PutMeeting, said | {"starts_at": "2026-03-12T14:00:00-04:00"})
    with pytest.raises(Invalid) as caught:
        service.carry_out(planned)
    assert set(caught.value.fields) == {"/ends_at"}, "14:00 in Toronto is after 16:00 in Greenwich"


def register(service: Fixture, member_id: UUID, partstat: Partstat) -> Any:
    return service.call(RegisterMember, meeting_id=service.MEETING, member_id=member_id, partstat=partstat)


def test_the_last_word_on_coming_counts_and_each_word_is_heard_once(service: Fixture) -> None:
    service.schedule()
    saved = [
        register(service, service.AMINA, partstat)
        for partstat in (Partstat.TENTATIVE, Partstat.TENTATIVE, Partstat.ACCEPTED, Partstat.ACCEPTED)
    ]

    assert [each.is_new for each in saved] == [True, False, False, False]
    heard = service.published(MemberRegisteredForMeeting)
    assert [(event.partstat, event.version) for event in heard] == [(Partstat.TENTATIVE, 2), (Partstat.ACCEPTED, 3)]
    assert (saved[-1].row.version, service.meeting().version) == (2, 3)


def test_a_registration_is_no_attendance(service: Fixture) -> None:
    service.schedule()
    register(service, service.AMINA, Partstat.ACCEPTED)
    service.do("start", "close")

    (closed,) = service.published(MeetingClosed)
    assert (closed.attendees, closed.head_count) == ((), 0)


def test_a_stranger_cannot_register_and_a_facilitator_from_outside_can(service: Fixture) -> None:
    service.schedule()
    with pytest.raises(Invalid) as caught:
        register(service, service.STRANGER, Partstat.ACCEPTED)
    register(service, service.FACILITATOR, Partstat.ACCEPTED)

    assert set(caught.value.fields) == {"/member_id"}
    assert [event.member_id for event in service.published(MemberRegisteredForMeeting)] == [service.FACILITATOR]


@pytest.mark.parametrize("state", ["closed", "cancelled"])
def test_nobody_registers_for_what_is_over_or_cancelled(service: Fixture, state: str) -> None:
    service.schedule()
    register(service, service.AMINA, Partstat.ACCEPTED)
    service.do(*STEPS[state])
    for member_id, partstat in ((service.LOUIS, Partstat.ACCEPTED), (service.AMINA, Partstat.DECLINED)):
        with pytest.raises(Conflict, match=state):
            register(service, member_id, partstat)
    register(service, service.AMINA, Partstat.ACCEPTED)

    assert len(service.published(MemberRegisteredForMeeting)) == 1


def test_two_meetings_at_the_same_time_do_not_touch_each_other(service: Fixture) -> None:
    service.schedule()
    other = service.schedule(meeting_id=UUID(int=0x222), community_ids=(service.OTHER,))
    service.do("start", "close")

    assert len(service.published(MeetingStarted)) == 1
    assert service.call(GetMeeting, meeting_id=other.meeting_id).state.value == "scheduled"


def test_a_failed_command_leaves_no_trace(service: Fixture) -> None:
    service.schedule()
    with pytest.raises(DomainError):
        service.schedule(place="Salle B", community_ids=(service.OTHER,), if_version=1)

    assert (service.meeting().place, service.meeting().community_ids) == ("", (service.COMMUNITY,))
