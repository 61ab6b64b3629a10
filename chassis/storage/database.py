"""PostgreSQL and SQLite: one strategy for each, chosen by the URL when a store is opened, and its connections.

Connections are bounded in time, asked before use, and quiet about rows.
"""

import re
import stat
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.pool import QueuePool, StaticPool

from chassis.storage.bulk import ArrayStatements, Statements, ValueStatements
from chassis.storage.locks import AdvisoryLocks, Locks, NoLocks

_OVERFLOW = 3  #: connections beyond the size of a pool, for the loops beside the workers
_READING = 5  #: connections for who only reads; so few hardly ever wait, since Python reads one row at a time anyway
TRUST_S = 1.0  #: a connection used so lately is taken to be alive; if it is not, what it was for fails with StoreAway
_IN_THE_WAY = ("55P03", "57014", "40P01")  #: a lock that others hold, too long, a deadlock
_TIMEOUTS = "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"


class PostgreSQLConnections:
    """Pools of connections to a server, which may be away."""

    def open(self, url: str, pool_size: int) -> Engine:
        """Return a pool that replaces connections which died at rest."""
        return self._open(url, pool_size)

    def open_reading(self, url: str) -> Engine:
        """Return a small pool for who only reads, with no messages that begin and commit a transaction.

        The writers' pool could be used, but to switch a connection there and back costs as much as a query.
        """
        return self._open(url, _READING, overflow=0, isolation_level="AUTOCOMMIT")

    def open_asynchronous(self, url: str, pool_size: int) -> Engine:
        """Return connections that commit each statement and do not wait for the disk."""
        return self._open(url, pool_size, " -c synchronous_commit=off", isolation_level="AUTOCOMMIT")

    def _open(
        self, url: str, pool_size: int, more_options: str = "", overflow: int = _OVERFLOW, **options: Any
    ) -> Engine:
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=overflow,
            pool_timeout=5,
            pool_use_lifo=True,  # few are warm, instead of all being lukewarm
            hide_parameters=True,  # errors are logged, and rows hold names and addresses
            connect_args={
                "connect_timeout": 3,
                "application_name": "pratique",
                "options": _TIMEOUTS + more_options,
            },
            **options,
        )
        _ping_the_idle(engine)
        return engine

    def allow_migration(self, connection: Connection) -> None:
        """Let this transaction change tables for as long as it takes, but wait two seconds at most for each.

        While a change waits for its table, everybody else waits behind it; once it has it, an index may take its time.
        """
        connection.exec_driver_sql("set local lock_timeout = '2s'; set local statement_timeout = 0")

    def rewrite(self, engine: Engine, names: Sequence[str], wait_ms: int) -> bool:
        """Vacuum the tables in full, as ``Store.rewrite`` promises."""
        connection: Any = engine.raw_connection()
        try:
            database = connection.dbapi_connection
            database.autocommit = True
            cursor = database.cursor()
            cursor.execute("select set_config('lock_timeout', %s, false)", (f"{wait_ms}ms",))
            return all(_is_vacuumed(database, cursor, name) for name in names)
        except engine.dialect.loaded_dbapi.Error as error:
            if getattr(error, "pgcode", None) in _IN_THE_WAY:
                return False
            raise
        finally:
            connection.invalidate()  # nobody else should meet its settings


def _is_vacuumed(database: Any, cursor: Any, name: str) -> bool:
    """Write the table anew; False if a dead row had to be kept for a transaction that is still open."""
    del database.notices[:]
    cursor.execute(f'vacuum (full, verbose) "{name}"')
    told = [notice.splitlines()[1] for notice in database.notices if notice.count("\n") > 1]
    return [re.findall(r"\d+", line)[:1] for line in told] == [["0"]]  # of any language: 0 dead rows cannot be removed


def _ping_the_idle(engine: Engine) -> None:
    """Ping a connection that nobody used for a while before it is given out, and replace it if it is dead.

    SQLAlchemy's own ``pool_pre_ping`` asks each time, which is a round trip for each transaction of a busy service.
    """

    @event.listens_for(engine, "checkin")
    def remember(connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: Any, record: Any, proxy: Any) -> None:
        if time.monotonic() - record.info.get("used_at", time.monotonic()) > TRUST_S:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error


class SQLiteConnections:
    """One connection to a file, or to memory."""

    def open(self, url: str, pool_size: int) -> Engine:
        """Return a pool of one, since a second writer in the same thread would wait for itself."""
        database = make_url(url).database
        if database and database != ":memory:":
            _close_to_others(Path(database))
            engine = create_engine(
                url, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=30, **_SQLITE_OPTIONS
            )
        else:
            engine = create_engine(url, poolclass=StaticPool, **_SQLITE_OPTIONS)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine

    def open_reading(self, url: str) -> None:
        """Return None: there is one connection, and a transaction costs no message."""

    def open_asynchronous(self, url: str, pool_size: int) -> None:
        """Return None: there is one connection, and with a log beside its file no commit waits for the disk."""

    def allow_migration(self, connection: Connection) -> None:
        """Do nothing: nobody else is there."""

    def rewrite(self, engine: Engine, names: Sequence[str], wait_ms: int) -> bool:
        """Empty the log beside the file; what is deleted there was overwritten (``secure_delete``)."""
        with closing(engine.raw_connection()) as connection:
            row = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return bool(row.fetchone()[0] == 0)


_SQLITE_OPTIONS: Any = {"connect_args": {"check_same_thread": False, "timeout": 30}, "hide_parameters": True}


def _close_to_others(database: Path) -> None:
    """Make a database file that only this user can read, in a folder that is so too if it is made here.

    What SQLite writes beside it has the rights of the file.
    """
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    database.touch(mode=0o600)
    if stat.S_IMODE(database.stat().st_mode) != 0o600:
        database.chmod(0o600)


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, so that reads and writes are one transaction
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@dataclass(frozen=True)
class Database:
    """One kind of database: its connections, and what is said to it in its own way."""

    name: str
    connections: PostgreSQLConnections | SQLiteConnections
    statements: Statements
    locks: Locks
    is_shared: bool  #: whether several processes may use it at once


POSTGRESQL = Database("postgresql", PostgreSQLConnections(), ArrayStatements(), AdvisoryLocks(), is_shared=True)
SQLITE = Database("sqlite", SQLiteConnections(), ValueStatements(), NoLocks(), is_shared=False)


def database_at(url: str) -> Database:
    """Return the kind of database that this URL is of."""
    return SQLITE if make_url(url).get_backend_name() == SQLITE.name else POSTGRESQL


def is_away(error: OperationalError | InterfaceError) -> bool:
    """Return whether the database is unreachable, rather than unhappy with one statement (deadlock, lock time-out)."""
    code = getattr(error.orig, "pgcode", None)
    if code:  # 57P01-3: shutting down, not 57014, a cancelled statement; 53: no disk, memory or connection left
        return str(code).startswith(("08", "57P0", "53"))
    return "sqlite" not in type(error.orig).__module__
