"""Reference model: what must be true, derived from what people said and from what each service has heard.

It is written from the rules of the domain and knows no table, query or function of the services. It follows what
services publish, and objects at once where they say what cannot be.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis import clock
from pratique.event import Envelope
from pratique.events import evaluation, meetings, membership
from pratique.events.evaluation import CountBand, WithheldReason
from pratique.events.meetings import AttendanceState
from pratique.events.membership import Role
from tests.faults.model.cast import ENOUGH, THERE, Community, Meeting, Person, Survey, wall


class Heard:
    """What evaluation has been told of attendance: of each person the newest."""

    def __init__(self) -> None:
        self._marks: dict[UUID, dict[UUID, tuple[int, AttendanceState, str]]] = {}
        self.closings: dict[UUID, Envelope[Any]] = {}

    def of(self, meeting: Meeting) -> set[UUID]:
        """Whom there is to ask, as far as evaluation can know."""
        marks = self._marks.get(meeting.id, {})
        return {each for each, (_, state, role) in marks.items() if state in THERE and role == "participant"}

    def is_newest(self, event: meetings.AttendanceCorrected) -> bool:
        """Whether nothing newer was heard of this person."""
        return self._marks.get(event.meeting_id, {}).get(event.member_id, (0,))[0] < event.version

    def hear(self, envelope: Envelope[Any]) -> None:
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


class ReferenceModel:
    """The whole account."""

    def __init__(self) -> None:
        self.people: dict[UUID, Person] = {}
        self.organizations: list[UUID] = []
        self.communities: dict[UUID, Community] = {}
        self.meetings: dict[UUID, Meeting] = {}
        self.surveys: dict[UUID, Survey] = {}
        self.events: dict[UUID, Envelope[Any]] = {}  #: all that was ever published
        self.heard = Heard()
        self.known: dict[str, set[str]] = {}  #: service -> subjects of which it has heard anything
        self.asking: dict[tuple[UUID, UUID], int] = {}  #: what notifications has heard: newest event that asks
        self.revoking: dict[tuple[UUID, UUID], int] = {}  #: and newest event that takes it back
        self.ended: set[UUID] = set()  #: and surveys that are closed
        self.called_off: set[UUID] = set()  #: and meetings that are cancelled
        self.followed: set[UUID | None] = set()  #: closings and corrections from which something private followed
        self.owed: set[UUID] = set()  #: corrections after which evaluation has to say something in private
        self.leads: dict[UUID, tuple[int, UUID, UUID | None]] = {}  #: assignment -> version, community, who leads it

    # What services have heard.

    def hear(self, service: str, envelopes: Iterable[Envelope[Any]]) -> None:
        """The service has taken these events, in one transaction."""
        for envelope in envelopes:
            self.known.setdefault(service, set()).add(envelope.event.subject)
            if service == "meetings":
                self._hear_of_roles(envelope.event)
            if service == "notifications":
                self._hear_of_surveys(envelope.event)
        known = set(self.heard.closings)
        for envelope in envelopes if service == "evaluation" else ():
            self._owe(envelope, known)
            self.heard.hear(envelope)

    def _owe(self, envelope: Envelope[Any], closings: set[UUID]) -> None:
        """A correction that comes after the closing is answered in private, unless something newer came before it."""
        event = envelope.event
        if isinstance(event, meetings.AttendanceCorrected) and event.meeting_id in closings:
            survey = self.meetings[event.meeting_id].survey
            if survey is not None and survey.is_open and self.heard.is_newest(event):
                self.owed.add(envelope.id)

    def _hear_of_roles(self, event: Any) -> None:
        if not isinstance(event, membership.RoleAssigned | membership.RoleEnded) or event.role is not Role.FACILITATOR:
            return
        if self.leads.get(event.assignment_id, (0,))[0] < event.version:
            who = event.member_id if isinstance(event, membership.RoleAssigned) else None
            self.leads[event.assignment_id] = event.version, event.community_id, who

    def leading(self, meeting: Meeting) -> set[UUID]:
        """Whom meetings knows by now to facilitate one of its communities."""
        return {who for _, id, who in self.leads.values() if who is not None and id in meeting.community_ids}

    def _hear_of_surveys(self, event: Any) -> None:
        if isinstance(event, evaluation.SurveyInvitationsIssued | evaluation.SurveyReminderDue):
            for each in event.invitations:
                key = event.survey_id, each.member_id
                self.asking[key] = max(self.asking.get(key, 0), event.version)
        if isinstance(event, evaluation.InvitationRevoked):
            for member in event.member_ids:
                key = event.survey_id, member
                self.revoking[key] = max(self.revoking.get(key, 0), event.version)
        if isinstance(event, evaluation.SurveyClosed):
            self.ended.add(event.survey_id)
        if isinstance(event, meetings.MeetingCancelled):
            self.called_off.add(event.meeting_id)

    def knows(self, service: str, subject: UUID) -> bool:
        """Whether the service has heard anything of this."""
        return str(subject) in self.known.get(service, ())

    # What evaluation says.

    def follow(self, envelope: Envelope[Any]) -> None:
        """Take in what a service has published, and object where it cannot be."""
        event = envelope.event
        if isinstance(event, evaluation.SurveyOpened):
            self._open(event, envelope.causation_id)
        elif isinstance(event, evaluation.SurveyAskedBeforeClosing):
            self._leave_open(event)
        elif isinstance(event, evaluation.SurveyInvitationsIssued):
            self._ask(envelope)
        elif isinstance(event, evaluation.SurveyReminderDue):
            self._remind(event)
        elif isinstance(event, evaluation.InvitationRevoked):
            assert self._follows_correction(envelope), "an invitation is taken back for no reason"
            for member in event.member_ids:
                self.surveys[event.survey_id].revoked[member] = event.version
        elif isinstance(event, evaluation.SurveyClosed):
            self._close(event)
        elif isinstance(event, evaluation.ResultsReleased | evaluation.ResultsWithheld):
            self._tell(event)

    def _open(self, event: evaluation.SurveyOpened, cause: UUID | None) -> None:
        meeting = self.meetings[event.meeting_id]
        assert meeting.survey is None, "a meeting has two surveys"
        assert meeting.has_survey, "people are asked about what was over long ago"
        begins = [at for at in (meeting.wrap_up_at, meeting.closed_at) if at]
        assert event.opens_at in begins, "a survey opens with the wrap-up or the closing"
        assert event.closes_at == wall(event.opens_at, 7, meeting.zone), "a survey is open for seven days"
        assert event.community_ids == meeting.community_ids
        assert cause in self.events, "a survey opens for no reason"
        is_in_room = isinstance(self.events[cause].event, meetings.MeetingWrapUpStarted)
        meeting.survey = self.surveys[event.survey_id] = Survey(event.survey_id, meeting, event, is_in_room)

    def _leave_open(self, event: evaluation.SurveyAskedBeforeClosing) -> None:
        survey = self.surveys[event.survey_id]
        assert survey.asked_early is None, "a survey asks twice before its meeting is closed"
        assert event.meeting_id not in self.heard.closings, "a meeting that was closed is said to be open"
        assert clock.now() >= survey.meeting.ends_at + timedelta(hours=24), "people are asked too early"
        survey.is_in_room, survey.asked_early = False, set()
        survey.remind_at = wall(clock.now(), 2, survey.meeting.zone)

    def _ask(self, envelope: Envelope[Any]) -> None:
        event: Any = envelope.event
        survey = self.surveys[event.survey_id]
        members = {each.member_id for each in event.invitations}
        assert len(members) == len(event.invitations), "someone is asked twice at once"
        assert survey.is_open or not members, "people are asked who can no longer answer"
        assert not members & survey.counted, "someone is asked who took their ballot"
        assert members <= survey.meeting.was_there, "someone is asked who was not there"
        closing = self.heard.closings.get(event.meeting_id)
        if self._follows_correction(envelope):
            assert len(members) <= 1, "a correction asks others, too"
        elif closing is not None and envelope.causation_id == closing.id:
            assert closing.id not in self.followed, "the closing of a meeting asks twice"
            self.followed.add(closing.id)
            survey.is_in_room = False
            survey.remind_at = survey.remind_at or wall(closing.event.closed_at, 2, survey.meeting.zone)
        else:
            assert survey.asked_early == set(), "people are asked for no reason"
            assert members == self.heard.of(survey.meeting) - survey.counted, "not all who are missing are asked"
            survey.asked_early = members
        self._note_asked(survey, members, event.version)

    def _follows_correction(self, envelope: Envelope[Any]) -> bool:
        cause = self.events.get(envelope.causation_id) if envelope.causation_id else None
        if cause is None or not isinstance(cause.event, meetings.AttendanceCorrected):
            return False
        assert cause.id not in self.followed, "a correction is told twice"
        self.followed.add(cause.id)
        self.owed.discard(cause.id)
        return True

    def _note_asked(self, survey: Survey, members: set[UUID], version: int) -> None:
        survey.give_back(members)
        survey.asked |= dict.fromkeys(members, version)

    def _remind(self, event: evaluation.SurveyReminderDue) -> None:
        survey = self.surveys[event.survey_id]
        members = {each.member_id for each in event.invitations}
        assert survey.reminded is None, "a survey reminds twice"
        assert survey.is_open, "people are reminded who can no longer answer"
        assert survey.remind_at is not None, "the reminder comes before anyone is asked"
        assert clock.now() >= survey.remind_at, "the reminder comes too early"
        missing = self.heard.of(survey.meeting) - survey.counted
        assert members == missing, "not those are reminded who were there and are missing"
        survey.reminded = members
        self._note_asked(survey, members, event.version)

    def _close(self, event: evaluation.SurveyClosed) -> None:
        survey, n = self.surveys[event.survey_id], len(self.surveys[event.survey_id].casts)
        assert survey.closed is None, "a survey closes twice"
        assert clock.now() >= survey.opened.closes_at, "a survey closes too early"
        present, vain = self.heard.of(survey.meeting), set(survey.taken) - survey.answered
        confirmed = {member for member, taken in survey.taken.items() if taken.is_confirmed}
        survey.eligible, survey.genuine = len(present), len(present & (confirmed if vain else survey.answered))
        assert event.eligible == CountBand.of(survey.eligible), "those who were asked are counted wrongly"
        responses = CountBand.of(n) if survey.genuine >= ENOUGH else None
        assert event.responses == responses, "answers are counted wrongly, or counted where they are withheld"
        in_room = sum(cast.channel == "room" for cast in survey.casts.values())
        groups = in_room, n - in_room, survey.eligible - n
        if event.rate_in_meeting is not None or event.rate_after is not None:
            assert responses is not None, "rates are told of results that are withheld"
            assert all(each == 0 or each >= ENOUGH for each in groups), "a rate tells of fewer than five"
        survey.closed = event

    def _tell(self, event: evaluation.ResultsReleased | evaluation.ResultsWithheld) -> None:
        survey, n = self.surveys[event.survey_id], len(self.surveys[event.survey_id].casts)
        assert survey.outcome is None, "results are told twice"
        assert survey.closed is not None, "results are told of a survey that is open"
        if isinstance(event, evaluation.ResultsReleased):
            assert survey.genuine >= ENOUGH, "results of fewer than five are told"
            assert event.responses_count == n, "answers are counted wrongly"
        else:
            assert survey.genuine < ENOUGH, "results of five are withheld"
            reason = WithheldReason.BELOW_K if survey.eligible else WithheldReason.NO_ATTENDANCE
            assert event.reason is reason, "results are withheld for a wrong reason"
        survey.outcome = event

    def check_surveys(self) -> None:
        """Whoever is known to have been there and took no ballot is asked, and nobody else, at every moment."""
        assert not self.owed, "evaluation said nothing after a correction"
        for survey in self.surveys.values():
            if survey.meeting.id not in self.heard.closings or not survey.is_open:
                continue
            present = self.heard.of(survey.meeting)
            missing = present - set(survey.taken) - survey.given_back
            assert missing <= survey.standing, "someone was there and is not asked"
            may_be_asked = present | set(survey.taken) | (survey.asked_early or set())
            assert survey.standing <= may_be_asked, "someone is asked who turned out not to have been there"

    def check_asking(self, survey: Survey, member: UUID, is_reminder: bool) -> None:
        """A mail that asks this person leaves at this moment."""
        key = survey.id, member
        assert survey.id not in self.ended, "a mail asks about a survey that is known to be closed"
        assert member in survey.meeting.was_there, "a mail asks someone who was not there"
        assert member not in survey.meeting.leading | {survey.meeting.note_taker}, "a mail asks who is never asked"
        assert clock.now() < survey.opened.closes_at, "a mail asks when it is too late to answer"
        assert self.asking.get(key, 0) > self.revoking.get(key, 0), "a mail asks someone whose invitation is void"
        if is_reminder:
            assert member in (survey.reminded or ()), "a mail reminds someone whom the survey does not remind"
