"""A ballot for each person, an answer for each ballot, and a clear refusal for everything else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from pratique import arguments, clock, outbox
from pratique.errors import Conflict, Gone, Invalid, NotFound
from pratique.events.meetings import AttendanceState, MeetingRole
from pratique.events.membership import Locale
from pratique.tables import create_all
from pratique.testing import open_at
from services.evaluation import commands, queries
from services.evaluation.models import Base, Marker, Response, Survey
from tests.evaluation.scene import AT, HAPPY, Scene, attendee

PEOPLE = [uuid4() for _ in range(6)]
FACILITATOR = uuid4()


def open_in_room(meeting: Scene) -> None:
    chair = attendee(FACILITATOR, role=MeetingRole.FACILITATOR)
    meeting.deliver(meeting.recorded([*[attendee(each) for each in PEOPLE], chair]))
    meeting.deliver(meeting.wrap_up())


def open_by_link(meeting: Scene) -> str:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    return meeting.tokens()[PEOPLE[0]]


def test_a_token_gives_one_ballot_and_a_ballot_takes_one_answer(meeting: Scene) -> None:
    token = open_by_link(meeting)

    ballot = meeting.take_by_link(token)
    meeting.cast(ballot)

    with pytest.raises(Conflict):
        meeting.take_by_link(token)
    with pytest.raises(Gone, match="nothing is left to do"):
        meeting.cast(ballot)
    assert meeting.count(Response) == 1


def test_someone_who_answered_in_the_room_cannot_answer_again_by_any_way(meeting: Scene) -> None:
    open_in_room(meeting)
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    meeting.take_by_link(meeting.tokens()[PEOPLE[0]])

    with pytest.raises(Conflict):
        meeting.take_in_room(PEOPLE[0])


def test_twenty_tries_at_once_with_one_token_give_one_ballot(meeting: Scene, tmp_path: Path) -> None:
    opened = open_at("evaluation", f"sqlite:///{tmp_path}/evaluation.sqlite")
    create_all(opened, Base.metadata)
    played = Scene(opened)
    token = open_by_link(played)

    def take(_: int) -> bool:
        try:
            return bool(played.take_by_link(token))
        except Conflict:
            return False

    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(take, range(20)))

    assert sorted(taken) == [False] * 19 + [True]
    assert played.count(Marker) == 1
    opened.close()


def test_reading_the_questions_spends_nothing(meeting: Scene) -> None:
    token = open_by_link(meeting)

    for _ in range(3):
        meeting.call(queries.read_questions, locale=Locale.FR, token=token)

    assert meeting.take_by_link(token)


def test_a_code_is_read_however_it_was_typed(meeting: Scene) -> None:
    open_in_room(meeting)
    code = meeting.survey().room_code
    assert code is not None

    typed = f" {code[:4].lower()}-{code[4:]} "

    assert meeting.call(queries.get_room, room_code=typed).meeting_id == meeting.meeting_id


@pytest.mark.parametrize("who", ["stranger", "facilitator", "absent"])
def test_only_those_marked_as_there_may_answer_in_the_room(meeting: Scene, who: str) -> None:
    open_in_room(meeting)
    absent = uuid4()
    meeting.deliver(meeting.recorded([attendee(absent, AttendanceState.EXCUSED)]))
    member_id = {"stranger": uuid4(), "facilitator": FACILITATOR, "absent": absent}[who]

    with pytest.raises(NotFound):
        meeting.take_in_room(member_id)
    assert meeting.count(Marker) == 0


def test_every_guess_meets_the_same_sentence(meeting: Scene) -> None:
    open_in_room(meeting)
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    token = meeting.tokens()[PEOPLE[0]]
    other_token = meeting.tokens()[PEOPLE[1]]
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    crossed = token[:42] + other_token[42:]
    guesses = ["", "x", "A" * 64, changed, crossed, token + "=", token.replace(token[0], "é"), "\x00" * 64]
    heard = set()

    for guess in guesses:
        for ask in (
            lambda text: meeting.take_by_link(text),
            lambda text: meeting.cast(text),
            lambda text: meeting.call(queries.get_room, room_code=text),
            lambda text: meeting.call(queries.read_questions, locale=Locale.FR, token=text),
            lambda text: meeting.call(commands.open_ballot, locale=Locale.FR, room_code=text, member_id=PEOPLE[0]),
        ):
            with pytest.raises(NotFound) as caught:
                ask(guess)
            heard.add(caught.value.message)

    assert len(heard) == 1
    assert meeting.count(Marker) == meeting.count(Response) == 0


def test_a_token_is_no_ballot_and_a_ballot_no_token(meeting: Scene) -> None:
    token = open_by_link(meeting)
    ballot = meeting.take_by_link(token)

    with pytest.raises(NotFound):
        meeting.cast(token)
    with pytest.raises(NotFound):
        meeting.take_by_link(ballot)


def test_a_closed_survey_says_that_it_is_closed(meeting: Scene) -> None:
    token = open_by_link(meeting)
    ballot = meeting.take_by_link(meeting.tokens()[PEOPLE[1]])
    clock.move(timedelta(days=7))
    heard = []

    for is_done in (False, True):
        for attempt in (lambda: meeting.take_by_link(token), lambda: meeting.cast(ballot)):
            with pytest.raises(Gone) as caught:
                attempt()
            heard.append(caught.value.message)
        if not is_done:
            meeting.run_due()

    assert set(heard) == {"This survey is closed and takes no more answers."}
    assert meeting.count(Response) == 0


def test_a_room_code_opens_nothing_once_the_survey_is_closed(meeting: Scene) -> None:
    open_in_room(meeting)
    code = meeting.survey().room_code
    clock.move(timedelta(days=8))
    meeting.run_due()

    with pytest.raises(NotFound):
        meeting.call(queries.get_room, room_code=code)
    assert meeting.survey().room_code is None


@pytest.mark.parametrize(
    ("ways", "named"),
    [
        ({}, "/token"),
        ({"room_code": "ABCDEFGH"}, "/member_id"),
        ({"member_id": PEOPLE[0]}, "/room_code"),
        ({"token": "x", "room_code": "ABCDEFGH", "member_id": PEOPLE[0]}, "/token"),
    ],
)
def test_one_way_to_a_ballot_must_be_chosen(meeting: Scene, ways: dict[str, object], named: str) -> None:
    with pytest.raises(Invalid) as caught:
        meeting.call(commands.open_ballot, locale=Locale.FR, **ways)

    assert named in caught.value.fields


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ([("satisfaction", 5), ("mood", 3)], "/answers/1/question"),
        ([("satisfaction", 5), ("satisfaction", 5)], "/answers/1/question"),
        ([("satisfaction", 0)], "/answers/0/value"),
        ([("satisfaction", 6)], "/answers/0/value"),
        ([("satisfaction", True)], "/answers/0/value"),
        ([("satisfaction", 3.0)], "/answers/0/value"),
        ([("satisfaction", "5")], "/answers/0/value"),
        ([("satisfaction", [5])], "/answers/0/value"),
        ([("satisfaction", 5), ("would_come_again", 1)], "/answers/1/value"),
        ([("what_should_change", 3)], "/answers/0/value"),
        ([("what_should_change", "x" * 2001)], "/answers/0/value"),
        ([("what_should_change", "a\x00b")], "/answers/0/value"),
        ([("what_should_change", "a\x1bb")], "/answers/0/value"),
        ([("what_should_change", "a\ud800b")], "/answers/0/value"),
        ([("what_should_change", " \n ")], "/answers/0/value"),
        ([], "/answers"),
        ([("comment_may_be_shown", True)], "/answers"),
        ([("satisfaction", 5)] * 1000, "/answers"),
    ],
)
def test_answers_that_cannot_be_are_named_and_the_ballot_stays_good(
    meeting: Scene, sent: list[tuple[str, object]], pointer: str
) -> None:
    ballot = meeting.take_by_link(open_by_link(meeting))
    payload = {"ballot_id": ballot, "answers": [{"question": key, "value": value} for key, value in sent]}

    with pytest.raises(Invalid) as caught:
        meeting.call(commands.cast_ballot, **arguments.load(commands.cast_ballot, payload))

    assert list(caught.value.fields) == [pointer]
    assert meeting.count(Response) == 0
    meeting.cast(ballot)


def test_an_answer_without_a_value_is_named(meeting: Scene) -> None:
    with pytest.raises(Invalid) as caught:
        arguments.load(commands.cast_ballot, {"ballot_id": "x", "answers": [{"question": "satisfaction"}]})

    assert list(caught.value.fields) == ["/answers/0/value"]


def test_answers_come_over_rpc_as_they_were_sent(meeting: Scene) -> None:
    ballot = meeting.take_by_link(open_by_link(meeting))
    values = {"satisfaction": 4, "would_come_again": False, "what_should_change": " Plus court,\r\nmerci "}
    payload = {"ballot_id": ballot, "answers": [{"question": key, "value": value} for key, value in values.items()]}

    meeting.call(commands.cast_ballot, **arguments.load(commands.cast_ballot, payload))

    (row,) = meeting.read(select(Response.answers))
    assert row.answers == values | {"what_should_change": "Plus court,\nmerci"}


def test_an_answer_is_dated_by_the_wall_of_the_meeting(meeting: Scene) -> None:
    evening_in_toronto = AT.replace(hour=2)
    ballot = meeting.take_by_link(open_by_link(meeting))

    with clock.fixed(evening_in_toronto):
        meeting.cast(ballot)

    (row,) = meeting.read(select(Response.answered_on))
    assert row.answered_on == (evening_in_toronto - timedelta(days=1)).date()


def test_neither_a_ballot_nor_an_answer_is_news(meeting: Scene, caplog: pytest.LogCaptureFixture) -> None:
    token = open_by_link(meeting)
    before, version = meeting.count(outbox.EVENT_LOG), meeting.read(select(Survey.version))
    caplog.clear()
    caplog.set_level("DEBUG")

    meeting.cast(meeting.take_by_link(token), HAPPY)

    assert meeting.count(outbox.EVENT_LOG) == before
    assert meeting.read(select(Survey.version)) == version
    assert caplog.records == []
