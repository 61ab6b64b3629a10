"""What people read from meetings, and what it costs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from pratique.errors import Invalid, NotFound
from pratique.events.meetings import AttendanceState, Partstat
from pratique.requests.meetings import (
    ListAgenda,
    ListInvited,
    ListMeetings,
    ListMeetingVersions,
    ListRegistrations,
    Meeting,
    MeetingWithAttendance,
    RegisterMember,
    SummarizeMeetings,
)
from pratique.testing import AT

Fixture = Any  # of conftest.py, which tests do not import


def count_statements(service: Fixture, ask: Callable[[], Any]) -> int:
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(service.store.engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(service.store.engine, "before_cursor_execute", note)
    return len(seen)


def test_meetings_are_listed_once_each_the_latest_first_page_by_page(service: Fixture) -> None:
    starts = [0, 3, 1, 1, 2, 1]  # several at the same instant
    for number, days in enumerate(starts):
        service.schedule(
            meeting_id=UUID(int=0x200 + number),
            starts_at=AT + timedelta(days=days, microseconds=days),
            ends_at=AT + timedelta(days=days, hours=1),
        )
    service.schedule(community_ids=(service.OTHER,))
    seen: list[Any] = []
    after = None
    while True:
        page = service.call(ListMeetings, community_id=service.COMMUNITY, after=after, limit=2)
        seen += page.rows
        after = page.after
        if after is None:
            break

    keys = [(meeting.starts_at, meeting.meeting_id) for meeting in seen]
    assert keys == sorted(keys, reverse=True)
    assert {meeting.meeting_id for meeting in seen} == {UUID(int=0x200 + number) for number in range(6)}
    assert len(seen) == 6


def test_a_joint_meeting_is_listed_in_each_of_its_communities(service: Fixture) -> None:
    service.schedule(community_ids=(service.OTHER, service.COMMUNITY))
    for community_id in (service.COMMUNITY, service.OTHER):
        (meeting,) = service.call(ListMeetings, community_id=community_id).rows
        assert meeting.community_ids == (service.OTHER, service.COMMUNITY)


def test_a_community_without_meetings_has_an_empty_page(service: Fixture) -> None:
    page = service.call(ListMeetings, community_id=service.COMMUNITY)

    assert (list(page.rows), page.after) == ([], None)


@pytest.mark.parametrize("after", ["", "x", "2026-03-12T14:00:00.000000Z", "2026-03-12T14:00:00.000000Z_5", "_"])
def test_a_key_that_comes_from_no_page_is_refused(service: Fixture, after: str) -> None:
    with pytest.raises(Invalid) as caught:
        service.call(ListMeetings, community_id=service.COMMUNITY, after=after)

    assert set(caught.value.fields) == {"/after"}


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_one_to_five_hundred_rows(service: Fixture, limit: int) -> None:
    with pytest.raises(Invalid):
        service.call(ListMeetings, community_id=service.COMMUNITY, limit=limit)


def test_an_unknown_community_is_not_found(service: Fixture) -> None:
    with pytest.raises(NotFound, match=str(service.STRANGER)):
        service.call(ListMeetings, community_id=service.STRANGER)


@pytest.mark.parametrize("people", [1, 40])
def test_what_is_read_costs_the_same_whatever_its_size(service: Fixture, people: int) -> None:
    service.schedule(community_ids=(service.COMMUNITY, service.OTHER))
    service.do("start")
    members = [UUID(int=0x5000 + number) for number in range(people)]
    for member_id in members:
        service.belongs(member_id, service.COMMUNITY)
    service.mark(dict.fromkeys(members, AttendanceState.ATTENDED))
    for number in range(people):
        service.schedule(meeting_id=UUID(int=0x200 + number))

    assert len(service.meeting().attendance) == people
    assert count_statements(service, service.meeting) == 2
    assert count_statements(service, lambda: service.call(ListMeetings, community_id=service.COMMUNITY)) == 3


def test_a_dumped_meeting_has_the_fields_that_are_promised(service: Fixture) -> None:
    service.schedule(place="Salle B")
    service.do("start")
    service.mark({service.AMINA: AttendanceState.ATTENDED})
    dumped = MeetingWithAttendance.dump_of(service.meeting())

    assert dumped == {
        "meeting_id": str(service.MEETING),
        "state": "in_progress",
        "community_ids": [str(service.COMMUNITY)],
        "kind": "meeting",
        "mode": "hybrid",
        "starts_at": "2026-03-12T14:00:00+00:00",
        "ends_at": "2026-03-12T16:00:00+00:00",
        "timezone": "America/Toronto",
        "place": "Salle B",
        "link": "",
        "themes": ["Mesurer sans peser"],
        "capacity": None,
        "facilitator_id": str(service.FACILITATOR),
        "note_taker_id": str(service.NOTE_TAKER),
        "started_at": "2026-03-12T14:00:00+00:00",
        "wrap_up_at": None,
        "closed_at": None,
        "cancelled_at": None,
        "cancel_reason": "",
        "head_count": 1,
        "version": 3,
        "attendance": [
            {
                "member_id": str(service.AMINA),
                "state": "attended",
                "role": "participant",
                "community_id": str(service.COMMUNITY),
                "organization_id": str(UUID(int=0x0F)),
            }
        ],
    }
    (listed,) = service.call(ListMeetings, community_id=service.COMMUNITY).rows
    assert Meeting.dump_of(listed) == {key: dumped[key] for key in dumped if key != "attendance"}


def test_versions_are_listed_of_the_meetings_that_there_are(service: Fixture) -> None:
    service.schedule()
    service.do("start")
    service.schedule(meeting_id=UUID(int=0x200))
    asked = (service.MEETING, UUID(int=0x200), UUID(int=0x999))
    versions = {row.id: row.version for row in service.call(ListMeetingVersions, ids=asked)}

    assert versions == {service.MEETING: service.meeting().version, UUID(int=0x200): 1}
    assert count_statements(service, lambda: service.call(ListMeetingVersions, ids=asked)) == 1


def test_words_on_coming_are_listed_once_each_page_by_page(service: Fixture) -> None:
    service.schedule()
    with pytest.raises(NotFound):
        service.call(ListRegistrations, meeting_id=UUID(int=0x999))
    for member_id, partstat in ((service.MEI, "accepted"), (service.AMINA, "declined"), (service.LOUIS, "tentative")):
        service.call(RegisterMember, meeting_id=service.MEETING, member_id=member_id, partstat=Partstat(partstat))

    first = service.call(ListRegistrations, meeting_id=service.MEETING, limit=2)
    last = service.call(ListRegistrations, meeting_id=service.MEETING, after=first.after, limit=2)

    told = [(each.member_id, each.partstat.value) for page in (first, last) for each in page.rows]
    assert told == [(service.AMINA, "declined"), (service.LOUIS, "tentative"), (service.MEI, "accepted")]
    assert last.after is None


def agenda(service: Fixture, **said: Any) -> list[Any]:
    usual = {"community_ids": (service.COMMUNITY,), "since": AT - timedelta(days=1), "until": AT + timedelta(days=90)}
    return service.call(ListAgenda, **usual | said)


def test_an_agenda_has_what_is_on_in_its_period_the_earliest_first(service: Fixture) -> None:
    for number, days in enumerate((40, 3, -2, 100)):
        service.schedule(
            meeting_id=UUID(int=0x200 + number),
            starts_at=AT + timedelta(days=days),
            ends_at=AT + timedelta(days=days, hours=1),
        )
    service.schedule(community_ids=(service.OTHER,))

    assert [each.meeting_id for each in agenda(service)] == [UUID(int=0x201), UUID(int=0x200)]
    (last,) = agenda(service, is_latest_first=True, limit=1)
    assert last.meeting_id == UUID(int=0x200)


def test_an_agenda_says_how_many_come_and_what_one_person_said_and_did(service: Fixture) -> None:
    service.schedule()
    for member_id, partstat in ((service.AMINA, Partstat.ACCEPTED), (service.LOUIS, Partstat.ACCEPTED)):
        service.call(RegisterMember, meeting_id=service.MEETING, member_id=member_id, partstat=partstat)
    service.call(RegisterMember, meeting_id=service.MEETING, member_id=service.MEI, partstat=Partstat.DECLINED)
    service.do("start")
    service.mark({service.MEI: AttendanceState.ATTENDED})

    (meeting,) = agenda(service, member_id=service.MEI)

    assert meeting.registrations == {"accepted": 2, "declined": 1}
    assert (meeting.own_part.partstat, meeting.own_part.attendance) == (Partstat.DECLINED, AttendanceState.ATTENDED)
    assert agenda(service)[0].own_part is None


def test_whoever_leads_a_meeting_has_it_in_their_agenda_without_belonging(service: Fixture) -> None:
    service.schedule(community_ids=(service.OTHER,), facilitator_id=service.STRANGER)

    assert [each.meeting_id for each in agenda(service, member_id=service.STRANGER)] == [service.MEETING]
    assert agenda(service, member_id=service.MEI) == []


def test_an_agenda_costs_the_same_whatever_its_length(service: Fixture) -> None:
    def counted(number: int) -> int:
        service.schedule(meeting_id=UUID(int=0x200 + number))
        return count_statements(service, lambda: agenda(service, member_id=service.MEI))

    assert counted(0) == counted(1) == counted(2)


def test_figures_of_communities_count_who_was_there_in_closed_meetings_only(service: Fixture) -> None:
    there, away = AttendanceState.ATTENDED, AttendanceState.NO_SHOW
    rolls = [{service.AMINA: there, service.LOUIS: there, service.MEI: away}, {service.AMINA: there}, {}]
    for number, roll in enumerate(rolls):
        id = UUID(int=0x200 + number)
        service.schedule(meeting_id=id)
        service.do("start", meeting_id=id)
        service.mark(roll, meeting_id=id)
        if number < 2:
            service.do("close", meeting_id=id)

    figures = service.call(
        SummarizeMeetings,
        community_ids=(service.COMMUNITY, service.OTHER),
        since=AT - timedelta(days=1),
        until=AT + timedelta(days=1),
    )

    ours, others = figures
    assert (ours.meetings_count, ours.head_counts, ours.people_count, ours.attendance_rate) == (2, [2, 1], 2, 3 / 4)
    assert (others.meetings_count, others.head_counts, others.attendance_rate) == (0, [], None)


def test_invited_are_members_and_facilitators_of_all_its_communities_and_whom_it_names_each_once(
    service: Fixture,
) -> None:
    service.belongs(service.AMINA, service.OTHER)
    service.facilitates(service.STRANGER, service.OTHER)
    service.leaves(service.MEI, service.COMMUNITY)
    service.schedule(community_ids=(service.COMMUNITY, service.OTHER), note_taker_id=None)
    seen: list[UUID] = []
    after = None
    while True:
        page = service.call(ListInvited, meeting_id=service.MEETING, after=after, limit=3)
        seen += [each.member_id for each in page.rows]
        if (after := page.after) is None:
            break

    assert seen == sorted([service.AMINA, service.LOUIS, service.STRANGER, service.FACILITATOR])
    with pytest.raises(NotFound):
        service.call(ListInvited, meeting_id=UUID(int=0x999))
    with pytest.raises(Invalid):
        service.call(ListInvited, meeting_id=service.MEETING, after="no id")
