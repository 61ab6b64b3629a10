"""What must be true, told from what people said and from what each service has heard: an account of its own.

It is written from the rules of the domain and knows no table, query or function of the services. It follows what
services publish, and objects at once where they say what cannot be.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pratique import clock
from pratique.event import Envelope
from pratique.events import evaluation, meetings
from pratique.events.evaluation import CountBand, WithheldReason
from pratique.events.meetings import AttendanceState
from pratique.events.membership import Role

ENOUGH = 5  #: answers, of fewer nothing is told
THERE = (AttendanceState.ATTENDED, AttendanceState.ATTENDED_PARTLY)


def wall(at: datetime, days: int, zone: str) -> datetime:
    """The same time of day so many days later, in this zone."""
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + timedelta(days=days)
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(at.tzinfo)


@dataclass
class Person:
    """Somebody, and what was said of them."""

    id: UUID
    name: str
    email: str
    locale: str
    version: int = 1


@dataclass
class Community:
    """A community, who belongs to it and who leads it, as people said."""

    id: UUID
    name: str
    kind: str
    locale: str
    zone: str
    version: int = 1
    members: dict[UUID, UUID | None] = field(default_factory=dict)  #: person -> the organisation they stand for
    membership_ids: dict[UUID, UUID] = field(default_factory=dict)
    membership_versions: dict[UUID, int] = field(default_factory=dict)
    roles: dict[tuple[UUID, Role], bool] = field(default_factory=dict)  #: (person, role) -> whether it lasts


@dataclass
class Cast:
    """An answer as it was given: by whom, by which way, and what."""

    member: UUID
    channel: str
    words: dict[str, Any]


@dataclass
class Survey:
    """What was heard of a survey, and who did what about it."""

    id: UUID
    meeting: "Meeting"
    opened: evaluation.SurveyOpened
    is_in_room: bool  #: whether it opened with the wrap-up, before the closing was heard of
    ballots: set[UUID] = field(default_factory=set)  #: who took one
    casts: list[Cast] = field(default_factory=list)
    asked: dict[UUID, int] = field(default_factory=dict)  #: person -> version of the newest event that asks them
    asked_at_closing: set[UUID] = field(default_factory=set)
    revoked: dict[UUID, int] = field(default_factory=dict)
    reminded: set[UUID] | None = None
    closed: evaluation.SurveyClosed | None = None
    outcome: evaluation.ResultsReleased | evaluation.ResultsWithheld | None = None
    unnumbered: int = 0  #: changes of which no event tells

    @property
    def standing(self) -> set[UUID]:
        """Who is asked, and was not taken back since."""
        return {each for each, version in self.asked.items() if version > self.revoked.get(each, 0)}

    @property
    def is_open(self) -> bool:
        """Whether it takes answers."""
        return self.closed is None and clock.now() < self.opened.closes_at


@dataclass
class Meeting:
    """A meeting as people held it."""

    id: UUID
    community_ids: tuple[UUID, ...]
    facilitator: UUID
    note_taker: UUID | None
    starts_at: datetime
    ends_at: datetime
    zone: str
    state: str = "scheduled"
    place: str = ""
    capacity: int | None = None
    reason: str = ""
    version: int = 1
    unannounced: int = 0  #: versions of which no event tells
    roll: dict[UUID, AttendanceState] = field(default_factory=dict)
    coming: dict[UUID, str] = field(default_factory=dict)
    was_there: set[UUID] = field(default_factory=set)  #: participants, at the closing or by a later correction
    wrap_up_at: datetime | None = None
    closed_at: datetime | None = None
    survey: Survey | None = None

    @property
    def present(self) -> set[UUID]:
        """Whom there is to ask, as people see it by now."""
        return {each for each, state in self.roll.items() if state in THERE and each != self.facilitator}

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in it."""
        return self.state in ("closed", "cancelled")

    @property
    def head_count(self) -> int:
        """How many were there, whoever led included."""
        return sum(state in THERE for state in self.roll.values())

    @property
    def has_begun(self) -> bool:
        """Whether its attendance can be taken."""
        return self.state in ("in_progress", "wrap_up", "closed")

    def mark(self, entries: dict[UUID, AttendanceState]) -> bool:
        """Take the roll, or correct it; whether that changed anything."""
        is_closed = self.state == "closed"
        silence = AttendanceState.UNKNOWN if is_closed else None
        changed = {each: state for each, state in entries.items() if self.roll.get(each, silence) != state}
        self.roll.update(changed)
        self.version += len(changed) if is_closed else bool(changed)
        if is_closed:
            self.was_there |= self.present
        return bool(changed)


