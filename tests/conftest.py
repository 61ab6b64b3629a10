"""What all tests share: green threads before all else, and real servers for those that ask."""

import eventlet

from tests.browser import IS_ALONE

if not IS_ALONE:  # Playwright hangs with them
    eventlet.monkey_patch()  # before any import that takes a lock or a socket; nameko's containers hang without

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

import chassis.runtime.tables  # noqa: F401  (completes CHASSIS_TABLES)
from chassis.settings import embedded
from chassis.storage.store import Store
from chassis.storage.types import CHASSIS_TABLES
from chassis.testing import open_at
from tests import servers as private
from tests.harness.migrations import migrate_all, open_empty

hypothesis.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("busy")  # how fast the machine is says nothing about the code


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Logging as before afterwards; the command line sets it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


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


@pytest.fixture(scope="session")
def scratch_url(servers: private.Servers) -> str:
    """An empty database on the real PostgreSQL, which each test that uses it empties again."""
    return servers.fresh(is_migrated=False).store_urls["meetings"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database for ``open_empty``: once of SQLite, once of PostgreSQL."""
    is_real = request.param == "postgresql"
    return str(request.getfixturevalue("scratch_url")) if is_real else f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture
def either(empty_url: str) -> Iterator[Store]:
    """A store with the kernel's tables and nothing in them: once SQLite's, once PostgreSQL's."""
    with open_empty("meetings", empty_url) as opened:
        CHASSIS_TABLES.create_all(opened.engine)
        yield opened


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The embedded mode's folder, with every store migrated."""
    migrate_all(embedded(tmp_path, tmp_path))
    return tmp_path


@pytest.fixture
def evaluation(data: Path) -> Iterator[Store]:
    """The store of evaluation in that folder."""
    opened = open_at("evaluation", f"sqlite:///{data / 'evaluation'}.sqlite")
    yield opened
    opened.close()
