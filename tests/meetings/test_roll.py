"""Who was there: recorded until the meeting closes, corrected afterwards, and never confused with who said so."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from chassis import clock
from chassis.actor import Actor, acting
from chassis.storage.audit import AUDIT
from chassis.testing import memory_store
from pratique.errors import Conflict, Invalid
from pratique.events.meetings import (
    AttendanceCorrected,
    AttendanceRecorded,
    AttendanceState,
    MeetingClosed,
    MeetingRole,
    Partstat,
)
from pratique.requests.meetings import AttendanceEntry, RecordAttendance, RegisterMember
from pratique.testing import AT
from services.meetings.models import AttendanceChange, Base

Fixture = Any  # of conftest.py, which tests do not import
ATTENDED, PARTLY, EXCUSED = AttendanceState.ATTENDED, AttendanceState.ATTENDED_PARTLY, AttendanceState.EXCUSED
NO_SHOW, UNKNOWN = AttendanceState.NO_SHOW, AttendanceState.UNKNOWN
ORGANIZATION, OTHER_ORGANIZATION = UUID(int=0x0F), UUID(int=0x1F)


@pytest.fixture
def begun(service: Fixture) -> Fixture:
    service.schedule()
    service.do("start")
    return service


def test_only_who_changed_is_announced(begun: Fixture) -> None:
    begun.mark({begun.AMINA: ATTENDED, begun.LOUIS: NO_SHOW})
    begun.mark({begun.AMINA: ATTENDED, begun.LOUIS: PARTLY})
    begun.mark({begun.AMINA: ATTENDED, begun.LOUIS: PARTLY})

    heard = begun.published(AttendanceRecorded)
    assert [[(each.member_id, each.state) for each in event.attendees] for event in heard] == [
        [(begun.AMINA, ATTENDED), (begun.LOUIS, NO_SHOW)],
        [(begun.LOUIS, PARTLY)],
    ]
    assert [event.version for event in heard] == [3, 4]
    assert begun.meeting().version == 4


def test_a_closed_meeting_tells_everyone_marked_and_counts_who_was_there(begun: Fixture) -> None:
    begun.mark({begun.FACILITATOR: ATTENDED, begun.AMINA: PARTLY, begun.LOUIS: EXCUSED, begun.MEI: UNKNOWN})
    begun.do("wrap_up", "close")

    (closed,) = begun.published(MeetingClosed)
    assert {(each.member_id, each.state, each.role) for each in closed.attendees} == {
        (begun.FACILITATOR, ATTENDED, MeetingRole.FACILITATOR),
        (begun.AMINA, PARTLY, MeetingRole.PARTICIPANT),
        (begun.LOUIS, EXCUSED, MeetingRole.PARTICIPANT),
        (begun.MEI, UNKNOWN, MeetingRole.PARTICIPANT),
    }
    assert closed.head_count == 2
    assert {each.organization_id for each in closed.attendees if each.member_id == begun.AMINA} == {ORGANIZATION}


def test_a_no_show_is_never_attended_and_unknown_is_no_no_show(begun: Fixture) -> None:
    begun.call(RegisterMember, meeting_id=begun.MEETING, member_id=begun.AMINA, partstat=Partstat.ACCEPTED)
    begun.mark({begun.AMINA: NO_SHOW, begun.LOUIS: UNKNOWN})
    begun.do("close")

    (closed,) = begun.published(MeetingClosed)
    assert {each.member_id: each.state for each in closed.attendees} == {begun.AMINA: NO_SHOW, begun.LOUIS: UNKNOWN}
    assert closed.head_count == 0
    assert begun.roll() == {begun.AMINA: NO_SHOW, begun.LOUIS: UNKNOWN}


def test_the_note_taker_is_never_among_the_attendees(begun: Fixture) -> None:
    begun.belongs(begun.NOTE_TAKER, begun.COMMUNITY)
    for state in AttendanceState:
        with pytest.raises(Invalid, match="note taker") as caught:
            begun.mark({begun.AMINA: ATTENDED, begun.NOTE_TAKER: state})
        assert set(caught.value.fields) == {"/entries/1/member_id"}
    begun.do("close")

    assert begun.published(AttendanceRecorded) == []
    assert begun.published(MeetingClosed)[0].attendees == ()


def test_a_stranger_is_refused_and_nobody_else_is_marked(begun: Fixture) -> None:
    begun.belongs(begun.STRANGER, begun.OTHER)
    with pytest.raises(Invalid, match="moments ago") as caught:
        begun.mark({begun.AMINA: ATTENDED, begun.LOUIS: ATTENDED, begun.MEI: ATTENDED, begun.STRANGER: ATTENDED})

    assert set(caught.value.fields) == {"/entries/3/member_id"}
    assert begun.roll() == {}
    assert begun.published(AttendanceRecorded) == []


def test_a_stranger_whose_membership_arrives_is_a_stranger_no_more(begun: Fixture) -> None:
    begun.belongs(begun.STRANGER, begun.COMMUNITY)
    begun.mark({begun.STRANGER: ATTENDED})

    assert begun.roll() == {begun.STRANGER: ATTENDED}


def test_a_person_named_twice_is_refused(begun: Fixture) -> None:
    entries = tuple(AttendanceEntry(member_id=begun.AMINA, state=state) for state in (ATTENDED, NO_SHOW))
    with pytest.raises(Invalid, match="twice") as caught:
        begun.call(RecordAttendance, meeting_id=begun.MEETING, entries=entries)

    assert set(caught.value.fields) == {"/entries/1/member_id"}
    assert begun.roll() == {}


def test_too_many_entries_are_refused(begun: Fixture) -> None:
    entries = tuple(AttendanceEntry(member_id=UUID(int=each), state=ATTENDED) for each in range(5001))
    with pytest.raises(Invalid) as caught:
        begun.call(RecordAttendance, meeting_id=begun.MEETING, entries=entries)

    assert set(caught.value.fields) == {"/entries"}


@pytest.mark.parametrize(("verbs", "hint"), [((), "start it"), (("cancel",), "cancelled")])
def test_no_attendance_of_what_has_not_started_or_is_cancelled(service: Fixture, verbs: tuple[str], hint: str) -> None:
    service.schedule()
    service.do(*verbs)
    with pytest.raises(Conflict, match=hint):
        service.mark({service.AMINA: ATTENDED})

    assert service.roll() == {}


def test_corrections_are_told_one_by_one_with_growing_versions(begun: Fixture) -> None:
    begun.mark({begun.AMINA: ATTENDED, begun.LOUIS: UNKNOWN})
    begun.do("close")
    closed_version = begun.meeting().version
    begun.mark({begun.AMINA: NO_SHOW, begun.LOUIS: ATTENDED, begun.MEI: PARTLY})
    begun.mark({begun.AMINA: NO_SHOW, begun.LOUIS: ATTENDED, begun.MEI: PARTLY})

    heard = begun.published(AttendanceCorrected)
    assert [(event.member_id, event.from_state, event.to_state) for event in heard] == [
        (begun.AMINA, ATTENDED, NO_SHOW),
        (begun.LOUIS, UNKNOWN, ATTENDED),
        (begun.MEI, UNKNOWN, PARTLY),
    ]
    assert [event.version - closed_version for event in heard] == [1, 2, 3]
    assert (begun.meeting().version - closed_version, begun.meeting().head_count) == (3, 2)
    assert len(begun.published(AttendanceRecorded)) == 1
    assert len(begun.published(MeetingClosed)) == 1


def test_saying_unknown_of_someone_unmarked_corrects_nothing(begun: Fixture) -> None:
    begun.do("close")
    begun.mark({begun.AMINA: UNKNOWN})

    assert begun.published(AttendanceCorrected) == []
    assert begun.roll() == {}


def test_each_mark_is_kept_with_what_it_replaced(begun: Fixture) -> None:
    for state in (ATTENDED, NO_SHOW):
        begun.mark({begun.AMINA: state})
    begun.do("close")
    clock.move(timedelta(days=2))
    begun.mark({begun.AMINA: EXCUSED})

    with begun.store.begin() as session:
        changes = session.scalars(select(AttendanceChange).order_by(AttendanceChange.version)).all()
    assert [(each.from_state, each.to_state, each.at) for each in changes] == [
        (None, ATTENDED, AT),
        (ATTENDED, NO_SHOW, AT),
        (NO_SHOW, EXCUSED, AT + timedelta(days=2)),
    ]


def test_attendance_stays_with_the_organisation_of_that_day(begun: Fixture) -> None:
    begun.mark({begun.AMINA: ATTENDED})
    begun.do("close")
    begun.belongs(begun.AMINA, begun.COMMUNITY, OTHER_ORGANIZATION, version=2)
    begun.mark({begun.AMINA: PARTLY})

    (corrected,) = begun.published(AttendanceCorrected)
    (row,) = begun.meeting().attendance
    assert corrected.organization_id == ORGANIZATION
    assert (row.organization_id, row.community_id) == (ORGANIZATION, begun.COMMUNITY)


def test_someone_in_two_communities_of_a_joint_meeting_is_marked_once(service: Fixture) -> None:
    service.belongs(service.AMINA, service.OTHER, OTHER_ORGANIZATION)
    service.schedule(community_ids=(service.OTHER, service.COMMUNITY))
    service.do("start")
    service.mark({service.AMINA: ATTENDED, service.LOUIS: ATTENDED})
    service.do("close")

    (closed,) = service.published(MeetingClosed)
    assert [(each.member_id, each.organization_id) for each in closed.attendees] == [
        (service.AMINA, OTHER_ORGANIZATION),
        (service.LOUIS, ORGANIZATION),
    ]
    assert closed.head_count == 2


def roles(service: Fixture) -> dict[UUID, MeetingRole]:
    """The part that each has in the meeting, as evaluation hears of it at closing."""
    return {each.member_id: each.role for each in service.published(MeetingClosed)[-1].attendees}


def test_whoever_facilitates_the_community_by_role_is_a_facilitator_of_its_meeting_and_counted(
    begun: Fixture,
) -> None:
    begun.facilitates(begun.AMINA, begun.COMMUNITY)
    begun.facilitates(begun.LOUIS, begun.OTHER)
    begun.facilitates(begun.MEI, begun.COMMUNITY)
    begun.facilitates(begun.MEI, begun.COMMUNITY, version=2, is_ended=True)
    begun.mark(dict.fromkeys((begun.AMINA, begun.LOUIS, begun.MEI), ATTENDED))
    begun.do("close")

    assert roles(begun) == {
        begun.AMINA: MeetingRole.FACILITATOR,
        begun.LOUIS: MeetingRole.PARTICIPANT,
        begun.MEI: MeetingRole.PARTICIPANT,
    }
    assert begun.published(MeetingClosed)[0].head_count == 3


def test_a_part_in_the_meeting_is_that_of_the_day_of_the_first_mark(begun: Fixture) -> None:
    begun.mark({begun.AMINA: UNKNOWN})
    begun.facilitates(begun.AMINA, begun.COMMUNITY)
    begun.facilitates(begun.LOUIS, begun.COMMUNITY)
    begun.mark({begun.AMINA: ATTENDED, begun.LOUIS: ATTENDED})
    begun.facilitates(begun.LOUIS, begun.COMMUNITY, version=2, is_ended=True)
    begun.mark({begun.LOUIS: PARTLY})
    begun.do("close")

    assert roles(begun) == {begun.AMINA: MeetingRole.PARTICIPANT, begun.LOUIS: MeetingRole.FACILITATOR}


def test_a_role_of_one_of_the_communities_of_a_joint_meeting_is_enough(service: Fixture) -> None:
    service.facilitates(service.AMINA, service.OTHER)
    service.schedule(community_ids=(service.COMMUNITY, service.OTHER))
    service.do("start")
    service.mark({service.AMINA: ATTENDED})
    service.do("close")

    assert roles(service) == {service.AMINA: MeetingRole.FACILITATOR}


def test_every_change_of_attendance_from_the_wrap_up_on_is_on_record_with_whoever_made_it(
    begun: Fixture,
) -> None:
    begun.mark({begun.AMINA: ATTENDED})
    begun.do("wrap_up")
    with acting(Actor.network("token abc animatrice")):
        begun.mark({begun.AMINA: EXCUSED, begun.LOUIS: ATTENDED})
        begun.mark({begun.AMINA: EXCUSED})
        begun.do("close")
        begun.mark({begun.LOUIS: NO_SHOW, begun.MEI: ATTENDED})

    amina, louis, mei = str(begun.AMINA), str(begun.LOUIS), str(begun.MEI)
    with begun.store.begin() as session:
        noted = session.execute(select(AUDIT.c.action, AUDIT.c.actor, AUDIT.c.before, AUDIT.c.after)).all()
    by = "token abc animatrice"
    assert noted == [
        ("attendance.changed", by, {amina: "attended", louis: None}, {amina: "excused", louis: "attended"}),
        ("meeting.closed", by, {"state": "wrap_up"}, {"state": "closed", "head_count": 1}),
        ("attendance.corrected", by, {louis: "attended", mei: None}, {louis: "no_show", mei: "attended"}),
    ]


STATES = st.sampled_from(AttendanceState)
SHEETS = st.dictionaries(st.sampled_from([UUID(int=0xFA), UUID(int=1), UUID(int=2), UUID(int=3)]), STATES, max_size=4)


@settings(max_examples=30, deadline=None)
@given(before=st.lists(SHEETS, max_size=4), after=st.lists(SHEETS, max_size=4), wraps_up=st.booleans())
def test_who_replays_the_events_knows_the_roll_and_its_history(
    new_service: Callable[..., Fixture],
    before: list[dict[UUID, AttendanceState]],
    after: list[dict[UUID, AttendanceState]],
    wraps_up: bool,
) -> None:
    with clock.fixed(AT), memory_store("meetings", Base.metadata) as opened:
        service = new_service(opened)
        service.schedule()
        service.do("start")
        for sheet in before:
            service.mark(sheet)
        service.do(*(["wrap_up"] if wraps_up else []), "close")
        at_closing = service.roll()
        for sheet in after:
            service.mark(sheet)

        told: dict[UUID, AttendanceState] = {}
        versions: list[int] = []
        for recorded in service.published(AttendanceRecorded):
            told |= {each.member_id: each.state for each in recorded.attendees}
            versions.append(recorded.version)
        (closed,) = service.published(MeetingClosed)
        assert told == at_closing == {each.member_id: each.state for each in closed.attendees}
        for corrected in service.published(AttendanceCorrected):
            assert told.get(corrected.member_id, UNKNOWN) is corrected.from_state is not corrected.to_state
            told[corrected.member_id] = corrected.to_state
            versions.append(corrected.version)

        meeting = service.meeting()
        assert told == service.roll()
        assert versions == sorted(set(versions))
        assert meeting.head_count == sum(state.was_there for state in told.values())
        with opened.begin() as session:
            changes = session.scalars(select(AttendanceChange).order_by(AttendanceChange.version)).all()
        kept: dict[UUID, AttendanceState] = {}
        for change in changes:
            assert kept.get(change.member_id) is change.from_state
            kept[change.member_id] = change.to_state
        assert kept == told


def test_who_has_left_stays_on_the_roll_where_they_stand_and_comes_on_no_other(begun: Fixture) -> None:
    begun.mark({begun.AMINA: ATTENDED})
    for member_id in (begun.AMINA, begun.LOUIS):
        begun.leaves(member_id, begun.COMMUNITY)

    begun.mark({begun.AMINA: PARTLY})
    with pytest.raises(Invalid, match="belongs to none"):
        begun.mark({begun.LOUIS: ATTENDED})
    begun.belongs(begun.LOUIS, begun.COMMUNITY, version=3)
    begun.mark({begun.LOUIS: ATTENDED})

    assert begun.roll() == {begun.AMINA: PARTLY, begun.LOUIS: ATTENDED}
