"""Commands of evaluation: ballots, their answers, and the room of a survey.

A ballot is taken in the act of sending: ``take_ballot`` knows the person and not the answers, ``cast_slip`` the answers
and not the person, and they are separate transactions. The gateway asks for one after the other, and then for
``confirm_ballot``. Neither publishes, logs or counts anything. Whoever only asks for a ballot leaves no trace, so that
one phone can neither use up a room's ballots nor learn who has answered.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select

from chassis import clock
from chassis.rpc.requests import Handlers
from chassis.storage import audit
from chassis.storage.transaction import Transaction
from pratique.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from pratique.requests.evaluation import (
    CastSlip,
    ChangeRoomCode,
    CheckAnswers,
    ConfirmBallot,
    MailSurveyLink,
    OpenBallot,
    RoomPolicy,
    TakeBallot,
    VoidRoom,
)
from services.evaluation import questions
from services.evaluation.models import Attendance, Channel, Filled, Marker, Sheet, Survey, ballots, surveys, tokens
from services.evaluation.queries import (
    CLOSED,
    NO_SUCH,
    SurveySeen,
    access_by_link,
    access_by_room_code,
    find_survey,
    list_eligible,
    seen,
)

NO_NAMES = "In this network nobody chooses a name; open your own invitation on this phone, or have your link mailed."
ALREADY = "An answer was given in this name already; each person answers once."


@dataclass(frozen=True)
class BallotGiven:
    """The right to answer once, and the questions. It is taken when its answers are sent, and not before."""

    ballot_id: str
    survey_id: UUID
    questions: Sequence[questions.Asked]


@dataclass(frozen=True)
class SlipGiven:
    """A slip, with which answers are kept; it names nobody."""

    slip: str


def open_ballot(transaction: Transaction, command: OpenBallot) -> BallotGiven:
    """Hand out a ballot. Nothing is changed, however often.

    A person comes by the token of their link, or by the code of the room and the pass of their phone, or who they are
    among those marked as there, where the network lets people choose a name. In the room nobody is told who has
    answered: that shows only to whoever sends answers in their name.

    Raises:
        Invalid: something is missing, or two ways were given.
        Forbidden: a name was chosen where nobody chooses one.
        NotFound: no open survey is found by it, or this person is not marked as there.
        Conflict: this person has answered (by a link only).
        Gone: the survey is closed.
    """
    token, room_code = command.token, command.room_code
    if token is not None and [room_code, command.member_id, command.room_pass] == [None] * 3:
        survey, member_id = access_by_link(transaction, token)
        channel = Channel.MESSAGE
    elif room_code is not None and token is None and (command.member_id is None) != (command.room_pass is None):
        survey, member_id = _access_in_room(transaction, room_code, command)
        channel = Channel.ROOM
    else:
        words = "Send either the token of a link, or the code of a room and who you are."
        raise Invalid(words, {"/token": words, "/room_code": words, "/member_id": words})
    secret = _secret_of(transaction, survey)
    has_answered = transaction.get(Marker, (survey.id, tokens.marker_of(secret, member_id))) is not None
    if channel is Channel.MESSAGE and has_answered:
        raise Conflict(ALREADY)
    ballot = tokens.Ballot.new(survey.id, member_id, channel, clock.now())
    text = ballot.text(transaction.seal, secret)
    return BallotGiven(text, survey.id, questions.in_language(survey.questions_version, command.locale))


def _access_in_room(transaction: Transaction, room_code: str, command: OpenBallot) -> tuple[Survey, UUID]:
    """The survey of the room, and who answers: whose pass the phone holds, or whose name was chosen."""
    survey = access_by_room_code(transaction, room_code)
    if command.room_pass is not None:
        meeting_id, member_id = tokens.read_pass(transaction.seal, command.room_pass, clock.now())
        if meeting_id != survey.meeting_id:
            raise NotFound(NO_SUCH)
    elif command.member_id is None or transaction.settings.room_policy == RoomPolicy.PERSONAL:
        raise Forbidden(NO_NAMES)
    else:
        member_id = command.member_id
    _check_presence(transaction, survey, member_id)
    return survey, member_id


def mail_survey_link(transaction: Transaction, command: MailSurveyLink) -> None:
    """Ask notifications to mail this person their link, now; what is asked for them after the closing is the same mail.

    The event comes whether they have answered or not, so that nothing can be told from it, and notifications has one
    message for each person, so that nobody can fill somebody's mailbox.

    Raises:
        NotFound: no room has this code, or this person is not marked as there.
        Forbidden: names are chosen here, and links are mailed when the meeting is closed.
    """
    if transaction.settings.room_policy != RoomPolicy.PERSONAL:
        raise Forbidden("In this network one chooses one's name in the room; links are mailed once it is closed.")
    survey = find_survey(transaction, Survey.room_code == tokens.as_room_code(command.room_code), lock=True)
    if survey is None or not survey.is_open:
        raise NotFound(NO_SUCH)
    _check_presence(transaction, survey, command.member_id)
    transaction.publish(survey.invite(transaction.seal, [command.member_id]))


def check_answers(transaction: Transaction, query: CheckAnswers) -> None:
    """Say what is wrong with answers before a ballot is taken for them. Nothing is changed.

    Raises:
        NotFound: there is no such survey.
        Gone: it is closed.
        Invalid: pointers such as ``/answers/2/value`` say what is wrong.
    """
    survey = find_survey(transaction, Survey.id == query.survey_id)
    if survey is None:
        raise NotFound(NO_SUCH)
    if not survey.is_open:
        raise Gone(CLOSED)
    questions.checked(survey.questions_version, query.answers)


def take_ballot(transaction: Transaction, command: TakeBallot) -> SlipGiven:
    """Mark that this person's ballot is taken, and hand out its slip: the same one if the same ballot comes again.

    Raises:
        NotFound: this is no ballot of ours, or was handed out in a room too long ago, or its person was not there.
        Conflict: another ballot of this person was taken.
        Gone: its answers have been kept, or the survey is closed.
    """
    survey, secret, ballot = _read_ballot(transaction, command.ballot_id)
    _check_presence(transaction, survey, ballot.member_id)
    mac, mark = tokens.marker_of(secret, ballot.member_id), ballot.mark(secret)
    marker = transaction.get(Marker, (survey.id, mac))
    if marker is None:
        ballots.keep_marker(transaction, survey.id, mac, mark, is_cast=False)
    elif marker.ballot_mark != mark:
        raise Conflict(ALREADY)
    elif marker.is_cast:
        raise Gone("The answers on this ballot have been taken; nothing is left to do.")
    return SlipGiven(ballot.slip(secret))


def cast_slip(transaction: Transaction, command: CastSlip) -> None:
    """Keep the answers and spend the slip. Answers that cannot be taken leave it unspent.

    Raises:
        NotFound: this is no slip of ours.
        Gone: it is spent, or the survey is closed.
        Invalid: pointers such as ``/answers/2/value`` say what is wrong.
    """
    claim = tokens.Slip.read(command.slip)
    survey, secret = _locked(transaction, claim.survey_id)
    channel = claim.channel_of(secret)
    if channel is None:
        raise NotFound(NO_SUCH)
    mark = claim.mark(secret)
    if transaction.scalar(select(exists().where(Sheet.survey_id == survey.id, Sheet.mark == mark))):
        raise Gone("The answers on this slip have been taken; nothing is left to do.")
    kept = questions.checked(survey.questions_version, command.answers)
    ballots.keep_sheet(transaction, survey.id, mark, Filled(channel, kept))


def confirm_ballot(transaction: Transaction, command: ConfirmBallot) -> None:
    """Note that the answers of this ballot are kept, so that its person is not asked again. Twice is harmless.

    Raises:
        NotFound, Gone: as ``take_ballot``.
    """
    survey, secret, ballot = _read_ballot(transaction, command.ballot_id)
    mac = tokens.marker_of(secret, ballot.member_id)
    ballots.keep_marker(transaction, survey.id, mac, ballot.mark(secret), is_cast=True)


def change_room_code(transaction: Transaction, command: ChangeRoomCode) -> SurveySeen:
    """Give the room another code; the one before opens nothing any more. What was answered stays.

    Raises:
        NotFound: the meeting has no survey.
        Conflict: no room is open.
    """
    survey = _locked_room(transaction, command.meeting_id)
    survey.room_code = tokens.new_room_code()
    audit.record(transaction, "room_code.changed", survey.id)
    return seen(transaction, survey)


def void_room(transaction: Transaction, command: VoidRoom) -> SurveySeen:
    """Take back all that was answered in the room, and close it: everyone who was there is asked by mail instead.

    For a room in which names were taken by others. Nobody learns what was answered, or whether anything was. Where
    links are mailed from the room they are asked at once, whoever had theirs already once more: they may have answered.

    Raises:
        NotFound: the meeting has no survey.
        Conflict: no room is open; once the meeting is closed, what was answered stands.
    """
    meeting_id = command.meeting_id
    survey = _locked_room(transaction, meeting_id)
    ballots.destroy(transaction, survey.id)
    transaction.add(surveys.SurveyKey(**surveys.SurveyKey.new_row(transaction.seal, survey.id)))
    survey.room_code = None
    if transaction.settings.room_policy == RoomPolicy.PERSONAL:
        there = list_eligible(transaction, meeting_id)
        transaction.publish(survey.invite(transaction.seal, there, is_anew=True))
    audit.record(transaction, "room.voided", survey.id)
    return seen(transaction, survey)


def _locked_room(transaction: Transaction, meeting_id: UUID) -> Survey:
    survey = find_survey(transaction, Survey.meeting_id == meeting_id, lock=True)
    if survey is None:
        raise NotFound("This meeting has no survey; it opens with the wrap-up.")
    if not survey.is_open or survey.room_code is None:
        raise Conflict("No room is open; its code ended with the meeting, and what was answered stands.")
    return survey


def _read_ballot(transaction: Transaction, ballot_id: str) -> tuple[Survey, bytes, tokens.Ballot]:
    """The locked survey, its secret, and what the ballot says."""
    survey, secret = _locked(transaction, tokens.survey_of(ballot_id))
    ballot = tokens.Ballot.read(ballot_id, transaction.seal, secret)
    if ballot is None or ballot.is_stale(clock.now(), is_room_open=survey.room_code is not None):
        raise NotFound(NO_SUCH)
    return survey, secret, ballot


def _locked(transaction: Transaction, survey_id: UUID) -> tuple[Survey, bytes]:
    """An open survey, which nobody else changes before our transaction ends, and its secret.

    Raises:
        NotFound, Gone: there is none, or it is closed.
    """
    survey = find_survey(transaction, Survey.id == survey_id, lock=True)
    if survey is None:
        raise NotFound(NO_SUCH)
    if not survey.is_open:
        raise Gone(CLOSED)
    return survey, _secret_of(transaction, survey)


def _secret_of(transaction: Transaction, survey: Survey) -> bytes:
    found = surveys.read_secrets(transaction, [survey.id])
    return found.get(survey.id) or secrets.token_bytes(32)  # closed in this instant: what it opens is nothing


def _check_presence(transaction: Transaction, survey: Survey, member_id: UUID) -> None:
    attendance = transaction.get(Attendance, (survey.meeting_id, member_id))
    if attendance is None or not attendance.may_answer:
        raise NotFound(NO_SUCH)


#: Which function carries out which command, and the check that comes before one.
COMMANDS: Handlers = {
    OpenBallot: open_ballot,
    MailSurveyLink: mail_survey_link,
    CheckAnswers: check_answers,
    TakeBallot: take_ballot,
    CastSlip: cast_slip,
    ConfirmBallot: confirm_ballot,
    ChangeRoomCode: change_room_code,
    VoidRoom: void_room,
}
