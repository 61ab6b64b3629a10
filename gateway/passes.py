"""Passes for the room: a phone that has opened its owner's invitation to a meeting holds one, in a cookie.

A pass names the meeting and its owner to us alone, and until when it is good. It is stored nowhere but on the phone, so
that nobody who copies what we keep learns who holds one; evaluation reads it where a ballot is asked for.

A phone on which several people's invitations were opened holds a pass of each: none takes the place of another unseen.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from werkzeug.wrappers import Response

from chassis import clock
from chassis.sealing import BrokenSeal
from chassis.settings import Settings
from gateway.routes import RequestContext
from pratique.requests.evaluation import PASSES


def give_pass(context: RequestContext, response: Response, meeting_id: UUID, member_id: UUID, until: datetime) -> None:
    """Let this phone hold its owner's pass for the room of the meeting."""
    settings = context.app.settings
    whose = settings.seal.mark("holder of a pass", meeting_id.bytes + member_id.bytes).hex()[:8]
    response.set_cookie(
        f"{_name(settings, meeting_id)}-{whose}",
        settings.seal.lasting_link(PASSES, until, meeting_id, member_id),
        max_age=max(int((until - clock.now()).total_seconds()), 0),
        path=_path(settings),
        secure=not settings.is_embedded,
        httponly=True,
        samesite="Lax",
    )


def find_passes(context: RequestContext, meeting_id: str) -> Mapping[str, str]:
    """Return the passes that the phone holds for this meeting and that are good, as evaluation takes them, by owner."""
    seal, meeting, found = context.app.settings.seal, UUID(meeting_id), dict[str, str]()
    for text in _held(context, meeting).values():
        try:
            until, (named, member_id) = seal.read_lasting_link(PASSES, text)
        except (BrokenSeal, ValueError):
            continue
        if named == meeting and clock.now() < until:
            found[str(member_id)] = text
    return found


def forget_passes(context: RequestContext, response: Response, meeting_id: str) -> None:
    """Let this phone hold no pass for the room of this meeting."""
    settings = context.app.settings
    for name in _held(context, UUID(meeting_id)):
        is_secure = not settings.is_embedded
        response.delete_cookie(name, path=_path(settings), secure=is_secure, httponly=True, samesite="Lax")


def _held(context: RequestContext, meeting_id: UUID) -> Mapping[str, str]:
    """The cookies of the phone that may be passes for this meeting."""
    name = _name(context.app.settings, meeting_id)
    return {each: text for each, text in context.request.cookies.items() if each.startswith(name)}


def _name(settings: Settings, meeting_id: UUID) -> str:
    prefix = "" if settings.is_embedded else "__Secure-"
    return f"{prefix}pass-{meeting_id.hex}"


def _path(settings: Settings) -> str:
    """Where the cookie goes: to rooms, and nowhere else."""
    return f"{urlsplit(settings.public_url).path}/r"
