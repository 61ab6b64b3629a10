"""Each journey is lived three times: on the embedded bus, on real servers, and with every event twice and shuffled.

``PRATIQUE_SHUFFLES=20`` lives it in as many other orders.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique import clock
from tests.journeys.life import AT, Life, on_real_servers, on_the_embedded_bus, shuffled

SHUFFLES = int(os.environ.get("PRATIQUE_SHUFFLES", "1"))
WAYS = [
    "embedded",
    pytest.param("real", marks=pytest.mark.real),
    *(f"shuffled-{seed}" for seed in range(1, SHUFFLES + 1)),
]


@pytest.fixture(params=WAYS)
def life(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Life]:
    """A network in which nothing has happened yet, at a fixed instant."""
    with clock.fixed(AT):
        if request.param == "embedded":
            with on_the_embedded_bus(tmp_path) as lived:
                yield lived
        elif request.param == "real":
            with on_real_servers(request.getfixturevalue("fresh"), tmp_path) as lived:
                yield lived
        else:
            with shuffled(tmp_path, int(request.param.removeprefix("shuffled-"))) as lived:
                yield lived
