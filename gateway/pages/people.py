"""A person in a community: adding them, what they are trusted with and until when, and the end of their membership."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID, uuid4

from marshmallow.validate import Length
from werkzeug.wrappers import Response

from gateway.pages.community import known_community
from gateway.pages.forms import LANGUAGES, Form, id_in
from gateway.pages.frame import framed, led_to
from gateway.pages.roles import LABELS as ROLE_LABELS
from gateway.pages.roles import RoleToGive, givable, in_words, refuse, role_name, with_hours
from gateway.pages.roles import confirm_end as confirm_end_of_role
from gateway.pages.visits import visitor_route
from gateway.routes import RequestContext
from pratique.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionRequired, QuotaSpent, Stale
from pratique.events.membership import Capacity, CommunityKind, EndReason, Locale, Role
from pratique.fields import Doc
from pratique.permissions import Permission
from pratique.requests.membership import (
    NAME_AT_MOST,
    AddPerson,
    EndMembership,
    EndRole,
    GetPersonInCommunity,
    ListOrganizations,
    MemberQuery,
    PutNetworkRole,
    PutRole,
)
from words.catalogue import N_, sentences
from words.order import in_order

_ORGANIZATIONS = 500  #: offered while one types


class Part(StrEnum):
    """How a person takes part in a community."""

    INDIVIDUAL = "individual"
    REPRESENTATIVE = "representative"
    STAFF = "staff"


class Scope(StrEnum):
    """Over what a role is given on these pages."""

    COMMUNITY = "community"
    NETWORK = "network"


class NewPerson(MemberQuery):
    """A person to be added to a community."""

    part: Annotated[Part, Doc("How they take part.")]
    name: Annotated[str, Length(0, NAME_AT_MOST), Doc("Their name, where they are not known yet.")] = ""
    locale: Annotated[Locale, Doc("Language that they are written to in.")] = Locale.FR
    organization: Annotated[str, Length(0, NAME_AT_MOST), Doc("Whom they represent.")] = ""
    role: Annotated[Role | None, Doc("What they are trusted with.")] = None


class NewRole(RoleToGive):
    """A role to be given to a person of a community."""

    scope: Annotated[Scope, Doc("Over what.")] = Scope.COMMUNITY


_PARTS: Mapping[str, str] = {
    Part.INDIVIDUAL: N_("Belongs to it in their own name"),
    Part.REPRESENTATIVE: N_("Belongs to it for an organization"),
    Part.STAFF: N_("Works for it without belonging to it, and needs a role"),
}
_REASONS: Mapping[str, str] = {
    EndReason.LEFT: N_("They left"),
    EndReason.REMOVED: N_("They were removed"),
    EndReason.OTHER: N_("Another reason"),
}
_LABELS: Mapping[str, str] = {
    **ROLE_LABELS,
    "part": N_("How they take part"),
    "organization": N_("Organization"),
    "scope": N_("Over what"),
}


def ask_person(context: RequestContext) -> Response:
    """Ask who is to be added to a community."""
    community = _coordinated(context)
    known = {"part": Part.INDIVIDUAL, "locale": community["locale"]}
    return _adding(context, Form.of(NewPerson, known, context.locale), str(uuid4()))


def add_person(context: RequestContext) -> Response:
    """Add a person: whoever has the address, or else somebody new. Sent twice, it adds them once."""
    community, community_id = _coordinated(context), context.path["community_id"]
    form = Form.sent(NewPerson, context.request.form, context.locale)
    new_id = id_in(form.value("new_id"))
    said = form.read()
    if said is not None and _is_whole(context, form, said, community):
        _ = sentences(context.locale)
        try:
            added = context.call(AddPerson, community_id=community_id, member_id=new_id, **_asked(said))
        except (Invalid, QuotaSpent) as error:
            form.refuse(error)
            if isinstance(error, Invalid) and "/name" in error.fields and not said.get("name"):
                form.errors["name"] = _("We know nobody with this address: write their name.")
        except (PreconditionRequired, Stale):  # the form was sent before, with other words: that person is another
            form.general = _("This form was used already. Open it anew, and type it again.")
        except Conflict:  # somebody took the address in this instant
            form.errors["email"] = _("Somebody has just been recorded with it; send again.")
        else:
            told = "added" if added["is_new"] else "known"
            return led_to(f"/communities/{community_id}/people/{added['member_id']}?told={told}", context)
    return _adding(context, form, new_id, 422)


def show_person(context: RequestContext) -> Response:
    """Show a person in a community: what they are trusted with, and what can be given and ended."""
    _coordinated(context)
    form = Form.of(NewRole, {"scope": Scope.COMMUNITY}, context.locale, context.person.timezone)
    try:
        return _showing(context, form)
    except NotFound:
        if context.request.args.get("told") != "taken":
            raise
        path = f"/communities/{context.path['community_id']}?told=taken"
        return led_to(path, context)  # the role was all that held them here


def give_role(context: RequestContext) -> Response:
    """Trust a person with a role, from a day on and until a day, if any are said. Saying it twice gives it once."""
    community = _coordinated(context)
    zone, path = community["timezone"], context.path
    form = Form.sent(NewRole, with_hours(context.request.form), context.locale, zone)
    said = form.read()
    if said is not None:
        over_network = said.pop("scope", Scope.COMMUNITY) == Scope.NETWORK
        try:
            if over_network:
                context.call(PutNetworkRole, member_id=path["member_id"], **said)
            else:
                context.call(PutRole, community_id=path["community_id"], member_id=path["member_id"], **said)
        except Invalid as error:
            refuse(form, error)
        else:
            return _back(context, "given")
    return _showing(context, form, 422)


def ask_end_of_role(context: RequestContext) -> Response:
    """Say what follows from the end of a role in a community, before it is ended."""
    community, found, role = _coordinated(context), _found(context), context.path["role"]
    if not any(each["role"] == role and each["community_id"] for each in found["assignments"]):
        raise NotFound("They do not have this role here, or no more.")
    path = f"/communities/{community['community_id']}/people/{found['member_id']}"
    return confirm_end_of_role(context, found, role, community["name"], path)


def end_role(context: RequestContext) -> Response:
    """End a person's role in a community; ending it twice is harmless.

    Raises:
        NotFound: there is no such role.
    """
    path = context.path
    if path["role"] not in tuple(Role):
        raise NotFound("There is no such role.")
    context.call(EndRole, community_id=path["community_id"], member_id=path["member_id"], role=path["role"])
    if path["member_id"] == str(context.person.member_id):
        context.app.visitors.forget(context.person.member_id)
        return led_to("/home", context)
    return _back(context, "taken")


def confirm_end(context: RequestContext) -> Response:
    """Say what follows from the end of a membership, before it is ended."""
    _coordinated(context)
    _, found = sentences(context.locale), _found(context)
    title = _("End the membership of %(name)s", name=found["name"])
    reasons = [(key, _(label)) for key, label in _REASONS.items()]
    shown: dict[str, Any] = {
        "community": known_community(context, context.path["community_id"]),
        "found": found,
        "roles": [role_name(each["role"], context.locale) for each in found["assignments"] if each["community_id"]],
        "reasons": reasons,
    }
    return framed(context, "membership_end", title, **shown)


def end_membership(context: RequestContext) -> Response:
    """End a membership. What the person attended stays, and they may join again."""
    reason = context.request.form.get("reason", EndReason.LEFT)
    if reason not in tuple(EndReason):
        raise Invalid("Say why the membership ends.", {"/reason": "unknown"})
    path, whose = context.path, {name: context.path[name] for name in ("community_id", "member_id")}
    if "roles" in context.request.form:
        here = [each["role"] for each in _found(context)["assignments"] if each["community_id"]]
        for role in here:  # before the membership, so that sending it again ends what is left
            context.call(EndRole, **whose, role=role)
    context.call(EndMembership, **whose, reason=reason)
    return led_to(f"/communities/{path['community_id']}?told=ended", context)


def _coordinated(context: RequestContext) -> Mapping[str, Any]:
    """Return the community of the path, for whoever coordinates it.

    Raises:
        Forbidden: they do not, be it there or not.
    """
    if not context.actor.may(Permission.MEMBERSHIP_WRITE, [UUID(context.path["community_id"])]):
        raise Forbidden("People are added, and trusted with roles, by whoever coordinates the community.")
    return known_community(context, context.path["community_id"])


def _is_whole(context: RequestContext, form: Form, said: Mapping[str, Any], community: Mapping[str, Any]) -> bool:
    """Return whether nothing is missing that follows from how they take part; the form says what is."""
    _ = sentences(context.locale)
    if said["part"] == Part.STAFF and not said.get("role"):
        form.errors["role"] = _("Choose what they are trusted with: somebody who does not belong to it needs a role.")
    if said["part"] == Part.REPRESENTATIVE:
        if community["kind"] == CommunityKind.INDIVIDUALS:
            form.errors["part"] = _("In this community everybody takes part in their own name.")
        elif not said.get("organization"):
            form.errors["organization"] = _("Write the organization that they represent.")
    if said.get("role") and Role(said["role"]) not in _givable(context):
        form.errors["role"] = _("You cannot give this role yourself.")
    return not form.errors


def _asked(said: Mapping[str, Any]) -> dict[str, Any]:
    """What membership is asked for by what was typed."""
    capacities = {Part.INDIVIDUAL: Capacity.INDIVIDUAL, Part.REPRESENTATIVE: Capacity.REPRESENTATIVE}
    kept = {name: said[name] for name in ("email", "name", "locale", "organization", "role") if name in said}
    return {**kept, "capacity": capacities.get(said["part"])}


def _givable(context: RequestContext, scope: Scope = Scope.COMMUNITY) -> list[Role]:
    """The roles that give no more than the person has there themselves."""
    return givable(context.actor, [UUID(context.path["community_id"])] if scope is Scope.COMMUNITY else [])


def _found(context: RequestContext) -> Mapping[str, Any]:
    path = context.path
    found: Mapping[str, Any] = context.call(
        GetPersonInCommunity, community_id=path["community_id"], member_id=path["member_id"]
    )
    return found


def _showing(context: RequestContext, form: Form, status: int = 200) -> Response:
    found, community = _found(context), known_community(context, context.path["community_id"])
    here, networkwide = _givable(context), _givable(context, Scope.NETWORK)
    sets = {each["set_id"]: each["name"] for each in found["sets"]}
    roles = [_role(context, each, here, networkwide, sets) for each in found["assignments"]]
    offered = [*here, *(each for each in networkwide if each not in here)]
    shown = {
        "found": found,
        "community": community,
        "roles": roles,
        "form": form,
        "labels": _labels(context),
        "offered": in_words(offered, context.locale),
        "may_network": bool(networkwide),
        "told": context.request.args.get("told", ""),
        "is_error": form.is_wrong,
    }
    return framed(context, "person", str(found["name"]), status, **shown)


def _role(
    context: RequestContext,
    assignment: Mapping[str, Any],
    here: list[Role],
    networkwide: list[Role],
    sets: Mapping[str, str],
) -> dict[str, Any]:
    """A role as the page shows it: over what it is, and whether the person who asks may end it here."""
    is_network = assignment["community_id"] is None and assignment["set_id"] is None
    may_end = assignment["role"] in (networkwide if is_network else here)
    return {
        **assignment,
        "name": role_name(assignment["role"], context.locale),
        "scope": Scope.NETWORK if is_network else Scope.COMMUNITY,
        "can_end": may_end and assignment["set_id"] is None,
        "set_name": sets.get(assignment["set_id"], ""),
    }


def _adding(context: RequestContext, form: Form, new_id: str, status: int = 200) -> Response:
    _, community = sentences(context.locale), known_community(context, context.path["community_id"])
    parts = [
        (key, _(label))
        for key, label in _PARTS.items()
        if key != Part.REPRESENTATIVE or community["kind"] != CommunityKind.INDIVIDUALS
    ]
    rows = context.call(ListOrganizations, limit=_ORGANIZATIONS)["rows"] if len(parts) == len(_PARTS) else []
    shown = {
        "community": community,
        "form": form,
        "labels": _labels(context),
        "parts": parts,
        "languages": LANGUAGES,
        "organizations": in_order([str(row["name"]) for row in rows], str)[:200],
        "offered": in_words(_givable(context), context.locale),
        "new_id": new_id,
        "is_error": form.is_wrong,
    }
    return framed(context, "person_form", _("Add a person"), status, **shown)


def _labels(context: RequestContext) -> dict[str, str]:
    _ = sentences(context.locale)
    return {name: _(label) for name, label in _LABELS.items()}


def _back(context: RequestContext, told: str) -> Response:
    path = context.path
    return led_to(f"/communities/{path['community_id']}/people/{path['member_id']}?told={told}", context)


_PEOPLE = "/communities/<uuid:community_id>/people"
_PERSON = f"{_PEOPLE}/<uuid:member_id>"
ROUTES = (
    visitor_route("GET", f"{_PEOPLE}/new", "Ask who is to be added to a community", ask_person),
    visitor_route("POST", f"{_PEOPLE}/new", "Add a person to a community", add_person, status=303),
    visitor_route("GET", _PERSON, "Show a person in a community", show_person),
    visitor_route("POST", f"{_PERSON}/roles", "Trust a person with a role", give_role, status=303),
    visitor_route("GET", f"{_PERSON}/roles/<role>/end", "Say what follows from the end of a role", ask_end_of_role),
    visitor_route("POST", f"{_PERSON}/roles/<role>/end", "End a person's role", end_role, status=303),
    visitor_route("GET", f"{_PERSON}/end", "Say what follows from the end of a membership", confirm_end),
    visitor_route("POST", f"{_PERSON}/end", "End a membership", end_membership, status=303),
)
