"""What may be told of a survey: computed once, when it closes, and the only thing that anyone reads afterwards."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from random import SystemRandom
from statistics import NormalDist, fmean, stdev
from typing import Any, Self
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pratique import clock, store
from pratique.events.evaluation import CountBand, ResultsReleased, ResultsWithheld, SurveyClosed, WithheldReason
from services.evaluation import questions
from services.evaluation.models.surveys import Base, Survey, SurveyState
from services.evaluation.models.tokens import Channel
from services.evaluation.questions import Answers, Question, QuestionType

K_SCORES = 5  #: nothing is told of fewer answers than this (docs/decisions/0013)
K_COMMENTS = 10  #: comments are told from this many answers on (docs/decisions/0013)

Cell = dict[str, object]  #: what is told of one question, as plain JSON
_JSON = store.COLUMN_TYPES[dict[str, Any]]
_chance = SystemRandom()


class Release(Base):
    """What is told of one survey, or why nothing is. Every reader reads this, none reads answers."""

    __tablename__ = "release"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"), unique=True)
    reason: Mapped[WithheldReason | None]  # why nothing is told; None if something is
    responses: Mapped[CountBand]
    n: Mapped[int | None]  # None if nothing is told
    cells: Mapped[list[Cell]] = mapped_column(_JSON)  # one for each question that can be counted
    comments: Mapped[list[str]]  # in random order
    suppressed_count: Mapped[int]  # questions withheld

    @classmethod
    def of(cls, survey: Survey, answers: Sequence[Answers], reason: WithheldReason | None) -> Self:
        """What may be told of these answers; ``reason`` is given where nothing may be, however many there are."""
        n = len(answers)
        if reason is None and n < K_SCORES:
            reason = WithheldReason.BELOW_K
        asked = questions.SETS[survey.questions_version]
        cells = [] if reason else [cell_of(question, answers) for question in asked if _is_counted(question)]
        return cls(
            id=uuid4(),
            survey_id=survey.id,
            reason=reason,
            responses=CountBand.of(n),
            n=None if reason else n,
            cells=cells,
            comments=[] if reason else comments_of(asked, answers),
            suppressed_count=sum(cell["is_withheld"] is True for cell in cells),
        )


def close(
    survey: Survey, release: Release, came_by: Iterable[Channel], eligible: int
) -> tuple[SurveyClosed, ResultsReleased | ResultsWithheld]:
    """Let the survey take no more answers, destroy its secret, and tell what may be told.

    A rate is the share of those eligible (AAPOR) who answered by that way. It is told only where at least five were
    eligible and at least five answered: it says how many took part, never what anyone said.
    """
    survey.state = SurveyState.WITHHELD if release.reason else SurveyState.RELEASED
    survey.secret = survey.room_code = None
    survey.version += 1
    counts = Counter(came_by)
    are_told = eligible >= K_SCORES and release.n is not None
    closed = SurveyClosed(
        survey_id=survey.id,
        meeting_id=survey.meeting_id,
        community_ids=survey.communities,
        closed_at=clock.now(),
        eligible=CountBand.of(eligible),
        responses=release.responses,
        rate_in_meeting=min(1.0, round(counts[Channel.ROOM] / eligible, 2)) if are_told else None,
        rate_after=min(1.0, round(counts[Channel.MESSAGE] / eligible, 2)) if are_told else None,
        version=survey.version,
    )
    survey.version += 1
    return closed, _told(survey, release)


def _told(survey: Survey, release: Release) -> ResultsReleased | ResultsWithheld:
    if release.reason is not None or release.n is None:
        return ResultsWithheld(
            survey_id=survey.id,
            meeting_id=survey.meeting_id,
            community_ids=survey.communities,
            reason=release.reason or WithheldReason.BELOW_K,
            version=survey.version,
        )
    return ResultsReleased(
        release_id=release.id,
        survey_id=survey.id,
        meeting_id=survey.meeting_id,
        community_ids=survey.communities,
        responses_count=release.n,
        suppressed_count=release.suppressed_count,
        released_at=clock.now(),
        version=survey.version,
    )


def _is_counted(question: Question) -> bool:
    return question.type is not QuestionType.TEXT and question.permits is None


def cell_of(question: Question, answers: Sequence[Answers]) -> Cell:
    """What is told of one question, or only that it is withheld.

    It is told when at least five answered it and those who passed it over are none, or at least five too: otherwise
    the difference to the survey's n would count them. Which of the two forbids it is not said, since that can count
    them as well.
    """
    values = [each[question.key] for each in answers if question.key in each]
    told: Cell = {"question": question.key, "type": question.type.value, "is_withheld": False}
    passed_over = len(answers) - len(values)
    if len(values) < K_SCORES or 0 < passed_over < K_SCORES:
        return told | {"is_withheld": True}
    if question.type is QuestionType.YES_NO:
        yes = sum(value is True for value in values)
        return told | {
            "n": len(values),
            "distribution": {"yes": yes, "no": len(values) - yes},
            "share": round(yes / len(values), 2),
            "interval": share_interval(yes, len(values)),
        }
    scores = [int(value) for value in values]
    counts = Counter(scores)
    return told | {
        "n": len(scores),
        "distribution": {str(score): counts[score] for score in range(1, 6)},
        "mean": round(fmean(scores), 2),
        "interval": mean_interval(scores),
    }


def comments_of(asked: Sequence[Question], answers: Sequence[Answers]) -> list[str]:
    """The comments that may be shown, in random order: all from ten answers on, before that those whose author agreed.

    A comment that several people wrote alike is shown as often.
    """
    permits: Mapping[str | None, str] = {each.permits: each.key for each in asked if each.permits}
    texts = [question.key for question in asked if question.type is QuestionType.TEXT]
    shown = [
        str(each[key])
        for each in answers
        for key in texts
        if key in each and (len(answers) >= K_COMMENTS or each.get(permits.get(key, "")) is True)
    ]
    _chance.shuffle(shown)
    return shown


def mean_interval(scores: Sequence[int]) -> list[float]:
    """Where 95 of 100 such means lie (Student's t), within the scale; two decimals.

    With scores that are all alike it has no width: that says nothing was seen to vary, not that nothing does.
    """
    mean, half = fmean(scores), t_975(len(scores) - 1) * stdev(scores) / sqrt(len(scores))
    return [round(max(1.0, mean - half), 2), round(min(5.0, mean + half), 2)]


def share_interval(yes: int, n: int) -> list[float]:
    """Wilson's 95 % interval of a share, which holds at small n and at both ends; two decimals."""
    z = NormalDist().inv_cdf(0.975)
    middle = (yes + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * sqrt(yes * (n - yes) / n + z * z / 4)
    return [round(max(0.0, middle - half), 2), round(min(1.0, middle + half), 2)]


def t_975(freedom: int) -> float:
    """Student's t at 97.5 %, by the expansion of Abramowitz and Stegun 26.7.5; off by less than 0.001 from 4 on."""
    z, v = NormalDist().inv_cdf(0.975), freedom
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )
