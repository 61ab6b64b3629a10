"""Binding of meetings to the bus: its RPC methods, reactions and loops."""

from chassis.rpc.methods import serves
from chassis.runtime.container import ServiceRuntime
from services.meetings.commands import COMMANDS
from services.meetings.queries import QUERIES
from services.meetings.reactions import DUE, REACTIONS


@serves(COMMANDS, QUERIES)
class Meetings:
    """When communities meet, and who was there."""

    name = "meetings"
    runtime = ServiceRuntime(REACTIONS, DUE)
