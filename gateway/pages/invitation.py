"""The page of an invitation: a person says by their own link whether they come, and their phone gets its pass."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Response

from chassis import clock
from chassis.actor import Actor, acting
from chassis.http.problems import kind_of
from chassis.sealing import BrokenSeal
from gateway.pages import survey
from gateway.pages.invitation_texts import INVITATION_TEXTS
from gateway.pages.render import message_of, page
from gateway.passes import give_pass
from gateway.reading import read_locale
from gateway.routes import Media, RequestContext, Route
from pratique.errors import Conflict, DomainError, Forbidden, Gone, Invalid, NotFound
from pratique.events.meetings import MeetingState, Partstat
from pratique.requests.meetings import INVITATION_LINK, GetStanding, RegisterMember
from pratique.requests.notifications import ReadInvitation

#: What one can answer here.
CHOICES = (Partstat.ACCEPTED, Partstat.DECLINED)


def show_invitation(context: RequestContext) -> Response:
    """Show which meeting it is and what was answered. Answers nothing: mail scanners follow links too."""
    return _show(context, *_read_link(context), status=200)


def answer_invitation(context: RequestContext) -> Response:
    """Take a person's word on coming, and show it."""
    meeting_id, member_id, until = _read_link(context)
    said = context.request.form.get("partstat", "")
    if said not in CHOICES:
        return _show(context, meeting_id, member_id, until, status=422)
    with acting(_actor(member_id)):
        try:
            context.call(RegisterMember, meeting_id=str(meeting_id), member_id=str(member_id), partstat=said)
        except Conflict:
            return _show(
                context, meeting_id, member_id, until, status=409
            )  # it is over meanwhile, and the page says so
    response = Response(status=303, headers={"Location": f"?lang={read_locale(context.request)}"})
    response.headers["Cache-Control"] = "no-store"
    return response


def refuse(context: RequestContext, error: DomainError) -> Response:
    """The page that tells this error to a person."""
    locale = read_locale(context.request)
    text = INVITATION_TEXTS[locale]
    if isinstance(
        error, NotFound | Invalid | Forbidden
    ):  # no link of ours, or a person who belongs to none of its communities
        return message_of(text["unknown_title"], text["unknown"], locale, 404)
    if isinstance(error, Gone):
        return message_of(text["expired_title"], text["expired"], locale, kind_of(error).status)
    return survey.refuse(context, error)


def _read_link(context: RequestContext) -> tuple[UUID, UUID, datetime]:
    """The meeting, the person, and until when the link opens.

    Raises:
        NotFound: this is no link of ours.
        Gone: it opens no more.
    """
    try:
        seal = context.app.settings.seal
        until, (meeting_id, member_id) = seal.read_lasting_link(INVITATION_LINK, context.path["token"])
    except (BrokenSeal, ValueError) as error:
        raise NotFound("This link leads to no invitation.") from error
    if until <= clock.now():
        raise Gone("This invitation is over.")
    return meeting_id, member_id, until


def _actor(member_id: UUID) -> Actor:
    """Whose link it is: they may read their own invitation and answer it, and nothing else."""
    return Actor(f"member {member_id}", member_id=member_id)


def _show(context: RequestContext, meeting_id: UUID, member_id: UUID, until: datetime, *, status: int) -> Response:
    whose = {"meeting_id": str(meeting_id), "member_id": str(member_id)}
    asked = {"locale": read_locale(context.request)} if "lang" in context.request.args else {}
    with acting(_actor(member_id)):
        standing: dict[str, Any] = context.call(GetStanding, **whose)
        told: dict[str, Any] = context.call(ReadInvitation, **whose, **asked)
    text = INVITATION_TEXTS[told["locale"]]
    chosen = context.request.args.get("answer", "")
    shown = {
        "title": f"{told['kind'][:1].upper()}{told['kind'][1:]} {told['of_communities']}",
        "say": text,
        "told": told,
        "sentence": _sentence(standing, text),
        "may_answer": _may_answer(standing),
        "is_running": _is_running(standing),
        "said": standing["partstat"],
        "chosen": chosen if chosen in CHOICES and chosen != standing["partstat"] else "",
        "is_missing": status == 422,
    }
    response = page("invitation", told["locale"], status, **shown)
    give_pass(context, response, meeting_id, member_id, until)
    return response


def _may_answer(standing: Mapping[str, Any]) -> bool:
    is_over = standing["state"] in (MeetingState.CLOSED, MeetingState.CANCELLED)
    return not is_over and (_is_running(standing) or clock.now() < datetime.fromisoformat(standing["ends_at"]))


def _is_running(standing: Mapping[str, Any]) -> bool:
    return standing["state"] in (MeetingState.IN_PROGRESS, MeetingState.WRAP_UP)


def _sentence(standing: Mapping[str, Any], text: Mapping[str, str]) -> str:
    """How the meeting stands, in a sentence; empty while there is nothing to say but what is asked."""
    if standing["state"] in (MeetingState.CLOSED, MeetingState.CANCELLED):
        return text[standing["state"]]
    if not _may_answer(standing):
        return text["past"]
    return text["begun"] if _is_running(standing) else ""


ROUTES = tuple(
    Route(
        method,
        "/i/<token>",
        summary,
        act=act,
        operation=act.__name__,
        status=status,
        media=Media.HTML,
        refuse=refuse,
    )
    for method, summary, act, status in (
        ("GET", "Show an invitation to whoever has its link", show_invitation, 200),
        ("POST", "Say whether one comes", answer_invitation, 303),
    )
)
