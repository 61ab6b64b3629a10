"""Requests to meetings: a meeting's life, registrations and attendance."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from marshmallow.validate import Length, Range

from pratique.events.meetings import AttendanceState, MeetingKind, MeetingRole, MeetingState, Mode, Partstat
from pratique.fields import ABSENT, LINES, Doc
from pratique.permissions import Permission
from pratique.request import Answer, Body, Command, ListQuery, Query, VersionedCommand
from pratique.requests.fields import AuditQuery, AuditRecord, Timezone, Version

PLACE_AT_MOST = 300  #: characters
INVITATION_LINK = (
    "invitation link"  #: what a person's sealed link to a meeting is for: /i/<meeting, member, until when>
)
LINK_AT_MOST = 1000  #: characters
#: After the planned end; what is wrapped up or closed later is entered from memory, and asks nobody unless one says so.
ASKED_WITHIN = timedelta(days=3)
#: Before the planned start. What is held earlier than that is another meeting, or its plan is wrong.
STARTS_WITHIN = timedelta(days=14)


class MeetingBody(Body):
    """Plan of a meeting."""

    community_ids: Annotated[
        tuple[Annotated[UUID, Doc("A community.")], ...],
        Length(1, 50),
        Doc("Whose meeting it is; several for a joint one."),
    ]
    kind: Annotated[MeetingKind, Doc("What is held.")]
    mode: Annotated[Mode, Doc("Where people are.")]
    starts_at: Annotated[datetime, Doc("When it starts.", "2026-03-12T14:00:00-04:00")]
    ends_at: Annotated[datetime, Doc("When it ends.", "2026-03-12T16:00:00-04:00")]
    timezone: Timezone
    place: Annotated[str, Length(0, PLACE_AT_MOST), Doc("Where to come.", "Salle 3, 455 rue de Verdun")] = ""
    link: Annotated[str, Length(0, LINK_AT_MOST), Doc("Where to join online.", "https://meet.example.org/abc")] = ""
    themes: Annotated[
        tuple[Annotated[str, Length(1, 200), Doc("A theme.", "Le répit")], ...],
        Length(0, 20),
        Doc("What it is about."),
    ] = ()
    capacity: Annotated[int | None, Range(1, 100_000), Doc("How many can come; null without a limit.", 25)] = None
    facilitator_id: Annotated[UUID | None, Doc("Who leads it; null if not known yet.")] = None
    note_taker_id: Annotated[UUID | None, Doc("Who takes notes; never counted nor surveyed.")] = None


class Meeting(Answer, MeetingBody):
    """A meeting, as far as it has come."""

    meeting_id: Annotated[UUID, Doc("Id, chosen by whoever scheduled it.")]
    state: Annotated[MeetingState, Doc("Where it is in its life.")]
    started_at: Annotated[datetime | None, Doc("When it was started; null before.")]
    wrap_up_at: Annotated[datetime | None, Doc("When its last minutes began; null before.")]
    closed_at: Annotated[datetime | None, Doc("When it was closed; null before.")]
    cancelled_at: Annotated[datetime | None, Doc("When it was cancelled; null unless it was.")]
    cancel_reason: Annotated[str, Length(0, 1000), LINES, Doc("Why it was cancelled; empty unless it was.", "")]
    head_count: Annotated[int, Doc("How many were there, wholly or in part; the note taker not counted.", 12)]
    version: Version


class AttendanceEntry(Body):
    """Attendance of one person, as a facilitator marks it."""

    member_id: Annotated[UUID, Doc("The person.")]
    state: Annotated[AttendanceState, Doc("Whether they came.")]


class Attendance(Answer, AttendanceEntry):
    """Attendance of one person, as of the meeting's day."""

    role: Annotated[MeetingRole, Doc("Their part in the meeting.")]
    community_id: Annotated[UUID | None, Doc("By which community they came.")]
    organization_id: Annotated[UUID | None, Doc("Whom they represented; null for individuals.")]


class MeetingWithAttendance(Meeting):
    """A meeting and who came."""

    attendance: Annotated[tuple[Attendance, ...], Length(0), Doc("Everyone with a recorded state.")]


class PutMeeting(VersionedCommand, MeetingBody, answer=Meeting, needs=Permission.MEETINGS_WRITE):
    """Schedule a meeting; while it is scheduled, change all but its time and communities."""

    meeting_id: UUID


class StartMeeting(Command, answer=Meeting, needs=Permission.MEETINGS_WRITE):
    """Start the meeting; attendance can be taken from now on."""

    meeting_id: UUID


class SurveyBody(Body):
    """Choice to ask those who were there; left out, they are asked, unless the meeting was more than three days ago.

    After a preparatory meeting nobody is.
    """

    with_survey: Annotated[bool | None, ABSENT, Doc("Whether to ask them, against the rule or with it.", True)] = None


class WrapUpMeeting(Command, SurveyBody, answer=Meeting, needs=Permission.MEETINGS_WRITE):
    """Begin the last minutes of the meeting; its survey opens."""

    meeting_id: UUID


class CloseMeeting(Command, SurveyBody, answer=Meeting, needs=Permission.MEETINGS_WRITE):
    """Close the meeting; all that should follow, follows, once."""

    meeting_id: UUID


