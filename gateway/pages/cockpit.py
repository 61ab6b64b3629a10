"""The cockpit: a meeting's four steps at one address, each with its next act and a sentence on what will follow."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from chassis import clock
from gateway.pages import attendance
from gateway.pages.forms import Form
from gateway.pages.frame import framed
from gateway.pages.meeting import UNDER_WAY, Known, Meeting, missing, named, people_at, steps, to
from gateway.pages.visits import visitor_route
from gateway.routes import Ask, RequestContext
from pratique.errors import Conflict, Forbidden, Invalid, NotFound, QuotaSpent, Unavailable
from pratique.events.meetings import MeetingKind, MeetingState
from pratique.request import Request
from pratique.requests.evaluation import GetSurvey
from pratique.requests.meetings import (
    ASKED_WITHIN,
    STARTS_WITHIN,
    CancelBody,
    CancelMeeting,
    CloseMeeting,
    GetMeeting,
    StartMeeting,
    WrapUpMeeting,
)
from words.catalogue import N_, sentences

#: What whoever asked for a step is told where the meeting has come to another meanwhile.
_MEANWHILE = N_("Nothing was changed by your last click: the meeting had come to another step meanwhile. Here it is.")
_UNTIMELY = N_("Nothing was changed: at this step the meeting does not take that. Here is where it is now.")


def show_meeting(context: RequestContext) -> Response:
    """Show the step that the meeting has come to, and what to do at it."""
    return _show(context)


def start(context: RequestContext) -> Response:
    """Start the meeting. Once it has begun, this changes nothing."""
    return _step(context, StartMeeting)


def wrap_up(context: RequestContext) -> Response:
    """Begin the last minutes. Once they have begun, this changes nothing."""
    return _step(context, WrapUpMeeting)


def close(context: RequestContext) -> Response:
    """Close the meeting. Once it is closed, this changes nothing."""
    return _step(context, CloseMeeting)


def ask_reason(context: RequestContext) -> Response:
    """Ask why the meeting is cancelled; whoever was invited is told."""
    meeting = context.call(GetMeeting, **context.path)
    if meeting["state"] != MeetingState.SCHEDULED:
        return to(context, _path(meeting))
    return _ask_reason(context, Form.of(CancelBody, {}, context.locale), meeting)


def cancel(context: RequestContext) -> Response:
    """Cancel the meeting, for the reason that was typed. Cancelling twice tells nobody twice."""
    form = Form.sent(CancelBody, context.request.form, context.locale)
    said = form.read()
    if said is None:
        return _ask_reason(context, form, context.call(GetMeeting, **context.path), 422)
    try:
        context.call(CancelMeeting, **context.path, **said)
    except (Invalid, QuotaSpent) as error:
        form.refuse(error)
        return _ask_reason(context, form, context.call(GetMeeting, **context.path), 422)
    except Conflict:
        return _show(context, 409, _MEANWHILE)
    return to(context, f"/meetings/{context.path['meeting_id']}")


def _step(context: RequestContext, kind: type[Request]) -> Response:
    try:
        context.call(kind, **context.path)
    except Conflict:
        return _show(context, 409, _UNTIMELY)
    return to(context, f"/meetings/{context.path['meeting_id']}")


def _show(context: RequestContext, status: int = 200, notice: str = "") -> Response:
    absent = (NotFound, Forbidden, Unavailable)  # it opens with the last minutes, or moments later
    read, survey = context.call_all(
        Ask(GetMeeting, **context.path), Ask(GetSurvey, absent, meeting_id=context.path["meeting_id"])
    )
    meeting = named(context, read)
    known = people_at(context, meeting)
    _ = sentences(context.locale)
    state = MeetingState(meeting["state"])
    takes_attendance = state in UNDER_WAY
    return framed(
        context,
        "cockpit",
        meeting["title"],
        status,
        has_script=takes_attendance,
        is_error=bool(notice),
        meeting=meeting,
        notice=_(notice) if notice else "",
        steps=steps(meeting, context.locale),
        missing=missing(meeting, context.locale),
        people=_names(context, meeting, known),
        roll=attendance.roll_of(context, meeting, known) if takes_attendance else None,
        room_code=survey["room_code"] if survey else None,
        survey_state=survey["state"] if survey else None,
        closes_at=survey["closes_at"] if survey else None,
        **_timing(meeting),
    )


def _timing(meeting: Meeting) -> dict[str, Any]:
    """What hangs on the hour: whether it can start yet, and whether people will be asked."""
    now, ends_at = clock.now(), datetime.fromisoformat(meeting["ends_at"])
    can_start_from = datetime.fromisoformat(meeting["starts_at"]) - STARTS_WITHIN
    return {
        "can_start_from": can_start_from if now < can_start_from else None,
        "asks": meeting["kind"] != MeetingKind.PREPARATORY and now <= ends_at + ASKED_WITHIN,
        "is_preparatory": meeting["kind"] == MeetingKind.PREPARATORY,
    }


def _names(context: RequestContext, meeting: Meeting, known: Known) -> dict[str, str]:
    """The names of whoever leads and takes notes, as far as this person may know them."""
    _ = sentences(context.locale)
    names = {id: person["name"] for id, person in known.people.items()}
    names[str(context.person.member_id)] = context.person.name
    found = {}
    for name in ("facilitator_id", "note_taker_id"):
        id = meeting[name]
        found[name] = names.get(id, _("a person from outside")) if id else ""
    return found


def _ask_reason(context: RequestContext, form: Form, meeting: Meeting, status: int = 200) -> Response:
    _ = sentences(context.locale)
    labels = {"reason": _("Why it is cancelled")}
    title, shown = _("Cancel the meeting"), named(context, meeting)
    values = {"form": form, "meeting": shown, "labels": labels, "is_error": form.is_wrong}
    return framed(context, "cancel", title, status, **values)


def _path(meeting: Meeting) -> str:
    return f"/meetings/{meeting['meeting_id']}"


def _post(verb: str, summary: str, act: Callable[[RequestContext], Response]) -> Any:
    return visitor_route("POST", f"/meetings/<uuid:meeting_id>/{verb}", summary, act, status=303)


ROUTES = (
    visitor_route("GET", "/meetings/<uuid:meeting_id>", "Show the step that a meeting has come to", show_meeting),
    _post("start", "Start a meeting", start),
    _post("wrap-up", "Begin the last minutes of a meeting", wrap_up),
    _post("close", "Close a meeting", close),
    visitor_route("GET", "/meetings/<uuid:meeting_id>/cancel", "Ask why a meeting is cancelled", ask_reason),
    _post("cancel", "Cancel a meeting", cancel),
)
