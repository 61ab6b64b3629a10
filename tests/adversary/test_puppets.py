"""A1: absent people who are marked as there and voted for, so that honest answers fall out by subtraction."""

from uuid import UUID

import pytest

from tests.adversary.scenarios import BORED, CONTENT, PLEASED, distributions, meet, play, uncovered, without
from tests.adversary.surveys import Simulator

PUPPETS = 4


@pytest.mark.parametrize("excused", ["before closing", "after closing"])
@pytest.mark.parametrize("honest", [1, 4])
def test_puppets_that_are_excused_uncover_no_answer(simulator: Simulator, honest: int, excused: str) -> None:
    there, votes = _people(simulator)
    survey = play(simulator, there, dict.fromkeys(there[:honest], BORED), puppets=votes, excused=excused)
    left = without(distributions(survey.results), list(votes.values()))
    assert uncovered(left, honest) == {}
    assert "n" not in survey.results


@pytest.mark.parametrize("excused", ["before closing", "after closing"])
def test_puppets_that_vote_this_way_and_that_do_not_unmask_five_alike(simulator: Simulator, excused: str) -> None:
    """Nine answers of which five alike look like any nine; without their own four, the five are known."""
    there, puppets = _people(simulator)
    votes = {one: {"satisfaction": score} for score, one in enumerate(puppets, 1)}
    survey = play(simulator, there, dict.fromkeys(there[:5], PLEASED), puppets=votes, excused=excused)
    left = without(distributions(survey.results), list(votes.values()))
    assert "satisfaction" not in uncovered({key: left[key] for key in left if key == "satisfaction"}, 5)


def test_removing_one_person_does_not_withhold_what_five_others_said(simulator: Simulator) -> None:
    there, _ = _people(simulator)
    with simulator.evening(0) as evening:
        meet(evening, there, {**dict.fromkeys(there[:3], CONTENT), **dict.fromkeys(there[3:6], BORED)}, {})
        evening.close()
        evening.mark({there[0]: "excused"})
        evening.let_it_close()
        assert evening.survey.n == 6


def test_every_change_of_attendance_after_the_wrap_up_is_on_record(simulator: Simulator) -> None:
    there, votes = _people(simulator)
    play(simulator, there, {there[0]: BORED}, puppets=votes, excused="before closing")
    told = "\n".join(str(row) for row in simulator.network.copy().tables["meetings.audit"])
    assert all(str(one) in told for one in votes)


def test_whoever_is_recorded_as_there_hears_of_it(simulator: Simulator) -> None:
    """Also one who was voted for, and so is not asked: in the mail about results."""
    there, votes = _people(simulator)
    play(simulator, there, dict.fromkeys(there, CONTENT), puppets=votes)
    heard = {each.recipient for each in simulator.network.letters}
    assert {each.address for each in simulator.people if each.id in votes} <= heard


def _people(simulator: Simulator) -> tuple[list[UUID], dict[UUID, dict[str, object]]]:
    """Eight who are there, and four who are not, all of whom would vote alike."""
    return [each.id for each in simulator.people[:8]], {each.id: dict(PLEASED) for each in simulator.puppets[:PUPPETS]}


def test_removing_somebody_for_good_tells_not_whether_they_had_answered(simulator: Simulator) -> None:
    """The same eight sheets of ten people, one of whom is excused after closing: results are the same to the letter."""
    there, told = [each.id for each in simulator.people[:10]], []
    for answering in (there[:8], there[1:9]):
        with simulator.evening(0) as evening:
            meet(evening, there, {one: BORED if one == there[5] else PLEASED for one in answering}, {})
            evening.close()
            evening.mark({there[0]: "excused"})
            evening.let_it_close()
            results = evening.survey.results
            told.append({key: value for key, value in results.items() if not key.endswith("_id")})
    assert told[0] == told[1]
