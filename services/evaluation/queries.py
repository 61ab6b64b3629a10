"""Queries of evaluation. Results are read from releases alone, never from answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, literal, select, tuple_
from sqlalchemy.orm import Session

from chassis.actor import ACTOR
from chassis.rpc.requests import Handlers
from chassis.storage import audit
from chassis.storage.rows import Page
from chassis.storage.transaction import Transaction
from chassis.storage.types import Instant
from pratique.errors import Gone, Invalid, NotFound
from pratique.events.evaluation import CountBand
from pratique.permissions import Permission
from pratique.requests.evaluation import (
    GetResults,
    GetRoom,
    GetSurvey,
    IdentifySurvey,
    ListEvaluationAudit,
    ListOutcomes,
    ListReleases,
    ReadMeetingResults,
    ReadQuestions,
    ReadResults,
)
from services.evaluation import questions
from services.evaluation.models import Attendance, CommunityRelease, Release, Survey, SurveyState, tokens
from services.evaluation.models.attendance import ELIGIBLE
from services.evaluation.models.releases import choice_of

#: One sentence for everything that opens nothing, so that a guess learns nothing.
NO_SUCH = "This opens no survey. Use the link of your newest message, or the code that is shown in the room."
CLOSED = "This survey is closed and takes no more answers."


@dataclass(frozen=True)
class SurveySeen:
    """A survey as its facilitator sees it; no count but a band."""

    id: UUID
    meeting_id: UUID
    state: SurveyState
    opens_at: datetime
    closes_at: datetime
    eligible_band: CountBand
    room_code: str | None


@dataclass(frozen=True)
class Room:
    """The survey that a room's code opens, and those who may answer it there."""

    survey_id: UUID
    meeting_id: UUID
    member_ids: Sequence[UUID]


def get_survey(session: Session, query: GetSurvey) -> SurveySeen:
    """Return the meeting's survey; its room code only while it is open, and to whoever may run the room.

    Raises:
        NotFound: the meeting has none, or none yet.
    """
    survey = session.scalar(select(Survey).where(Survey.meeting_id == query.meeting_id))
    if survey is None:
        raise NotFound("This meeting has no survey yet; it opens with the wrap-up, or when the meeting is closed.")
    return seen(session, survey)


def seen(session: Session, survey: Survey) -> SurveySeen:
    """The survey as its facilitator sees it."""
    return SurveySeen(
        id=survey.id,
        meeting_id=survey.meeting_id,
        state=survey.state,
        opens_at=survey.opens_at,
        closes_at=survey.closes_at,
        eligible_band=CountBand.of(count_eligible(session, survey.meeting_id)),
        room_code=survey.room_code if survey.is_open and _runs_room(survey) else None,
    )


def _runs_room(survey: Survey) -> bool:
    actor = ACTOR.get()
    is_allowed = actor.may_in_one(Permission.SURVEYS_FACILITATE, survey.communities)
    return is_allowed or survey.is_run_by(actor.member_id)


def get_room(session: Session, query: GetRoom) -> Room:
    """Return the survey of a room and who may answer it there, by id; those who have answered are still among them.

    Raises:
        NotFound: no open survey has this code.
    """
    survey = access_by_room_code(session, query.room_code)
    return Room(survey.id, survey.meeting_id, list_eligible(session, survey.meeting_id))


def identify_survey(transaction: Transaction, query: IdentifySurvey) -> Survey:
    """Return the survey of a link, a room's code or an id; the same whether its person has answered or not.

    Raises:
        NotFound: it is none; a link that is garbled, guessed or revoked, or the code of no open room.
    """
    if query.token is not None:
        return _survey_of_link(transaction, query.token)[0]
    if query.room_code is not None:
        return access_by_room_code(transaction, query.room_code)
    survey = find_survey(transaction, Survey.id == query.survey_id)
    if survey is None:
        raise NotFound(NO_SUCH)
    return survey


def read_questions(session: Session, query: ReadQuestions) -> Sequence[questions.Asked]:
    """Return the questions of an open survey, for a page that must be shown once more.

    Raises:
        NotFound: no such survey.
        Gone: it is closed.
    """
    survey = find_survey(session, Survey.id == query.survey_id)
    if survey is None:
        raise NotFound(NO_SUCH)
    if not survey.is_open:
        raise Gone(CLOSED)
    return questions.in_language(survey.questions_version, query.locale)


