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
from gateway.pages.render import message, page
from gateway.passes import give_pass
from gateway.reading import read_locale
from gateway.routes import Ask, Media, RequestContext, Route
from pratique.errors import Conflict, DomainError, Forbidden, Gone, Invalid, NotFound
from pratique.events.meetings import MeetingState, Partstat
from pratique.events.membership import Locale
from pratique.requests.meetings import INVITATION_LINK, GetStanding, RegisterMember
from pratique.requests.notifications import ReadInvitation
from words.catalogue import N_, sentences

#: What one can answer here.
CHOICES = (Partstat.ACCEPTED, Partstat.DECLINED)
#: What was answered, in words.
_SAID: Mapping[str, str] = {
    Partstat.ACCEPTED: N_("You answered that you will come."),
    Partstat.DECLINED: N_("You answered that you cannot come."),
    Partstat.TENTATIVE: N_("You answered that you may come."),
}
#: States in which nothing is answered any more, in words.
_OVER: Mapping[str, str] = {
    MeetingState.CLOSED: N_("This meeting is over. If you are asked for your view, it will be by email."),
    MeetingState.CANCELLED: N_("This meeting is cancelled; it will not be held."),
}


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
    if isinstance(
        error, NotFound | Invalid | Forbidden
    ):  # no link of ours, or a person who belongs to none of its communities
        return message("invitation_unknown", locale, 404)
    if isinstance(error, Gone):
        return message("invitation_expired", locale, kind_of(error).status)
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
        standing, told = context.call_all(Ask(GetStanding, **whose), Ask(ReadInvitation, **whose, **asked))
    _, said = sentences(Locale(told["locale"])), standing["partstat"]
    chosen = context.request.args.get("answer", "")
    shown = {
        "title": f"{told['kind'][:1].upper()}{told['kind'][1:]} {told['of_communities']}",
        "told": told,
        "sentence": _(words) if (words := _sentence(standing)) else "",
        "may_answer": _may_answer(standing),
        "is_running": _is_running(standing),
        "said": said,
        "answer": _(_SAID[said]) if said else "",
        "chosen": chosen if chosen in CHOICES and chosen != said else "",
        "is_missing": status == 422,
    }
    response = page("invitation", told["locale"], status, **shown)
    give_pass(context, response, meeting_id, member_id, until)
    return response


def _may_answer(standing: Mapping[str, Any]) -> bool:
    return standing["state"] not in _OVER and (
        _is_running(standing) or clock.now() < datetime.fromisoformat(standing["ends_at"])
    )


def _is_running(standing: Mapping[str, Any]) -> bool:
    return standing["state"] in (MeetingState.IN_PROGRESS, MeetingState.WRAP_UP)


def _sentence(standing: Mapping[str, Any]) -> str:
    """How the meeting stands, in a sentence; empty while there is nothing to say but what is asked."""
    if over := _OVER.get(standing["state"]):
        return over
    if not _may_answer(standing):
        return N_("The time of this meeting has passed; there is nothing left to answer.")
    return N_("The meeting has begun.") if _is_running(standing) else ""


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
