"""Who did what, for whoever administers the network: the records of all services and of the gateway as one list."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from chassis import clock
from chassis.actor import person_of
from chassis.storage import audit
from gateway.pages.frame import framed
from gateway.pages.visits import visitor_route
from gateway.routes import Ask, RequestContext
from pratique.errors import Forbidden, Invalid
from pratique.permissions import Permission
from pratique.request import Request
from pratique.requests.evaluation import ListEvaluationAudit
from pratique.requests.fields import AuditQuery
from pratique.requests.meetings import ListMeetingsAudit
from pratique.requests.membership import ListMembershipAudit
from pratique.requests.notifications import ListNotificationsAudit
from words.catalogue import N_, sentences

SHOWN = 50  #: records on a page
SINCE = timedelta(days=732)  #: as long as records are kept

_ASKED: tuple[type[Request], ...] = (ListMeetingsAudit, ListEvaluationAudit, ListNotificationsAudit)
#: What records are about, by how their actions begin; in the order in which they are offered.
_TOPICS: Mapping[str, str] = {
    "role.": N_("Roles"),
    "membership.": N_("Memberships"),
    "member.": N_("Addresses of people"),
    "meeting.": N_("Meetings"),
    "attendance.": N_("Attendance"),
    "room": N_("Rooms of surveys"),
    "community_set.": N_("Sets of communities"),
    "token.": N_("Tokens"),
    "sessions.": N_("Sessions of people"),
    "integrator.": N_("Programs that listen"),
    "letter.": N_("Messages between services that failed"),
}


def show_audit(context: RequestContext) -> Response:
    """Show who did what, the newest first: with filters, and page by page.

    Raises:
        Forbidden: the person does not administer the network.
        Invalid: the place in the list is none.
    """
    if not context.actor.may(Permission.AUDIT_READ, []):
        raise Forbidden("Who did what is read by whoever administers the network.")
    args, now, _ = context.request.args, clock.now(), sentences(context.locale)
    topic = args.get("topic", "") if args.get("topic", "") in _TOPICS else ""
    who, before = args.get("who", "").strip()[:100], _instant(args.get("before", ""), now)
    records, names = _records(context, before, who, topic)
    shown = _whole_instants(records)
    rows = [{**each, "who": names.get(each["actor"], each["actor"])} for each in shown]
    following = rows[-1]["at"].isoformat() if len(records) > len(rows) else ""
    topics = [(key, _(label)) for key, label in _TOPICS.items()]
    values: dict[str, Any] = {"rows": rows, "following": following, "who": who, "topic": topic, "topics": topics}
    return framed(context, "audit", _("Who did what"), is_later="before" in args, **values)


def _records(
    context: RequestContext, before: datetime, who: str, topic: str
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The latest records of each store before an instant, newest first, and what people among the actors are called.

    Of each store there is one record more than a page shows. Membership is asked last, for it knows the names.
    """
    query = AuditQuery(since=clock.now() - SINCE, before=before, actor=who, action=topic, limit=SHOWN + 1)
    told = [each for rows in context.call_all(*[Ask(kind, **query.payload()) for kind in _ASKED]) for each in rows]
    with context.app.store.begin(is_reading=True) as session:
        own = audit.find_records(session, query)
    actors = {id for each in [*told, *own] if (id := person_of(each["actor"]))}
    of_people = context.call(ListMembershipAudit, **query.payload(), names_of=sorted(map(str, actors)))
    told = [{**each, "at": datetime.fromisoformat(each["at"])} for each in [*told, *of_people["records"]]]
    names = {f"member {each['member_id']}": each["label"] for each in of_people["labels"]}
    return sorted([*told, *own], key=lambda each: each["at"], reverse=True), names


def _whole_instants(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records of a page: what happened in one instant stands on one page, so that the next begins before it."""
    if len(records) <= SHOWN:
        return list(records)
    last = records[SHOWN - 1]["at"]
    return [each for each in records if each["at"] >= last]


def _instant(text: str, now: datetime) -> datetime:
    """The place in the list; at its beginning, what happens in this instant belongs to it."""
    if not text:
        return now + timedelta(seconds=1)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = now.replace(tzinfo=None)
    if at.tzinfo is None:
        raise Invalid("This is no place in the list; begin anew.", {"/before": "no instant"})
    return at


ROUTES = (visitor_route("GET", "/admin/audit", "Show who did what", show_audit),)