class Heard:
    """What evaluation has been told of attendance: of each person the newest."""

    def __init__(self) -> None:
        self._marks: dict[UUID, dict[UUID, tuple[int, AttendanceState, str]]] = {}
        self.closings: dict[UUID, Envelope] = {}

    def of(self, meeting: Meeting) -> set[UUID]:
        """Whom there is to ask, as far as evaluation can know."""
        marks = self._marks.get(meeting.id, {})
        return {each for each, (_, state, role) in marks.items() if state in THERE and role == "participant"}

    def hear(self, envelope: Envelope) -> None:
        """Take in one event."""
        event = envelope.event
        if isinstance(event, meetings.AttendanceRecorded | meetings.MeetingClosed):
            for each in event.attendees:
                self._mark(event.meeting_id, each.member_id, event.version, each.state, each.role)
        if isinstance(event, meetings.MeetingClosed):
            self.closings.setdefault(event.meeting_id, envelope)
        if isinstance(event, meetings.AttendanceCorrected):
            self._mark(event.meeting_id, event.member_id, event.version, event.to_state, event.role)

    def _mark(self, meeting: UUID, member: UUID, version: int, state: AttendanceState, role: str) -> None:
        marks = self._marks.setdefault(meeting, {})
        if member not in marks or marks[member][0] < version:
            marks[member] = version, state, str(role)


