"""Passes for the room: a phone that has opened its owner's invitation to a meeting holds one, in a cookie.

A pass names the meeting and its owner to us alone, and until when it is good. It is stored nowhere but on the phone, so
that nobody who copies what we keep learns who holds one; evaluation reads it where a ballot is asked for.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from werkzeug.wrappers import Response

from chassis import clock
from chassis.sealing import BrokenSeal
from chassis.settings import Settings
from gateway.routes import RequestContext
from pratique.requests.evaluation import PASSES


@dataclass(frozen=True)
class RoomPass:
    """A pass that is good now."""

    text: str  #: as evaluation takes it
    member_id: str


def give_pass(context: RequestContext, response: Response, meeting_id: UUID, member_id: UUID, until: datetime) -> None:
    """Let this phone hold its owner's pass for the room of the meeting, in the place of whatever pass it had for it."""
    settings = context.app.settings
    response.set_cookie(
        _name(settings, meeting_id),
        settings.seal.lasting_link(PASSES, until, meeting_id, member_id),
        max_age=max(int((until - clock.now()).total_seconds()), 0),
        path=_path(settings),
        secure=not settings.is_embedded,
        httponly=True,
        samesite="Lax",
    )


def find_pass(context: RequestContext, meeting_id: str) -> RoomPass | None:
    """Return the pass that the phone holds for this meeting; None if it has none that is good."""
    settings, meeting = context.app.settings, UUID(meeting_id)
    text = context.request.cookies.get(_name(settings, meeting), "")
    try:
        until, (named, member_id) = settings.seal.read_lasting_link(PASSES, text)
    except (BrokenSeal, ValueError):
        return None
    return RoomPass(text, str(member_id)) if named == meeting and clock.now() < until else None


def forget_pass(context: RequestContext, response: Response, meeting_id: str) -> None:
    """Let this phone hold no pass for the room of this meeting."""
    settings = context.app.settings
    name, is_secure = _name(settings, UUID(meeting_id)), not settings.is_embedded
    response.delete_cookie(name, path=_path(settings), secure=is_secure, httponly=True, samesite="Lax")


def _name(settings: Settings, meeting_id: UUID) -> str:
    prefix = "" if settings.is_embedded else "__Secure-"
    return f"{prefix}pass-{meeting_id.hex}"


def _path(settings: Settings) -> str:
    """Where the cookie goes: to rooms, and nowhere else."""
    return f"{urlsplit(settings.public_url).path}/r"
