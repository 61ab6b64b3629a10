"""A community: its file with purpose, meetings and people, and the forms by which it is founded and changed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

from werkzeug.wrappers import Response

from chassis import clock
from chassis.actor import Actor
from gateway.pages.forms import LANGUAGES, Form, id_in
from gateway.pages.frame import framed, led_to
from gateway.pages.roles import role_name
from gateway.pages.visits import visitor_route
from gateway.reading import read_page
from gateway.routes import Ask, RequestContext
from pratique.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionRequired, Stale
from pratique.events.meetings import MeetingState
from pratique.events.membership import CommunityKind, Locale
from pratique.fields import Doc
from pratique.permissions import Permission
from pratique.requests.meetings import ListAgenda
from pratique.requests.membership import (
    CommunityBody,
    FoundInSet,
    GetCommunity,
    ListCommunitySets,
    ListRoster,
    PutCommunity,
)
from words.catalogue import N_, Sentences, sentences
from words.order import in_order

SHOWN = 50  #: people on a page
SEARCHED_PAST = 15  #: people, beyond which one can search
UNTIL = timedelta(days=400)  #: of the meetings to come
MEETINGS = 5  #: to come, that are shown
SETS = 500  #: to choose from

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
    "set_id": N_("Set of communities"),
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


def may_found(actor: Actor) -> bool:
    """Return whether the actor may found communities: in the network, or in a set."""
    return actor.sets_for(Permission.MEMBERSHIP_WRITE) != frozenset()


def founding_sets(context: RequestContext) -> list[tuple[str, str]]:
    """Return the sets in which the person may found communities, by id and name, sorted."""
    rows = context.call(ListCommunitySets, limit=SETS)["rows"]
    needed = Permission.MEMBERSHIP_WRITE
    found = [each for each in rows if context.actor.may_over_set(needed, UUID(each["set_id"]))]
    return [(each["set_id"], each["name"]) for each in in_order(found, lambda each: str(each["name"]))]


class NewCommunity(CommunityBody):
    """A community to be founded, within a set or beside all of them."""

    set_id: Annotated[UUID | None, Doc("The set that is to have it.")] = None


def found_community(context: RequestContext) -> Response:
    """Ask what a new community is called and why it meets.

    Raises:
        Forbidden: the person coordinates neither the network nor a set of communities as a whole.
    """
    _check_may_found(context)
    person, asked = context.person, context.request.args.get("set")
    known = {"kind": CommunityKind.OPEN, "locale": person.locale, "timezone": person.timezone, "set_id": asked}
    form = Form.of(NewCommunity, known, context.locale)
    return _founding(context, form, str(uuid4()))


def put_new_community(context: RequestContext) -> Response:
    """Found a community; a form that is sent twice founds one."""
    _check_may_found(context)
    form = Form.sent(NewCommunity, context.request.form, context.locale)
    community_id = id_in(form.value("community_id"))
    said = form.read()
    if said is not None and not said.get("set_id") and not context.actor.may(Permission.MEMBERSHIP_WRITE, []):
        form.errors["set_id"] = sentences(context.locale)(N_("Choose the set that is to have it."))
    elif said is not None:
        set_id = said.pop("set_id", None)
        try:
            if set_id:
                context.call(FoundInSet, set_id=set_id, community_id=community_id, **said)
            else:
                context.call(PutCommunity, community_id=community_id, **said)
        except Invalid as error:
            form.refuse(error)
        except (PreconditionRequired, Stale):  # sent once more from an older page, with other words
            return led_to(f"/communities/{community_id}/edit", context)
        else:
            context.app.communities.forget()
            context.app.visitors.forget(context.person.member_id)
            # Another gateway may take some seconds to know that the new one is theirs too; the set is theirs already.
            return led_to(
                f"/sets/{set_id}?told=founded" if set_id else f"/communities/{community_id}?told=founded", context
            )
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
            context.call(PutCommunity, community_id=id, **said, **if_version(version))
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
    if not may_found(context.actor):
        raise Forbidden("Communities are founded by whoever coordinates the network, or a set of communities.")


def _readable(context: RequestContext) -> Mapping[str, Any]:
    id = context.path["community_id"]
    if not context.actor.may(Permission.MEMBERSHIP_WRITE, [UUID(id)]):
        raise Forbidden("A community is changed by whoever coordinates it.")
    found: Mapping[str, Any] = context.call(GetCommunity, community_id=id)
    return found


def if_version(text: str) -> dict[str, int]:
    """Return which version a form says that it changes; nothing where it says none."""
    return {"if_version": int(text)} if text.isascii() and text.isdigit() and len(text) < 10 else {}


def _differing(_: Sentences, now: Mapping[str, Any], said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is kept by now, where it differs from what was typed: the field's name and the value."""
    told = {**now, "kind": _(_KINDS[now["kind"]]), "locale": dict(LANGUAGES)[Locale(now["locale"])]}
    return [(_(label), told[name]) for name, label in _LABELS.items() if name in said and now[name] != said[name]]


def _founding(context: RequestContext, form: Form, community_id: str, status: int = 200) -> Response:
    _, sets = sentences(context.locale), founding_sets(context)
    is_of_network = context.actor.may(Permission.MEMBERSHIP_WRITE, [])
    hidden = {"community_id": community_id, "sets": sets, "without": _("None") if is_of_network else ""}
    return _form(context, _("Create a community"), form, status, action="/communities/new", is_new=True, **hidden)


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
    return framed(context, "community_form", title, status, **{"version": "", "changed": [], "sets": [], **shown})


_FILE = "/communities/<uuid:community_id>"
ROUTES = (
    visitor_route("GET", "/communities/new", "Ask what a new community is to be", found_community),
    visitor_route("POST", "/communities/new", "Create a community", put_new_community, status=303),
    visitor_route("GET", _FILE, "Show a community and its people", show_community),
    visitor_route("GET", f"{_FILE}/edit", "Show a community to be changed", edit_community),
    visitor_route("POST", f"{_FILE}/edit", "Change a community", put_community, status=303),
)
