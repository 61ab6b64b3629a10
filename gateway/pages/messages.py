"""What was sent to a person, or not, and why: when, what, and about which meeting."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from chassis import clock
from gateway.pages.frame import framed
from gateway.pages.visits import visitor_route
from gateway.reading import read_page
from gateway.routes import Ask, RequestContext
from pratique.events.notifications import DropReason, MessageState, Template
from pratique.requests.meetings import ListAgenda
from pratique.requests.notifications import ListMessages
from words.catalogue import N_, sentences

SHOWN = 30  #: messages on a page
SINCE, UNTIL = timedelta(days=400), timedelta(days=400)  #: within which a meeting is named

#: What each mail says. Those about surveys are in no list: they would tell who had not answered.
_SUBJECTS: Mapping[str, str] = {
    Template.MEETING_INVITATION: N_("Invitation to a meeting"),
    Template.MEETING_CHANGED: N_("Change of a meeting"),
    Template.MEETING_CANCELLED: N_("Cancellation of a meeting"),
    Template.MEETING_LEFT_OPEN: N_("Reminder to close a meeting"),
    Template.ADDRESS_CHANGED: N_("Confirmation that your address was changed"),
    Template.RESULTS_RELEASED: N_("Results of a survey"),
    Template.RESULTS_WITHHELD: N_("News that a survey ended without results"),
}
_STATES: Mapping[str, str] = {
    MessageState.QUEUED: N_("To be sent on %(when)s"),
    MessageState.SENDING: N_("Being sent now"),
    MessageState.SENT: N_("Sent on %(when)s"),
    MessageState.FAILED: N_(
        "Not delivered: your mail server refused it, or did not answer for days. Ask whoever coordinates your "
        "community to check your address."
    ),
}
_REASONS: Mapping[str, str] = {
    DropReason.EXPIRED: N_("Not sent: by then it would have come too late to be of use."),
    DropReason.CANCELLED: N_("Not sent: the meeting was cancelled before."),
    DropReason.REVOKED: N_("Not sent: by then it no longer concerned you."),
    DropReason.SUPERSEDED: N_("Not sent: another email had just told you the same."),
}


def show_messages(context: RequestContext) -> Response:
    """Show what was, is or was not to be sent to the person who asks, the newest first."""
    member_id, now = str(context.person.member_id), clock.now()
    listed, agenda = context.call_all(
        Ask(ListMessages, member_id=member_id, **{"limit": SHOWN, **read_page(context.request)}),
        Ask(
            ListAgenda,
            community_ids=list(context.person.community_ids),
            since=(now - SINCE).isoformat(),
            until=(now + UNTIL).isoformat(),
            member_id=member_id,
            limit=500,
            is_latest_first=True,
        ),
    )
    meetings = {each["meeting_id"]: each for each in agenda}
    messages = [_told(context, each, meetings) for each in listed["rows"]]
    title = sentences(context.locale)(N_("What was sent to you"))
    return framed(context, "messages", title, messages=messages, after=listed["after"])


def _told(context: RequestContext, message: Mapping[str, Any], meetings: Mapping[str, Any]) -> dict[str, Any]:
    """What a message was, and what became of it, in words."""
    _ = sentences(context.locale)
    if message["state"] == MessageState.DROPPED:
        outcome = _REASONS.get(message["drop_reason"], N_("Not sent."))
    else:
        outcome = _STATES.get(message["state"], "")
    return {
        "subject": _(_SUBJECTS.get(message["template"], N_("A message"))),
        "meeting": meetings.get(message["meeting_id"]),
        "outcome": outcome,
        "at": message["settled_at"] or message["due_at"],
        "is_failed": message["state"] == MessageState.FAILED,
    }


ROUTES = (visitor_route("GET", "/messages", "Show a person what was sent to them, or not, and why", show_messages),)
