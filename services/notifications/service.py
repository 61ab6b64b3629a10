"""Binding of notifications to the bus: its RPC methods, reactions and loops."""

from chassis.rpc.methods import answer
from chassis.runtime.container import Bus
from services.notifications import delivery, queries, schemas
from services.notifications.commands import MAIL_LOOP
from services.notifications.reactions import DUE, REACTIONS

SENDERS = 2  #: side by side, each with a connection of its own: while one waits for the mail server, the other writes


class Notifications:
    """Writes to people. Its senders run in a loop of their own, so that a slow mail server delays nothing else."""

    name = "notifications"
    bus = Bus(REACTIONS, DUE, loops={MAIL_LOOP: [delivery.loop] * SENDERS})

    list_messages = answer(queries.list_messages, schemas.Message())
