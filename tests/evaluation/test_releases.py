"""Whatever people answer, no told figure stands on fewer than five of them, and none can be subtracted from another."""

import json
from statistics import NormalDist
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.events.evaluation import ResultsReleased, ResultsWithheld
from pratique.requests.evaluation import GetResults, Results
from pratique.testing import AT
from services.evaluation.models import Channel, Filled, Release, Survey, Thresholds
from services.evaluation.models.releases import (
    Votes,
    cell_of,
    choice_of,
    close,
    comments_of,
    mean_interval,
    rates_of,
    share_interval,
    t_975,
)
from services.evaluation.queries import get_results
from services.evaluation.questions import SETS, Answers, QuestionType
from tests.evaluation import scene

K_SCORES, K_COMMENTS = 5, 10
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
    return Survey.begin(uuid4(), [uuid4()], "America/Toronto", AT, Thresholds(), in_room=True)


def all_genuine(answers: list[Answers]) -> Votes:
    return Votes(answers, len(answers))


def release_of(survey: Survey, votes: Votes) -> Release:
    return Release.of(survey, votes, Thresholds(), is_anyone_eligible=True)


def numbers(told: object) -> list[float]:
    """All numbers in a piece of JSON."""
    if isinstance(told, dict):
        return [number for each in told.values() for number in numbers(each)]
    if isinstance(told, list):
        return [number for each in told for number in numbers(each)]
    return [told] if isinstance(told, int | float) and not isinstance(told, bool) else []


@settings(deadline=None)
@given(st.lists(_BALLOT, max_size=14), st.integers(0, 20), st.integers(0, 6))
def test_no_told_figure_stands_on_fewer_than_five(
    given_answers: list[Answers], more_eligible: int, others: int
) -> None:
    survey, n = a_survey(), len(given_answers)
    votes = Votes(given_answers, max(0, n - others), others)
    release = release_of(survey, votes)
    filled = [Filled(Channel.ROOM if index % 2 else Channel.MESSAGE, each) for index, each in enumerate(given_answers)]
    closed, told = close(survey, release, filled, n + more_eligible, others)

    if votes.genuine < K_SCORES:
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
        assert cell["n"] - votes.removed >= K_SCORES
        assert n - cell["n"] == 0 or n - cell["n"] - votes.removed >= K_SCORES
        if "nearly_all" in cell:
            assert set(cell) == {"question", "type", "is_withheld", "n", "nearly_all"}
            continue
        assert sum(cell["distribution"].values()) == cell["n"]  # type: ignore[attr-defined]
        assert sum(cell["question"] in each for each in given_answers) == cell["n"]
    written = [each for each in given_answers if "what_should_change" in each]
    shown = (
        written
        if n - votes.removed >= K_COMMENTS
        else [each for each in written if each.get("comment_may_be_shown") is True]
    )
    assert sorted(release.comments) == sorted(str(each["what_should_change"]) for each in shown)


@settings(max_examples=20, deadline=None)
@given(st.lists(_BALLOT, max_size=4))
def test_what_a_reader_gets_of_fewer_than_five_holds_no_number(given_answers: list[Answers]) -> None:
    with scene.scene() as meeting:
        survey = a_survey()
        release = release_of(survey, all_genuine(given_answers))
        close(survey, release, [Filled(Channel.ROOM, each) for each in given_answers], 8)
        with meeting.store.begin() as session:
            session.add(survey)
            session.flush()
            session.add(release)
            session.flush()
            told = get_results(session, GetResults(survey_id=survey.id))

        assert numbers(json.loads(json.dumps(Results.dump_of(told)))) == []


@pytest.mark.parametrize("n", range(K_SCORES, 21))
def test_a_withheld_question_does_not_say_how_many_answered_it(n: int) -> None:
    """An adversary who knows n and the rule still has several numbers to choose from."""
    possible = [answered for answered in range(n + 1) if cell_of(SCALE, mixed(answered, n - answered))["is_withheld"]]

    assert len(possible) >= K_SCORES


def mixed(answered: int, passed_over: int) -> Votes:
    scores = [{SCALE.key: score} for score in (3, 4, 2, 3, 4)]
    return all_genuine([*(scores * 4)[:answered], *[{"would_come_again": True}] * passed_over])


@settings(deadline=None)
@given(st.integers(5, 9), _SCORE, _SCORE)
def test_under_ten_answers_all_alike_and_all_but_one_alike_look_the_same(n: int, same: int, other: int) -> None:
    alike = cell_of(SCALE, all_genuine([{SCALE.key: same}] * n))
    nearly = cell_of(SCALE, all_genuine([{SCALE.key: same}] * (n - 1) + [{SCALE.key: other}]))

    assert (
        alike
        == nearly
        == {"question": SCALE.key, "type": "scale1_5", "is_withheld": False, "n": n, "nearly_all": str(same)}
    )


@settings(deadline=None)
@given(st.integers(5, 9), st.lists(st.tuples(_SCORE), max_size=9))
def test_puppets_who_vary_their_votes_do_not_unmask_five_honest_people_alike(
    honest: int, puppets: list[tuple[int]]
) -> None:
    """Whoever cast them can take them away; what is left must not show all, or all but one, of the rest alike."""
    cast = [{SCALE.key: score} for (score,) in puppets]
    for last in (4, 5):
        votes = Votes([{SCALE.key: 5}] * (honest - 1) + [{SCALE.key: last}] + cast, honest, len(cast))
        cell = cell_of(SCALE, votes)
        assert "distribution" not in cell or not cast


def test_ten_alike_are_told() -> None:
    assert cell_of(SCALE, all_genuine([{SCALE.key: 5}] * 10))["distribution"] == {
        "1": 0,
        "2": 0,
        "3": 0,
        "4": 0,
        "5": 10,
    }


@settings(deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_no_rate_lets_one_count_fewer_than_five_people(in_room: int, after: int, neither: int) -> None:
    eligible = in_room + after + neither
    told = rates_of(in_room, after, eligible)

    assert (told is None) == (not eligible or any(0 < each < 5 for each in (in_room, after, neither)))
    if told:
        assert told == (round(in_room / eligible, 2), round(after / eligible, 2))


def test_a_choice_has_the_name_that_a_distribution_gives_it() -> None:
    assert [choice_of(value) for value in (1, 5, True, False)] == ["1", "5", "yes", "no"]


def test_comments_tell_no_order() -> None:
    answers: list[Answers] = [{"what_should_change": str(index)} for index in range(10)]

    firsts = {comments_of(QUESTIONS, all_genuine(answers), K_COMMENTS)[0] for _ in range(200)}

    assert len(firsts) > 5


def test_a_mean_and_its_interval_are_told_to_two_decimals() -> None:
    cell = cell_of(SCALE, all_genuine([{SCALE.key: score} for score in (5, 4, 4, 3, 5)]))

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

    told = {cell["question"] for cell in release_of(a_survey(), all_genuine(answers)).cells}

    assert told == {each.key for each in QUESTIONS if each.type is not QuestionType.TEXT and each.permits is None}