def get_results(session: Session, query: GetResults | ReadResults) -> dict[str, object]:
    """Return what may be told of a survey's answers.

    Shape: ``state`` alone while it is open; with ``reason`` where it is withheld; otherwise ``n``, ``n_in_meeting`` and
    ``n_after`` (where neither counts fewer than five people, nor those who did not answer), ``questions`` (each
    with n, distribution, mean or share, and 95 % interval; or with n and the value that nearly all chose; or
    withheld), ``comments`` in random order and ``suppressed_count``. The same for every reader, from the day the
    survey closed.

    Raises:
        NotFound: no such survey.
    """
    survey_id = query.survey_id
    state = session.scalar(select(Survey.state).where(Survey.id == survey_id))
    if state is None:
        raise NotFound("There is no such survey.")
    release = session.scalar(select(Release).where(Release.survey_id == survey_id))
    if release is None or state is SurveyState.OPEN:
        return {"survey_id": survey_id, "state": SurveyState.OPEN}
    return _told(release)


def _told(release: Release) -> dict[str, object]:
    if release.n is None:
        return {"survey_id": release.survey_id, "state": SurveyState.WITHHELD, "reason": release.reason}
    return {
        "survey_id": release.survey_id,
        "state": SurveyState.RELEASED,
        "release_id": release.id,
        "n": release.n,
        **_when(release.n, release.n_in_meeting),
        "questions": release.cells,
        "comments": release.comments,
        "suppressed_count": release.suppressed_count,
    }


def _when(n: int, n_in_meeting: int | None) -> dict[str, object]:
    return {} if n_in_meeting is None else {"n_in_meeting": n_in_meeting, "n_after": n - n_in_meeting}


def list_releases(session: Session, query: ListReleases) -> Page[dict[str, object]]:
    """Return the released and withheld results of a community, the newest first, one page at a time. One query.

    A community of which nothing was ever released has none, known or not.

    Raises:
        Invalid: ``after`` comes from no page of this list.
    """
    of_community = CommunityRelease.community_id == query.community_id
    statement = (
        select(Release, Survey.meeting_id, CommunityRelease.closes_at)
        .join(CommunityRelease, CommunityRelease.survey_id == Release.survey_id)
        .join(Survey, Survey.id == Release.survey_id)
        .where(of_community)
        .order_by(CommunityRelease.closes_at.desc(), CommunityRelease.survey_id.desc())
        .limit(query.limit + 1)
    )
    if query.after is not None:
        closes_at, survey_id = _position(query.after)
        key = tuple_(literal(closes_at, Instant()), literal(survey_id))
        statement = statement.where(tuple_(CommunityRelease.closes_at, CommunityRelease.survey_id) < key)
    found = [
        _told(release) | {"meeting_id": meeting_id, "closes_at": closes_at}
        for release, meeting_id, closes_at in session.execute(statement)
    ]
    last = found[query.limit - 1] if len(found) > query.limit else None
    return Page(
        found[: query.limit], f"{last['closes_at']:%Y-%m-%dT%H:%M:%S.%fZ}~{last['survey_id']}" if last else None
    )


def _position(after: str) -> tuple[datetime, UUID]:
    closes_at, _, survey_id = after.partition("~")
    try:
        return datetime.strptime(closes_at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC), UUID(survey_id)
    except ValueError as error:
        words = "after is no place in this list; send the one that the page before gave."
        raise Invalid(words, {"/after": words}) from error


def read_results(session: Session, query: ReadResults) -> dict[str, object]:
    """Return the same with the words of each question and of its choices, for a page; and the meeting's id.

    Raises:
        NotFound: no such survey.
    """
    results = get_results(session, query)
    survey = session.get_one(Survey, query.survey_id)
    asked = {each.key: each for each in questions.in_language(survey.questions_version, query.locale)}
    cells: list[dict[str, Any]] = results.get("questions", [])  # type: ignore[assignment]  # as ``get_results`` shapes it
    shown = []
    for cell in cells:
        question = asked[cell["question"]]
        options = {choice_of(option.value): option.label for option in question.options}
        shown.append(cell | {"text": question.text, "options": options})
    return results | {"meeting_id": survey.meeting_id} | ({"questions": shown} if shown else {})


