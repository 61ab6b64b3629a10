"""Roles over a set of communities and over the whole network: who has which, giving them, and ending them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

from marshmallow.validate import Length
from werkzeug.wrappers import Response

from gateway.pages.forms import LANGUAGES, Form, id_in
from gateway.pages.frame import framed, led_to
from gateway.pages.roles import LABELS, RoleToGive, confirm_end, givable, in_words, refuse, role_name, with_hours
from gateway.pages.visits import visitor_route
from gateway.routes import RequestContext
from pratique.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionRequired, Stale
from pratique.events.membership import Locale, Role
from pratique.fields import Doc
from pratique.permissions import Permission
from pratique.requests.membership import (
    NAME_AT_MOST,
    EndNetworkRole,
    EndSetRole,
    GetRoleHolders,
    MemberQuery,
    TrustPerson,
)
from words.catalogue import N_, sentences

SHOWN = 50  #: roles on a page


class NewHolder(RoleToGive, MemberQuery):
    """A role to be given to whoever has an address."""

    name: Annotated[str, Length(0, NAME_AT_MOST), Doc("Their name, where they are not known yet.")] = ""
    locale: Annotated[Locale, Doc("Language that they are written to in.")] = Locale.FR


@dataclass(frozen=True)
class Place:
    """What roles are over, on a page: a set of communities or the network, with those who have them."""

    path: str
    name: str
    set_row: Mapping[str, Any] | None  #: as membership answers it; None: the whole network
    holders: Sequence[Mapping[str, Any]]

    @property
    def set_id(self) -> UUID | None:
        """Return the set's id; None for the network."""
        return UUID(self.set_row["set_id"]) if self.set_row else None

    @property
    def community_ids(self) -> list[UUID]:
        """Return the communities of the set; none for the network."""
        return [UUID(each) for each in self.set_row["community_ids"]] if self.set_row else []


def place_of(context: RequestContext) -> Place:
    """Return the set of the path, or the network where the path names none, with who has a role there. One question.

    Raises:
        Forbidden: the person coordinates less than that.
    """
    set_id = context.path.get("set_id")
    found = context.call(GetRoleHolders, **({"set_id": set_id} if set_id else {}))
    row = found["of_set"]
    name = row["name"] if row else sentences(context.locale)(N_("The whole network"))
    place = Place(path_of(context), name, row, found["holders"])
    actor, needed = context.actor, Permission.MEMBERSHIP_WRITE
    is_over_set = place.set_id is not None and actor.may_over_set(needed, place.set_id)
    if not is_over_set and not actor.may(needed, place.community_ids):
        raise Forbidden("Roles there are given by whoever coordinates all of it.")
    return place


def path_of(context: RequestContext) -> str:
    """Return the path of the page about the roles over the set of the path, or over the network."""
    return f"/sets/{context.path['set_id']}" if "set_id" in context.path else "/network/roles"


def roles_over(context: RequestContext, place: Place, form: Form | None = None, new_id: str = "") -> dict[str, Any]:
    """Return what the part of a page about the roles over a place shows."""
    may_end, asked = givable(context.actor, place.community_ids, place.set_id), context.request.args.get("after", "")
    first = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
    form = form or Form.of(NewHolder, {"locale": context.locale}, context.locale, context.person.timezone)
    return {
        "place": place,
        "holders": [
            {**each, "role_name": role_name(each["role"], context.locale), "can_end": each["role"] in may_end}
            for each in place.holders[first : first + SHOWN]
        ],
        "after": first + SHOWN if first + SHOWN < len(place.holders) else None,
        "form": form,
        "labels": {name: sentences(context.locale)(label) for name, label in LABELS.items()},
        "offered": in_words(may_end, context.locale),
        "languages": LANGUAGES,
        "new_id": new_id or str(uuid4()),
        "told": context.request.args.get("told", ""),
        "is_error": form.is_wrong,
    }


def show_network_roles(context: RequestContext) -> Response:
    """Show who is trusted with what over the whole network, and a form to give a role."""
    return _of_network(context)


def give_network_role(context: RequestContext) -> Response:
    """Trust a person with a role over the whole network; saying it twice gives it once."""
    form, new_id = given(context)
    return _of_network(context, form, new_id) if form else led_to(f"{path_of(context)}?told=given", context)


def given(context: RequestContext) -> tuple[Form | None, str]:
    """Give the role that the form says; return the form if something is wrong with it, and the id for a new person."""
    form = Form.sent(NewHolder, with_hours(context.request.form), context.locale, context.person.timezone)
    new_id, said, _ = id_in(form.value("new_id")), form.read(), sentences(context.locale)
    if said is None:
        return form, new_id
    usual = {"locale": context.locale, "timezone": context.person.timezone, "member_id": new_id}
    over = {"set_id": context.path["set_id"]} if "set_id" in context.path else {}
    try:
        context.call(TrustPerson, **{**usual, **said, **over})
    except Invalid as error:
        refuse(form, error)
        if "/name" in error.fields and not said.get("name"):
            form.errors["name"] = _("We know nobody with this address: write their name.")
    except (PreconditionRequired, Stale):  # the form was sent before, with other words: that person is another
        form.general = _("This form was used already. Open it anew, and type it again.")
    except Conflict:  # somebody took the address in this instant
        form.errors["email"] = _("Somebody has just been recorded with it; send again.")
    return (form if form.is_wrong else None), new_id


def confirm_end_over(context: RequestContext) -> Response:
    """Say what follows from the end of a role over a set or over the network, before it is ended."""
    place, path = place_of(context), context.path
    named = (path["member_id"], path["role"])
    whose = next((each for each in place.holders if (each["member_id"], each["role"]) == named), None)
    if whose is None:
        raise NotFound("Nobody has this role there, or no more.")
    return confirm_end(context, whose, path["role"], place.name, place.path)


def end_over(context: RequestContext) -> Response:
    """End a role over a set or over the network; ending it twice is harmless."""
    path = context.path
    if path["role"] not in tuple(Role):
        raise NotFound("There is no such role.")
    over = {"set_id": path["set_id"]} if "set_id" in path else {}
    try:
        context.call(EndSetRole if over else EndNetworkRole, **over, member_id=path["member_id"], role=path["role"])
    except Conflict:
        return led_to(f"{path_of(context)}?told=last", context)
    if path["member_id"] == str(context.person.member_id):
        context.app.visitors.forget(context.person.member_id)
        return led_to("/home", context)
    return led_to(f"{path_of(context)}?told=taken", context)


def _of_network(context: RequestContext, form: Form | None = None, new_id: str = "") -> Response:
    title = sentences(context.locale)(N_("Roles over the whole network"))
    shown = roles_over(context, place_of(context), form, new_id)
    return framed(context, "network_roles", title, 422 if form else 200, **shown)


_END = "roles/<uuid:member_id>/<role>/end"
ROUTES = (
    visitor_route("GET", "/network/roles", "Show who has a role over the whole network", show_network_roles),
    visitor_route("POST", "/network/roles", "Give a role over the whole network", give_network_role, status=303),
    visitor_route("GET", f"/network/{_END}", "Say what follows from the end of a network role", confirm_end_over),
    visitor_route("POST", f"/network/{_END}", "End a role over the whole network", end_over, status=303),
    visitor_route(
        "GET", f"/sets/<uuid:set_id>/{_END}", "Say what follows from the end of a set role", confirm_end_over
    ),
    visitor_route("POST", f"/sets/<uuid:set_id>/{_END}", "End a role over a set of communities", end_over, status=303),
)
