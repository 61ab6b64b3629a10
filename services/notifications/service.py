"""Binds notifications to the bus; the only file here that knows nameko."""

from chassis.runtime.bus import Bus, serves
from services.notifications import delivery
from services.notifications.queries import QUERIES
from services.notifications.reactions import DUE, REACTIONS

SENDERS = 2  #: side by side, each with a connection of its own: while one waits for the mail server, the other writes


@serves(QUERIES)
class Notifications:
    """Writes to people. Its senders run in a loop of their own, so that a slow mail server delays nothing else."""

    name = "notifications"
    bus = Bus(REACTIONS, DUE, loops={"mail": [delivery.loop] * SENDERS})
