"""How well guesses did, against chance: exact means and variances under permutation within each survey.

What a survey's released numbers tell is in the chance: a permutation leaves who was there, how many answered and all
that was answered as they are, and changes only whose is whose.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

#: Standard deviations that chance reaches once in some thirty thousand runs; what succeeds reaches tens.
BEYOND_CHANCE = 4.0


@dataclass(frozen=True)
class Score:
    """What an attack came to."""

    value: float  #: of "who answered" the AUC, 0.5 by chance; of "who answered what" 0 by chance and 1 for all right
    z: float  #: standard deviations from chance
    surveys: int  #: in which there was something to guess

    @property
    def is_chance(self) -> bool:
        """Whether chance does as well."""
        return self.z < BEYOND_CHANCE

    def __str__(self) -> str:
        return f"{self.value:.3f} (z {self.z:+.1f}, {self.surveys} surveys)"


def who_answered(rounds: Iterable[tuple[Mapping[Hashable, float], set[Any]]]) -> Score:
    """Score how people were ranked, each survey by itself: (their scores, who did answer)."""
    won = expected = variance = pairs = 0.0
    surveys = 0
    for scores, answered in rounds:
        yes = [score for one, score in scores.items() if one in answered]
        no = [score for one, score in scores.items() if one not in answered]
        if not yes or not no:
            continue
        surveys += 1
        won += sum((a > b) + 0.5 * (a == b) for a in yes for b in no)
        total = len(yes) + len(no)
        ties = sum(count**3 - count for count in Counter([*yes, *no]).values())
        expected += len(yes) * len(no) / 2
        variance += len(yes) * len(no) / 12 * (total + 1 - ties / (total * (total - 1)))
        pairs += len(yes) * len(no)
    value = won / pairs if pairs else 0.5
    return Score(value, (won - expected) / sqrt(variance) if variance else 0.0, surveys)


def who_answered_what(rounds: Iterable[tuple[Mapping[Any, Any], Mapping[Any, Any]]]) -> Score:
    """Score which sheet was said to be whose: (guessed sheet by person, true sheet by person)."""
    hits = expected = variance = best = 0.0
    surveys = 0
    for guessed, actual in rounds:
        people = [one for one in guessed if one in actual]
        alike = [[likeness(guessed[a], actual[b]) for b in people] for a in people]
        n = len(people)
        if n < 2:
            continue
        surveys += 1
        row = [sum(each) / n for each in alike]
        column = [sum(alike[i][j] for i in range(n)) / n for j in range(n)]
        mean = sum(row) / n
        hits += sum(alike[i][i] for i in range(n))
        expected += n * mean
        best += n
        variance += sum((alike[i][j] - row[i] - column[j] + mean) ** 2 for i in range(n) for j in range(n)) / (n - 1)
    value = (hits - expected) / (best - expected) if best > expected else 0.0
    return Score(value, (hits - expected) / sqrt(variance) if variance else 0.0, surveys)


def likeness(guessed: Mapping[str, Any], true: Mapping[str, Any]) -> float:
    """The share of questions to which both say the same; a comment counts as a question."""
    keys = guessed.keys() | true.keys()
    return sum(bool(key in guessed and key in true and guessed[key] == true[key]) for key in keys) / (len(keys) or 1)


class Learner:
    """Naive Bayes over what was seen of people: an adversary who was told of half of the surveys who answered.

    It finds by itself what tells who answered, so that no attack is missed because nobody thought of it.
    """

    def __init__(self) -> None:
        self._seen: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        self._people: Counter[bool] = Counter()

    def learn(self, features: Iterable[str], did_answer: bool) -> None:
        """Take one person of whom it is known."""
        self._seen[did_answer].update(set(features))
        self._people[did_answer] += 1

    def score(self, features: Iterable[str]) -> float:
        """How much rather somebody of whom this was seen answered than did not."""
        return sum(self._weight(each) for each in sorted(set(features)))

    def telling(self, at_most: int = 5) -> list[tuple[str, float]]:
        """The features that tell most, with their weight times how often they occur."""
        known = self._seen[True].keys() | self._seen[False].keys()
        weighed = [(each, self._weight(each) * (self._seen[True] + self._seen[False])[each]) for each in known]
        return sorted(weighed, key=lambda one: -abs(one[1]))[:at_most]

    def _weight(self, feature: str) -> float:
        yes = (self._seen[True][feature] + 1) / (self._people[True] + 2)
        no = (self._seen[False][feature] + 1) / (self._people[False] + 2)
        return log(yes / no)


def learned(rounds: Sequence[tuple[Mapping[Any, Sequence[str]], set[Any]]]) -> tuple[Score, Learner]:
    """Learn from every second survey and score on the others: (what was seen of each person, who did answer)."""
    learner = Learner()
    for features, answered in rounds[::2]:
        for one, seen in features.items():
            learner.learn(seen, one in answered)
    judged = [
        ({one: learner.score(seen) for one, seen in features.items()}, answered) for features, answered in rounds[1::2]
    ]
    return who_answered(judged), learner
