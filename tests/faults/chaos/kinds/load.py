"""More than usual at once."""

import random
from collections.abc import Iterator

from tests.faults.chaos.registry import fault
from tests.faults.chaos.system import System


@fault("a burst of ten times the load", lasts_s=(2, 5))
def burst(system: System, chance: random.Random) -> Iterator[str]:
    """Meetings come ten times as fast as before."""
    usual = system.driver.rate
    system.driver.rate = usual * 10
    yield f"{usual * 10:g} a second"
    system.driver.rate = usual
