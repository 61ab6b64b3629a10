"""Preparing a meeting: its day, place, themes and people; the mail that follows is shown before it is sent."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from gateway.directory import Community
from gateway.pages.forms import Form
from gateway.pages.frame import framed, navigation
from gateway.pages.meeting import KINDS, MODES, named, people_of, to
from gateway.pages.render import app_page
from gateway.pages.visits import visitor_route
from gateway.routes import Ask, RequestContext
from pratique.errors import Forbidden, Invalid, NotFound, QuotaSpent, Stale, Unavailable
from pratique.events.meetings import MeetingKind
from pratique.events.membership import Locale
from pratique.permissions import Permission
from pratique.requests.meetings import GetMeeting, MeetingBody, PutMeeting
from pratique.requests.membership import ListRoster
from pratique.requests.notifications import PreviewInvitation
from words.catalogue import N_, Sentences, sentences
from words.order import in_order, sort_key

ROSTER = 500  #: people to choose from
PEOPLE = ("facilitator_id", "note_taker_id")
#: What can be changed of a meeting that is scheduled, and what each is called.
CHANGEABLE: Mapping[str, str] = {
    "kind": N_("Kind of meeting"),
    "mode": N_("Where people meet"),
    "place": N_("Place"),
    "link": N_("Link to join online"),
    "themes": N_("Themes"),
    "facilitator_id": N_("Who leads it"),
    "note_taker_id": N_("Who takes notes"),
    "capacity": N_("How many can come"),
}
_EMPTY: Mapping[str, Any] = {"place": "", "link": "", "themes": [], **dict.fromkeys(("capacity", *PEOPLE))}
_WHEN: Mapping[str, str] = {"starts_at": N_("When it starts"), "ends_at": N_("When it ends")}
_HOURS = ("starts_at", "ends_at")


def show_new(context: RequestContext) -> Response:
    """Ask for a new meeting of the communities that the address names; without any, ask which."""
    ours = _plannable(context)
    chosen = [id for id in context.request.args.getlist("community") if id in ours]
    if not chosen and len(ours) == 1:
        chosen = list(ours)
    if not chosen:
        title = sentences(context.locale)("Schedule a meeting")
        return framed(context, "meeting_of", title, communities=ours)
    kind = MeetingKind.MEETING if len(chosen) == 1 else MeetingKind.CROSS_COMMUNITY
    zone = ours[chosen[0]]["timezone"]
    leads = {"facilitator_id": str(context.person.member_id)}
    form = Form.of(MeetingBody, {"kind": kind, "mode": "in_person", **leads}, context.locale, zone)
    return _ask(context, form, chosen, str(uuid4()))


def plan(context: RequestContext) -> Response:
    """Schedule a new meeting, or show the mail that would follow; the form stays as it was typed until it is taken."""
    sent, locale = context.request.form, _locale_of(context)
    ours = _plannable(context)
    chosen = [id for id in sent.getlist("community_ids") if id in ours]
    if not chosen:
        raise Forbidden("Meetings are scheduled by those who facilitate all of their communities.")
    meeting_id, zone = _id_of(sent.get("meeting_id", "")), ours[chosen[0]]["timezone"]
    form = Form.sent(MeetingBody, _on_one_day(sent), locale, zone)
    if "switch" in sent:
        return _ask(context, form, chosen, meeting_id, locale=locale)
    planned = form.read(community_ids=chosen, timezone=zone)
    if planned is None or not _ends_after_it_starts(form, planned):
        return _ask(context, form, chosen, meeting_id, status=422)
    if "preview" in sent:
        return _ask(context, form, chosen, meeting_id, planned=planned)
    try:
        context.call(PutMeeting, meeting_id=meeting_id, **planned)
    except (Invalid, QuotaSpent) as error:
        form.refuse(error)
        return _ask(context, form, chosen, meeting_id, status=422)
    return to(context, f"/meetings/{meeting_id}")


def show_plan(context: RequestContext) -> Response:
    """Show what is planned of a meeting, to be changed while it is scheduled."""
    meeting = context.call(GetMeeting, **context.path)
    if meeting["state"] != "scheduled":
        return to(context, f"/meetings/{meeting['meeting_id']}")
    form = Form.of(MeetingBody, meeting, context.locale, meeting["timezone"])
    return _ask_change(context, form, meeting)


def change_plan(context: RequestContext) -> Response:
    """Change what is planned. Where somebody else changed it meanwhile, both changes are shown, and neither is lost."""
    sent, locale = context.request.form, _locale_of(context)
    meeting = context.call(GetMeeting, **context.path)
    form = Form.sent(MeetingBody, sent, locale, meeting["timezone"])
    seen = _seen(sent.get("seen", ""))
    if "switch" in sent:
        return _ask_change(context, form, meeting, locale=locale, seen=seen)
    planned = form.read(**{name: meeting[name] for name in (*_HOURS, "timezone", "community_ids")})
    if planned is None:
        return _ask_change(context, form, meeting, seen=seen, status=422)
    if meeting["state"] != "scheduled":
        return to(context, f"/meetings/{meeting['meeting_id']}")
    if meeting["version"] != seen.get("version"):
        return _told(context, planned, seen, meeting)
    if "preview" in sent:
        return _ask_change(context, form, meeting, planned=planned)
    try:
        context.call(PutMeeting, **context.path, if_version=meeting["version"], **planned)
    except (Invalid, QuotaSpent) as error:
        form.refuse(error)
        return _ask_change(context, form, meeting, status=422)
    except Stale:
        return _told(context, planned, seen, context.call(GetMeeting, **context.path))
    return to(context, f"/meetings/{meeting['meeting_id']}")


def _told(
    context: RequestContext, typed: Mapping[str, Any], seen: Mapping[str, Any], now: Mapping[str, Any]
) -> Response:
    """Show the form with both changes: where both changed the same, what was typed here, and what stands there now."""
    typed = {**_EMPTY, **typed}
    changed = [name for name in CHANGEABLE if name in seen and seen[name] != now[name]]
    both = {name: now[name] if name in changed and typed[name] == seen[name] else typed[name] for name in CHANGEABLE}
    form = Form.of(MeetingBody, both, context.locale, now["timezone"])
    return _ask_change(context, form, now, status=409, changed=changed)


def _ask(
    context: RequestContext,
    form: Form,
    community_ids: list[str],
    meeting_id: str,
    planned: Mapping[str, Any] | None = None,
    locale: Locale | None = None,
    status: int = 200,
) -> Response:
    """The form of a new meeting."""
    known = context.app.communities.of(community_ids)
    kept = [("community_ids", id) for id in community_ids] + [("meeting_id", meeting_id)]
    shown = {"names": [each["name"] for each in known.values()], "kept": kept, "action": "/meetings/new"}
    return _page(context, form, community_ids, shown, planned, locale, status)


def _ask_change(
    context: RequestContext,
    form: Form,
    meeting: Mapping[str, Any],
    *,
    planned: Mapping[str, Any] | None = None,
    locale: Locale | None = None,
    seen: Mapping[str, Any] | None = None,
    changed: list[str] | None = None,
    status: int = 200,
) -> Response:
    """The form of a meeting that is scheduled; ``changed`` by somebody else since it was shown."""
    seen = seen or {name: meeting[name] for name in ("version", *CHANGEABLE)}
    shown = {
        "meeting": named(context, meeting),
        "names": named(context, meeting)["communities"],
        "kept": [("seen", json.dumps(seen, ensure_ascii=False))],
        "action": f"/meetings/{meeting['meeting_id']}/prepare",
        "changed": changed or [],
        "now": meeting,
    }
    return _page(context, form, meeting["community_ids"], shown, planned, locale, status)


def _page(
    context: RequestContext,
    form: Form,
    community_ids: list[str],
    shown: Mapping[str, Any],
    planned: Mapping[str, Any] | None,
    locale: Locale | None,
    status: int,
) -> Response:
    locale = locale or context.locale
    _ = sentences(locale)
    asked = [Ask(ListRoster, community_ids=community_ids, limit=ROSTER)]
    if planned is not None:
        away = (Unavailable, NotFound, Forbidden)  # the meeting can be scheduled all the same
        asked.append(Ask(PreviewInvitation, away, locale=locale, planned=planned))
    roster, *previews = context.call_all(*asked)
    people = _choices(context, form, roster["rows"], _)
    values: dict[str, Any] = {
        "meeting": None,
        "changed": [],
        "title": _("Schedule a meeting"),
        "labels": {name: _(words) for name, words in {**CHANGEABLE, **_WHEN}.items()},
        "kinds": [(kind.value, _(words)) for kind, words in KINDS.items()],
        "modes": [(mode.value, _(words).capitalize()) for mode, words in MODES.items()],
        "people": people,
        "names_of": dict(people),
        "preview": next(iter(previews), None),
        "is_previewed": planned is not None,
        **shown,
    }
    if values["meeting"]:
        values["title"] = _("Prepare the meeting")
    values |= {"nav": navigation(context), "form": form, "is_error": form.is_wrong}
    return app_page("prepare", locale, context.person, status, **values)


def _choices(context: RequestContext, form: Form, roster: list[Any], _: Sentences) -> list[tuple[str, str]]:
    """Who can lead or take notes: everyone on the roster, whoever asks, and whoever is named by now."""
    found = {
        each["member_id"]: f"{each['name']} ({each['organization']})" if each["organization"] else each["name"]
        for each in in_order(people_of(roster).values(), lambda each: str(each["name"]))
    }
    found.setdefault(str(context.person.member_id), context.person.name)
    for name in PEOPLE:
        if form.value(name):
            found.setdefault(form.value(name), _("a person from outside"))
    return list(found.items())


def _plannable(context: RequestContext) -> dict[str, Community]:
    """The communities for which this person may schedule, in the order of their names."""
    ids = context.actor.communities_for(Permission.MEETINGS_WRITE)
    directory = context.app.communities
    found = dict(directory.all()) if ids is None else directory.of(map(str, ids))
    if not found:
        raise Forbidden("Meetings are scheduled by those who facilitate a community.")
    return {id: found[id] for id in sorted(found, key=lambda id: sort_key(found[id]["name"]))}


def _locale_of(context: RequestContext) -> Locale:
    """The language of the answer: another where the person asks for it without sending the form off."""
    asked = context.request.form.get("switch", "")
    return Locale(asked) if asked in tuple(Locale) else context.locale


def _on_one_day(sent: MultiDict[str, str]) -> MultiDict[str, str]:
    """The form with the day for both hours."""
    both = MultiDict(sent)
    both["ends_at.day"] = sent.get("starts_at.day", "")
    return both


def _ends_after_it_starts(form: Form, planned: Mapping[str, Any]) -> bool:
    starts_at, ends_at = (datetime.fromisoformat(planned[name]) for name in _HOURS)
    if ends_at <= starts_at:
        form.errors["ends_at"] = sentences(form.locale)("The end must come after the start.")
    return ends_at > starts_at


def _id_of(typed: str) -> str:
    try:
        return str(UUID(typed))
    except ValueError:
        return str(uuid4())


def _seen(text: str) -> dict[str, Any]:
    """What was planned when the form was shown; nothing if it was not kept as it was."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


ROUTES = (
    visitor_route("GET", "/meetings/new", "Ask for a new meeting", show_new),
    visitor_route("POST", "/meetings/new", "Schedule a meeting", plan, max_body=131_072),
    visitor_route("GET", "/meetings/<uuid:meeting_id>/prepare", "Show what is planned of a meeting", show_plan),
    visitor_route(
        "POST", "/meetings/<uuid:meeting_id>/prepare", "Change what is planned", change_plan, max_body=131_072
    ),
)
