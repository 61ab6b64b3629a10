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

World = Any  # of conftest.py, which tests do not import
STEPS = {
    "scheduled": (),
    "in_progress": ("start",),
    "wrap_up": ("start", "wrap_up"),
    "closed": ("start", "close"),
    "cancelled": ("cancel",),
}


def names_of(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_meeting_is_scheduled_once_however_often_it_is_said(world: World) -> None:
    for _ in range(3):
        world.schedule()

    assert names_of(world.heard(Event)) == ["MeetingScheduled", "MeetingDescribed"]
    (scheduled,) = world.heard(MeetingScheduled)
    assert (scheduled.starts_at, scheduled.community_ids, scheduled.version) == (AT, (world.COMMUNITY,), 1)
    assert world.meeting().state.value == "scheduled"


def test_a_meeting_goes_through_its_life_and_each_step_is_heard_once(world: World) -> None:
    world.schedule()
    for verb in ("start", "start", "wrap_up", "start", "wrap_up", "close", "close", "start", "wrap_up"):
        clock.move(timedelta(minutes=30))
        world.do(verb)

    life = world.heard(Event)[2:]
    assert [(type(event).__name__, event.version) for event in life] == [
        ("MeetingStarted", 2),
        ("MeetingWrapUpStarted", 3),
        ("MeetingClosed", 4),
    ]
    meeting = world.meeting()
    assert (meeting.state.value, meeting.version) == ("closed", 4)
    assert meeting.started_at < meeting.wrap_up_at < meeting.closed_at


def test_a_meeting_may_close_without_a_wrap_up(world: World) -> None:
    world.schedule()
    world.do("start", "close")

    (closed,) = world.heard(MeetingClosed)
    assert (closed.started_at, closed.closed_at, closed.themes_count) == (AT, AT, 1)
    assert world.heard(MeetingWrapUpStarted) == []


def test_closing_twice_announces_once(world: World) -> None:
    world.schedule()
    world.do("start", "close")
    first = world.meeting().version
    world.do("close", "close")

    assert len(world.heard(MeetingClosed)) == 1
    assert world.meeting().version == first


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
    world: World, state: str, verb: str, hint: str
) -> None:
    world.schedule()
    world.do(*STEPS[state])
    before = world.heard(Event), world.meeting().version

    with pytest.raises(Conflict, match=hint):
        world.do(verb)

    assert (world.heard(Event), world.meeting().version) == before
    assert world.meeting().state.value == state


def test_a_meeting_starts_two_weeks_before_the_day_that_is_planned_at_the_earliest(world: World) -> None:
    ahead = AT + timedelta(days=14, seconds=1)
    world.schedule(starts_at=ahead, ends_at=ahead + timedelta(hours=1))
    with pytest.raises(Conflict, match="it can start 14 days before at the earliest"):
        world.do("start")
    assert world.meeting().started_at is None

    clock.move(timedelta(seconds=1))
    world.do("start")
    assert world.meeting().started_at == AT + timedelta(seconds=1)


def test_a_cancelled_meeting_tells_when_publicly_and_why_privately(world: World) -> None:
    world.schedule()
    world.do("cancel", "cancel")
    world.ask(CancelMeeting, meeting_id=world.MEETING, reason="Une autre raison")

    (cancelled,) = world.heard(MeetingCancelled)
    assert (cancelled.cancelled_at, cancelled.version) == (AT, 2)
    described = world.heard(MeetingDescribed)
    assert [(event.cancel_reason, event.version) for event in described] == [("", 1), ("Tempête de neige", 2)]
    assert all(event.is_private for event in described)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "\x00", "Voir exemple.com", "a\u2066b"])
def test_a_reason_is_needed_to_cancel(world: World, reason: str) -> None:
    world.schedule()
    with pytest.raises(Invalid) as caught:
        world.ask(CancelMeeting, meeting_id=world.MEETING, reason=reason)

    assert set(caught.value.fields) == {"/reason"}
    assert world.meeting().state.value == "scheduled"


def test_the_public_bus_never_hears_a_place_a_link_a_theme_or_a_reason(world: World) -> None:
    world.schedule(place="12, rue Secrète", link="https://secret.example.org/x", themes=("Secret",))
    world.do("cancel")

    public = str([event.dump() for event in world.heard(Event) if not event.is_private]).lower()
    assert "meeting_id" in public
    assert "secr" not in public
    assert "tempête" not in public


