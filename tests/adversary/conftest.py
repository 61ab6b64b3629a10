"""One network for all adversaries of a run, put back to its beginning for each survey."""

from collections.abc import Iterator
from uuid import UUID

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


@pytest.fixture
def there(simulator: Simulator) -> list[UUID]:
    """Return who comes to the meeting."""
    return [each.id for each in simulator.people[:8]]
