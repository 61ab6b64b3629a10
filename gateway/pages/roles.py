"""What roles are called, and in which order they are offered."""

from collections.abc import Mapping

from pratique.events.membership import Locale, Role
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


def role_name(role: str, locale: Locale) -> str:
    """Return what a role is called; its own word where this version does not know it."""
    return sentences(locale)(_NAMES[role]) if role in _NAMES else role
