"""Roles on pages: what they are called, which of them somebody may give, and the form by which one is given."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any
from uuid import UUID

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from chassis.actor import Actor
from gateway.pages.forms import Form
from gateway.pages.frame import framed
from gateway.routes import RequestContext
from pratique.errors import Invalid
from pratique.events.membership import Locale, Role
from pratique.fields import Doc
from pratique.permissions import ROLE_PERMISSIONS, Permission
from pratique.requests.roles import RoleBody
from words.catalogue import N_, sentences

#: From the most usual in a community to those of the network.
OFFERED = (
    Role.FACILITATOR,
    Role.NOTE_TAKER,
    Role.COORDINATOR,
    Role.RESOURCE_PERSON,
    Role.ORG_CONTACT,
    Role.EVALUATOR,
    Role.NETWORK_ADMIN,
)
_NAMES: Mapping[str, str] = {
    Role.NETWORK_ADMIN: N_("Network administrator"),
    Role.COORDINATOR: N_("Coordinator"),
    Role.FACILITATOR: N_("Facilitator"),
    Role.NOTE_TAKER: N_("Note taker"),
    Role.EVALUATOR: N_("Evaluator"),
    Role.RESOURCE_PERSON: N_("Resource person"),
    Role.ORG_CONTACT: N_("Contact of an organization"),
}
LABELS: Mapping[str, str] = {
    "email": N_("Email address"),
    "name": N_("Name"),
    "locale": N_("Language"),
    "role": N_("Role"),
    "begins_at": N_("First day"),
    "ends_at": N_("Last day"),
}


class RoleToGive(RoleBody):
    """A role to be given."""

    role: Annotated[Role, Doc("What with.")]


def role_name(role: str, locale: Locale) -> str:
    """Return what a role is called; its own word where this version does not know it."""
    return sentences(locale)(_NAMES[role]) if role in _NAMES else role


def givable(actor: Actor, community_ids: Collection[UUID], set_id: UUID | None = None) -> list[Role]:
    """Return the roles that give no more than the actor has there; over no community and no set: over the network."""
    is_network = not community_ids and set_id is None

    def may(permission: Permission) -> bool:
        return actor.may(permission, community_ids) or (set_id is not None and actor.may_over_set(permission, set_id))

    roles = [each for each in OFFERED if is_network or each is not Role.NETWORK_ADMIN]
    return [each for each in roles if may(Permission.ROLES_WRITE) and all(map(may, ROLE_PERMISSIONS[each]))]


def in_words(roles: Collection[Role], locale: Locale) -> list[tuple[str, str]]:
    """Return roles as a form offers them."""
    return [(each.value, role_name(each, locale)) for each in roles]


def with_hours(sent: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the form with the hours that its days mean: a role begins with its first day and ends with its last."""
    form = sent.copy()
    for name, hour in (("begins_at", "00:00"), ("ends_at", "23:59")):
        if form.get(f"{name}.day"):
            form[f"{name}.hour"] = hour
    return form


def refuse(form: Form, error: Invalid) -> None:
    """Keep what membership found wrong with a role; of its days in words for whoever chose days and no hours."""
    form.refuse(error)
    if "ends_at" in form.errors:
        form.errors["ends_at"] = sentences(form.locale)(
            N_("Choose a last day that is to come, and not before the first one.")
        )


def confirm_end(context: RequestContext, who: Mapping[str, Any], role: str, over: str, back: str) -> Response:
    """Say what follows from the end of a role over something, before it is ended by the form on the page."""
    _ = sentences(context.locale)
    title = _("End the role of %(name)s", name=who["name"])
    shown: dict[str, Any] = {"role": role_name(role, context.locale), "over": over, "back": back}
    is_own = str(who["member_id"]) == str(context.person.member_id)
    leads = role in (Role.FACILITATOR, Role.NOTE_TAKER, Role.COORDINATOR)
    return framed(context, "role_end", title, action=context.request.path, is_own=is_own, leads=leads, **shown)
