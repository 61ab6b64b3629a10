"""Each journey is lived three times: on the embedded bus, on real servers, and with every event twice and shuffled.

``PRATIQUE_SHUFFLES=20`` lives it in as many other orders. A life costs seconds. Where tests only tell what happened,
their module lives its story once in ``one_life`` and keeps what is to be seen on the way.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chassis import clock
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
    with _begun(request, tmp_path) as begun:
        yield begun


@pytest.fixture(scope="module", params=WAYS)
def one_life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The same, but one for all tests of a module; ``life`` cannot be lived beside it."""
    with _begun(request, tmp_path_factory.mktemp("life")) as begun:
        yield begun


@contextmanager
def _begun(request: pytest.FixtureRequest, folder: Path) -> Iterator[Life]:
    with clock.fixed(AT):
        if request.param == "embedded":
            with on_the_embedded_bus(folder) as lived:
                yield lived
        elif request.param == "real":
            fresh = request.getfixturevalue("servers").fresh()
            try:
                with on_real_servers(fresh, folder) as lived:
                    yield lived
            finally:
                fresh.discard()
        else:
            with shuffled(folder, int(request.param.removeprefix("shuffled-"))) as lived:
                yield lived
