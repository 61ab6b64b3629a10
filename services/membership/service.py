"""Binds membership to the bus."""

from chassis.runtime.bus import Bus, serves
from services.membership.commands import COMMANDS
from services.membership.queries import QUERIES
from services.membership.reactions import DUE, REACTIONS


@serves(COMMANDS, QUERIES)
class Membership:
    """Who belongs to which community, for whom, and what they are trusted with."""

    name = "membership"
    bus = Bus(REACTIONS, DUE)
