"""Passes: a phone that has opened its owner's invitation answers in the room as its owner, and as nobody else."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from chassis import clock
from chassis.storage.event_log import EVENT_LOG
from pratique.errors import Conflict, Forbidden, Invalid, NotFound
from pratique.events.evaluation import SurveyInvitationsIssued
from pratique.events.meetings import AttendanceState, MeetingRole
from pratique.events.membership import Locale
from pratique.requests.evaluation import PASSES, MailSurveyLink, OpenBallot, VoidRoom
from pratique.requests.meetings import INVITATION_LINK
from services.evaluation.models import Marker
from services.evaluation.models.tokens import LINK
from tests.evaluation.fixture import HAPPY, Fixture, attendee

PEOPLE = [uuid4() for _ in range(6)]
ADA, FACILITATOR, STRANGER = PEOPLE[0], uuid4(), uuid4()
LATER = timedelta(days=3)


@contextmanager
def personal(meeting: Fixture) -> Iterator[None]:
    """A network in which nobody chooses a name."""
    settings = meeting.store.settings
    assert settings is not None
    meeting.store.settings = dataclasses.replace(settings, room_policy="personal")
    try:
        yield
    finally:
        meeting.store.settings = settings


@pytest.fixture
def room(meeting: Fixture) -> Fixture:
    """A room whose survey is open, and one absent person."""
    there = [*[attendee(each) for each in PEOPLE], attendee(STRANGER, AttendanceState.NO_SHOW)]
    meeting.deliver(meeting.recorded([*there, attendee(FACILITATOR, role=MeetingRole.FACILITATOR)]))
    meeting.deliver(meeting.wrap_up())
    return meeting


def pass_of(room: Fixture, member_id: UUID, purpose: str = PASSES, meeting_id: UUID | None = None) -> str:
    assert room.store.settings is not None
    seal = room.store.settings.seal
    return seal.lasting_link(purpose, clock.now() + LATER, meeting_id or room.meeting_id, member_id)


def ballot(room: Fixture, room_pass: str, code: str | None = None) -> str:
    code = code or room.survey().room_code
    return str(room.call(OpenBallot, locale=Locale.FR, room_code=code, room_pass=room_pass).ballot_id)


def mail_link(room: Fixture, member_id: UUID) -> None:
    room.call(MailSurveyLink, room_code=room.survey().room_code, member_id=member_id)


def test_a_phone_with_a_pass_answers_as_its_owner(room: Fixture) -> None:
    room.send(ballot(room, pass_of(room, ADA)))

    assert room.sheets() == [HAPPY]
    room.deliver(room.closed([attendee(each) for each in PEOPLE]))
    assert sorted(room.asked()) == sorted(PEOPLE[1:])


def test_a_pass_is_one_more_way_to_the_one_answer_of_its_owner(room: Fixture) -> None:
    room.send(ballot(room, pass_of(room, ADA)))
    for again in (ballot(room, pass_of(room, ADA)), room.ballot_in_room(ADA)):
        with pytest.raises(Conflict):
            room.send(again)
    assert room.sheets() == [HAPPY]


def test_a_phone_that_changes_hands_tells_nobody_whether_its_owner_has_answered(room: Fixture) -> None:
    held = pass_of(room, ADA)
    before = len(ballot(room, held))
    room.send(ballot(room, held))
    assert len(ballot(room, held)) == before


def test_a_pass_that_is_none_opens_nothing(room: Fixture) -> None:
    held = pass_of(room, ADA)
    foreign = pass_of(room, ADA, meeting_id=uuid4())
    others = [pass_of(room, ADA, purpose) for purpose in (INVITATION_LINK, LINK, "ballot", "results")]
    for wrong in ("", "x", held[:-1], held[1:], held.swapcase(), held + "A", foreign, "A" * 102, *others):
        with pytest.raises(NotFound):
            ballot(room, wrong)
    assert room.count(Marker) == 0


@pytest.mark.parametrize("member_id", [STRANGER, FACILITATOR, uuid4()], ids=["absent", "facilitator", "unknown"])
def test_a_pass_does_not_make_anybody_present(room: Fixture, member_id: UUID) -> None:
    with pytest.raises(NotFound):
        ballot(room, pass_of(room, member_id))


def test_a_pass_ends_when_it_says_so(room: Fixture) -> None:
    held = pass_of(room, ADA)
    code = room.survey().room_code
    clock.move(LATER - timedelta(seconds=1))
    ballot(room, held, code)
    clock.move(timedelta(seconds=1))
    with pytest.raises(NotFound):
        ballot(room, held, code)


def test_a_pass_opens_the_room_alone_and_not_the_survey_after_the_meeting(room: Fixture) -> None:
    code, held = room.survey().room_code, pass_of(room, ADA)
    room.deliver(room.closed([attendee(each) for each in PEOPLE]))
    with pytest.raises(NotFound):
        ballot(room, held, code)
    with pytest.raises(NotFound):
        room.call(OpenBallot, locale=Locale.FR, token=held)


def test_a_pass_without_its_room_s_code_opens_nothing(room: Fixture) -> None:
    with pytest.raises(NotFound):
        ballot(room, pass_of(room, ADA), "K7MQ2PXD")
    with pytest.raises(Invalid):
        room.call(OpenBallot, locale=Locale.FR, room_pass=pass_of(room, ADA))


def test_a_pass_and_a_name_at_once_are_refused(room: Fixture) -> None:
    said = {"room_code": room.survey().room_code, "room_pass": pass_of(room, ADA), "member_id": PEOPLE[1]}
    with pytest.raises(Invalid):
        room.call(OpenBallot, locale=Locale.FR, **said)


def test_where_nobody_chooses_a_name_nobody_can_answer_for_another(room: Fixture) -> None:
    with personal(room):
        for each in PEOPLE:
            with pytest.raises(Forbidden):
                room.ballot_in_room(each)
        room.send(ballot(room, pass_of(room, ADA)))
    assert room.sheets() == [HAPPY]


def test_who_comes_without_a_pass_has_their_link_mailed_and_answers_by_it(room: Fixture) -> None:
    with personal(room):
        mail_link(room, PEOPLE[1])
        room.send(room.ballot_by_link(room.tokens()[PEOPLE[1]]))
    assert room.sheets() == [HAPPY]


def test_a_link_is_asked_for_in_the_same_way_whether_its_person_has_answered_or_not(room: Fixture) -> None:
    with personal(room):
        room.send(ballot(room, pass_of(room, ADA)))
        for each in PEOPLE[:2]:
            mail_link(room, each)
    events = room.published(SurveyInvitationsIssued)
    assert [[invited.member_id for invited in event.invitations] for event in events] == [[each] for each in PEOPLE[:2]]
    bodies = [body for (body,) in room.read(select(EVENT_LOG.c.body).where(EVENT_LOG.c.seq.is_not(None)))][-2:]
    assert len(bodies[0]) == len(bodies[1])


def test_a_link_is_mailed_to_nobody_but_those_who_are_there(room: Fixture) -> None:
    with personal(room):
        for nobody in (STRANGER, FACILITATOR, uuid4()):
            with pytest.raises(NotFound):
                mail_link(room, nobody)
        with pytest.raises(NotFound):
            room.call(MailSurveyLink, room_code="K7MQ2PXD", member_id=ADA)
    assert room.published(SurveyInvitationsIssued) == []


def test_where_names_are_chosen_no_link_is_mailed_from_the_room(room: Fixture) -> None:
    with pytest.raises(Forbidden):
        mail_link(room, ADA)


def test_whoever_had_their_link_mailed_is_asked_after_the_closing_like_all_who_are_missing(room: Fixture) -> None:
    with personal(room):
        mail_link(room, ADA)
        room.deliver(room.closed([attendee(each) for each in PEOPLE]))
    [_, at_closing] = room.published(SurveyInvitationsIssued)
    assert sorted(each.member_id for each in at_closing.invitations) == sorted(PEOPLE)


@pytest.mark.parametrize("answered", [PEOPLE[:1], PEOPLE[:5]])
def test_a_room_that_is_taken_back_asks_all_who_are_there_at_once_whoever_had_answered(
    room: Fixture, answered: list[UUID]
) -> None:
    with personal(room):
        mail_link(room, ADA)
        for each in answered:
            room.send(ballot(room, pass_of(room, each)))
        room.call(VoidRoom, meeting_id=room.meeting_id)
    [mailed_early, at_once] = room.published(SurveyInvitationsIssued)
    assert (mailed_early.is_anew, at_once.is_anew) == (None, True)
    assert sorted(each.member_id for each in at_once.invitations) == sorted(PEOPLE)
    room.send(room.ballot_by_link(at_once.invitations[0].token))
    assert room.sheets() == [HAPPY]


def test_where_names_are_chosen_a_room_that_is_taken_back_asks_nobody_before_the_closing(room: Fixture) -> None:
    room.call(VoidRoom, meeting_id=room.meeting_id)
    assert room.published(SurveyInvitationsIssued) == []
