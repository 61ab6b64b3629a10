"""One store per service: PostgreSQL in earnest, SQLite in the embedded mode, the same code for both."""

import dataclasses
import enum
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    any_,
    literal,
    or_,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from chassis.sealing import Seal
from chassis.settings import Settings
from chassis.storage import arrays
from chassis.storage.engine import engine_of, is_away, rewrite

Row = TypeVar("Row")


class StoreAway(Exception):
    """The database does not answer; nothing was changed. Wait and do the same again."""


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC on both databases. A naive datetime is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what has no offset; SQLite keeps no offset, so it gets UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in a store; give it its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the offset back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _Ids(TypeDecorator[list[UUID]]):
    """Ids as a JSON list of texts, and back."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: list[UUID] | None, dialect: Dialect) -> Any:
        return value if value is None else [str(each) for each in value]

    def process_result_value(self, value: Any, dialect: Dialect) -> list[UUID] | None:
        return value if value is None else [UUID(each) for each in value]


#: For ``type_annotation_map`` of each service's declarative base.
COLUMN_TYPES: dict[Any, Any] = {
    datetime: Instant(),
    dict[str, Any]: JSON().with_variant(postgresql.JSONB(), "postgresql"),
    list[str]: JSON().with_variant(postgresql.JSONB(), "postgresql"),
    list[UUID]: _Ids(),
    enum.Enum: Enum(
        enum.Enum,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda kind: [each.value for each in kind],
    ),
}
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def metadata() -> MetaData:
    """A fresh catalogue of tables whose constraints are named the same on both databases."""
    return MetaData(naming_convention=NAMES)


#: The tables that every store has: event_log, outbox, inbox, parked, due, binding, audit.
KERNEL = metadata()


@dataclasses.dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows in key order, and where the next page begins."""

    rows: Sequence[Row]
    after: str | None  #: the key to ask for the next page with; None on the last page


@dataclasses.dataclass(frozen=True)
class Saved(Generic[Row]):
    """What a PUT left: the row, and whether it is new (201) or was there (200)."""

    row: Row
    is_new: bool


class Store:
    """The database of one service, and who is to be woken when something was committed."""

    def __init__(self, name: str, url: str, pool_size: int = 10, settings: Settings | None = None) -> None:
        self.name, self.url, self._pool_size, self.settings = name, url, pool_size, settings
        self.engine = engine_of(url, pool_size)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        unbegun = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = sessionmaker(unbegun, expire_on_commit=False)
        self._hasty: Engine | None = None  #: whose connections commit each statement, and do not wait for the disk
        self._wake: dict[str, list[Callable[[], None]]] = {}

    @property
    def seal(self) -> Seal:
        """What closes and opens the sealed boxes of this store's network.

        Raises:
            LookupError: the store was opened without settings; open it by ``open_store``.
            Missing: they have no seal key.
        """
        return _known(self.settings).seal

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded mode's store."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self, is_reading: bool = False) -> Iterator[Session]:
        """One transaction: committed at the end, or nothing of it.

        Where nothing is written (``is_reading``), PostgreSQL is spared the messages that begin and commit it: each
        statement sees what is committed by then, as it does in a transaction.

        Raises:
            StoreAway: the database cannot be reached or cut the connection.
        """
        session = self._reading() if is_reading else self._sessions()
        session.info["wake"], session.info["settings"] = set(), self.settings
        try:
            with self._translated(), session.begin():
                yield session
        finally:
            session.close()
        for name in session.info["wake"]:
            for callback in self._wake.get(name, ()):
                callback()

    @contextmanager
    def noting(self, table: Table) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """What inserts a row that is not there yet and commits it at once, at a third of the cost of ``begin``.

        One connection is kept meanwhile; when it is lost, another is tried once. Nothing waits for the disk: if the
        database's machine fails within the next half second, the row may be gone.

        Raises:
            StoreAway: as ``begin``; it is not known whether the last row was inserted.
        """
        if self.is_sqlite:
            yield partial(self._insert_alone, table)
            return
        self._hasty = self._hasty or engine_of(self.url, self._pool_size, is_hasty=True)
        sql = str(postgresql.insert(table).on_conflict_do_nothing().compile(dialect=self._hasty.dialect))
        with self._translated(), self._hasty.connect() as connection:
            yield partial(self._insert_hastily, connection, sql)

    def _insert_alone(self, table: Table, row: Mapping[str, Any]) -> None:
        with self.begin() as session:
            session.execute(insert(session, table).values(row).on_conflict_do_nothing())

    def _insert_hastily(self, connection: Connection, sql: str, row: Mapping[str, Any]) -> None:
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
            return rewrite(self.engine, names, wait_ms)

    def on_commit(self, name: str, callback: Callable[[], None]) -> None:
        """Call ``callback`` after each commit that called ``wake(session, name)``."""
        self._wake.setdefault(name, []).append(callback)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        if self._hasty:
            self._hasty.dispose()


def open_store(settings: Settings, name: str, pool_size: int = 10) -> Store:
    """The store of this name as the settings say; ``settings_of`` and ``seal_of`` find them in its sessions.

    Raises:
        Missing: its URL is not set.
    """
    return Store(name, settings.store_url(name), pool_size, settings)


