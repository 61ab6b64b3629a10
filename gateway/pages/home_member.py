"""What concerns a person as a member: the next meeting with *I come, I cannot*, their past ones, their communities."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from gateway.pages.frame import led_to
from gateway.pages.invitation import CHOICES
from gateway.pages.sections import Home, Section
from gateway.pages.visits import visitor_route
from gateway.routes import Ask, RequestContext
from pratique.errors import Invalid
from pratique.events.meetings import AttendanceState, MeetingState
from pratique.requests.meetings import RegisterMember
from words.order import in_order

SHOWN = 5  #: meetings to come, after the next one, and past ones

Meeting = Mapping[str, Any]


def asks(context: RequestContext) -> Sequence[Ask]:
    """Return what is asked besides the agenda: nothing."""
    return ()


def section(context: RequestContext, home: Home, answers: Sequence[Any]) -> Section | None:
    """Return the section; what to do, for whoever belongs nowhere and has no role. None: they are staff alone."""
    person = context.person
    if not person.community_ids and person.roles:
        return None
    theirs = [each for each in home.agenda if _concerns(each, str(person.member_id), set(person.community_ids))]
    to_come = [each for each in theirs if _is_to_come(each, home.now)]
    held = [each for each in theirs if not _is_to_come(each, home.now) and each["state"] != MeetingState.CANCELLED]
    following = next((each for each in to_come if each["state"] != MeetingState.CANCELLED), None)
    later = [each for each in to_come if each is not following]
    values = {
        "following": following and _shown(home, following),
        "later": [_shown(home, each) for each in later[:SHOWN]],
        "past": [_shown(home, each) for each in held[: -SHOWN - 1 : -1]],
        "communities": in_order((home.communities[id] for id in person.community_ids if id in home.communities), _name),
        "said_now": context.request.args.get("said", ""),
    }
    return Section("home_member.html", values)


def say_coming(context: RequestContext) -> Response:
    """Keep whether the person means to come; their last word counts.

    Raises:
        Invalid: it says neither that they come nor that they cannot.
        Conflict: the meeting is over or cancelled.
        Forbidden: it is none of theirs.
    """
    said = context.request.form.get("partstat", "")
    if said not in CHOICES:
        raise Invalid("Say that you come, or that you cannot.", {"/partstat": "unknown"})
    member_id = str(context.person.member_id)
    context.call(RegisterMember, meeting_id=context.path["meeting_id"], member_id=member_id, partstat=said)
    return led_to(f"/home?said={said}", context)


def _name(community: Mapping[str, Any]) -> str:
    return str(community["name"])


def _concerns(meeting: Meeting, member_id: str, community_ids: set[str]) -> bool:
    """Return whether a meeting is of a community of theirs, names them, or has their part in it."""
    part = meeting["own_part"] or {}
    is_named = member_id in (meeting["facilitator_id"], meeting["note_taker_id"])
    return is_named or not community_ids.isdisjoint(meeting["community_ids"]) or any(part.values())


def _is_to_come(meeting: Meeting, now: datetime) -> bool:
    if meeting["state"] == MeetingState.CLOSED:
        return False
    return _is_running(meeting) or datetime.fromisoformat(meeting["ends_at"]) > now


def _is_running(meeting: Meeting) -> bool:
    return meeting["state"] in (MeetingState.IN_PROGRESS, MeetingState.WRAP_UP)


def _shown(home: Home, meeting: Meeting) -> dict[str, Any]:
    part = meeting["own_part"] or {"partstat": None, "attendance": None}
    attendance = part["attendance"]
    return {
        **meeting,
        "of": home.names_of(meeting),
        "said": part["partstat"],
        "was_there": attendance and AttendanceState(attendance).was_there,
        "attendance": None if attendance == AttendanceState.UNKNOWN else attendance,
        "is_running": _is_running(meeting),
        "is_link": meeting["link"].startswith(("https://", "http://")),
    }


ROUTES = (
    visitor_route(
        "POST", "/home/answers/<uuid:meeting_id>", "Say as oneself whether one comes", say_coming, status=303
    ),
)