def read_meeting_results(session: Session, query: ReadMeetingResults) -> dict[str, object]:
    """Return the same, of the survey about a meeting.

    Raises:
        NotFound: the meeting has none, or none yet.
    """
    survey_id = session.scalar(select(Survey.id).where(Survey.meeting_id == query.meeting_id))
    if survey_id is None:
        raise NotFound("This meeting has no survey yet; it opens with the wrap-up, or when the meeting is closed.")
    return read_results(session, ReadResults(survey_id=survey_id, locale=query.locale))


def list_outcomes(transaction: Transaction, query: ListOutcomes) -> list[SimpleNamespace]:
    """Return how the surveys about these meetings ended; those that the actor may not read are left out. One query."""
    actor = ACTOR.get()
    statement = (
        select(Survey, Release.reason)
        .outerjoin(Release, Release.survey_id == Survey.id)
        .where(transaction.is_one_of(Survey.meeting_id, query.meeting_ids))
    )
    return [
        SimpleNamespace(meeting_id=survey.meeting_id, state=survey.state, reason=reason, closes_at=survey.closes_at)
        for survey, reason in transaction.execute(statement)
        if actor.may_in_one(query.needs, survey.communities) or survey.is_run_by(actor.member_id)
    ]


def count_eligible(session: Session, meeting_id: UUID) -> int:
    """Return how many people are asked about this meeting, as far as its attendance is known. Never told as it is."""
    return len(list_eligible(session, meeting_id))


def list_eligible(session: Session, meeting_id: UUID) -> Sequence[UUID]:
    """Return who is asked about this meeting, as far as its attendance is known, by id."""
    there = select(Attendance.member_id).where(Attendance.meeting_id == meeting_id, ELIGIBLE)
    return session.scalars(there.order_by(Attendance.member_id)).all()


def access_by_link(transaction: Transaction, token: str) -> tuple[Survey, UUID]:
    """The open survey of a link, and whose link it is.

    Raises:
        NotFound: garbled, guessed or revoked; the same sentence for all, after the same work.
        Gone: the survey is closed.
    """
    survey, member_id = _survey_of_link(transaction, token)
    if not survey.is_open:
        raise Gone(CLOSED)
    return survey, member_id


def _survey_of_link(transaction: Transaction, token: str) -> tuple[Survey, UUID]:
    """The same of a closed survey too."""
    survey_id, member_id = tokens.read_link(transaction.seal, token)
    survey = find_survey(transaction, Survey.id == survey_id)
    if survey is None:
        raise NotFound(NO_SUCH)
    attendance = transaction.get(Attendance, (survey.meeting_id, member_id))
    if survey.is_open and (attendance is None or not attendance.may_answer):
        raise NotFound(NO_SUCH)
    return survey, member_id


def access_by_room_code(session: Session, room_code: str) -> Survey:
    """The open survey of a room.

    Raises:
        NotFound: no open survey has this code.
    """
    survey = find_survey(session, Survey.room_code == tokens.as_room_code(room_code))
    if survey is None or not survey.is_open:
        raise NotFound(NO_SUCH)
    return survey


def find_survey(session: Session, condition: ColumnElement[Any], *, lock: bool = False) -> Survey | None:
    """The survey of which this is true; with ``lock`` nobody else changes it before our transaction ends."""
    statement = select(Survey).where(condition)
    return session.scalar(statement.with_for_update() if lock else statement)


def list_evaluation_audit(session: Session, query: ListEvaluationAudit) -> list[audit.Record]:
    """Return who did what here, as ``audit.find_records``. One query."""
    return audit.find_records(session, query)


#: Which function answers which query.
QUERIES: Handlers = {
    ListEvaluationAudit: list_evaluation_audit,
    GetSurvey: get_survey,
    GetRoom: get_room,
    IdentifySurvey: identify_survey,
    ReadQuestions: read_questions,
    GetResults: get_results,
    ListReleases: list_releases,
    ReadMeetingResults: read_meeting_results,
    ListOutcomes: list_outcomes,
    ReadResults: read_results,
}
