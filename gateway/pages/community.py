"""A community: its file with purpose, meetings and people, and the forms by which it is founded and changed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from werkzeug.wrappers import Response

from chassis import clock
from gateway.pages.forms import LANGUAGES, Form, id_in
from gateway.pages.frame import framed, led_to
from gateway.pages.roles import role_name
from gateway.pages.visits import visitor_route
from gateway.reading import read_page
from gateway.routes import Ask, RequestContext
from pratique.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionRequired, Stale
from pratique.events.meetings import MeetingState
from pratique.events.membership import CommunityKind, Locale
from pratique.permissions import Permission
from pratique.requests.meetings import ListAgenda
from pratique.requests.membership import CommunityBody, GetCommunity, ListRoster, PutCommunity
from words.catalogue import N_, Sentences, sentences

SHOWN = 50  #: people on a page
SEARCHED_PAST = 15  #: people, beyond which one can search
UNTIL = timedelta(days=400)  #: of the meetings to come
MEETINGS = 5  #: to come, that are shown

_KINDS: Mapping[str, str] = {
    CommunityKind.OPEN: N_("Open: whoever is eligible, for an organization or in their own name"),
    CommunityKind.COHORT: N_("Cohort: people chosen for a fixed program"),
    CommunityKind.INDIVIDUALS: N_("Individuals: everybody in their own name"),
}
_LABELS: Mapping[str, str] = {
    "name": N_("Name"),
    "purpose": N_("Why it meets"),
    "kind": N_("Who meets"),
    "locale": N_("Language of its emails"),
    "timezone": N_("Time zone"),
}
#: Offered while one types; any other of IANA's names can be typed.
ZONES = (
    "America/Toronto",
    "America/Halifax",
    "America/St_Johns",
    "America/Winnipeg",
    "America/Regina",
    "America/Edmonton",
    "America/Vancouver",
    "America/Whitehorse",
    "Europe/Paris",
    "Europe/Brussels",
    "Africa/Dakar",
    "UTC",
)


def show_community(context: RequestContext) -> Response:
    """Show a community to whoever may see its people: why it meets, what is planned, who belongs to it."""
    id, now, args = context.path["community_id"], clock.now(), context.request.args
    search = args.get("search", "").strip()[:200]
    asked = {"community_ids": [id], "search": search, **{"limit": SHOWN, **read_page(context.request)}}
    roster, agenda = context.call_all(
        Ask(ListRoster, **asked),
        Ask(
            ListAgenda,
            community_ids=[id],
            since=now.isoformat(),
            until=(now + UNTIL).isoformat(),
            limit=MEETINGS + 20,
        ),
    )
    community, _ = known_community(context, id), sentences(context.locale)
    people = [_person(context, each) for each in roster["rows"]]
    is_part = bool(search or args.get("after") or roster["after"])
    shown = {
        "community": community,
        "kind": _(_KINDS[community["kind"]]),
        "language": dict(LANGUAGES)[Locale(community["locale"])],
        "meetings": [each for each in agenda if each["state"] != MeetingState.CANCELLED][:MEETINGS],
        "people": people,
        "search": search,
        "can_search": is_part or len(people) > SEARCHED_PAST,
        "is_later": bool(args.get("after")),
        "after": roster["after"],
        "may_write": context.actor.may(Permission.MEMBERSHIP_WRITE, [UUID(id)]),
        "told": args.get("told", ""),
    }
    return framed(context, "community", str(community["name"]), **shown)


def found_community(context: RequestContext) -> Response:
    """Ask what a new community is called and why it meets.

    Raises:
        Forbidden: the person coordinates a part of the network alone.
    """
    _check_may_found(context)
    person = context.person
    known = {"kind": CommunityKind.OPEN, "locale": person.locale, "timezone": person.timezone}
    form = Form.of(CommunityBody, known, context.locale)
    return _founding(context, form, str(uuid4()))


def put_new_community(context: RequestContext) -> Response:
    """Found a community; a form that is sent twice founds one."""
    _check_may_found(context)
    form = Form.sent(CommunityBody, context.request.form, context.locale)
    community_id = id_in(form.value("community_id"))
    if (said := form.read()) is not None:
        try:
            context.call(PutCommunity, community_id=community_id, **said)
        except Invalid as error:
            form.refuse(error)
        except (PreconditionRequired, Stale):  # sent once more from an older page, with other words
            return led_to(f"/communities/{community_id}/edit", context)
        else:
            context.app.communities.forget()
            return led_to(f"/communities/{community_id}?told=founded", context)
    return _founding(context, form, community_id, 422)


def edit_community(context: RequestContext) -> Response:
    """Show what is known of a community, to be changed."""
    community = _readable(context)
    form = Form.of(CommunityBody, community, context.locale)
    return _editing(context, form, community)


def put_community(context: RequestContext) -> Response:
    """Change a community; what somebody else changed meanwhile is told, and nothing that was typed is lost."""
    id = context.path["community_id"]
    form = Form.sent(CommunityBody, context.request.form, context.locale)
    version = form.value("version")
    community: Mapping[str, Any] | None = None
    changed: list[tuple[str, str]] = []
    if (said := form.read()) is not None:
        try:
            context.call(PutCommunity, community_id=id, **said, **_if_version(version))
        except Invalid as error:
            form.refuse(error)
        except Conflict:
            words = N_("Representatives of organizations belong to it; let them belong in their own name first.")
            form.errors["kind"] = sentences(context.locale)(words)
        except (PreconditionRequired, Stale):
            community = _readable(context)
            changed = _differing(sentences(context.locale), community, said)
        else:
            context.app.communities.forget()
            return led_to(f"/communities/{id}?told=changed", context)
    status = 409 if changed else 422
    kept = community or {**_readable(context), "version": version}
    return _editing(context, form, kept, status, changed)


def known_community(context: RequestContext, id: str) -> Mapping[str, Any]:
    """Return a community by its id, from what all pages know of all of them.

    Raises:
        NotFound: there is none.
    """
    found = context.app.communities.of([id])
    if id not in found:
        raise NotFound(f"There is no community {id}.")
    return found[id]


def _person(context: RequestContext, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "roles": [role_name(each, context.locale) for each in row["roles"]]}


def _check_may_found(context: RequestContext) -> None:
    if context.actor.communities_for(Permission.MEMBERSHIP_WRITE) is not None:
        raise Forbidden("Communities are founded by whoever coordinates the whole network.")


def _readable(context: RequestContext) -> Mapping[str, Any]:
    id = context.path["community_id"]
    if not context.actor.may(Permission.MEMBERSHIP_WRITE, [UUID(id)]):
        raise Forbidden("A community is changed by whoever coordinates it.")
    found: Mapping[str, Any] = context.call(GetCommunity, community_id=id)
    return found


def _if_version(text: str) -> dict[str, int]:
    return {"if_version": int(text)} if text.isascii() and text.isdigit() and len(text) < 10 else {}


def _differing(_: Sentences, now: Mapping[str, Any], said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is kept by now, where it differs from what was typed: the field's name and the value."""
    told = {**now, "kind": _(_KINDS[now["kind"]]), "locale": dict(LANGUAGES)[Locale(now["locale"])]}
    return [(_(label), told[name]) for name, label in _LABELS.items() if now[name] != said[name]]


