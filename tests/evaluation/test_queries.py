"""What can be read of a survey, and above all what cannot."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis import clock
from chassis.actor import Actor, acting
from pratique.errors import Gone, Invalid, NotFound
from pratique.events.evaluation import ResultsReleased, ResultsWithheld, SurveyClosed
from pratique.events.meetings import AttendanceState
from pratique.events.membership import Locale
from pratique.permissions import Grant, Permission
from pratique.requests import evaluation as requests
from pratique.requests.evaluation import (
    Ballot,
    GetResults,
    GetRoom,
    IdentifySurvey,
    ListOutcomes,
    ListReleases,
    OpenBallot,
    OpenRoom,
    Question,
    ReadMeetingResults,
    ReadQuestions,
    ReadResults,
    Results,
    ResultsShown,
)
from services.evaluation.models import Survey, SurveyState
from tests.evaluation.fixture import HAPPY, Fixture, attendee

PEOPLE = [uuid4() for _ in range(12)]
COMMENT = "what_should_change"


def answer_and_close(meeting: Fixture, count: int, comments: int = 0, permitted: int = 0) -> dict[str, object]:
    """Let ``count`` people answer, the first with comments, of which the first may be shown; return the results."""
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    for index, member_id in enumerate(PEOPLE[:count]):
        words = {COMMENT: f"comment {index}"} if index < comments else {}
        leave = {"comment_may_be_shown": index < permitted} if words else {}
        meeting.answer_by_link([member_id], {**HAPPY, **words, **leave})
    clock.move(timedelta(days=7))
    meeting.run_due()
    return Results.dump_of(meeting.results())


def test_results_are_invisible_while_the_survey_is_open(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    empty = meeting.results()
    meeting.answer_by_link(PEOPLE)

    assert meeting.results() == empty
    assert Results.dump_of(empty) == {"state": "open", "survey_id": str(meeting.survey().id)}


def test_four_answers_are_told_as_fewer_than_five_and_nothing_else(meeting: Fixture) -> None:
    told = answer_and_close(meeting, 4, comments=4, permitted=4)

    survey_id = told.pop("survey_id")
    assert told == {"state": "withheld", "reason": "below_k"}
    assert survey_id == str(meeting.survey().id)
    (withheld,) = meeting.published(ResultsWithheld)
    assert set(withheld.dump()) == {"version", "survey_id", "meeting_id", "community_ids", "reason"}
    (closed,) = meeting.published(SurveyClosed)
    assert (closed.responses, closed.rate_in_meeting, closed.rate_after) == (None, None, None)


def test_five_answers_are_released(meeting: Fixture) -> None:
    told = answer_and_close(meeting, 5)

    (released,) = meeting.published(ResultsReleased)
    assert told["state"] == "released"
    assert told["n"] == released.responses_count == 5
    assert told["release_id"] == str(released.release_id)
    questions = {each["question"]: each for each in told["questions"]}  # type: ignore[attr-defined]
    assert set(questions) == set(HAPPY)
    assert questions["satisfaction"] == {
        "question": "satisfaction",
        "type": "scale1_5",
        "is_withheld": False,
        "n": 5,
        "nearly_all": "5",
    }
    assert questions["would_come_again"]["nearly_all"] == "yes"


@pytest.mark.parametrize("locale", list(Locale))
def test_a_page_of_results_has_the_words_of_each_question_and_choice(meeting: Fixture, locale: Locale) -> None:
    answer_and_close(meeting, 6)
    survey_id = meeting.survey().id

    shown = ResultsShown.dump_of(meeting.call(ReadResults, survey_id=survey_id, locale=locale))

    assert shown["meeting_id"] == str(meeting.meeting_id)
    first, last = shown["questions"][0], shown["questions"][-1]
    assert ("satisfied" if locale is Locale.EN else "plu?") in first["text"]
    assert list(first["options"]) == ["1", "2", "3", "4", "5"]
    assert last["options"]["yes"] == ("Yes" if locale is Locale.EN else "Oui")


@pytest.mark.parametrize("answered", [None, 3])
def test_a_page_of_no_results_says_why(meeting: Fixture, answered: int | None) -> None:
    if answered is None:
        meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    else:
        answer_and_close(meeting, answered)

    shown = meeting.call(ReadResults, survey_id=meeting.survey().id, locale=Locale.FR)

    assert shown["state"] == (SurveyState.OPEN if answered is None else SurveyState.WITHHELD)
    assert "questions" not in shown


def test_under_ten_answers_comments_are_shown_only_with_leave(meeting: Fixture) -> None:
    told = answer_and_close(meeting, 9, comments=5, permitted=2)

    assert sorted(told["comments"]) == ["comment 0", "comment 1"]  # type: ignore[call-overload]


def test_from_ten_answers_on_all_comments_are_shown(meeting: Fixture) -> None:
    told = answer_and_close(meeting, 10, comments=5)

    assert sorted(told["comments"]) == [f"comment {index}" for index in range(5)]  # type: ignore[call-overload]


def test_a_survey_tells_its_facilitator_a_band_and_no_count(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]))
    meeting.deliver(meeting.wrap_up())
    before = meeting.survey()
    meeting.answer_in_room(PEOPLE[:3])

    told = requests.Survey.dump_of(meeting.survey())

    assert meeting.survey() == before
    assert told["state"] == "open"
    assert told["eligible_band"] == "10_to_19"
    assert len(told["room_code"]) == 8


def test_a_room_names_all_who_were_there_also_those_who_have_answered(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]))
    meeting.deliver(meeting.wrap_up())
    meeting.answer_in_room(PEOPLE[:3])

    room = meeting.call(GetRoom, room_code=meeting.survey().room_code)

    assert OpenRoom.dump_of(room)["member_ids"] == sorted(str(each) for each in PEOPLE)


@pytest.mark.parametrize("locale", list(Locale))
def test_questions_are_asked_in_both_languages(meeting: Fixture, locale: Locale) -> None:
    meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]))
    meeting.deliver(meeting.wrap_up())
    survey = meeting.survey()

    way = {"room_code": survey.room_code, "member_id": PEOPLE[0]}
    given = meeting.call(OpenBallot, locale=locale, **way)
    told = json.loads(json.dumps(Ballot.dump_of(given)))

    assert told["survey_id"] == str(survey.id)
    assert [each["key"] for each in told["questions"]] == [*HAPPY, COMMENT, "comment_may_be_shown"]
    assert [each["value"] for each in told["questions"][0]["options"]] == [1, 2, 3, 4, 5]
    assert told["questions"][4]["options"][0] == {"value": True, "label": "Oui" if locale is Locale.FR else "Yes"}
    assert told["questions"][5]["max_length"] == 2000
    assert told["questions"][6]["about"] == COMMENT
    again = meeting.call(ReadQuestions, survey_id=survey.id, locale=locale)
    assert [Question.dump_of(each) for each in again] == told["questions"]


def test_questions_of_no_open_survey_cannot_be_read(meeting: Fixture) -> None:
    with pytest.raises(NotFound):
        meeting.call(ReadQuestions, survey_id=uuid4(), locale=Locale.FR)
    answer_and_close(meeting, 5)
    with pytest.raises(Gone):
        meeting.call(ReadQuestions, survey_id=meeting.survey().id, locale=Locale.FR)


def test_a_meeting_without_a_survey_has_none_to_show(meeting: Fixture) -> None:
    with pytest.raises(NotFound):
        meeting.survey()
    with pytest.raises(NotFound):
        meeting.call(GetResults, survey_id=uuid4())


@pytest.mark.parametrize(
    "change", ["anonymity = 'nominative'", "room_code = 'X'", "state = 'released', room_code = 'X'"]
)
def test_no_hand_in_the_database_makes_a_survey_nominative_or_lets_its_room_outlive_the_meeting(
    meeting: Fixture, change: str
) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))

    with pytest.raises(IntegrityError), meeting.store.begin() as session:
        session.execute(text(f"update survey set {change}"))

    ((state, anonymity),) = meeting.read(Survey.__table__.select().with_only_columns(Survey.state, Survey.anonymity))
    assert (state, anonymity.value) == (SurveyState.OPEN, "anonymous")


def test_a_community_reads_its_results_the_newest_first_page_by_page(meeting: Fixture) -> None:
    community, other = uuid4(), uuid4()
    held = []
    for count, of in ((5, (community,)), (3, (community, other)), (6, (other,))):
        meeting.meeting_id = uuid4()
        meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE], community_ids=of))
        meeting.answer_by_link(PEOPLE[:count])
        held.append(meeting.meeting_id)
        clock.move(timedelta(days=7))
        meeting.run_due()
    meeting.meeting_id = uuid4()
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE], community_ids=(community,)))

    first = meeting.call(ListReleases, community_id=community, limit=1)
    second = meeting.call(ListReleases, community_id=community, limit=1, after=first.after)
    told = [requests.Release.dump_of(row) for row in (*first.rows, *second.rows)]

    assert [each["meeting_id"] for each in told] == [str(held[1]), str(held[0])]
    assert [(each["state"], each.get("n"), each.get("reason")) for each in told] == [
        ("withheld", None, "below_k"),
        ("released", 5, None),
    ]
    assert second.after is None
    with pytest.raises(Invalid):
        meeting.call(ListReleases, community_id=community, after="hier")
    assert meeting.call(ListReleases, community_id=uuid4()).rows == []


def test_a_room_s_code_is_seen_by_whoever_may_run_the_room_alone(meeting: Fixture) -> None:
    leads, notes = uuid4(), uuid4()
    meeting.deliver(meeting.wrap_up(facilitator_id=leads, note_taker_id=notes))
    (community,) = meeting.survey_row().communities

    def code(*permissions: Permission, member_id: UUID | None = None) -> str | None:
        with acting(Actor("x", (Grant(frozenset(permissions), frozenset({community})),), member_id)):
            return meeting.survey().room_code

    assert code(Permission.SURVEYS_FACILITATE)
    assert code(member_id=leads)
    assert code(member_id=notes)
    assert code(Permission.SURVEYS_READ) is None
    assert code(member_id=uuid4()) is None


@pytest.mark.parametrize(("answered", "reason"), [(6, None), (3, "below_k")])
def test_how_a_survey_ended_is_told_without_a_number(meeting: Fixture, answered: int, reason: str | None) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    asked = {"meeting_ids": (meeting.meeting_id, uuid4())}
    [still_open] = meeting.call(ListOutcomes, **asked)
    assert (still_open.state, still_open.reason) == (SurveyState.OPEN, None)
    answer_and_close(meeting, answered)

    [outcome] = meeting.call(ListOutcomes, **asked)

    assert outcome.state is (SurveyState.WITHHELD if reason else SurveyState.RELEASED)
    assert outcome.reason == reason
    assert vars(outcome).keys() == {"meeting_id", "state", "reason", "closes_at"}
    shown = meeting.call(ReadMeetingResults, meeting_id=meeting.meeting_id, locale=Locale.FR)
    assert shown == meeting.call(ReadResults, survey_id=meeting.survey().id, locale=Locale.FR)


def test_how_a_survey_ended_is_told_to_those_alone_who_may_read_it(meeting: Fixture) -> None:
    leads = uuid4()
    meeting.deliver(meeting.wrap_up(facilitator_id=leads))
    (community,) = meeting.survey_row().communities

    def told(*permissions: Permission, over: UUID = community, member_id: UUID | None = None) -> int:
        with acting(Actor("x", (Grant(frozenset(permissions), frozenset({over})),), member_id)):
            return len(meeting.call(ListOutcomes, meeting_ids=(meeting.meeting_id,)))

    assert told(Permission.SURVEYS_READ) == 1
    assert told(member_id=leads) == 1
    assert told(Permission.SURVEYS_READ, over=uuid4()) == 0
    assert told(Permission.MEETINGS_READ, member_id=uuid4()) == 0


def test_a_meeting_without_a_survey_has_no_results(meeting: Fixture) -> None:
    with pytest.raises(NotFound, match="no survey yet"):
        meeting.call(ReadMeetingResults, meeting_id=uuid4(), locale=Locale.EN)


def identified(meeting: Fixture, **by: object) -> dict[str, object]:
    """What the pages of a survey get of it."""
    return requests.SurveyIdentified.dump_of(meeting.call(IdentifySurvey, **by))


def test_a_link_a_code_and_an_id_say_of_which_meeting_and_until_when(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]))
    meeting.deliver(meeting.wrap_up())
    survey = meeting.survey()
    in_room = identified(meeting, room_code=survey.room_code)
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    told = identified(meeting, token=meeting.tokens()[PEOPLE[0]])
    assert told == in_room == identified(meeting, survey_id=survey.id)
    assert told == {
        "meeting_id": str(meeting.meeting_id),
        "closes_at": survey.closes_at.isoformat(),
        "timezone": meeting.survey_row().timezone,
    }


def test_a_link_says_the_same_whether_its_person_has_answered_and_after_the_survey(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    token = meeting.tokens()[PEOPLE[0]]
    before = identified(meeting, token=token)
    meeting.answer_by_link(PEOPLE[:1])
    assert identified(meeting, token=token) == before
    clock.move(timedelta(days=8))
    meeting.run_due()
    assert identified(meeting, token=token) == before


def test_a_link_that_was_revoked_says_as_little_as_one_that_was_guessed(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    token = meeting.tokens()[PEOPLE[0]]
    meeting.deliver(meeting.corrected(PEOPLE[0], AttendanceState.EXCUSED))
    said = set()
    for by in ({"token": token}, {"token": "garbled"}, {"room_code": "ZZZZZZZZ"}, {"survey_id": uuid4()}, {}):
        with pytest.raises(NotFound) as refused:
            identified(meeting, **by)
        said.add(refused.value.message)
    assert len(said) == 1
