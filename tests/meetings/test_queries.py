"""What people read from meetings, and what it costs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from pratique.errors import Invalid, NotFound
from pratique.events.meetings import AttendanceState, Partstat
from pratique.requests.meetings import ListMeetings, ListRegistrations, Meeting, MeetingWithAttendance, RegisterMember
from pratique.testing import AT

World = Any  # of conftest.py, which tests do not import


def count_statements(world: World, ask: Callable[[], Any]) -> int:
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(world.opened.engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(world.opened.engine, "before_cursor_execute", note)
    return len(seen)


def test_meetings_are_listed_once_each_the_latest_first_page_by_page(world: World) -> None:
    starts = [0, 3, 1, 1, 2, 1]  # several at the same instant
    for number, days in enumerate(starts):
        world.schedule(
            meeting_id=UUID(int=0x200 + number),
            starts_at=AT + timedelta(days=days, microseconds=days),
            ends_at=AT + timedelta(days=days, hours=1),
        )
    world.schedule(community_ids=(world.OTHER,))
    seen: list[Any] = []
    after = None
    while True:
        page = world.ask(ListMeetings, community_id=world.COMMUNITY, after=after, limit=2)
        seen += page.rows
        after = page.after
        if after is None:
            break

    keys = [(meeting.starts_at, meeting.meeting_id) for meeting in seen]
    assert keys == sorted(keys, reverse=True)
    assert {meeting.meeting_id for meeting in seen} == {UUID(int=0x200 + number) for number in range(6)}
    assert len(seen) == 6


def test_a_joint_meeting_is_listed_in_each_of_its_communities(world: World) -> None:
    world.schedule(community_ids=(world.OTHER, world.COMMUNITY))
    for community_id in (world.COMMUNITY, world.OTHER):
        (meeting,) = world.ask(ListMeetings, community_id=community_id).rows
        assert meeting.community_ids == (world.OTHER, world.COMMUNITY)


def test_a_community_without_meetings_has_an_empty_page(world: World) -> None:
    page = world.ask(ListMeetings, community_id=world.COMMUNITY)

    assert (list(page.rows), page.after) == ([], None)


@pytest.mark.parametrize("after", ["", "x", "2026-03-12T14:00:00.000000Z", "2026-03-12T14:00:00.000000Z_5", "_"])
def test_a_key_that_comes_from_no_page_is_refused(world: World, after: str) -> None:
    with pytest.raises(Invalid) as caught:
        world.ask(ListMeetings, community_id=world.COMMUNITY, after=after)

    assert set(caught.value.fields) == {"/after"}


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_one_to_five_hundred_rows(world: World, limit: int) -> None:
    with pytest.raises(Invalid):
        world.ask(ListMeetings, community_id=world.COMMUNITY, limit=limit)


def test_an_unknown_community_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match=str(world.STRANGER)):
        world.ask(ListMeetings, community_id=world.STRANGER)


@pytest.mark.parametrize("people", [1, 40])
def test_what_is_read_costs_the_same_whatever_its_size(world: World, people: int) -> None:
    world.schedule(community_ids=(world.COMMUNITY, world.OTHER))
    world.do("start")
    members = [UUID(int=0x5000 + number) for number in range(people)]
    for member_id in members:
        world.belongs(member_id, world.COMMUNITY)
    world.mark(dict.fromkeys(members, AttendanceState.ATTENDED))
    for number in range(people):
        world.schedule(meeting_id=UUID(int=0x200 + number))

    assert len(world.meeting().attendance) == people
    assert count_statements(world, world.meeting) == 3
    assert count_statements(world, lambda: world.ask(ListMeetings, community_id=world.COMMUNITY)) == 3


def test_a_dumped_meeting_has_the_fields_that_are_promised(world: World) -> None:
    world.schedule(place="Salle B")
    world.do("start")
    world.mark({world.AMINA: AttendanceState.ATTENDED})
    dumped = MeetingWithAttendance.dump_of(world.meeting())

    assert dumped == {
        "meeting_id": str(world.MEETING),
        "state": "in_progress",
        "community_ids": [str(world.COMMUNITY)],
        "kind": "meeting",
        "mode": "hybrid",
        "starts_at": "2026-03-12T14:00:00+00:00",
        "ends_at": "2026-03-12T16:00:00+00:00",
        "timezone": "America/Toronto",
        "place": "Salle B",
        "link": "",
        "themes": ["Mesurer sans peser"],
        "capacity": None,
        "facilitator_id": str(world.FACILITATOR),
        "note_taker_id": str(world.NOTE_TAKER),
        "started_at": "2026-03-12T14:00:00+00:00",
        "wrap_up_at": None,
        "closed_at": None,
        "cancelled_at": None,
        "cancel_reason": "",
        "head_count": 1,
        "version": 3,
        "attendance": [
            {
                "member_id": str(world.AMINA),
                "state": "attended",
                "role": "participant",
                "community_id": str(world.COMMUNITY),
                "organization_id": str(UUID(int=0x0F)),
            }
        ],
    }
    (listed,) = world.ask(ListMeetings, community_id=world.COMMUNITY).rows
    assert Meeting.dump_of(listed) == {key: dumped[key] for key in dumped if key != "attendance"}


def test_words_on_coming_are_listed_once_each_page_by_page(world: World) -> None:
    world.schedule()
    with pytest.raises(NotFound):
        world.ask(ListRegistrations, meeting_id=UUID(int=0x999))
    for member_id, partstat in ((world.MEI, "accepted"), (world.AMINA, "declined"), (world.LOUIS, "tentative")):
        world.ask(RegisterMember, meeting_id=world.MEETING, member_id=member_id, partstat=Partstat(partstat))

    first = world.ask(ListRegistrations, meeting_id=world.MEETING, limit=2)
    last = world.ask(ListRegistrations, meeting_id=world.MEETING, after=first.after, limit=2)

    told = [(each.member_id, each.partstat.value) for page in (first, last) for each in page.rows]
    assert told == [(world.AMINA, "declined"), (world.LOUIS, "tentative"), (world.MEI, "accepted")]
    assert last.after is None
