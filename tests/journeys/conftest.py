"""Fixtures of journeys: a network on the embedded bus, on real servers, and with every event twice and shuffled.

``PRATIQUE_SHUFFLES=20`` tries as many other orders. Each network costs seconds: where tests only look at what
happened, their module runs one scenario in ``shared_network`` and keeps what is to be seen on the way.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.network import Network
from tests.harness.pages import Visit, with_role
from tests.harness.people import Community
from tests.harness.runtimes import Shuffled, network_on
from tests.journeys.authority import World, three_communities

SHUFFLES = int(os.environ.get("PRATIQUE_SHUFFLES", "1"))
RUNTIMES = [
    "embedded",
    pytest.param("real", marks=pytest.mark.real),
    *(f"shuffled-{seed}" for seed in range(1, SHUFFLES + 1)),
]


@pytest.fixture(params=RUNTIMES)
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Network]:
    """A network in which nothing has happened yet, at a fixed instant."""
    with network_on(request.param, tmp_path, lambda: request.getfixturevalue("servers").fresh()) as begun:
        yield begun


@pytest.fixture(scope="module", params=RUNTIMES)
def shared_network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The same, but one for all tests of a module; ``network`` cannot be used beside it."""
    folder = tmp_path_factory.mktemp("network")
    with network_on(request.param, folder, lambda: request.getfixturevalue("servers").fresh()) as begun:
        yield begun


@pytest.fixture
def community(network: Network) -> Community:
    """A community of seven."""
    return network.create_community(members=7)


@pytest.fixture
def visit(network: Shuffled, community: Community) -> Visit:
    """The pages of an outside facilitator: a role in the community, and no membership."""
    return with_role(network, "facilitator", community, name="Zoé Émond")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three communities, for a module that tries in them who may do what."""
    with three_communities(tmp_path_factory.mktemp("network")) as made:
        yield made
