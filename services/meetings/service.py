"""Binds meetings to the bus."""

from chassis.runtime.bus import Bus, serves
from services.meetings.commands import COMMANDS
from services.meetings.queries import QUERIES
from services.meetings.reactions import DUE, REACTIONS


@serves(COMMANDS, QUERIES)
class Meetings:
    """When communities meet, and who was there."""

    name = "meetings"
    bus = Bus(REACTIONS, DUE)
