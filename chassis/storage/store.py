"""Stores: one database per service, PostgreSQL in earnest, SQLite in the embedded mode, the same code for both."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import sessionmaker

from chassis.sealing import Seal
from chassis.settings import Settings
from chassis.storage.database import database_at, is_away
from chassis.storage.transaction import Transaction, required
from chassis.storage.types import LoopName


class StoreAway(Exception):
    """The database does not answer; nothing was changed. Wait and do the same again."""


class Store:
    """The database of one service, and the loops to be woken when something was committed."""

    def __init__(self, name: str, url: str, pool_size: int = 10, settings: Settings | None = None) -> None:
        self.name, self.url, self._pool_size, self.settings = name, url, pool_size, settings
        self.database = database_at(url)
        self.engine = self.database.connections.open(url, pool_size)
        self._reading = self.database.connections.open_reading(url) or self.engine
        self._transactions = sessionmaker(
            self.engine, class_=Transaction, expire_on_commit=False, database=self.database
        )
        self._asynchronous: Engine | None = None  #: its connections do not wait for the disk; opened when needed
        self._wake: dict[LoopName, list[Callable[[], None]]] = {}

    @property
    def seal(self) -> Seal:
        """Return what closes and opens the sealed boxes of this store's network.

        Raises:
            LookupError: the store was opened without settings; open it by ``open_store``.
            Missing: they have no seal key.
        """
        return required(self.settings).seal

    @contextmanager
    def begin(self, is_reading: bool = False) -> Iterator[Transaction]:
        """Open one transaction: committed at the end, or nothing of it.

        Where nothing is written (``is_reading``), PostgreSQL is spared the messages that begin and commit it: each
        statement sees what is committed by then, as it does in a transaction.

        Raises:
            StoreAway: the database cannot be reached or cut the connection.
        """
        bound = {"bind": self._reading} if is_reading else {}
        transaction = self._transactions(settings=self.settings, **bound)
        try:
            with self._translated(), transaction.begin():
                yield transaction
                transaction.write_published()
        finally:
            transaction.close()
        for name in transaction.woken:
            for callback in self._wake.get(name, ()):
                callback()

    @contextmanager
    def asynchronous_inserts(self, table: Table) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Yield a function that inserts a row, if it is not there yet, and commits it at a third of the usual cost.

        One connection is kept meanwhile; when it is lost, another is tried once. The commit is asynchronous: if the
        database's machine fails within the next half second, the row may be gone.

        Raises:
            StoreAway: as ``begin``; it is not known whether the last row was inserted.
        """
        if self._asynchronous is None:
            self._asynchronous = self.database.connections.open_asynchronous(self.url, self._pool_size)
        if self._asynchronous is None:
            yield partial(self._insert_alone, table)
            return
        sql = str(postgresql.insert(table).on_conflict_do_nothing().compile(dialect=self._asynchronous.dialect))
        with self._translated(), self._asynchronous.connect() as connection:
            yield partial(self._insert_asynchronously, connection, sql)

    def _insert_alone(self, table: Table, row: Mapping[str, Any]) -> None:
        with self.begin() as transaction:
            transaction.execute(transaction.insert(table).values(row).on_conflict_do_nothing())

    def _insert_asynchronously(self, connection: Connection, sql: str, row: Mapping[str, Any]) -> None:
        dbapi: Any = connection.dialect.loaded_dbapi
        for is_last in (False, True):
            try:
                connection.connection.cursor().execute(sql, row)
                return
            except (dbapi.OperationalError, dbapi.InterfaceError) as error:
                connection.invalidate(error)
                if is_last:
                    raise StoreAway(f"the store of {self.name} does not answer") from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            if isinstance(error, PoolTimeout) or is_away(error):
                raise StoreAway(f"the store of {self.name} does not answer") from error
            raise

    def rewrite(self, names: Sequence[str], wait_ms: int = 500) -> bool:
        """Let no file of these small tables hold a row that was deleted before; False if it must be tried again.

        PostgreSQL writes the table anew, which waits ``wait_ms`` for others to let it go, and keeps what a transaction
        that is still open may read: then it was not done. Its log (``pg_wal``), replicas and backups keep their time.
        SQLite overwrites what it deletes, and here empties the log beside its file. Call it outside a transaction.

        Raises:
            StoreAway: the database cannot be reached.
        """
        with self._translated():
            return self.database.connections.rewrite(self.engine, names, wait_ms)

    def on_commit(self, name: LoopName, callback: Callable[[], None]) -> None:
        """Call ``callback`` after each commit of a transaction that called ``wake(name)``."""
        self._wake.setdefault(name, []).append(callback)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        self._reading.dispose()
        if self._asynchronous:
            self._asynchronous.dispose()


def open_store(settings: Settings, name: str, pool_size: int = 10) -> Store:
    """Open the store of this name as the settings say; its transactions know them.

    Raises:
        Missing: its URL is not set.
    """
    return Store(name, settings.store_url(name), pool_size, settings)


__all__ = ["Store", "StoreAway", "Transaction", "open_store"]
