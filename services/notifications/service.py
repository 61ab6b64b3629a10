"""Binding of notifications to the bus: its RPC methods, reactions and loops."""

from chassis.rpc.methods import serves
from chassis.runtime.container import ServiceRuntime
from services.notifications import delivery
from services.notifications.commands import COMMANDS, MAIL_LOOP
from services.notifications.queries import QUERIES
from services.notifications.reactions import DUE, REACTIONS

SENDERS = 2  #: side by side, each with a connection of its own: while one waits for the mail server, the other writes


@serves(COMMANDS, QUERIES)
class Notifications:
    """Writes to people. Its senders run in a loop of their own, so that a slow mail server delays nothing else."""

    name = "notifications"
    runtime = ServiceRuntime(REACTIONS, DUE, loops={MAIL_LOOP: [delivery.loop] * SENDERS})
