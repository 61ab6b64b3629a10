"""Many simulated surveys before all adversaries, and what each came to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.adversary.roles import FROM_TEN, ROLES
from tests.adversary.scores import Learner, Score, learned, likeness, who_answered_what
from tests.adversary.surveys import Sheet, Simulator, Survey, play


@dataclass
class Outcome:
    """What one adversary came to, over all surveys."""

    seen: list[tuple[Mapping[UUID, list[str]], set[UUID]]] = field(default_factory=list)
    sheets: list[tuple[Mapping[UUID, Sheet], Mapping[UUID, Sheet]]] = field(default_factory=list)
    singled_out: int = 0  #: surveys in which something was said of somebody with certainty, rightly
    wrongly: int = 0  #: surveys in which something was said with certainty, and all of it was wrong

    def who_answered(self) -> tuple[Score, Learner]:
        """How well people were told apart by whether they answered, on surveys that were not learnt from."""
        return learned(self.seen)

    def who_answered_what(self) -> Score:
        """How well sheets were given to people."""
        return who_answered_what(self.sheets)


@dataclass
class Trial:
    """What all came to."""

    outcomes: dict[str, Outcome] = field(default_factory=lambda: defaultdict(Outcome))
    surveys: int = 0
    released: int = 0
    answers: int = 0
    one_sheet: int = 0  #: surveys of which the copy while open held but one answer: with the key it is known whose
    alike_from_ten: int = 0  #: surveys with ten answers or more, and a question to which all said the same

    def add(self, simulator: Simulator, survey: Survey) -> None:
        """Let every adversary at one survey."""
        self.surveys += 1
        self.released += survey.n is not None
        self.answers += len(survey.answered)
        at = survey.while_open.at if survey.while_open else survey.began_at
        self.one_sheet += sum(each.at <= at for each in survey.answered.values()) == 1
        self.alike_from_ten += (survey.n or 0) >= FROM_TEN and any(
            list(cell.get("distribution", {}).values()).count(0) == len(cell["distribution"]) - 1
            for cell in survey.results["questions"]
            if cell.get("distribution")
        )
        actual = {one: each.sheet for one, each in survey.answered.items()}
        for role, adversary in ROLES.items():
            found, outcome = adversary(simulator, survey), self.outcomes[role]
            outcome.seen.append((found.seen, set(actual)))
            outcome.sheets.append((found.sheets, actual))
            right = [one for one, sheet in found.certain.items() if one in actual and _holds(sheet, actual[one])]
            outcome.singled_out += bool(right)
            outcome.wrongly += bool(found.certain) and not right


def _holds(said: Mapping[str, Any], true: Mapping[str, Any]) -> bool:
    return likeness({key: said[key] for key in said}, {key: true.get(key) for key in said}) == 1.0


def run(simulator: Simulator, seeds: Iterable[int]) -> Trial:
    """Play these surveys, one after the other, and let every adversary at each."""
    trial = Trial()
    for seed in seeds:
        trial.add(simulator, play(simulator, seed))
    return trial


def report(trial: Trial) -> str:
    """What all came to, in words."""
    lines = [
        f"{trial.surveys} surveys, {trial.released} released, {trial.answers} answers; all alike, from ten answers on:"
        f" {trial.alike_from_ten}; one answer only in the copy while open: {trial.one_sheet}"
    ]
    for role, outcome in trial.outcomes.items():
        who, learner = outcome.who_answered()
        lines.append(
            f"{role}: who answered {who}; who answered what {outcome.who_answered_what()};"
            f" singled out in {outcome.singled_out}, wrongly in {outcome.wrongly}"
        )
        if not who.is_chance:
            lines += [f"    {weight:+.0f} {feature[:150]}" for feature, weight in learner.telling()]
    return "\n".join(lines)