class CancelBody(Body):
    """Reason to cancel a meeting."""

    reason: Annotated[str, Length(1, 1000), LINES, Doc("Told to those who were invited.", "La salle est inondée.")]


class CancelMeeting(Command, CancelBody, answer=Meeting, needs=Permission.MEETINGS_WRITE):
    """Cancel a meeting that has not begun; whoever was invited is told."""

    meeting_id: UUID


class RegistrationBody(Body):
    """A member's word on coming."""

    partstat: Annotated[Partstat, Doc("Whether they mean to come.")]


class Registration(Answer, RegistrationBody):
    """A member's word on coming to a meeting."""

    meeting_id: Annotated[UUID, Doc("The meeting.")]
    member_id: Annotated[UUID, Doc("The member.")]
    registered_at: Annotated[datetime, Doc("When they said so.")]
    version: Version


class RegisterMember(Command, RegistrationBody, answer=Registration, needs=Permission.MEETINGS_WRITE):
    """Keep whether a member means to come; their last word counts."""

    meeting_id: UUID
    member_id: UUID


class AttendanceBody(Body):
    """Attendance of several people; those who are not named keep the state they have."""

    entries: Annotated[tuple[AttendanceEntry, ...], Length(0, 5000), Doc("Not the note taker; each person once.")]


class RecordAttendance(Command, AttendanceBody, answer=Meeting, needs=Permission.MEETINGS_WRITE):
    """Take attendance, or correct it after closing."""

    meeting_id: UUID


class GetMeeting(Query, answer=MeetingWithAttendance, needs=Permission.MEETINGS_READ):
    """Read a meeting and who came."""

    meeting_id: UUID


class RowVersion(Answer):
    """The present version of one thing."""

    id: Annotated[UUID, Doc("The thing.")]
    version: Version


class Standing(Answer):
    """How far a meeting has come, and what one person who is invited said of coming."""

    state: MeetingState
    starts_at: datetime
    ends_at: datetime
    partstat: Partstat | None


class GetStanding(Query, answer=Standing, is_counted=False, needs=Permission.MEETINGS_READ):
    """Read how far a meeting has come, for one person who is invited to it."""

    meeting_id: UUID
    member_id: UUID


class ListMeetingVersions(Query, answer=RowVersion, needs=Permission.MEETINGS_READ):
    """Read the versions of meetings, for whoever has them already and asks whether they have changed."""

    ids: Annotated[tuple[Annotated[UUID, Doc("A meeting.")], ...], Length(1, 1000), Doc("The meetings.")]


class ListMeetings(ListQuery, answer=Meeting, needs=Permission.MEETINGS_READ):
    """Read a community's meetings, the latest to start first."""

    community_id: UUID


class ListRegistrations(ListQuery, answer=Registration, needs=Permission.MEETINGS_READ):
    """Read who said whether they come to a meeting."""

    meeting_id: UUID


class Invited(Answer):
    """A person who is invited to a meeting."""

    member_id: Annotated[UUID, Doc("The person.")]


class ListInvited(ListQuery, answer=Invited, needs=Permission.MEETINGS_READ):
    """Read who is invited to a meeting: who belongs to its communities or facilitates them, and whom it names."""

    meeting_id: UUID


class OwnPart(Answer):
    """A person's own part in a meeting."""

    partstat: Annotated[Partstat | None, Doc("Whether they said that they come; null if they said nothing.")]
    attendance: Annotated[AttendanceState | None, Doc("Whether they came; null if nothing was marked.")]


class AgendaMeeting(Meeting):
    """A meeting in an agenda."""

    registrations: Annotated[
        Mapping[str, int], Doc("How many said that they come, cannot, or may: accepted, declined, tentative.")
    ]
    own_part: Annotated[OwnPart | None, Doc("The part of the person who was named; null if none was.")]


class ListAgenda(Query, answer=AgendaMeeting, needs=Permission.AGENDA_READ):
    """Read the meetings of these communities, and those that the person leads or takes notes at."""

    community_ids: Annotated[tuple[Annotated[UUID, Doc("A community.")], ...], Length(0, 1000)]
    since: datetime  #: those that end later
    until: datetime  #: those that start before
    member_id: UUID | None = None
    limit: Annotated[int, Range(1, 500)] = 100
    is_latest_first: bool = False


class CommunityFigures(Answer):
    """Figures of one community over a period."""

    community_id: Annotated[UUID, Doc("The community.")]
    meetings_count: Annotated[int, Doc("How many meetings it held.", 5)]
    head_counts: Annotated[
        tuple[Annotated[int, Doc("People who were there.", 12)], ...], Length(0), Doc("Of each meeting, in order.")
    ]
    people_count: Annotated[int, Doc("How many people were there at least once.", 18)]
    attendance_rate: Annotated[
        float | None, Doc("Of those marked, the share who were there; null where nobody was marked.", 0.78)
    ]


class SummarizeMeetings(Query, answer=CommunityFigures, needs=Permission.MEETINGS_READ):
    """Read what these communities held between two instants, closed meetings only, by community id."""

    community_ids: Annotated[tuple[Annotated[UUID, Doc("A community.")], ...], Length(0, 5000)]
    since: datetime
    until: datetime


class ListMeetingsAudit(AuditQuery, answer=AuditRecord, needs=Permission.AUDIT_READ):
    """Read who did what in meetings, between two instants, the newest first."""
