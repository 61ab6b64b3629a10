"""The routes of meetings: a meeting's life, who said they would come, and who came."""

from marshmallow import fields as plain

from gateway import fields
from gateway.routes import Route
from pratique.errors import Conflict, DomainError, NotFound, PreconditionRequired, QuotaSpent, Stale
from pratique.events.meetings import AttendanceState, MeetingKind, MeetingRole, MeetingState, Mode, Partstat


class MeetingBody(fields.Body):
    """What is planned."""

    community_ids = fields.listed(
        fields.ident("A community.", "community"), "Whose meeting it is; several for a joint one.", 50, 1, required=True
    )
    kind = fields.one_of(MeetingKind, "What is held.", required=True)
    mode = fields.one_of(Mode, "Where people are.", required=True)
    starts_at = fields.instant("When it starts.", "2026-03-12T14:00:00-04:00", required=True)
    ends_at = fields.instant("When it ends.", "2026-03-12T16:00:00-04:00", required=True)
    timezone = fields.zone(required=True)
    place = fields.text("Where to come.", "Salle 3, 455 rue de Verdun", 300)
    link = fields.text("Where to join online.", "https://meet.example.org/abc", 1000)
    themes = fields.listed(fields.text("A theme.", "Le répit", 200, 1), "What it is about.", 20)
    capacity = fields.whole("How many can come; null without a limit.", 25, 1, 100_000, allow_none=True)
    facilitator_id = fields.ident("Who leads it; null if not known yet.", "facilitator", allow_none=True)
    note_taker_id = fields.ident("Who takes notes; never counted nor surveyed.", "note taker", allow_none=True)


class AttendanceEntry(fields.Body):
    """Whether one person came."""

    member_id = fields.ident("The person.", "member", required=True)
    state = fields.one_of(AttendanceState, "Whether they came.", required=True)


class AttendanceBody(fields.Body):
    """Who came; those who are not named keep the state they have."""

    entries = fields.listed(plain.Nested(AttendanceEntry), "Not the note taker; each person once.", 5000, required=True)


class Meeting(MeetingBody):
    """A meeting, as far as it has come."""

    meeting_id = fields.ident("Id, chosen by whoever scheduled it.", "meeting")
    state = fields.one_of(MeetingState, "Where it is in its life.")
    started_at = fields.instant("When it was started; null before.", allow_none=True)
    wrap_up_at = fields.instant("When its last minutes began; null before.", allow_none=True)
    closed_at = fields.instant("When it was closed; null before.", allow_none=True)
    cancelled_at = fields.instant("When it was cancelled; null unless it was.", allow_none=True)
    cancel_reason = fields.text("Why it was cancelled; empty unless it was.", "", 1000, lines=True)
    head_count = fields.whole("How many were there, wholly or in part; the note taker not counted.", 12)
    version = fields.version()


class Attendance(AttendanceEntry):
    """Whether one person came, as of the meeting's day."""

    role = fields.one_of(MeetingRole, "Their part in the meeting.")
    community_id = fields.ident("By which community they came.", "community", allow_none=True)
    organization_id = fields.ident("Whom they represented; null for individuals.", "organization", allow_none=True)


class MeetingWithAttendance(Meeting):
    """A meeting and who came."""

    attendance = plain.List(plain.Nested(Attendance), metadata={"description": "Everyone with a recorded state."})


class RegistrationBody(fields.Body):
    """A member's word on coming."""

    partstat = fields.one_of(Partstat, "Whether they mean to come.", required=True)


class Registration(RegistrationBody):
    """A member's word on coming to a meeting."""

    meeting_id = fields.ident("The meeting.", "meeting")
    member_id = fields.ident("The member.", "member")
    registered_at = fields.instant("When they said so.")
    version = fields.version()


class CancelBody(fields.Body):
    """Why a meeting will not be held."""

    reason = fields.text("Told to those who were invited.", "La salle est inondée.", 1000, 1, lines=True, required=True)


class SurveyBody(fields.Body):
    """Whether those who were there are asked; left out, they are, unless the meeting was more than three days ago.

    After a preparatory meeting nobody is.
    """

    with_survey = fields.flag("Whether to ask them, against the rule or with it.", True)


def _step(
    verb: str,
    rpc: str,
    summary: str,
    body: type[fields.Body] | None = None,
    problems: tuple[type[DomainError], ...] = (NotFound, Conflict),
) -> Route:
    """A row for one step of a meeting's life; a step that has been taken is 200 again and announces nothing."""
    return Route(
        "POST",
        f"/v1/meetings/<uuid:meeting_id>/{verb}",
        summary,
        scope="meetings:write",
        rpc=f"meetings.{rpc}",
        body=body,
        answer=Meeting,
        problems=problems,
        description="Asking again for what has happened is 200 and announces nothing.",
    )


ROUTES = (
    Route(
        "PUT",
        "/v1/meetings/<uuid:meeting_id>",
        "Schedule a meeting, or change what is planned",
        scope="meetings:write",
        rpc="meetings.put_meeting",
        body=MeetingBody,
        answer=Meeting,
        is_versioned=True,
        problems=(Conflict, PreconditionRequired, QuotaSpent, Stale),
    ),
    _step("start", "start_meeting", "Start a meeting"),
    _step("wrap-up", "wrap_up_meeting", "Begin the last minutes; the survey opens for the room", SurveyBody),
    _step("close", "close_meeting", "Close a meeting; everything that should follow, follows, once", SurveyBody),
    _step(
        "cancel",
        "cancel_meeting",
        "Cancel a meeting; those invited are told",
        CancelBody,
        (NotFound, Conflict, QuotaSpent),
    ),
    Route(
        "PUT",
        "/v1/meetings/<uuid:meeting_id>/registrations/<uuid:member_id>",
        "Say whether a member means to come",
        scope="meetings:write",
        rpc="meetings.register_member",
        body=RegistrationBody,
        answer=Registration,
        problems=(NotFound, Conflict),
    ),
    Route(
        "GET",
        "/v1/meetings/<uuid:meeting_id>/registrations",
        "List who said whether they come to a meeting",
        scope="meetings:read",
        rpc="meetings.list_registrations",
        answer=Registration,
        is_list=True,
        problems=(NotFound,),
    ),
    Route(
        "PUT",
        "/v1/meetings/<uuid:meeting_id>/attendance",
        "Take attendance, or correct it after closing",
        scope="meetings:write",
        rpc="meetings.record_attendance",
        body=AttendanceBody,
        answer=Meeting,
        problems=(NotFound, Conflict),
    ),
    Route(
        "GET",
        "/v1/meetings/<uuid:meeting_id>",
        "Read a meeting and who came",
        scope="meetings:read",
        rpc="meetings.get_meeting",
        versions="meetings.list_versions",
        answer=MeetingWithAttendance,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>/meetings",
        "List a community's meetings",
        scope="meetings:read",
        rpc="meetings.list_meetings",
        answer=Meeting,
        is_list=True,
        problems=(NotFound,),
    ),
)
