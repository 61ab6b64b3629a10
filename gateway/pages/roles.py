"""What roles are called, and in which order they are offered."""

from gateway.pages.texts import TEXTS
from pratique.events.membership import Locale, Role

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


def role_name(role: str, locale: Locale) -> str:
    """Return what a role is called; its own word where this version does not know it."""
    return TEXTS[locale].get(f"role_{role}", role)