def settings_of(session: Session) -> Settings:
    """The settings of the process that opened this session's store.

    Raises:
        LookupError: the store was opened without them.
    """
    return _known(session.info.get("settings"))


def _known(settings: Settings | None) -> Settings:
    if settings is None:
        raise LookupError("this store was opened without settings; `open_store` opens one with them")
    return settings


def seal_of(session: Session) -> Seal:
    """What closes and opens the sealed boxes of this session's network.

    Raises:
        LookupError: the store was opened without settings.
        Missing: they have no seal key.
    """
    return settings_of(session).seal


def wake(session: Session, name: str) -> None:
    """After the commit, and only then, wake the loop of this name in this process."""
    session.info.setdefault("wake", set()).add(name)


_SQLITE_VARIABLES = 32_766  #: in one statement, where whoever built SQLite allows no more


def insert(session: Session, table: Any) -> Any:
    """The dialect's INSERT of a table or a mapped class, which knows ``on_conflict_do_nothing`` and ``…_do_update``."""
    dialect = session.get_bind().dialect.name
    return (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table)


def among(session: Session, column: Any, values: Collection[Any]) -> Any:
    """Whether a column has one of these values; on PostgreSQL they travel as one array, which is bound at once."""
    array = sql_cast(literal(arrays.literal(list(values)), Text()), postgresql.ARRAY(column.type))
    return column.in_(values) if session.get_bind().dialect.name == "sqlite" else column == any_(array)


def insert_many(
    session: Session,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    ignore_conflicts: bool = False,
    returning: str | None = None,
    newest: str | None = None,
    lasting: str | None = None,
) -> list[Any]:
    """Insert rows that all have the same keys, in one statement; return ``returning`` of those inserted.

    With ``newest`` a row whose primary key is there replaces it if its column of that name is higher; then no two rows
    may share a primary key. ``lasting`` names a column that stays true once it is, whatever replaces the row. On
    PostgreSQL each column travels as one array (``unnest``), several times faster than a list of VALUES.
    """
    if not rows:
        return []
    if session.get_bind().dialect.name == "sqlite":
        return _insert_in_sqlite(session, table, rows, ignore_conflicts, returning, newest, lasting)
    dialect = session.get_bind().dialect
    columns, parameters = [], {}
    for name in rows[0]:
        column = table.c[name]
        parameters[name] = arrays.literal(_encoded(column.type, dialect, [row[name] for row in rows]))
        columns.append(f"unnest(%({name})s::{column.type.compile(dialect)}[])")
    names = ", ".join(f'"{name}"' for name in rows[0])
    sql = f'insert into "{table.name}" ({names}) select {", ".join(columns)}'
    sql += " on conflict do nothing" if ignore_conflicts else ""
    sql += _replacing(table, list(rows[0]), newest, lasting) if newest is not None else ""
    sql += f' returning "{returning}"' if returning else ""
    result = session.connection().exec_driver_sql(sql, parameters)
    return [value for (value,) in result] if returning else []


def _encoded(kind: Any, dialect: Dialect, values: list[Any]) -> list[Any]:
    """Values as their column's type binds them; ids, numbers and bytes are written as they are."""
    if isinstance(kind, Uuid | LargeBinary):
        return values
    encode = kind.dialect_impl(dialect).bind_processor(dialect)
    if encode is None:
        return values
    if isinstance(kind, Enum):
        encoded = {value: encode(value) for value in set(values)}
        return [encoded[value] for value in values]
    return [encode(value) for value in values]


def _insert_in_sqlite(
    session: Session,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    ignore_conflicts: bool,
    returning: str | None,
    newest: str | None,
    lasting: str | None,
) -> list[Any]:
    statement = insert(session, table)
    statement = statement.on_conflict_do_nothing() if ignore_conflicts else statement
    if newest is not None:
        key = [column.name for column in table.primary_key]
        taken = {name: statement.excluded[name] for name in rows[0] if name not in key}
        if lasting is not None:
            taken[lasting] = or_(table.c[lasting], statement.excluded[lasting])
        is_newer = table.c[newest] < statement.excluded[newest]
        statement = statement.on_conflict_do_update(index_elements=key, set_=taken, where=is_newer)
    if returning is None:
        session.execute(statement, list(rows))
        return []
    at_once = _SQLITE_VARIABLES // len(rows[0])
    inserted: list[Any] = []
    for begin in range(0, len(rows), at_once):
        some = statement.values(list(rows[begin : begin + at_once]))
        inserted += session.scalars(some.returning(table.c[returning])).all()
    return inserted


def _replacing(table: Table, names: Sequence[str], newest: str, lasting: str | None) -> str:
    """The clause by which a row replaces one that is older by the column ``newest``."""
    key = [column.name for column in table.primary_key]
    kept = {lasting: f'"{table.name}"."{lasting}" or '}
    taken = ", ".join(f'"{name}" = {kept.get(name, "")}excluded."{name}"' for name in names if name not in key)
    quoted = ", ".join(f'"{name}"' for name in key)
    return f' on conflict ({quoted}) do update set {taken} where "{table.name}"."{newest}" < excluded."{newest}"'
