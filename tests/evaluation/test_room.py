"""A room that answers: its code, its ballots, and what a facilitator can do when names were taken."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from chassis import clock
from chassis.storage import audit
from pratique.errors import Conflict, Invalid, NotFound
from pratique.events.meetings import AttendanceState
from pratique.events.membership import Locale
from pratique.requests.evaluation import ChangeRoomCode, GetRoom, OpenBallot, VoidRoom
from services.evaluation.models import Marker
from tests.evaluation.fixture import FACILITATOR, HAPPY, Fixture, attendee
from tests.evaluation.six import PEOPLE, open_in_room, present


def test_asking_for_ballots_changes_nothing_so_one_phone_cannot_use_up_a_room(meeting: Fixture) -> None:
    open_in_room(meeting)
    for member_id in PEOPLE * 3:
        meeting.ballot_in_room(member_id)

    assert meeting.count(Marker) == 0
    meeting.answer_in_room(PEOPLE[:2])
    meeting.deliver(meeting.closed(present()))
    assert sorted(meeting.asked()) == sorted(PEOPLE[2:])


def test_in_the_room_nobody_is_told_who_has_answered(meeting: Fixture) -> None:
    open_in_room(meeting)
    meeting.answer_in_room(PEOPLE[:1])

    for member_id in PEOPLE[:2]:
        ballot = meeting.ballot_in_room(member_id)
        with pytest.raises(Invalid):
            meeting.send(ballot, {"satisfaction": 99})
    assert meeting.count(Marker) == 1


def test_whoever_had_begun_when_the_room_closed_may_still_send(meeting: Fixture) -> None:
    open_in_room(meeting)
    ballot = meeting.ballot_in_room(PEOPLE[0])
    meeting.deliver(meeting.closed(present()))

    clock.move(timedelta(minutes=14))
    meeting.send(ballot)

    assert meeting.sheets() == [HAPPY]


def test_a_ballot_from_the_room_ends_a_quarter_of_an_hour_after_closing_and_one_from_a_link_does_not(
    meeting: Fixture,
) -> None:
    open_in_room(meeting)
    from_room = meeting.ballot_in_room(PEOPLE[0])
    meeting.deliver(meeting.closed(present()))
    by_link = meeting.ballot_by_link(meeting.tokens()[PEOPLE[1]])
    clock.move(timedelta(minutes=16))

    with pytest.raises(NotFound):
        meeting.send(from_room)
    meeting.send(by_link)


def test_a_ballot_from_a_room_that_is_still_open_is_good_for_two_hours(meeting: Fixture) -> None:
    open_in_room(meeting)
    early, late = meeting.ballot_in_room(PEOPLE[0]), meeting.ballot_in_room(PEOPLE[1])
    clock.move(timedelta(hours=2))
    meeting.send(early)
    clock.move(timedelta(seconds=1))

    with pytest.raises(NotFound):
        meeting.send(late)


def test_a_photograph_of_the_wall_opens_nothing_after_the_meeting(meeting: Fixture) -> None:
    open_in_room(meeting)
    code = meeting.survey().room_code
    meeting.deliver(meeting.closed(present()))

    for ask in (
        lambda: meeting.call(GetRoom, room_code=code),
        lambda: meeting.call(OpenBallot, locale=Locale.FR, room_code=code, member_id=PEOPLE[0]),
    ):
        with pytest.raises(NotFound):
            ask()  # type: ignore[no-untyped-call]  # a lambda
    assert meeting.survey().room_code is None


def test_a_code_is_read_however_it_was_typed(meeting: Fixture) -> None:
    open_in_room(meeting)
    code = meeting.survey().room_code
    assert code is not None

    typed = f" {code[:4].lower()}-{code[4:]} "

    assert meeting.call(GetRoom, room_code=typed).meeting_id == meeting.meeting_id


def test_the_room_gets_another_code_and_what_was_answered_stays(meeting: Fixture) -> None:
    open_in_room(meeting)
    old = meeting.survey().room_code
    meeting.answer_in_room(PEOPLE[:2])

    new = meeting.call(ChangeRoomCode, meeting_id=meeting.meeting_id).room_code

    assert new not in (None, old)
    with pytest.raises(NotFound):
        meeting.call(GetRoom, room_code=old)
    assert len(meeting.sheets()) == 2
    assert [row.action for row in meeting.read(select(audit.AUDIT.c.action))] == ["room_code.changed"]


def test_a_void_room_forgets_what_was_answered_and_all_who_were_there_are_asked(meeting: Fixture) -> None:
    open_in_room(meeting)
    meeting.answer_in_room(PEOPLE[:3])
    begun = meeting.ballot_in_room(PEOPLE[3])

    seen = meeting.call(VoidRoom, meeting_id=meeting.meeting_id)

    assert seen.room_code is None
    assert meeting.sheets() == []
    with pytest.raises(NotFound):
        meeting.send(begun)
    meeting.deliver(meeting.closed(present()))
    assert sorted(meeting.asked()) == sorted(PEOPLE)
    assert [row.action for row in meeting.read(select(audit.AUDIT.c.action))] == ["room.voided"]


@pytest.mark.parametrize("command", [ChangeRoomCode, VoidRoom])
def test_once_the_meeting_is_closed_what_the_room_answered_stands(meeting: Fixture, command: object) -> None:
    open_in_room(meeting)
    meeting.answer_in_room(PEOPLE[:3])
    meeting.deliver(meeting.closed(present()))

    with pytest.raises(Conflict):
        meeting.call(command, meeting_id=meeting.meeting_id)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        meeting.call(command, meeting_id=uuid4())  # type: ignore[arg-type]
    assert len(meeting.sheets()) == 3


@pytest.mark.parametrize("who", ["stranger", "facilitator", "absent"])
def test_only_those_marked_as_there_may_answer_in_the_room(meeting: Fixture, who: str) -> None:
    open_in_room(meeting)
    absent = uuid4()
    meeting.deliver(meeting.recorded([attendee(absent, AttendanceState.EXCUSED)]))
    member_id = {"stranger": uuid4(), "facilitator": FACILITATOR, "absent": absent}[who]

    with pytest.raises(NotFound):
        meeting.ballot_in_room(member_id)
