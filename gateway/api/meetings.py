"""Routes of meetings: a meeting's life, registrations and attendance."""

from gateway.routes import Route
from pratique.errors import Conflict, DomainError, NotFound, PreconditionRequired, QuotaSpent, Stale
from pratique.request import Request
from pratique.requests.meetings import (
    CancelMeeting,
    CloseMeeting,
    GetMeeting,
    ListMeetings,
    ListMeetingVersions,
    ListRegistrations,
    PutMeeting,
    RecordAttendance,
    RegisterMember,
    StartMeeting,
    WrapUpMeeting,
)


def _step(
    verb: str,
    request: type[Request],
    summary: str,
    problems: tuple[type[DomainError], ...] = (NotFound, Conflict),
) -> Route:
    """A row for one step of a meeting's life; a step that has been taken is 200 again and announces nothing."""
    return Route(
        "POST",
        f"/v1/meetings/<uuid:meeting_id>/{verb}",
        summary,
        request=request,
        problems=problems,
        description="Asking again for what has happened is 200 and announces nothing.",
    )


ROUTES = (
    Route(
        "PUT",
        "/v1/meetings/<uuid:meeting_id>",
        "Schedule a meeting, or change what is planned",
        request=PutMeeting,
        problems=(Conflict, PreconditionRequired, QuotaSpent, Stale),
    ),
    _step("start", StartMeeting, "Start a meeting"),
    _step("wrap-up", WrapUpMeeting, "Begin the last minutes; the survey opens for the room"),
    _step("close", CloseMeeting, "Close a meeting; everything that should follow, follows, once"),
    _step(
        "cancel",
        CancelMeeting,
        "Cancel a meeting; those invited are told",
        (NotFound, Conflict, QuotaSpent),
    ),
    Route(
        "PUT",
        "/v1/meetings/<uuid:meeting_id>/registrations/<uuid:member_id>",
        "Say whether a member means to come",
        request=RegisterMember,
        problems=(NotFound, Conflict),
    ),
    Route(
        "GET",
        "/v1/meetings/<uuid:meeting_id>/registrations",
        "List who said whether they come to a meeting",
        request=ListRegistrations,
        problems=(NotFound,),
    ),
    Route(
        "PUT",
        "/v1/meetings/<uuid:meeting_id>/attendance",
        "Take attendance, or correct it after closing",
        request=RecordAttendance,
        problems=(NotFound, Conflict),
    ),
    Route(
        "GET",
        "/v1/meetings/<uuid:meeting_id>",
        "Read a meeting and who came",
        request=GetMeeting,
        versions=ListMeetingVersions,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>/meetings",
        "List a community's meetings",
        request=ListMeetings,
        problems=(NotFound,),
    ),
)
