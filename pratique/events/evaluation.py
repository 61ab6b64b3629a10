"""Events of evaluation: surveys, whom they ask, and what may be told of the answers.

None is published for a single answer, and none carries an answer (docs/decisions/0005).
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pratique.event import Event, Value

MANY = 4096  #: bytes of padding, so that a sealed event does not tell by its length how many are named


class Moment(StrEnum):
    """When a survey is taken."""

    WRAP_UP = "wrap_up"


class Anonymity(StrEnum):
    """What binds answers to people; fixed once the survey is open."""

    ANONYMOUS = "anonymous"


class SurveyState(StrEnum):
    """A survey's life: it is open, and then its results are released or withheld for good. No event carries it."""

    OPEN = "open"
    RELEASED = "released"
    WITHHELD = "withheld"


class CountBand(StrEnum):
    """A count told roughly, so that nobody can be counted out."""

    NONE = "none"
    UNDER_5 = "under_5"
    FROM_5 = "5_to_9"
    FROM_10 = "10_to_19"
    FROM_20 = "20_or_more"

    @classmethod
    def of(cls, count: int) -> "CountBand":
        """The band that holds ``count`` people."""
        if count == 0:
            return cls.NONE
        if count < 5:
            return cls.UNDER_5
        return cls.FROM_5 if count < 10 else cls.FROM_10 if count < 20 else cls.FROM_20


class WithheldReason(StrEnum):
    """Why results are not told."""

    BELOW_K = "below_k"
    NO_ATTENDANCE = "no_attendance"


class Invitation(Value):
    """A person to ask, and the secret of their link: whoever has it can answer once."""

    member_id: UUID
    token: str


class SurveyOpened(Event, subject="survey_id"):
    """Published when a survey begins to take answers, at the wrap-up or when the meeting closes. No service reacts."""

    survey_id: UUID
    meeting_id: UUID
    moment: Moment
    anonymity: Anonymity
    opens_at: datetime
    closes_at: datetime


class SurveyInvitationsIssued(Event, subject="survey_id", private=True, block=MANY):
    """Published when people who were there and have not answered are to be asked. Notifications mails each once.

    Also when a room in which links were mailed is taken back: notifications then mails once more whom it had mailed.
    """

    survey_id: UUID
    meeting_id: UUID
    invitations: tuple[Invitation, ...]
    closes_at: datetime  # an invitation is worth nothing after this
    is_anew: bool | None  # whether what was answered before counts no more, so that those who were mailed are to be too


class SurveyAskedBeforeClosing(Event, subject="survey_id"):
    """Published when nobody has closed a meeting a day after its planned end, and those recorded so far are asked.

    Notifications tells whoever facilitates.
    """

    survey_id: UUID
    meeting_id: UUID
    closes_at: datetime  # until when answers are taken


class SurveyReminderDue(Event, subject="survey_id", private=True, block=MANY):
    """Published once, 48 hours after the invitations. Notifications reminds those named, who have not answered."""

    survey_id: UUID
    meeting_id: UUID
    invitations: tuple[Invitation, ...]
    closes_at: datetime


class InvitationRevoked(Event, subject="survey_id", private=True, block=MANY):
    """Published when someone turns out not to have been there. Notifications drops what was not yet sent."""

    survey_id: UUID
    meeting_id: UUID
    member_ids: tuple[UUID, ...]


class SurveyClosed(Event, subject="survey_id"):
    """Published when a survey takes no more answers. Notifications forgets whom it asked.

    Rates are told only where those who answered in the room, those who answered later and those who did not are each
    none or at least five.
    """

    survey_id: UUID
    meeting_id: UUID
    closed_at: datetime
    eligible: CountBand
    responses: CountBand | None  # None where the results are withheld
    rate_in_meeting: float | None  # 0 to 1, of those eligible (AAPOR)
    rate_after: float | None  # 0 to 1, of those eligible


class ResultsReleased(Event, subject="release_id"):
    """Published when enough people answered that nobody can be recognised. Notifications tells those who were there."""

    release_id: UUID
    survey_id: UUID
    meeting_id: UUID
    responses_count: int  # 5 or more
    suppressed_count: int  # questions withheld because too few answered them
    released_at: datetime


class ResultsWithheld(Event, subject="survey_id"):
    """Published when results could point at someone, without a number. Notifications tells whoever facilitates."""

    survey_id: UUID
    meeting_id: UUID
    reason: WithheldReason
