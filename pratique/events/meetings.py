"""Events of meetings: a meeting's life, and who was there."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pratique.event import Event, Value


class MeetingKind(StrEnum):
    """What is held."""

    MEETING = "meeting"
    TRAINING = "training"
    PREPARATORY = "preparatory"
    CROSS_COMMUNITY = "cross_community"


class MeetingState(StrEnum):
    """Where a meeting is in its life. No event carries it: each step has an event of its own."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    WRAP_UP = "wrap_up"
    CLOSED = "closed"
    CANCELLED = "cancelled"

    @property
    def in_words(self) -> str:
        """As a sentence says it: in progress."""
        return self.value.replace("_", " ")


class Mode(StrEnum):
    """Where people are: schema.org's Offline, Online and Mixed."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    HYBRID = "hybrid"


class Partstat(StrEnum):
    """A member's word on coming (RFC 5545, PARTSTAT)."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"


class AttendanceState(StrEnum):
    """Whether someone came, kept apart from whether they had registered; unknown is not no_show."""

    UNKNOWN = "unknown"
    ATTENDED = "attended"
    ATTENDED_PARTLY = "attended_partly"
    EXCUSED = "excused"
    NO_SHOW = "no_show"

    @property
    def was_there(self) -> bool:
        """Wholly or in part."""
        return self in _THERE


_THERE = frozenset({AttendanceState.ATTENDED, AttendanceState.ATTENDED_PARTLY})


class MeetingRole(StrEnum):
    """A person's part in one meeting (RFC 5545, ROLE): CHAIR, REQ-PARTICIPANT."""

    FACILITATOR = "facilitator"
    PARTICIPANT = "participant"


class Attendee(Value):
    """One person's attendance, as of the meeting's day. The note taker is never among them."""

    member_id: UUID
    state: AttendanceState
    role: MeetingRole
    organization_id: UUID | None  # whom they represented on that day


class MeetingScheduled(Event, subject="meeting_id"):
    """Published when a meeting is first scheduled. Notifications invites the members, with a calendar entry."""

    meeting_id: UUID
    kind: MeetingKind
    mode: Mode
    starts_at: datetime
    ends_at: datetime
    timezone: str  # IANA name
    capacity: int | None  # places; None where nobody counts them
    facilitator_id: UUID | None
    note_taker_id: UUID | None


class MeetingChanged(Event, subject="meeting_id"):
    """Published when anything of a scheduled meeting changed: all that may be public, as it now is.

    Notifications tells whoever was invited of another place, link or mode, with their calendar entry made anew, and
    invites whoever facilitates or takes notes now.
    """

    meeting_id: UUID
    kind: MeetingKind
    mode: Mode
    starts_at: datetime
    ends_at: datetime
    timezone: str  # IANA name
    capacity: int | None
    facilitator_id: UUID | None
    note_taker_id: UUID | None
    changed: tuple[str, ...]  # names of fields; place, link and themes too, whose words travel privately


class MeetingDescribed(Event, subject="meeting_id", private=True):
    """Published with the words of a meeting whenever they change. Notifications writes them into mails."""

    meeting_id: UUID
    themes: tuple[str, ...]
    place: str
    link: str  # where to join online; whoever has it can join, so it travels privately
    cancel_reason: str  # empty unless cancelled


class MeetingCancelled(Event, subject="meeting_id"):
    """Published when a scheduled meeting will not be held. Notifications tells the invited and drops the rest."""

    meeting_id: UUID
    cancelled_at: datetime


class MemberRegisteredForMeeting(Event, subject="meeting_id"):
    """Published when a member says whether they come. No service reacts. ``version`` is the meeting's."""

    meeting_id: UUID
    member_id: UUID
    partstat: Partstat


class MeetingStarted(Event, subject="meeting_id"):
    """Published when the facilitator starts the meeting. No service reacts; integrators may show it as running."""

    meeting_id: UUID
    started_at: datetime


class AttendanceRecorded(Event, subject="meeting_id"):
    """Published when attendance is taken before closing.

    Evaluation learns who may answer in the room, notifications who was there.
    """

    meeting_id: UUID
    attendees: tuple[Attendee, ...]  # only those whose attendance changed
    recorded_at: datetime


class AttendanceCorrected(Event, subject="meeting_id"):
    """Published for each person whose attendance is corrected after closing.

    Evaluation invites or revokes; notifications knows who was there.
    """

    meeting_id: UUID
    member_id: UUID
    role: MeetingRole
    organization_id: UUID | None
    from_state: AttendanceState
    to_state: AttendanceState
    corrected_at: datetime


class MeetingWrapUpStarted(Event, subject="meeting_id"):
    """Published when the last minutes begin. Evaluation opens the survey, with a code for the room."""

    meeting_id: UUID
    timezone: str  # IANA name
    wrap_up_at: datetime
    ends_at: datetime
    with_survey: bool  # whether those who are there are to be asked
    facilitator_id: UUID | None  # who leads it, if that was said
    note_taker_id: UUID | None


class MeetingClosed(Event, subject="meeting_id"):
    """Published once, when the facilitator closes the meeting: it is over and its attendance is known.

    Evaluation invites whoever was there and has not answered; notifications drops what would come too late.
    """

    meeting_id: UUID
    kind: MeetingKind
    mode: Mode
    timezone: str  # IANA name
    starts_at: datetime
    ends_at: datetime
    started_at: datetime
    closed_at: datetime
    with_survey: bool  # whether those who were there are to be asked; never after a preparatory meeting
    themes_count: int
    facilitator_id: UUID | None  # who led it, if that was said
    note_taker_id: UUID | None
    attendees: tuple[Attendee, ...]  # everyone with a recorded state, absent people included
    head_count: int  # people who were there, wholly or in part; the note taker not counted
