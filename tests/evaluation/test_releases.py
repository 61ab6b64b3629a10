"""Whatever people answer, no told figure stands on fewer than five of them, and none can be subtracted from another."""

import json
from statistics import NormalDist
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.events.evaluation import ResultsReleased, ResultsWithheld
from pratique.testing import AT
from services.evaluation import queries, schemas
from services.evaluation.models import K_COMMENTS, K_SCORES, Channel, Release, Survey
from services.evaluation.models.releases import cell_of, close, comments_of, mean_interval, share_interval, t_975
from services.evaluation.questions import SETS, Answers, QuestionType
from tests.evaluation import scene

QUESTIONS = SETS[1]
SCALE = QUESTIONS[0]
_SCORE = st.integers(1, 5)
_BALLOT = st.fixed_dictionaries(
    {},
    optional={
        "satisfaction": _SCORE,
        "free_to_speak": _SCORE,
        "would_come_again": st.booleans(),
        "what_should_change": st.sampled_from(["plus court", "more time", "rien"]),
        "comment_may_be_shown": st.booleans(),
    },
).filter(bool)


def a_survey() -> Survey:
    return Survey.begin(uuid4(), [uuid4()], "America/Toronto", AT, in_room=True)


def numbers(told: object) -> list[float]:
    """All numbers in a piece of JSON."""
    if isinstance(told, dict):
        return [number for each in told.values() for number in numbers(each)]
    if isinstance(told, list):
        return [number for each in told for number in numbers(each)]
    return [told] if isinstance(told, int | float) and not isinstance(told, bool) else []


@settings(deadline=None)
@given(st.lists(_BALLOT, max_size=14), st.integers(0, 20))
def test_no_told_figure_stands_on_fewer_than_five(given_answers: list[Answers], more_eligible: int) -> None:
    survey, n = a_survey(), len(given_answers)
    release = Release.of(survey, given_answers, None)
    channels = [Channel.ROOM if index % 2 else Channel.MESSAGE for index in range(n)]
    closed, told = close(survey, release, channels, n + more_eligible)

    if n < K_SCORES:
        assert isinstance(told, ResultsWithheld)
        assert numbers(closed.dump()) == [closed.version]
        assert numbers(told.dump()) == [told.version]
        assert (release.cells, release.comments, release.n, release.suppressed_count) == ([], [], None, 0)
        return
    assert isinstance(told, ResultsReleased)
    assert told.responses_count == n
    for cell in release.cells:
        if cell["is_withheld"]:
            assert set(cell) == {"question", "type", "is_withheld"}
            continue
        assert isinstance(cell["n"], int)
        assert cell["n"] >= K_SCORES
        assert n - cell["n"] == 0 or n - cell["n"] >= K_SCORES
        assert sum(cell["distribution"].values()) == cell["n"]  # type: ignore[attr-defined]
        assert sum(cell["question"] in each for each in given_answers) == cell["n"]
    written = [each for each in given_answers if "what_should_change" in each]
    shown = written if n >= K_COMMENTS else [each for each in written if each.get("comment_may_be_shown") is True]
    assert sorted(release.comments) == sorted(str(each["what_should_change"]) for each in shown)


@settings(max_examples=20, deadline=None)
@given(st.lists(_BALLOT, max_size=4))
def test_what_a_reader_gets_of_fewer_than_five_holds_no_number(given_answers: list[Answers]) -> None:
    with scene.scene() as meeting:
        survey = a_survey()
        release = Release.of(survey, given_answers, None)
        close(survey, release, [Channel.ROOM] * len(given_answers), 8)
        with meeting.store.begin() as session:
            session.add(survey)
            session.flush()
            session.add(release)
            session.flush()
            told = queries.get_results(session, survey_id=survey.id)

        assert numbers(json.loads(json.dumps(schemas.Results().dump(told)))) == []


@pytest.mark.parametrize("n", range(K_SCORES, 21))
def test_a_withheld_question_does_not_say_how_many_answered_it(n: int) -> None:
    """An adversary who knows n and the rule still has several numbers to choose from."""
    possible = [
        answered
        for answered in range(n + 1)
        if cell_of(SCALE, [{SCALE.key: 3}] * answered + [{"would_come_again": True}] * (n - answered))["is_withheld"]
    ]

    assert len(possible) >= K_SCORES


def test_comments_tell_no_order() -> None:
    answers: list[Answers] = [{"what_should_change": str(index)} for index in range(10)]

    firsts = {comments_of(QUESTIONS, answers)[0] for _ in range(200)}

    assert len(firsts) > 5


def test_a_mean_and_its_interval_are_told_to_two_decimals() -> None:
    cell = cell_of(SCALE, [{SCALE.key: score} for score in (5, 4, 4, 3, 5)])

    assert cell["mean"] == 4.2
    assert cell["interval"] == [3.16, 5.0]  # 4.2 plus or minus 2.776 x 0.8367 / sqrt(5), within the scale
    assert cell["distribution"] == {"1": 0, "2": 0, "3": 1, "4": 2, "5": 2}


def test_scores_that_are_all_alike_have_an_interval_without_width() -> None:
    assert mean_interval([4] * 6) == [4.0, 4.0]


def test_a_share_has_wilsons_interval() -> None:
    assert share_interval(7, 9) == [0.45, 0.94]
    assert share_interval(0, 9)[0] == 0.0
    assert share_interval(9, 9)[1] == 1.0


@pytest.mark.parametrize(("freedom", "known"), [(4, 2.7764), (5, 2.5706), (9, 2.2622), (19, 2.0930), (29, 2.0452)])
def test_students_t_is_that_of_the_tables(freedom: int, known: float) -> None:
    assert t_975(freedom) == pytest.approx(known, abs=0.001)
    assert t_975(freedom) > NormalDist().inv_cdf(0.975)


def test_leave_to_show_a_comment_is_no_result() -> None:
    answers: list[Answers] = [{"satisfaction": 5, "comment_may_be_shown": True}] * 10

    told = {cell["question"] for cell in Release.of(a_survey(), answers, None).cells}

    assert told == {each.key for each in QUESTIONS if each.type is not QuestionType.TEXT and each.permits is None}