def _founding(context: RequestContext, form: Form, community_id: str, status: int = 200) -> Response:
    title = sentences(context.locale)(N_("Create a community"))
    return _form(context, title, form, status, action="/communities/new", community_id=community_id, is_new=True)


def _editing(
    context: RequestContext,
    form: Form,
    community: Mapping[str, Any],
    status: int = 200,
    changed: list[tuple[str, str]] | None = None,
) -> Response:
    _, id = sentences(context.locale), context.path["community_id"]
    title = _("Change %(name)s", name=community["name"])
    hidden = {"community_id": id, "version": community["version"], "changed": changed or []}
    return _form(context, title, form, status, action=f"/communities/{id}/edit", is_new=False, **hidden)


def _form(context: RequestContext, title: str, form: Form, status: int, **values: Any) -> Response:
    _ = sentences(context.locale)
    shown = {
        "form": form,
        "labels": {name: _(label) for name, label in _LABELS.items()},
        "kinds": [(key, _(label)) for key, label in _KINDS.items()],
        "languages": LANGUAGES,
        "zones": ZONES,
        "is_error": form.is_wrong,
        **values,
    }
    return framed(context, "community_form", title, status, **{"version": "", "changed": [], **shown})


_FILE = "/communities/<uuid:community_id>"
ROUTES = (
    visitor_route("GET", "/communities/new", "Ask what a new community is to be", found_community),
    visitor_route("POST", "/communities/new", "Create a community", put_new_community, status=303),
    visitor_route("GET", _FILE, "Show a community and its people", show_community),
    visitor_route("GET", f"{_FILE}/edit", "Show a community to be changed", edit_community),
    visitor_route("POST", f"{_FILE}/edit", "Change a community", put_community, status=303),
)
