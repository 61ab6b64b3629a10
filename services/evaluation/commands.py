"""What people ask of a survey: a ballot, and to take its answers.

The two are separate transactions on purpose: the first knows the person and not the answer, the second the answer and
not the person. Neither publishes, logs or counts anything.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from pratique import clock
from pratique.errors import Conflict, Gone, Invalid, NotFound
from pratique.events.membership import Locale
from services.evaluation import questions
from services.evaluation.models import Attendance, Channel, Marker, Response, Survey, ballots, tokens
from services.evaluation.queries import CLOSED, NO_SUCH, access_by_room_code, access_by_token, find_survey
from services.evaluation.questions import Answer


@dataclass(frozen=True)
class Ballot:
    """The right to answer once, without a name, and the questions. Whoever loses it cannot get another."""

    ballot_id: str
    survey_id: UUID
    questions: Sequence[questions.Asked]


def open_ballot(
    session: Session,
    *,
    locale: Locale,
    token: str | None = None,
    room_code: str | None = None,
    member_id: UUID | None = None,
) -> Ballot:
    """Mark that this person took a ballot, and hand out one of which no trace is kept.

    A person comes by the token of their link, or by the code of the room and who they are among those marked as there.

    Raises:
        Invalid: something is missing, or both ways were given.
        NotFound: no open survey is found by it, or this person is not marked as there.
        Conflict: this person has taken their ballot.
        Gone: the survey is closed.
    """
    if token is not None and room_code is None and member_id is None:
        channel = Channel.MESSAGE
        survey, member_id = access_by_token(session, token, lock=True)
    elif room_code is not None and member_id is not None and token is None:
        channel = Channel.ROOM
        survey = access_by_room_code(session, room_code, lock=True)
        attendance = session.get(Attendance, (survey.meeting_id, member_id))
        if attendance is None or not attendance.may_answer:
            raise NotFound(NO_SUCH)
    else:
        words = "Send either the token of a link, or the code of a room and who you are."
        raise Invalid(words, {"/token": words, "/room_code": words, "/member_id": words})
    _mark(session, survey, member_id)
    ballot_id = tokens.new_ballot(survey.id, survey.key, channel, locale)
    return Ballot(ballot_id, survey.id, questions.in_language(survey.questions_version, locale))


def _mark(session: Session, survey: Survey, member_id: UUID) -> None:
    mac = tokens.marker_of(survey.key, member_id)
    if session.get(Marker, (survey.id, mac)) is not None:
        raise Conflict("A ballot was taken with this already; each person has one.")
    ballots.scatter(session, Marker.mac, {"survey_id": survey.id, "mac": mac})


def cast_ballot(session: Session, *, ballot_id: str, answers: tuple[Answer, ...]) -> None:
    """Keep the answers and spend the ballot. Answers that cannot be taken leave the ballot unspent.

    Raises:
        NotFound: this is no ballot of ours.
        Gone: the ballot is spent, or the survey is closed.
        Invalid: pointers such as ``/answers/2/value`` say what is wrong.
    """
    claim = tokens.read_claim(ballot_id)
    survey = find_survey(session, Survey.id == claim.survey_id, lock=True)
    secret = survey.secret if survey and survey.secret else secrets.token_bytes(32)
    kind = tokens.kind_of_ballot(claim, secret)
    if survey is not None and survey.secret is None:
        raise Gone(CLOSED)
    if survey is None or kind is None:
        raise NotFound(NO_SUCH)
    if not survey.is_open:
        raise Gone(CLOSED)
    mac = tokens.spent_mark(ballot_id)
    if session.scalar(select(exists().where(Response.ballot_mac == mac))):
        raise Gone("The answers on this ballot have been taken; nothing is left to do.")
    kept = questions.checked(survey.questions_version, answers)
    channel, locale = kind
    row = {
        "id": uuid4(),
        "survey_id": survey.id,
        "answered_on": clock.now().astimezone(ZoneInfo(survey.timezone)).date(),
        "channel": channel,
        "locale": locale,
        "answers": kept,
        "ballot_mac": mac,
    }
    ballots.scatter(session, Response.id, row)
