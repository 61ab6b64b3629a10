"""Many simulated surveys before adversaries who are given all that somebody of their role can have.

Wanted: of nobody can it be told what they answered, better than by chance among those who were there; and whether they
answered at all only by whoever copies evaluation's store while a survey is open. ``PRATIQUE_ADVERSARY_SURVEYS`` says
how many surveys (by default 12; a thousand in ``make nightly``). Seeds are fixed, and chance reaches the bound once in
some thirty thousand runs.
"""

import os

import pytest

from tests.adversary.roles import ROLES
from tests.adversary.surveys import Simulator
from tests.adversary.trial import Trial, report, run

SURVEYS = int(os.environ.get("PRATIQUE_ADVERSARY_SURVEYS", "12"))
#: Whoever copies evaluation's store while a survey is open, and has the key, sees who answered by then; docs say so.
SEES_WHO_ANSWERED = ("holder while open with key",)


@pytest.fixture(scope="module")
def trial(simulator: Simulator) -> Trial:
    made = run(simulator, range(SURVEYS))
    print(report(made))
    return made


@pytest.mark.parametrize("role", [each for each in ROLES if each not in SEES_WHO_ANSWERED])
def test_who_answered_at_all_is_told_no_better_than_by_chance(trial: Trial, role: str) -> None:
    score, learner = trial.outcomes[role].who_answered()
    assert score.surveys >= SURVEYS // 4
    assert score.is_chance, f"{role}: {score}, by {learner.telling()}"


@pytest.mark.parametrize("role", ROLES)
def test_who_answered_what_is_told_no_better_than_by_chance(trial: Trial, role: str) -> None:
    score = trial.outcomes[role].who_answered_what()
    assert score.is_chance, f"{role}: {score}"


@pytest.mark.parametrize("role", [each for each in ROLES if "open" not in each])
def test_of_nobody_is_anything_told_for_certain(trial: Trial, role: str) -> None:
    outcome = trial.outcomes[role]
    assert outcome.singled_out == 0, f"{role}: in {outcome.singled_out} of {trial.surveys} surveys"
