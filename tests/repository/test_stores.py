"""The migrations of each service, and of the gateway, make exactly the tables that its models name."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, inspect

import chassis.runtime.tables
from chassis import settings
from chassis.storage.migrate import VERSION_TABLES, is_current, migrate
from chassis.storage.store import Store
from chassis.storage.types import CHASSIS_TABLES
from operations import composition
from tests.harness.migrations import open_empty


def test_the_tables_of_the_chassis_are_all_known() -> None:
    assert chassis.runtime.tables.bindings.BINDING.name in CHASSIS_TABLES.tables


@pytest.fixture(params=settings.STORES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(service: str, empty_url: str) -> Iterator[Store]:
    with open_empty(service, empty_url) as made:
        yield made


def differences(opened: Store, service: str) -> list[Any]:
    metadata: MetaData = composition.metadata_of(service)
    ours = {"include_name": lambda name, kind, _: kind != "table" or name not in VERSION_TABLES}
    with opened.begin() as session:
        context = MigrationContext.configure(session.connection(), opts=ours)
        return list(compare_metadata(context, [metadata, CHASSIS_TABLES]))  # type: ignore[arg-type]  # as alembic documents it


def schema(opened: Store) -> dict[str, Any]:
    catalogue = inspect(opened.engine)
    return {table: catalogue.get_columns(table) for table in catalogue.get_table_names()}


def test_migrations_make_what_the_models_say(opened: Store, service: str) -> None:
    migrate(opened, composition.migrations_of(service))

    assert differences(opened, service) == []
    assert is_current(opened, composition.migrations_of(service))


def test_migrating_twice_changes_nothing(opened: Store, service: str) -> None:
    migrate(opened, composition.migrations_of(service))
    before = str(schema(opened))

    migrate(opened, composition.migrations_of(service))

    assert str(schema(opened)) == before


def test_an_empty_store_is_seen_to_differ(opened: Store, service: str) -> None:
    """So that the comparison above cannot pass by comparing nothing."""
    added = {table.name for kind, table in differences(opened, service) if kind == "add_table"}

    assert {"outbox", "inbox"} < added
