"""Releases: results of a survey, computed once when it closes, and the only thing that anyone reads afterwards."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from random import SystemRandom
from statistics import NormalDist, fmean, stdev
from typing import Any, Self
from uuid import UUID, uuid5

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.sealing import Seal
from chassis.storage import types
from pratique.events.evaluation import CountBand, ResultsReleased, ResultsWithheld, SurveyClosed, WithheldReason
from pratique.requests.evaluation import QuestionType
from services.evaluation import questions
from services.evaluation.models.ballots import Filled
from services.evaluation.models.surveys import Base, Survey, SurveyState, Thresholds
from services.evaluation.models.tokens import Channel
from services.evaluation.questions import Answers, Question

LEAST = Thresholds()  #: what every network keeps to (docs/decisions/0013)
KEEP_WITHHELD = timedelta(days=90)  #: answers that were not told, for pooling with those of later meetings

Cell = dict[str, object]  #: what is told of one question, as plain JSON
_JSON = types.COLUMN_TYPES[dict[str, Any]]
_KEPT = "kept answers"
_KEPT_BLOCK = 4096  #: bytes
_chance = SystemRandom()


@dataclass(frozen=True)
class Votes:
    """All that was answered, and what is known of who could answer, now that the survey closes.

    How many people could have answered and were taken off the list again is known to everybody, and so it may decide
    what is told; how many of them did answer is known to nobody, and decides on the threshold alone.
    """

    answers: Sequence[Answers]
    genuine: int  #: answers of people who are eligible now; at most as many as there are answers
    removed: int = 0  #: people who are not eligible any more; whoever cast their answers may know and subtract them


class Release(Base):
    """The results of one survey, or the reason why they are withheld. Every reader reads this, none reads answers."""

    __tablename__ = "release"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"), unique=True)
    reason: Mapped[WithheldReason | None]  # why nothing is told; None if something is
    n: Mapped[int | None]  # None if nothing is told
    n_in_meeting: Mapped[int | None]  # of them, during the meeting; None if not to be told
    cells: Mapped[list[Cell]] = mapped_column(_JSON)  # one for each question that can be counted
    comments: Mapped[list[str]]  # in random order
    suppressed_count: Mapped[int]  # questions withheld

    @classmethod
    def of(cls, survey: Survey, votes: Votes, thresholds: Thresholds, *, is_anyone_eligible: bool) -> Self:
        """Make the release of these answers: withheld unless enough of those who gave them were there."""
        reason = WithheldReason.BELOW_K if votes.genuine < thresholds.scores else None
        if not is_anyone_eligible:
            reason = WithheldReason.NO_ATTENDANCE
        asked = questions.SETS[survey.questions_version]
        cells = [] if reason else [cell_of(question, votes) for question in asked if is_counted(question)]
        return cls(
            id=uuid5(survey.id, "release"),  # as the survey's own
            survey_id=survey.id,
            reason=reason,
            n=None if reason else len(votes.answers),
            cells=cells,
            comments=[] if reason else comments_of(asked, votes, thresholds.comments),
            suppressed_count=sum(cell["is_withheld"] is True for cell in cells),
        )


class CommunityRelease(Base):
    """For which communities a release was made."""

    __tablename__ = "community_release"
    __table_args__ = (Index(None, "community_id", "closes_at", "survey_id"),)
    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("release.survey_id"), primary_key=True)
    closes_at: Mapped[datetime]  # the survey's


class KeptAnswers(Base):
    """Sealed answers to one question of a survey whose results are withheld, in an order of their own."""

    __tablename__ = "kept_answers"
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"), primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    box: Mapped[bytes]


def kept_rows(survey: Survey, answers: Sequence[Answers], seal: Seal) -> list[dict[str, object]]:
    """The rows of ``KeptAnswers``: a list of values for each question, so that no two can be joined to a sheet.

    A comment keeps with it whether its author lets it be shown; that is no question of its own any more.
    """
    rows: list[dict[str, object]] = []
    asked = questions.SETS[survey.questions_version]
    leave = {question.permits: question.key for question in asked if question.permits}
    for question in asked:
        if question.permits:
            continue
        given = [each for each in answers if question.key in each]
        values = [[each[question.key], each.get(leave.get(question.key, ""), False)] for each in given]
        _chance.shuffle(values)
        content = survey.id.bytes + json.dumps(values, ensure_ascii=False).encode()
        box = seal.close(_KEPT, content, _KEPT_BLOCK)
        rows.append({"survey_id": survey.id, "question": question.key, "box": box})
    return rows


def close(
    survey: Survey, release: Release, filled: Sequence[Filled], eligible: int, removed: int = 0
) -> tuple[SurveyClosed, ResultsReleased | ResultsWithheld]:
    """Let the survey take no more answers, and tell what may be told."""
    survey.state = SurveyState.WITHHELD if release.reason else SurveyState.RELEASED
    survey.room_code = None
    survey.version += 1
    in_room = sum(each.channel is Channel.ROOM for each in filled)
    rates = None if release.reason or removed else rates_of(in_room, len(filled) - in_room, eligible)
    release.n_in_meeting = None if rates is None else in_room
    closed = SurveyClosed(
        survey_id=survey.id,
        meeting_id=survey.meeting_id,
        community_ids=survey.communities,
        closed_at=clock.now(),
        eligible=CountBand.of(eligible),
        responses=None if release.reason else CountBand.of(len(filled)),
        rate_in_meeting=rates and rates[0],
        rate_after=rates and rates[1],
        version=survey.version,
    )
    survey.version += 1
    return closed, _told(survey, release)


def rates_of(in_room: int, after: int, eligible: int) -> tuple[float, float] | None:
    """The shares of those eligible who answered in the room and later (AAPOR), two decimals; None if not to be told.

    They are told where those who answered in the room, those who answered later and those who did not are each none or
    at least five: whoever knows how many were there can count each of the three.
    """
    if any(0 < count < LEAST.scores for count in (in_room, after, eligible - in_room - after)) or not eligible:
        return None
    return round(in_room / eligible, 2), round(after / eligible, 2)


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


def is_counted(question: Question) -> bool:
    """Return whether a release has a cell for this question."""
    return question.type is not QuestionType.TEXT and question.permits is None


def cell_of(question: Question, votes: Votes) -> Cell:
    """Return the results of one question, or only that they are withheld.

    It is told when at least five answered it and those who passed it over are none, or at least five too: otherwise
    the difference to the survey's n would count them. Of fewer than ten answers of which all, or all but one, are
    alike, only that is told, the same in both cases: five alike would tell everybody's answer. As many answers as
    people were taken off the list count for none of this, whether theirs or not, since whoever cast them could subtract
    them; then likeness is withheld. Which of these forbids it is not said, since that can count them as well.
    """
    values = [each[question.key] for each in votes.answers if question.key in each]
    told: Cell = {"question": question.key, "type": question.type.value, "is_withheld": False}
    if not _are_enough(len(values), votes):
        return told | {"is_withheld": True}
    value, count = Counter(map(choice_of, values)).most_common(1)[0]
    others = len(values) - votes.removed
    are_alike = others < LEAST.comments and count >= others - 1
    if are_alike and votes.removed:
        return told | {"is_withheld": True}
    if are_alike:
        return told | {"n": len(values), "nearly_all": value}
    return told | {"n": len(values)} | _counted(question.type, values)


def _are_enough(answered: int, votes: Votes) -> bool:
    """Return whether at least five answered, and five or nobody did not, without those who can be subtracted."""
    passed_over = len(votes.answers) - answered
    are_many = passed_over == 0 or passed_over - votes.removed >= LEAST.scores
    return answered - votes.removed >= LEAST.scores and are_many


def choice_of(value: object) -> str:
    """A value as a distribution names it: 1 to 5, yes or no."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _counted(type: QuestionType, values: Sequence[Any]) -> Cell:
    counts = Counter(map(choice_of, values))
    if type is QuestionType.YES_NO:
        return {
            "distribution": {"yes": counts["yes"], "no": counts["no"]},
            "share": round(counts["yes"] / len(values), 2),
            "interval": share_interval(counts["yes"], len(values)),
        }
    scores = [int(value) for value in values]
    return {
        "distribution": {str(score): counts[str(score)] for score in range(1, 6)},
        "mean": round(fmean(scores), 2),
        "interval": mean_interval(scores),
    }


def comments_of(asked: Sequence[Question], votes: Votes, enough: int) -> list[str]:
    """The comments that may be shown, in random order: all from ten answers on, before that those whose author agreed.

    A comment that several people wrote alike is shown as often.
    """
    permits = {each.permits: each.key for each in asked if each.permits}
    texts = [question.key for question in asked if question.type is QuestionType.TEXT]
    shown = [
        str(each[key])
        for each in votes.answers
        for key in texts
        if key in each and (len(votes.answers) - votes.removed >= enough or each.get(permits.get(key, "")) is True)
    ]
    _chance.shuffle(shown)
    return shown


def mean_interval(scores: Sequence[int]) -> list[float]:
    """Return the 95 % confidence interval of the mean (Student's t), within the scale; two decimals.

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
