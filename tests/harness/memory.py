"""Stores on SQLite in memory, read past our code and put back to a remembered state within milliseconds."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chassis import clock
from chassis.settings import SERVICES
from chassis.storage.migrate import migrate
from chassis.storage.store import Store
from operations import composition

Remembered = Mapping[str, sqlite3.Connection]  #: a copy of each store


class InMemory:
    """The stores of a network, migrated, and what services bind to receive each other's events."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self.stores = stores
        self.reactions = {name: composition.reactions_of(name) for name in SERVICES}
        self.handlers = {name: composition.handlers_of(name) for name in SERVICES}
        self.bindings: dict[tuple[str, str], list[str]] = {}  #: (exchange, routing key) -> services
        for name, table in self.reactions.items():
            for each in table:
                self.bindings.setdefault((each.exchange(), each.routing_key), []).append(name)
        self.raw: dict[str, sqlite3.Connection] = {}
        for name, opened in stores.items():
            migrate(opened, composition.migrations_of(name))
            connection = opened.engine.raw_connection().driver_connection
            assert isinstance(connection, sqlite3.Connection)
            self.raw[name] = connection

    def remember(self) -> Remembered:
        """Return a copy of all stores; migrating takes a second, copying what was migrated none."""
        copies = {name: sqlite3.connect(":memory:") for name in self.raw}
        for name, copy in copies.items():
            self.raw[name].backup(copy)
        return copies

    def put_back(self, remembered: Remembered) -> None:
        """Let all stores be as they were, page by page."""
        for name, copy in remembered.items():
            copy.backup(self.raw[name])

    def rows(self, service: str, sql: str, *values: Any) -> list[Any]:
        """Return what a store holds, read past all of our code."""
        return self.raw[service].execute(sql, values).fetchall()

    def has(self, service: str, rows: str, *values: Any) -> bool:
        """Return whether there are such rows; looking past our code costs a hundredth of trying."""
        return bool(self.rows(service, f"select 1 from {rows} limit 1", *values))

    def is_due(self, service: str) -> bool:
        """Return whether any work of the service is due, or what it set aside is to be tried again."""
        waits = "where state = 'waiting' and"
        return self.has(service, f"due {waits} due_at <= ?", kept(clock.now())) or self.has(
            service, f"parked {waits} next_attempt_at <= ?", kept(clock.now())
        )

    def first(self, *asked: tuple[str, str]) -> datetime | None:
        """Return the earliest instant that these queries, each of a service, find; None if none finds any."""
        found = [at for service, sql in asked for (at,) in self.rows(service, sql)]
        return min((instant(at) for at in found if at), default=None)


def kept(at: datetime) -> str:
    """Return an instant as SQLite keeps it."""
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def instant(text: str) -> datetime:
    """Return an instant that SQLite kept."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
