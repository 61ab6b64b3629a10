"""Bulk statements: inserts of many rows, upserts, and conditions on many values, in the dialect of each database."""

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Enum, LargeBinary, Select, Table, Text, Uuid, func, literal, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from chassis.storage import arrays
from chassis.storage.types import Utf8

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Conflict:
    """The choice of an insert when a row of that key is there: fail, ignore the new row, or keep the newer one."""

    is_ignored: bool = False
    newest: str | None = None  #: the column whose higher value replaces the row
    sticky: str | None = None  #: the column that stays true once it is, whatever replaces the row


class ArrayStatements:
    """PostgreSQL's bulk statements: a column of many rows travels as one array, several times faster than VALUES."""

    def insert(self, table: Any) -> Any:
        """Return an INSERT which knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
        return postgresql.insert(table)

    def insert_many(
        self, session: Session, table: Table, rows: Rows, conflict: Conflict, returning: str | None
    ) -> list[Any]:
        """Insert rows that all have the same keys, by ``unnest``; return ``returning`` of those inserted."""
        dialect = session.get_bind().dialect
        sql = _insert_sql(dialect, table, tuple(rows[0]), conflict, returning)
        result = session.connection().exec_driver_sql(sql, _arrays(dialect, table, rows))
        return [value for (value,) in result] if returning else []

    def insert_and_refer(self, session: Session, table: Table, rows: Rows, key: str, referring: Table) -> None:
        """Insert rows, and for each a row of ``referring`` with nothing but its ``key``, in one round trip."""
        dialect = session.get_bind().dialect
        inserted = _insert_sql(dialect, table, tuple(rows[0]), Conflict(), key)
        refer = f'insert into "{referring.name}" ("{key}") select "{key}" from inserted'  # noqa: S608  (our own names)
        sql = f"with inserted as ({inserted}) {refer}"
        session.connection().exec_driver_sql(sql, _arrays(dialect, table, rows))

    def is_one_of(self, column: Any, values: Collection[Any] | Select[Any]) -> Any:
        """Return the condition that the column is in one array: of these values, or of those that a query finds.

        An array that a subquery makes is bound at once, and its values are not known when the planner chooses: it takes
        the index. Where it knows them and its statistics are of the past, it may read the whole table each time.
        """
        if not isinstance(values, Select):
            array = sql_cast(literal(arrays.literal(list(values)), Text()), postgresql.ARRAY(column.type))
            values = select(func.unnest(array))
        return column == func.any(func.array(values.scalar_subquery()))


@functools.lru_cache(maxsize=256)
def _insert_sql(
    dialect: Dialect, table: Table, names: tuple[str, ...], conflict: Conflict, returning: str | None
) -> str:
    columns = ", ".join(_unnested(dialect, name, table.c[name].type) for name in names)
    sql = f'insert into "{table.name}" ({_quoted(names)}) select {columns}'
    sql += " on conflict do nothing" if conflict.is_ignored else ""
    sql += _replacing(table, names, conflict) if conflict.newest is not None else ""
    return sql + (f' returning "{returning}"' if returning else "")


def _unnested(dialect: Dialect, name: str, kind: Any) -> str:
    if isinstance(kind, Utf8):
        return f"convert_to(unnest(%({name})s::text[]), 'UTF8')"
    return f"unnest(%({name})s::{kind.compile(dialect)}[])"


def _replacing(table: Table, names: Sequence[str], conflict: Conflict) -> str:
    """Return the clause by which a row replaces one that is older by the column ``newest``."""
    key = [column.name for column in table.primary_key]
    kept = {conflict.sticky: f'"{table.name}"."{conflict.sticky}" or '}
    taken = ", ".join(f'"{name}" = {kept.get(name, "")}excluded."{name}"' for name in names if name not in key)
    is_newer = f'"{table.name}"."{conflict.newest}" < excluded."{conflict.newest}"'
    return f" on conflict ({_quoted(key)}) do update set {taken} where {is_newer}"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _arrays(dialect: Dialect, table: Table, rows: Rows) -> dict[str, str]:
    return {
        name: arrays.literal(_encoded(table.c[name].type, dialect, [row[name] for row in rows])) for name in rows[0]
    }


def _encoded(kind: Any, dialect: Dialect, values: list[Any]) -> list[Any]:
    """Return values as their column's type binds them; ids, numbers and bytes are written as they are."""
    if isinstance(kind, Utf8):
        return [value.decode() for value in values]
    if isinstance(kind, Uuid | LargeBinary):
        return values
    encode = kind.dialect_impl(dialect).bind_processor(dialect)
    if encode is None:
        return values
    if isinstance(kind, Enum):
        encoded = {value: encode(value) for value in set(values)}
        return [encoded[value] for value in values]
    return [encode(value) for value in values]


_SQLITE_VARIABLES = 32_766  #: in one statement, where whoever built SQLite allows no more


class ValueStatements:
    """SQLite's bulk statements: lists of VALUES, cut where one would have too many variables."""

    def insert(self, table: Any) -> Any:
        """Return SQLite's INSERT."""
        return sqlite.insert(table)

    def insert_many(
        self, session: Session, table: Table, rows: Rows, conflict: Conflict, returning: str | None
    ) -> list[Any]:
        """Insert by VALUES."""
        statement = self.insert(table)
        statement = statement.on_conflict_do_nothing() if conflict.is_ignored else statement
        if conflict.newest is not None:
            key = [column.name for column in table.primary_key]
            taken = {name: statement.excluded[name] for name in rows[0] if name not in key}
            if conflict.sticky is not None:
                taken[conflict.sticky] = or_(table.c[conflict.sticky], statement.excluded[conflict.sticky])
            is_newer = table.c[conflict.newest] < statement.excluded[conflict.newest]
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

    def insert_and_refer(self, session: Session, table: Table, rows: Rows, key: str, referring: Table) -> None:
        """Insert both, one after the other."""
        keys = self.insert_many(session, table, rows, Conflict(), returning=key)
        session.execute(self.insert(referring), [{key: each} for each in keys])

    def is_one_of(self, column: Any, values: Collection[Any] | Select[Any]) -> Any:
        """Compare by IN."""
        return column.in_(values)


Statements = ArrayStatements | ValueStatements
