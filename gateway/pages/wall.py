"""The wall: the room's code for the projector, as letters and as a picture; nothing of who answers, or how many."""

from contextlib import suppress
from datetime import datetime, timedelta
from io import BytesIO
from math import ceil
from typing import Any
from urllib.parse import urlsplit

import segno
from markupsafe import Markup
from werkzeug.wrappers import Response

from chassis import clock
from gateway.pages.meeting import Meeting, named, to
from gateway.pages.render import app_page
from gateway.pages.survey import refuse
from gateway.pages.visits import visitor_route
from gateway.routes import Ask, Media, RequestContext, Route
from pratique.errors import Conflict, Forbidden, NotFound
from pratique.events.meetings import MeetingState
from pratique.requests.evaluation import ChangeRoomCode, GetSurvey, VoidRoom
from pratique.requests.meetings import GetMeeting
from words.catalogue import sentences
from words.formats import hour

GROUP = 4  #: characters of the code that stand together
COUNTED_FROM = 60  #: minutes before the planned end; before that its hour is shown


def show_wall(context: RequestContext) -> Response:
    """Show the room's code, from the last minutes until the meeting is closed."""
    read, survey = context.call_all(
        Ask(GetMeeting, **context.path), Ask(GetSurvey, (NotFound, Forbidden), meeting_id=context.path["meeting_id"])
    )
    _, meeting = sentences(context.locale), named(context, read)
    room_code = survey["room_code"] if survey else None
    words = _("The code will appear here when the last minutes begin.")
    if meeting["state"] in (MeetingState.CLOSED, MeetingState.CANCELLED):
        words = _("The meeting is over. Thank you!")
    public_url = context.app.settings.public_url.rstrip("/")
    shown: dict[str, Any] = {}
    if room_code:
        shown = {"address": _without_scheme(public_url), "qr": _qr(f"{public_url}/r/{room_code}")}
        shown["left"] = _left(context, meeting)
    return app_page(
        "wall",
        context.locale,
        context.person,
        has_script=True,
        title=meeting["title"],
        meeting=meeting,
        room_code=room_code,
        groups=[room_code[at : at + GROUP] for at in range(0, len(room_code), GROUP)] if room_code else [],
        words=words,
        **shown,
    )


def change_code(context: RequestContext) -> Response:
    """Give the room another code."""
    return _act(context, ChangeRoomCode)


def void_room(context: RequestContext) -> Response:
    """Take back all that was answered in the room."""
    return _act(context, VoidRoom)


def enter_by_picture(context: RequestContext) -> Response:
    """Lead on from the address in capitals that the picture holds: so it is smaller, and read from farther away."""
    response = Response(status=303, headers={"Location": f"/r/{context.path['room_code']}"})
    response.headers["Cache-Control"] = "no-store"
    return response


def _act(context: RequestContext, kind: type[ChangeRoomCode] | type[VoidRoom]) -> Response:
    with suppress(Conflict):  # the meeting is closed by now, as its page says
        context.call(kind, **context.path)
    return to(context, f"/meetings/{context.path['meeting_id']}")


def _left(context: RequestContext, meeting: Meeting) -> str:
    """How much time is left until the planned end, in one line; the page is fetched anew while it passes."""
    _, ends_at = sentences(context.locale), datetime.fromisoformat(meeting["ends_at"])
    minutes = ceil((ends_at - clock.now()) / timedelta(minutes=1))
    if minutes <= 0:
        return _("Time is up; you can still answer.")
    if minutes > COUNTED_FROM:
        return _("Until %(hour)s", hour=hour(ends_at, meeting["timezone"], context.locale))
    return _.counted("%(num)s minute left", "%(num)s minutes left", minutes)


def _qr(address: str) -> Markup:
    """The picture of an address, in capitals wherever a path may be."""
    drawn = BytesIO()
    code = segno.make(address.upper(), error="m", micro=False)
    code.save(drawn, kind="svg", xmldecl=False, svgns=False, border=2, omitsize=True, svgclass=None, lineclass=None)
    return Markup(drawn.getvalue().decode())  # noqa: S704  (made of our own address and code)


def _without_scheme(url: str) -> str:
    """The address that people type: host, and path if there is one."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".rstrip("/")


ROUTES = (
    visitor_route("GET", "/meetings/<uuid:meeting_id>/wall", "Show the room's code for the projector", show_wall),
    visitor_route("POST", "/meetings/<uuid:meeting_id>/code", "Give the room another code", change_code, status=303),
    visitor_route(
        "POST", "/meetings/<uuid:meeting_id>/void", "Take back what was answered in the room", void_room, status=303
    ),
    Route(
        "GET",
        "/R/<room_code>",
        "Lead on to a room from the picture on the wall",
        act=enter_by_picture,
        operation="enter_by_picture",
        status=303,
        media=Media.HTML,
        refuse=refuse,
    ),
)
