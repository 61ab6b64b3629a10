"""Sets of communities: naming one, saying which communities it has, and who has a role over it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from werkzeug.wrappers import Response

from gateway.pages.community import if_version
from gateway.pages.forms import Form, id_in
from gateway.pages.frame import framed, led_to
from gateway.pages.holders import given, path_of, place_of, roles_over
from gateway.pages.visits import visitor_route
from gateway.reading import read_page
from gateway.routes import RequestContext
from pratique.errors import Forbidden, Invalid, PreconditionRequired, Stale
from pratique.permissions import Permission
from pratique.requests.membership import GetCommunitySet, ListCommunitySets, PutCommunitySet
from pratique.requests.roles import CommunitySetBody
from words.catalogue import N_, sentences
from words.order import in_order

OFFERED = 500  #: communities and sets to choose from on a page
_LABELS: Mapping[str, str] = {"name": N_("Name"), "community_ids": N_("Communities")}


def show_sets(context: RequestContext) -> Response:
    """Show the sets of communities that the person may read, and what they are for."""
    _check_may_name(context)
    page = context.call(ListCommunitySets, **read_page(context.request))
    sets = in_order(page["rows"], lambda each: str(each["name"]))
    return framed(context, "sets", sentences(context.locale)(N_("Sets of communities")), sets=sets, after=page["after"])


def show_set(context: RequestContext) -> Response:
    """Show a set: its communities, and who is trusted with what over all of them."""
    return _show(context)


def give_set_role(context: RequestContext) -> Response:
    """Trust a person with a role over the set; saying it twice gives it once."""
    form, new_id = given(context)
    return _show(context, form, new_id) if form else led_to(f"{path_of(context)}?told=given", context)


def ask_set(context: RequestContext) -> Response:
    """Ask what a new set is called and which communities it has."""
    _check_may_name(context)
    return _ask(context, Form.of(CommunitySetBody, {}, context.locale), str(uuid4()))


def put_new_set(context: RequestContext) -> Response:
    """Record a set; a form that is sent twice records one."""
    _check_may_name(context)
    form = Form.sent(CommunitySetBody, context.request.form, context.locale)
    return _put(context, form, id_in(form.value("set_id")), {"community_ids": [], "version": None})


def edit_set(context: RequestContext) -> Response:
    """Show a set, to be changed."""
    found = _found(context)
    return _ask(context, Form.of(CommunitySetBody, found, context.locale), found["set_id"], found)


def put_set(context: RequestContext) -> Response:
    """Change a set; what somebody else changed meanwhile is told, and nothing that was typed is lost."""
    form = Form.sent(CommunitySetBody, context.request.form, context.locale)
    return _put(context, form, context.path["set_id"], _found(context))


def _found(context: RequestContext) -> Mapping[str, Any]:
    """The set, for whoever may change it; who may read it alone is refused."""
    found: Mapping[str, Any] = context.call(GetCommunitySet, **context.path)
    if not _may_change(context, UUID(found["set_id"]), found["community_ids"]):
        raise Forbidden("Sets of communities are changed by whoever coordinates those communities.")
    return found


def _may_change(context: RequestContext, set_id: UUID, community_ids: Sequence[str]) -> bool:
    over = [UUID(each) for each in community_ids]
    actor, needed = context.actor, Permission.ROLES_WRITE
    return actor.may_over_set(needed, set_id) or actor.may(needed, over)


def _put(context: RequestContext, form: Form, set_id: str, found: Mapping[str, Any]) -> Response:
    """Record what the form says, and keep those of the set's communities that it did not offer."""
    _, offered = sentences(context.locale), {id for id, _name in _communities(context)}
    said = form.read(community_ids=[id for id in form.typed.get("community_ids", []) if id in offered])
    version, status = form.value("version"), 422
    if said is not None:
        said["community_ids"] += [each for each in found["community_ids"] if each not in offered]
        try:
            context.call(PutCommunitySet, set_id=set_id, **said, **if_version(version))
        except Invalid as error:
            form.refuse(error)
        except Forbidden:
            form.errors["community_ids"] = _("Choose at least one of your communities.")
        except (PreconditionRequired, Stale):
            status, found = 409, context.call(GetCommunitySet, set_id=set_id)
        else:
            context.app.visitors.forget(context.person.member_id)
            return led_to(f"/sets/{set_id}?told=saved", context)
    return _ask(context, form, set_id, found, status)


def _ask(
    context: RequestContext, form: Form, set_id: str, found: Mapping[str, Any] | None = None, status: int = 200
) -> Response:
    _ = sentences(context.locale)
    is_new = found is None or found["version"] is None
    known, communities = context.app.communities, _communities(context)
    kept = [each["name"] for each in known.of((found or {}).get("community_ids", [])).values()]
    shown = {
        "form": form,
        "labels": {name: _(label) for name, label in _LABELS.items()},
        "communities": communities,
        "action": "/sets/new" if is_new else f"/sets/{set_id}/edit",
        "back": "/sets" if is_new else f"/sets/{set_id}",
        "set_id": set_id,
        "version": found["version"] if found and not is_new else "",
        "changed": [(_("Name"), found["name"]), (_("Communities"), ", ".join(kept))] if found and status == 409 else [],
        "is_error": form.is_wrong or status == 409,
    }
    title = _("Make a set of communities") if is_new else _("Change %(name)s", name=found["name"] if found else "")
    return framed(context, "set_form", title, status, **shown)


def _communities(context: RequestContext) -> list[tuple[str, str]]:
    """The communities that the person may let a set have, by id and name, sorted."""
    theirs, known = context.actor.communities_for(Permission.ROLES_WRITE), context.app.communities
    found = known.all() if theirs is None else known.of(map(str, theirs))
    return [(each["community_id"], each["name"]) for each in in_order(found.values(), lambda each: str(each["name"]))][
        :OFFERED
    ]


def _show(context: RequestContext, form: Form | None = None, new_id: str = "") -> Response:
    place = place_of(context)
    row = place.set_row or {}
    communities = context.app.communities.of(row["community_ids"]).values()
    actor, set_id = context.actor, UUID(row["set_id"])
    shown = {
        "communities": in_order(communities, lambda each: str(each["name"])),
        "may_found": actor.may_over_set(Permission.MEMBERSHIP_WRITE, set_id),
        "may_change": _may_change(context, set_id, row["community_ids"]),
        **roles_over(context, place, form, new_id),
    }
    return framed(context, "set", place.name, 422 if form else 200, **shown)


def _check_may_name(context: RequestContext) -> None:
    if not context.actor.may_somewhere(Permission.ROLES_WRITE):
        raise Forbidden("Sets of communities are named by whoever coordinates those communities.")


ROUTES = (
    visitor_route("GET", "/sets", "Show the sets of communities", show_sets),
    visitor_route("GET", "/sets/new", "Ask what a new set of communities is to be", ask_set),
    visitor_route("POST", "/sets/new", "Record a set of communities", put_new_set, status=303, max_body=65_536),
    visitor_route("GET", "/sets/<uuid:set_id>", "Show a set and who has a role over it", show_set),
    visitor_route("GET", "/sets/<uuid:set_id>/edit", "Show a set to be changed", edit_set),
    visitor_route("POST", "/sets/<uuid:set_id>/edit", "Change a set", put_set, status=303, max_body=65_536),
    visitor_route("POST", "/sets/<uuid:set_id>/roles", "Give a role over a set", give_set_role, status=303),
)