@pytest.mark.parametrize("command", ["start", "wrap_up", "close", "cancel"])
def test_an_unknown_meeting_is_not_found(world: World, command: str) -> None:
    with pytest.raises(NotFound, match=str(world.MEETING)):
        world.do(command)


def test_what_else_is_asked_of_an_unknown_meeting_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.mark({})
    with pytest.raises(NotFound):
        world.meeting()
    with pytest.raises(NotFound):
        world.ask(RegisterMember, meeting_id=world.MEETING, member_id=world.AMINA, partstat=Partstat.ACCEPTED)


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
def test_a_meeting_that_cannot_be_is_refused_at_the_field(world: World, said: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        world.schedule(**said)

    assert pointer in caught.value.fields
    assert world.heard(Event) == []
    with pytest.raises(NotFound):
        world.meeting()


def test_a_day_is_the_longest_meeting_and_a_second_the_shortest(world: World) -> None:
    world.schedule(ends_at=AT + timedelta(hours=24))
    world.schedule(meeting_id=UUID(int=0x222), ends_at=AT + timedelta(seconds=1))

    assert len(world.heard(MeetingScheduled)) == 2


def test_a_time_without_an_offset_is_refused(world: World) -> None:
    said = {
        "meeting_id": str(world.MEETING),
        "community_ids": [str(world.COMMUNITY)],
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
        world.carry_out(planned)
    assert set(caught.value.fields) == {"/ends_at"}, "14:00 in Toronto is after 16:00 in Greenwich"


def register(world: World, member_id: UUID, partstat: Partstat) -> Any:
    return world.ask(RegisterMember, meeting_id=world.MEETING, member_id=member_id, partstat=partstat)


def test_the_last_word_on_coming_counts_and_each_word_is_heard_once(world: World) -> None:
    world.schedule()
    saved = [
        register(world, world.AMINA, partstat)
        for partstat in (Partstat.TENTATIVE, Partstat.TENTATIVE, Partstat.ACCEPTED, Partstat.ACCEPTED)
    ]

    assert [each.is_new for each in saved] == [True, False, False, False]
    heard = world.heard(MemberRegisteredForMeeting)
    assert [(event.partstat, event.version) for event in heard] == [(Partstat.TENTATIVE, 2), (Partstat.ACCEPTED, 3)]
    assert (saved[-1].row.version, world.meeting().version) == (2, 3)


def test_a_registration_is_no_attendance(world: World) -> None:
    world.schedule()
    register(world, world.AMINA, Partstat.ACCEPTED)
    world.do("start", "close")

    (closed,) = world.heard(MeetingClosed)
    assert (closed.attendees, closed.head_count) == ((), 0)


def test_a_stranger_cannot_register_and_a_facilitator_from_outside_can(world: World) -> None:
    world.schedule()
    with pytest.raises(Invalid) as caught:
        register(world, world.STRANGER, Partstat.ACCEPTED)
    register(world, world.FACILITATOR, Partstat.ACCEPTED)

    assert set(caught.value.fields) == {"/member_id"}
    assert [event.member_id for event in world.heard(MemberRegisteredForMeeting)] == [world.FACILITATOR]


@pytest.mark.parametrize("state", ["closed", "cancelled"])
def test_nobody_registers_for_what_is_over_or_cancelled(world: World, state: str) -> None:
    world.schedule()
    register(world, world.AMINA, Partstat.ACCEPTED)
    world.do(*STEPS[state])
    for member_id, partstat in ((world.LOUIS, Partstat.ACCEPTED), (world.AMINA, Partstat.DECLINED)):
        with pytest.raises(Conflict, match=state):
            register(world, member_id, partstat)
    register(world, world.AMINA, Partstat.ACCEPTED)

    assert len(world.heard(MemberRegisteredForMeeting)) == 1


def test_two_meetings_at_the_same_time_do_not_touch_each_other(world: World) -> None:
    world.schedule()
    other = world.schedule(meeting_id=UUID(int=0x222), community_ids=(world.OTHER,))
    world.do("start", "close")

    assert len(world.heard(MeetingStarted)) == 1
    assert world.ask(GetMeeting, meeting_id=other.meeting_id).state.value == "scheduled"


def test_a_failed_command_leaves_no_trace(world: World) -> None:
    world.schedule()
    with pytest.raises(DomainError):
        world.schedule(place="Salle B", community_ids=(world.OTHER,), if_version=1)

    assert (world.meeting().place, world.meeting().community_ids) == ("", (world.COMMUNITY,))
