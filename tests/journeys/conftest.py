"""Each journey is lived three times: on the embedded bus, on real servers, and with every event twice and shuffled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique import clock
from tests.journeys.life import AT, Life, on_real_servers, on_the_embedded_bus, shuffled

WAYS = ["embedded", pytest.param("real", marks=pytest.mark.real), "shuffled-1", "shuffled-2", "shuffled-3"]


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
            with shuffled(tmp_path, int(request.param[-1])) as lived:
                yield lived
