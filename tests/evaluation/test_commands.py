"""One answer for each person, given in the act of sending, and a clear refusal for everything else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from chassis import clock
from chassis.messaging import outbox
from chassis.rpc.requests import read
from chassis.runtime.tables import create_all
from chassis.storage.store import Store
from pratique.errors import Conflict, Gone, Invalid, NotFound
from pratique.events.evaluation import ResultsReleased
from pratique.events.meetings import AttendanceState
from pratique.events.membership import Locale
from pratique.requests.evaluation import CastSlip, CheckAnswers, ConfirmBallot, GetRoom, OpenBallot
from services.evaluation.models import Base, Marker, Sheet, Survey, tokens
from tests.evaluation.fixture import HAPPY, Fixture, attendee
from tests.evaluation.six import PEOPLE, SAD, open_by_link, open_in_room, present


def test_a_link_gives_one_answer(meeting: Fixture) -> None:
    token = open_by_link(meeting)
    ballot = meeting.ballot_by_link(token)
    meeting.send(ballot)

    with pytest.raises(Conflict):
        meeting.ballot_by_link(token)
    with pytest.raises(Gone, match="nothing is left to do"):
        meeting.send(ballot, SAD)
    assert meeting.sheets() == [HAPPY]


def test_of_two_ballots_of_one_person_the_one_that_is_sent_first_counts(meeting: Fixture) -> None:
    token = open_by_link(meeting)
    first, second = meeting.ballot_by_link(token), meeting.ballot_by_link(token)
    meeting.send(second)

    with pytest.raises(Conflict):
        meeting.send(first, SAD)
    assert meeting.sheets() == [HAPPY]


def test_someone_who_answered_by_link_cannot_answer_again_with_a_ballot_from_the_room(meeting: Fixture) -> None:
    open_in_room(meeting)
    from_room = meeting.ballot_in_room(PEOPLE[0])
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    meeting.answer_by_link([PEOPLE[0]])

    with pytest.raises(Conflict):
        meeting.send(from_room, SAD)
    assert meeting.sheets() == [HAPPY]


def test_twenty_tries_at_once_with_one_link_give_one_answer(meeting: Fixture, tmp_path: Path) -> None:
    opened = Store("evaluation", f"sqlite:///{tmp_path}/evaluation.sqlite", settings=meeting.store.settings)
    create_all(opened, Base.metadata)
    played = Fixture(opened)
    token = open_by_link(played)
    ballots = [played.ballot_by_link(token) for _ in range(20)]

    def send(ballot: str) -> bool:
        try:
            played.send(ballot)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        sent = list(pool.map(send, ballots))

    assert sorted(sent) == [False] * 19 + [True]
    assert (played.count(Marker), played.count(Sheet)) == (1, 1)
    opened.close()


def test_a_ballot_taken_in_vain_is_given_back_and_its_person_asked(meeting: Fixture) -> None:
    """The gateway ended after it had taken the ballot, and nothing was kept."""
    open_in_room(meeting)
    lost = meeting.ballot_in_room(PEOPLE[0])
    meeting.take(lost)
    meeting.answer_in_room(PEOPLE[1:3])

    meeting.deliver(meeting.closed(present()))

    assert sorted(meeting.asked()) == sorted([PEOPLE[0], *PEOPLE[3:]])
    meeting.answer_by_link([PEOPLE[0]])
    with pytest.raises(Conflict):
        meeting.send(lost, SAD)
    assert len(meeting.sheets()) == 3


def test_an_answer_that_was_kept_and_never_confirmed_is_not_asked_for_again(meeting: Fixture) -> None:
    """The gateway ended after the answers were kept."""
    open_in_room(meeting)
    meeting.cast(meeting.take(meeting.ballot_in_room(PEOPLE[0])))
    meeting.answer_in_room(PEOPLE[1:3])

    meeting.deliver(meeting.closed(present()))

    assert sorted(meeting.asked()) == sorted(PEOPLE[3:])


def test_where_it_cannot_be_told_whose_answers_were_lost_nobody_may_answer_twice(meeting: Fixture) -> None:
    open_in_room(meeting)
    meeting.cast(meeting.take(meeting.ballot_in_room(PEOPLE[0])))
    meeting.take(meeting.ballot_in_room(PEOPLE[1]))

    meeting.deliver(meeting.closed(present()))

    assert sorted(meeting.asked()) == sorted(PEOPLE[2:])


def test_answers_on_their_way_when_the_meeting_is_closed_count_once(meeting: Fixture) -> None:
    open_in_room(meeting)
    ballot = meeting.ballot_in_room(PEOPLE[0])
    slip = meeting.take(ballot)
    meeting.deliver(meeting.closed(present()))
    link = meeting.tokens()[PEOPLE[0]]

    meeting.cast(slip)
    meeting.call(ConfirmBallot, ballot_id=ballot)

    with pytest.raises(Conflict):
        meeting.ballot_by_link(link)
    assert len(meeting.sheets()) == 1


def test_the_same_ballot_sent_again_after_a_lost_answer_is_kept_once(meeting: Fixture) -> None:
    ballot = meeting.ballot_by_link(open_by_link(meeting))
    slip = meeting.take(ballot)

    assert meeting.take(ballot) == slip
    meeting.cast(slip)
    with pytest.raises(Gone):
        meeting.cast(slip, SAD)
    assert meeting.sheets() == [HAPPY]


def test_whoever_is_taken_off_the_list_before_sending_cannot_send(meeting: Fixture) -> None:
    open_in_room(meeting)
    ballot = meeting.ballot_in_room(PEOPLE[0])
    meeting.deliver(meeting.recorded([attendee(PEOPLE[0], AttendanceState.EXCUSED)]))

    with pytest.raises(NotFound):
        meeting.send(ballot)
    assert meeting.count(Marker) == 0


def test_every_guess_meets_the_same_sentence(meeting: Fixture) -> None:
    open_in_room(meeting)
    in_room = meeting.ballot_in_room(PEOPLE[2])
    code = meeting.survey().room_code
    [token] = tokens.links_for(meeting.store.settings.seal, uuid4(), [PEOPLE[0]])  # type: ignore[union-attr]
    garbled = in_room[:80] + ("A" if in_room[80] != "A" else "B") + in_room[81:]
    survey_of_ours = f"{meeting.survey().id.hex}.{'A' * 131}"
    guesses = ["", "x", "A" * 64, token, token + "=", garbled, survey_of_ours, "é" * 64, "\x00" * 64, f"{code}x"]
    heard = set()

    for guess in guesses:
        for ask in (
            lambda text: meeting.ballot_by_link(text),
            lambda text: meeting.take(text),
            lambda text: meeting.cast(text),
            lambda text: meeting.call(ConfirmBallot, ballot_id=text),
            lambda text: meeting.call(GetRoom, room_code=text),
            lambda text: meeting.call(OpenBallot, locale=Locale.FR, room_code=text, member_id=PEOPLE[0]),
        ):
            with pytest.raises(NotFound) as caught:
                ask(guess)
            heard.add(caught.value.message)

    assert len(heard) == 1
    assert meeting.count(Marker) == meeting.count(Sheet) == 0


def test_a_link_is_no_ballot_a_ballot_no_slip_and_a_slip_no_link(meeting: Fixture) -> None:
    token = open_by_link(meeting)
    ballot = meeting.ballot_by_link(token)
    slip = meeting.take(ballot)

    for attempt in (
        lambda: meeting.take(token),
        lambda: meeting.cast(ballot),
        lambda: meeting.ballot_by_link(slip),
        lambda: meeting.take(slip),
        lambda: meeting.ballot_by_link(ballot),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_ballot_of_one_survey_is_none_of_another(meeting: Fixture) -> None:
    ballot = meeting.ballot_by_link(open_by_link(meeting))
    meeting.meeting_id = uuid4()
    open_in_room(meeting)

    with pytest.raises(NotFound):
        meeting.take(f"{meeting.survey().id.hex}.{ballot.partition('.')[2]}")


def test_neither_a_link_nor_a_ballot_says_in_clear_whose_it_is(meeting: Fixture) -> None:
    token = open_by_link(meeting)
    for text in (token, meeting.ballot_by_link(token)):
        raw = tokens._raw(text.rpartition(".")[2])
        assert PEOPLE[0].bytes not in raw
        assert PEOPLE[0].hex not in text


def test_a_closed_survey_says_that_it_is_closed(meeting: Fixture) -> None:
    token = open_by_link(meeting)
    ballot = meeting.ballot_by_link(meeting.tokens()[PEOPLE[1]])
    slip = meeting.take(ballot)
    clock.move(timedelta(days=7))
    heard = []

    for is_done in (False, True):
        for attempt in (
            lambda: meeting.ballot_by_link(token),
            lambda: meeting.send(ballot),
            lambda: meeting.cast(slip),
        ):
            with pytest.raises(Gone) as caught:
                attempt()
            heard.append(caught.value.message)
        if not is_done:
            assert meeting.sheets() == []
            meeting.run_due()

    assert set(heard) == {"This survey is closed and takes no more answers."}
    assert meeting.published(ResultsReleased) == []


@pytest.mark.parametrize(
    ("ways", "named"),
    [
        ({}, "/token"),
        ({"room_code": "ABCDEFGH"}, "/member_id"),
        ({"member_id": PEOPLE[0]}, "/room_code"),
        ({"token": "x", "room_code": "ABCDEFGH", "member_id": PEOPLE[0]}, "/token"),
    ],
)
def test_one_way_to_a_ballot_must_be_chosen(meeting: Fixture, ways: dict[str, object], named: str) -> None:
    with pytest.raises(Invalid) as caught:
        meeting.call(OpenBallot, locale=Locale.FR, **ways)

    assert named in caught.value.fields


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ([("satisfaction", 5), ("mood", 3)], "/answers/1/question"),
        ([("satisfaction", 5), ("satisfaction", 5)], "/answers/1/question"),
        ([("satisfaction", 0)], "/answers/0/value"),
        ([("satisfaction", 6)], "/answers/0/value"),
        ([("satisfaction", True)], "/answers/0/value"),
        ([("satisfaction", 3.5)], "/answers/0/value"),
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
    meeting: Fixture, sent: list[tuple[str, object]], pointer: str
) -> None:
    ballot = meeting.ballot_by_link(open_by_link(meeting))
    said = {"answers": [{"question": key, "value": value} for key, value in sent]}
    checked = {"survey_id": str(meeting.survey().id)} | said
    cast = {"slip": meeting.take(ballot)} | said

    for command, payload in ((CheckAnswers, checked), (CastSlip, cast)):
        with pytest.raises(Invalid) as caught:
            meeting.carry_out(read(command, payload))
        assert list(caught.value.fields) == [pointer]
    assert meeting.count(Sheet) == 0
    meeting.send(ballot)


def test_an_answer_without_a_value_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        read(CastSlip, {"slip": "x", "answers": [{"question": "satisfaction"}]})

    assert list(caught.value.fields) == ["/answers/0/value"]


def test_answers_come_over_rpc_as_they_were_sent(meeting: Fixture) -> None:
    slip = meeting.take(meeting.ballot_by_link(open_by_link(meeting)))
    values = {"satisfaction": 4, "would_come_again": False, "what_should_change": " Plus court,\r\nmerci "}
    payload = {"slip": slip, "answers": [{"question": key, "value": value} for key, value in values.items()]}

    meeting.carry_out(read(CastSlip, payload))

    assert meeting.sheets() == [values | {"what_should_change": "Plus court,\nmerci"}]


def test_neither_a_ballot_nor_an_answer_is_news(meeting: Fixture, caplog: pytest.LogCaptureFixture) -> None:
    token = open_by_link(meeting)
    before, version = meeting.count(outbox.EVENT_LOG), meeting.read(select(Survey.version))
    caplog.clear()
    caplog.set_level("DEBUG")

    meeting.send(meeting.ballot_by_link(token), HAPPY)

    assert meeting.count(outbox.EVENT_LOG) == before
    assert meeting.read(select(Survey.version)) == version
    assert caplog.records == []