class Truth:
    """The whole account."""

    def __init__(self) -> None:
        self.people: dict[UUID, Person] = {}
        self.organizations: list[UUID] = []
        self.communities: dict[UUID, Community] = {}
        self.meetings: dict[UUID, Meeting] = {}
        self.surveys: dict[UUID, Survey] = {}
        self.events: dict[UUID, Envelope] = {}  #: all that was ever published
        self.heard = Heard()
        self.known: dict[str, set[str]] = {}  #: service -> subjects of which it has heard anything
        self.asking: dict[tuple[UUID, UUID], int] = {}  #: what notifications has heard: newest event that asks
        self.revoking: dict[tuple[UUID, UUID], int] = {}  #: and newest event that takes it back

    # What services have heard.

    def hear(self, service: str, envelopes: Iterable[Envelope]) -> None:
        """The service has taken these events, in one transaction."""
        for envelope in envelopes:
            self.known.setdefault(service, set()).add(envelope.event.subject)
            if service == "evaluation":
                self.heard.hear(envelope)
            if service == "notifications":
                self._hear_of_surveys(envelope.event)

    def _hear_of_surveys(self, event: Any) -> None:
        if isinstance(event, evaluation.SurveyInvitationsIssued | evaluation.SurveyReminderDue):
            for each in event.invitations:
                key = event.survey_id, each.member_id
                self.asking[key] = max(self.asking.get(key, 0), event.version)
        if isinstance(event, evaluation.InvitationRevoked):
            for member in event.member_ids:
                key = event.survey_id, member
                self.revoking[key] = max(self.revoking.get(key, 0), event.version)

    def knows(self, service: str, subject: UUID) -> bool:
        """Whether the service has heard anything of this."""
        return str(subject) in self.known.get(service, ())

    # What evaluation says.

    def follow(self, envelope: Envelope) -> None:
        """Take in what a service has published, and object where it cannot be."""
        event = envelope.event
        if isinstance(event, evaluation.SurveyOpened):
            self._open(event, envelope.causation_id)
        elif isinstance(event, evaluation.SurveyInvitationsIssued):
            self._ask(envelope)
        elif isinstance(event, evaluation.SurveyReminderDue):
            self._remind(event)
        elif isinstance(event, evaluation.InvitationRevoked):
            for member in event.member_ids:
                self.surveys[event.survey_id].revoked[member] = event.version
        elif isinstance(event, evaluation.SurveyClosed):
            self._close(event)
        elif isinstance(event, evaluation.ResultsReleased | evaluation.ResultsWithheld):
            self._tell(event)

    def _open(self, event: evaluation.SurveyOpened, cause: UUID | None) -> None:
        meeting = self.meetings[event.meeting_id]
        assert meeting.survey is None, "a meeting has two surveys"
        begins = [at for at in (meeting.wrap_up_at, meeting.closed_at) if at]
        assert event.opens_at in begins, "a survey opens with the wrap-up or the closing"
        assert event.closes_at == wall(event.opens_at, 7, meeting.zone), "a survey is open for seven days"
        assert event.community_ids == meeting.community_ids
        assert cause in self.events, "a survey opens for no reason"
        is_in_room = isinstance(self.events[cause].event, meetings.MeetingWrapUpStarted)
        meeting.survey = self.surveys[event.survey_id] = Survey(event.survey_id, meeting, event, is_in_room)

    def _ask(self, envelope: Envelope) -> None:
        event: Any = envelope.event
        survey = self.surveys[event.survey_id]
        members = {each.member_id for each in event.invitations}
        assert survey.is_open, "people are asked who can no longer answer"
        assert 0 < len(members) == len(event.invitations), "someone is asked twice at once"
        assert not members & survey.ballots, "someone is asked who took their ballot"
        assert members <= survey.meeting.was_there, "someone is asked who was not there"
        assert not members & survey.standing, "someone is asked twice"
        closing = self.heard.closings.get(event.meeting_id)
        assert closing is not None, "people are asked before the meeting is known to be closed"
        if envelope.causation_id == closing.id:
            survey.asked_at_closing |= members
        for member in members:
            survey.asked[member] = event.version

    def _remind(self, event: evaluation.SurveyReminderDue) -> None:
        survey = self.surveys[event.survey_id]
        closing: Any = self.heard.closings[event.meeting_id].event
        members = {each.member_id for each in event.invitations}
        assert survey.reminded is None, "a survey reminds twice"
        assert survey.is_open, "people are reminded who can no longer answer"
        assert clock.now() >= wall(closing.closed_at, 2, survey.meeting.zone), "the reminder comes too early"
        assert members == survey.standing - survey.ballots, "not those are reminded who were asked and are missing"
        survey.reminded = members

    def _close(self, event: evaluation.SurveyClosed) -> None:
        survey, meeting = self.surveys[event.survey_id], self.meetings[event.meeting_id]
        assert survey.closed is None, "a survey closes twice"
        eligible, n = len(self.heard.of(meeting)), len(survey.casts)
        if meeting.id in self.heard.closings:
            assert clock.now() >= survey.opened.closes_at, "a survey closes too early"
        else:
            assert clock.now() >= meeting.ends_at + timedelta(hours=24), "a survey is given up too early"
        assert event.eligible == CountBand.of(eligible), "those who were asked are counted wrongly"
        assert event.responses == CountBand.of(n), "answers are counted wrongly"
        is_told = event.rate_in_meeting is not None or event.rate_after is not None
        assert not is_told or (eligible >= ENOUGH and n >= ENOUGH), "a rate tells of fewer than five"
        survey.closed = event

    def _tell(self, event: evaluation.ResultsReleased | evaluation.ResultsWithheld) -> None:
        survey, n = self.surveys[event.survey_id], len(self.surveys[event.survey_id].casts)
        assert survey.outcome is None, "results are told twice"
        assert survey.closed is not None, "results are told of a survey that is open"
        is_known = event.meeting_id in self.heard.closings and bool(self.heard.of(survey.meeting))
        if isinstance(event, evaluation.ResultsReleased):
            assert event.responses_count >= ENOUGH, "results of fewer than five are told"
            assert event.responses_count == n, "answers are counted wrongly"
            assert is_known, "results are told without knowing who was there"
        else:
            assert not (is_known and n >= ENOUGH), "results of five are withheld"
            reason = WithheldReason.BELOW_K if is_known else WithheldReason.NO_ATTENDANCE
            assert event.reason is reason, "results are withheld for a wrong reason"
        survey.outcome = event

    def check_surveys(self) -> None:
        """Whoever is known to have been there and took no ballot is asked, and nobody else, at every moment."""
        for survey in self.surveys.values():
            if survey.meeting.id not in self.heard.closings or not survey.is_open:
                continue
            present = self.heard.of(survey.meeting)
            assert present - survey.ballots <= survey.standing, "someone was there and is not asked"
            assert survey.standing <= present | survey.ballots, "someone is asked who turned out not to have been there"

    def check_asking(self, survey: Survey, member: UUID, is_reminder: bool) -> None:
        """A mail that asks this person leaves at this moment."""
        key = survey.id, member
        assert member in survey.meeting.was_there, "a mail asks someone who was not there"
        assert member not in (survey.meeting.facilitator, survey.meeting.note_taker), "a mail asks who is never asked"
        assert clock.now() < survey.opened.closes_at, "a mail asks when it is too late to answer"
        assert self.asking.get(key, 0) > self.revoking.get(key, 0), "a mail asks someone whose invitation is void"
        if is_reminder:
            assert member in (survey.reminded or ()), "a mail reminds someone whom the survey does not remind"
