"""What can be read of a survey, and above all what cannot."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pratique import clock
from pratique.errors import Invalid, NotFound
from pratique.events.evaluation import CountBand, ResultsReleased, ResultsWithheld, SurveyClosed
from pratique.events.membership import Locale
from services.evaluation import queries, schemas
from services.evaluation.models import Response, Survey, SurveyState
from tests.evaluation.scene import HAPPY, Scene, attendee

PEOPLE = [uuid4() for _ in range(12)]
COMMENT = "what_should_change"


def answer_and_close(meeting: Scene, count: int, comments: int = 0, permitted: int = 0) -> dict[str, object]:
    """Let ``count`` people answer, the first with comments, of which the first may be shown; return the results."""
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    for index, member_id in enumerate(PEOPLE[:count]):
        words = {COMMENT: f"comment {index}"} if index < comments else {}
        leave = {"comment_may_be_shown": index < permitted} if words else {}
        meeting.answer_by_link([member_id], {**HAPPY, **words, **leave})
    clock.move(timedelta(days=7))
    meeting.run_due()
    return schemas.Results().dump(meeting.results())


def test_results_are_invisible_while_the_survey_is_open(meeting: Scene) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    empty = meeting.results()
    meeting.answer_by_link(PEOPLE)

    assert meeting.results() == empty
    assert schemas.Results().dump(empty) == {"state": "open", "survey_id": str(meeting.survey().id)}


def test_four_answers_are_told_as_fewer_than_five_and_nothing_else(meeting: Scene) -> None:
    told = answer_and_close(meeting, 4, comments=4, permitted=4)

    survey_id = told.pop("survey_id")
    assert told == {"state": "withheld", "reason": "below_k", "responses": "under_5"}
    assert survey_id == str(meeting.survey().id)
    (withheld,) = meeting.published(ResultsWithheld)
    assert set(withheld.dump()) == {"version", "survey_id", "meeting_id", "community_ids", "reason"}
    (closed,) = meeting.published(SurveyClosed)
    assert (closed.responses, closed.rate_in_meeting, closed.rate_after) == (CountBand.UNDER_5, None, None)


def test_five_answers_are_released(meeting: Scene) -> None:
    told = answer_and_close(meeting, 5)

    (released,) = meeting.published(ResultsReleased)
    assert told["state"] == "released"
    assert told["n"] == released.responses_count == 5
    assert told["release_id"] == str(released.release_id)
    questions = {each["question"]: each for each in told["questions"]}  # type: ignore[attr-defined]
    assert set(questions) == set(HAPPY)
    assert questions["satisfaction"]["distribution"] == {"1": 0, "2": 0, "3": 0, "4": 0, "5": 5}
    assert questions["would_come_again"]["share"] == 1.0


def test_under_ten_answers_comments_are_shown_only_with_leave(meeting: Scene) -> None:
    told = answer_and_close(meeting, 9, comments=5, permitted=2)

    assert sorted(told["comments"]) == ["comment 0", "comment 1"]  # type: ignore[call-overload]


def test_from_ten_answers_on_all_comments_are_shown(meeting: Scene) -> None:
    told = answer_and_close(meeting, 10, comments=5)

    assert sorted(told["comments"]) == [f"comment {index}" for index in range(5)]  # type: ignore[call-overload]


def test_what_is_released_does_not_change_with_the_answers_below_it(meeting: Scene) -> None:
    told = answer_and_close(meeting, 6)
    with meeting.store.begin() as session:
        session.execute(Response.__table__.delete())

    assert schemas.Results().dump(meeting.results()) == told


def test_a_survey_tells_its_facilitator_a_band_and_no_count(meeting: Scene) -> None:
    meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]))
    meeting.deliver(meeting.wrap_up())
    before = meeting.survey()
    meeting.answer_in_room(PEOPLE[:3])

    told = schemas.Survey().dump(meeting.survey())

    assert meeting.survey() == before
    assert told["state"] == "open"
    assert told["eligible_band"] == "10_to_19"
    assert len(told["room_code"]) == 8


def test_a_room_names_all_who_were_there_also_those_who_have_answered(meeting: Scene) -> None:
    meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]))
    meeting.deliver(meeting.wrap_up())
    meeting.answer_in_room(PEOPLE[:3])

    room = meeting.call(queries.get_room, room_code=meeting.survey().room_code)

    assert schemas.Room().dump(room)["member_ids"] == sorted(str(each) for each in PEOPLE)


@pytest.mark.parametrize("locale", list(Locale))
def test_questions_are_asked_in_both_languages(meeting: Scene, locale: Locale) -> None:
    meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]))
    meeting.deliver(meeting.wrap_up())

    sheet = meeting.call(queries.read_questions, locale=locale, room_code=meeting.survey().room_code)
    told = json.loads(json.dumps(schemas.Sheet().dump(sheet)))

    assert told["survey_id"] == str(meeting.survey().id)
    assert [each["key"] for each in told["questions"]] == [*HAPPY, COMMENT, "comment_may_be_shown"]
    assert [each["value"] for each in told["questions"][0]["options"]] == [1, 2, 3, 4, 5]
    assert told["questions"][4]["options"][0] == {"value": True, "label": "Oui" if locale is Locale.FR else "Yes"}
    assert told["questions"][5]["max_length"] == 2000
    assert told["questions"][6]["about"] == COMMENT


def test_questions_are_found_by_one_way(meeting: Scene) -> None:
    with pytest.raises(Invalid):
        meeting.call(queries.read_questions, locale=Locale.FR)


def test_a_meeting_without_a_survey_has_none_to_show(meeting: Scene) -> None:
    with pytest.raises(NotFound):
        meeting.survey()
    with pytest.raises(NotFound):
        meeting.call(queries.get_results, survey_id=uuid4())


@pytest.mark.parametrize(
    "change", ["anonymity = 'nominative'", "state = 'released'", "state = 'released', secret = null, room_code = 'X'"]
)
def test_no_hand_in_the_database_makes_a_survey_nominative_or_keeps_its_secret(meeting: Scene, change: str) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))

    with pytest.raises(IntegrityError), meeting.store.begin() as session:
        session.execute(text(f"update survey set {change}"))

    ((state, anonymity),) = meeting.read(Survey.__table__.select().with_only_columns(Survey.state, Survey.anonymity))
    assert (state, anonymity.value) == (SurveyState.OPEN, "anonymous")
