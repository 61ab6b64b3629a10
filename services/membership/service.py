"""Binding of membership to the bus: its RPC methods, reactions and loops."""

from chassis.rpc.methods import serves
from chassis.runtime.container import ServiceRuntime
from services.membership.commands import COMMANDS
from services.membership.queries import QUERIES
from services.membership.reactions import DUE, REACTIONS


@serves(COMMANDS, QUERIES)
class Membership:
    """Who belongs to which community, for whom, and what they are trusted with."""

    name = "membership"
    runtime = ServiceRuntime(REACTIONS, DUE)
