"""What people read of surveys. Results are read from releases alone, never from answers."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from pratique.errors import Gone, Invalid, NotFound
from pratique.events.evaluation import CountBand
from pratique.events.meetings import AttendanceState, MeetingRole
from pratique.events.membership import Locale
from services.evaluation import questions
from services.evaluation.models import Attendance, Invitation, InvitationState, Release, Survey, SurveyState, tokens

#: One sentence for everything that opens nothing, so that a guess learns nothing.
NO_SUCH = "This opens no survey. Use the link of your newest message, or the code that is shown in the room."
CLOSED = "This survey is closed and takes no more answers."

#: Those who are asked: participants who were there, wholly or in part.
MAY_ANSWER = (
    Attendance.state.in_([state for state in AttendanceState if state.was_there]),
    Attendance.role == MeetingRole.PARTICIPANT,
)


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
    """What a room's code opens: its survey, and who may answer it there."""

    survey_id: UUID
    meeting_id: UUID
    member_ids: Sequence[UUID]


@dataclass(frozen=True)
class Sheet:
    """The questions of a survey, to be read."""

    survey_id: UUID
    questions: Sequence[questions.Asked]


def get_survey(session: Session, *, meeting_id: UUID) -> SurveySeen:
    """Return the meeting's survey; its room code only while it is open.

    Raises:
        NotFound: the meeting has none, or none yet.
    """
    survey = session.scalar(select(Survey).where(Survey.meeting_id == meeting_id))
    if survey is None:
        raise NotFound("This meeting has no survey yet; it opens with the wrap-up, or when the meeting is closed.")
    return SurveySeen(
        id=survey.id,
        meeting_id=meeting_id,
        state=survey.state,
        opens_at=survey.opens_at,
        closes_at=survey.closes_at,
        eligible_band=CountBand.of(count_eligible(session, meeting_id)),
        room_code=survey.room_code if survey.is_open else None,
    )


def get_room(session: Session, *, room_code: str) -> Room:
    """Return the survey of a room and who may answer it there, by id; those who have answered are still among them.

    Raises:
        NotFound: no open survey has this code.
    """
    survey = access_by_room_code(session, room_code)
    present = select(Attendance.member_id).where(Attendance.meeting_id == survey.meeting_id, *MAY_ANSWER)
    return Room(survey.id, survey.meeting_id, list(session.scalars(present.order_by(Attendance.member_id))))


def read_questions(
    session: Session, *, locale: Locale, token: str | None = None, room_code: str | None = None
) -> Sheet:
    """Return the questions that a link or a room's code leads to. Nothing is spent, however often this is read.

    Raises:
        Invalid: neither or both were given.
        NotFound: it leads nowhere.
        Gone: the survey is closed.
    """
    if token is not None and room_code is None:
        survey, _ = access_by_token(session, token)
    elif room_code is not None and token is None:
        survey = access_by_room_code(session, room_code)
    else:
        words = "Send either the token of a link or the code of a room."
        raise Invalid(words, {"/token": words, "/room_code": words})
    return Sheet(survey.id, questions.in_language(survey.questions_version, locale))


def get_results(session: Session, *, survey_id: UUID) -> dict[str, object]:
    """Return what may be told of a survey's answers.

    Shape: ``state`` alone while it is open; with ``reason`` and a band of ``responses`` where it is withheld; otherwise
    ``n``, ``questions`` (each with n, distribution, mean or share, and 95 % interval, or withheld), ``comments`` in
    random order and ``suppressed_count``. The same for every reader, from the day the survey closed.

    Raises:
        NotFound: no such survey.
    """
    state = session.scalar(select(Survey.state).where(Survey.id == survey_id))
    if state is None:
        raise NotFound("There is no such survey.")
    release = session.scalar(select(Release).where(Release.survey_id == survey_id))
    if release is None or state is SurveyState.OPEN:
        return {"survey_id": survey_id, "state": SurveyState.OPEN}
    if release.n is None:
        responses = release.responses
        return {"survey_id": survey_id, "state": state, "reason": release.reason, "responses": responses}
    return {
        "survey_id": survey_id,
        "state": state,
        "release_id": release.id,
        "n": release.n,
        "questions": release.cells,
        "comments": release.comments,
        "suppressed_count": release.suppressed_count,
    }


def count_eligible(session: Session, meeting_id: UUID) -> int:
    """Return how many people are asked about this meeting, as far as its attendance is known. Never told as it is."""
    there = select(func.count()).select_from(Attendance).where(Attendance.meeting_id == meeting_id, *MAY_ANSWER)
    return session.scalar(there) or 0


def access_by_token(session: Session, token: str, *, lock: bool = False) -> tuple[Survey, UUID]:
    """The open survey of a link, and whose link it is.

    Raises:
        NotFound: garbled, guessed or revoked; the same sentence for all, after the same work.
        Gone: the survey is closed.
    """
    claim = tokens.read_claim(token)
    survey = find_survey(session, Survey.id == claim.survey_id, lock=lock)
    secret = survey.secret if survey and survey.secret else secrets.token_bytes(32)
    is_ours = tokens.is_token(claim, secret)
    if survey is not None and survey.secret is None:
        raise Gone(CLOSED)
    if survey is None or not is_ours:
        raise NotFound(NO_SUCH)
    member_id = UUID(bytes=claim.middle)
    invitation = session.get(Invitation, (survey.id, member_id))
    if invitation is None or invitation.state is InvitationState.REVOKED:
        raise NotFound(NO_SUCH)
    if not survey.is_open:
        raise Gone(CLOSED)
    return survey, member_id


def access_by_room_code(session: Session, room_code: str, *, lock: bool = False) -> Survey:
    """The open survey of a room.

    Raises:
        NotFound: no open survey has this code.
    """
    survey = find_survey(session, Survey.room_code == tokens.as_room_code(room_code), lock=lock)
    if survey is None or not survey.is_open:
        raise NotFound(NO_SUCH)
    return survey


def find_survey(session: Session, condition: ColumnElement[Any], *, lock: bool = False) -> Survey | None:
    """The survey of which this is true; with ``lock`` nobody else changes it before our transaction ends."""
    statement = select(Survey).where(condition)
    return session.scalar(statement.with_for_update() if lock else statement)
