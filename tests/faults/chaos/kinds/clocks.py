"""The clock of every process jumps."""

import random
from collections.abc import Iterator
from datetime import timedelta

from tests.faults.chaos.registry import CannotBe, fault
from tests.faults.chaos.system import System

_DAY, _BACK = timedelta(days=1), timedelta(hours=-1)


@fault("clock forward a day")
def forward(system: System, chance: random.Random) -> Iterator[str]:
    """What was to be tried later is tried at once; mails that are being sent are taken for interrupted."""
    if not system.may_move(_DAY):
        raise CannotBe("a second day would be that of reminders")
    system.move_clock(_DAY)
    system.allow_copies_by_clock()
    yield "a day"


@fault("clock back an hour")
def back(system: System, chance: random.Random) -> Iterator[str]:
    """What is planned waits an hour longer; nothing that happened happens again."""
    system.move_clock(_BACK)
    yield "an hour"
