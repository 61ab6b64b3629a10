"""One network for all adversaries of a run, put back to its beginning for each survey."""

from collections.abc import Iterator

import pytest

from tests.adversary.network import Network
from tests.adversary.surveys import Simulator


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.close()


@pytest.fixture(scope="session")
def simulator(network: Network) -> Simulator:
    return Simulator(network)
