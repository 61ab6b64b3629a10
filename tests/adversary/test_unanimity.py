"""A8: what all answered, told by all having answered alike; and who answered, told by what a correction leaves."""

import pytest

from tests.adversary.scenarios import BORED, CONTENT, PLEASED, distributions, play, uncovered
from tests.adversary.surveys import Sheet, Simulator


@pytest.mark.parametrize("count", [5, 9])
def test_under_ten_answers_nothing_is_told_of_everybody(simulator: Simulator, count: int) -> None:
    there = [each.id for each in simulator.people[:10]]
    survey = play(simulator, there, dict.fromkeys(there[:count], PLEASED))
    assert survey.n == count
    assert uncovered(distributions(survey.results), count) == {}


@pytest.mark.parametrize("odd", [{**PLEASED, "satisfaction": 4}, BORED])
@pytest.mark.parametrize("count", [5, 9])
def test_all_alike_and_all_but_one_look_the_same(simulator: Simulator, count: int, odd: Sheet) -> None:
    there = [each.id for each in simulator.people[:10]]
    alike = play(simulator, there, dict.fromkeys(there[:count], PLEASED)).results
    but_one = play(simulator, there, {**dict.fromkeys(there[: count - 1], PLEASED), there[count]: odd}).results
    told = {cell["question"]: cell for cell in alike["questions"]}
    for cell in but_one["questions"]:
        assert cell == told[cell["question"]]


def test_the_event_of_the_results_tells_no_unanimity(simulator: Simulator) -> None:
    there = [each.id for each in simulator.people[:10]]
    told = []
    for last in (CONTENT, BORED):
        play(simulator, there, {**dict.fromkeys(there[:5], CONTENT), there[5]: last})
        (released,) = [each for each in simulator.network.messages if each.routing_key == "ResultsReleased"]
        told.append(released.body.partition(b'"suppressed_count":')[2][:3])
    assert told[0] == told[1]


@pytest.mark.parametrize("did_answer", [True, False])
def test_a_correction_leaves_the_same_events_whether_that_person_had_answered(
    simulator: Simulator, did_answer: bool
) -> None:
    """The facilitator removes somebody and records them again, and looks at how far the survey's version has gone."""
    there = [each.id for each in simulator.people[:10]]
    answering, versions = (there[:6] if did_answer else there[1:7]), []
    for corrected in ((), (there[0],)):
        with simulator.evening(0) as evening:
            evening.begin(there)
            for one in answering:
                evening.answer_in_room(one, CONTENT)
            evening.close()
            for one in corrected:
                evening.go_to(evening.at(hours=5))
                evening.mark({one: "excused"})
                evening.mark({one: "attended"})
            evening.let_it_close()
            (closed,) = [each for each in evening.network.messages if each.routing_key == "SurveyClosed"]
            private = [each for each in evening.network.messages if each.exchange == "evaluation.private"]
            versions.append((int(closed.properties["headers"]["ce-sequence"]), len(private)))
    grown = tuple(after - before for before, after in zip(*versions, strict=True))
    assert grown == (2, 2)  # one private event for each correction, answered or not
