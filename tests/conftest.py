"""What all tests share: green threads before all else, and real servers for those that ask."""

import eventlet

eventlet.monkey_patch()  # before any import that takes a lock or a socket; nameko's containers hang without

from collections.abc import Iterator  # noqa: E402

import pytest  # noqa: E402

from tests import servers as private  # noqa: E402


@pytest.fixture(scope="session")
def servers() -> Iterator[private.Servers]:
    """A real RabbitMQ and a real PostgreSQL, started for the first test that asks and kept for the others."""
    _need_servers()
    with private.started() as running:
        yield running


@pytest.fixture
def fresh(servers: private.Servers) -> Iterator[private.Fresh]:
    """An empty virtual host, and a migrated database for each store, on the real servers; removed after the test."""
    made = servers.fresh()
    yield made
    made.discard()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked ``real`` where servers are missing; fail it where they are compulsory."""
    if item.get_closest_marker("real"):
        _need_servers()


def _need_servers() -> None:
    if words := private.why_skipped():
        if private.is_compulsory():
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
