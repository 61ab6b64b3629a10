"""Rows of services: idempotent PUT with versions, projections from events, pagination by key."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, inspect
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from chassis.storage.transaction import Transaction
from chassis.storage.types import table_of
from pratique.errors import Invalid, PreconditionRequired, Stale

Row = TypeVar("Row")
Mapped = TypeVar("Mapped", bound=DeclarativeBase)
MAX_PAGE = 500
ANY_VERSION = 0  #: given as ``if_version``: the row must exist, in whatever version (``If-Match: *``)


@dataclasses.dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows in key order, and where the next page begins."""

    rows: Sequence[Row]
    after: str | None  #: the key to ask for the next page with; None on the last page


@dataclasses.dataclass(frozen=True)
class Saved(Generic[Row]):
    """The row that a PUT left, and whether it is new (201) or was there (200)."""

    row: Row
    is_new: bool


@dataclasses.dataclass(frozen=True)
class Put(Saved[Row]):
    """The row that a PUT left, and the former values of what it changed in a row that was there."""

    former: Mapping[str, Any]  #: each column that was changed -> its value before

    @property
    def changed(self) -> frozenset[str]:
        """Return the names of the columns that were changed."""
        return frozenset(self.former)

    @property
    def is_unchanged(self) -> bool:
        """Return whether the store already said exactly this."""
        return not self.is_new and not self.former


def row_of(table: type[Mapped], value: object, **more: Any) -> Mapped:
    """Return a new row of a mapped class: what the value says in fields of the columns' names, and ``more``."""
    names = [attribute.key for attribute in inspect(table).column_attrs]
    return table(**{name: getattr(value, name) for name in names if hasattr(value, name)} | more)


def insert_or_lock(transaction: Transaction, row: Mapped, if_version: int | None = None) -> Saved[Mapped]:
    """Leave a row with this key in the store, locked until the end of the transaction.

    Two that insert the same key at once get one new row: the second waits and finds the first's. ``row`` must be a new
    object that is in no session; what it says is taken only if the row is new. Relationships are not looked at.

    Raises:
        Stale: there was no such row, and a version of it was given; the caller's transaction must not be committed.
    """
    mapper = inspect(type(row))
    values = {attribute.key: getattr(row, attribute.key) for attribute in mapper.column_attrs}
    key = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
    statement = transaction.insert(type(row)).values(values).on_conflict_do_nothing(index_elements=key)
    result: Any = transaction.execute(statement)
    if result.rowcount == 1 and if_version is not None:
        raise Stale("There is no such thing that could have this version; leave If-Match out to create it.")
    kept = transaction.get_one(type(row), tuple(values[name] for name in key), with_for_update=True)
    return Saved(kept, is_new=result.rowcount == 1)


def put(transaction: Transaction, row: Mapped, if_version: int | None) -> Put[Mapped]:
    """Leave the row as ``row`` says: created with version 1, unchanged, or changed with its version grown by one.

    ``row`` must say every column but ``version``.

    Raises:
        PreconditionRequired: it exists and differs, and no version was given.
        Stale: it exists and differs, and has another version than the one given; or there was none, and one was given.
    """
    said: Any = row
    said.version = 1
    saved = insert_or_lock(transaction, row, if_version)
    kept: Any = saved.row
    if saved.is_new:
        return Put(kept, True, {})
    names = [attribute.key for attribute in inspect(type(row)).column_attrs if attribute.key != "version"]
    former = {name: getattr(kept, name) for name in names if getattr(kept, name) != getattr(said, name)}
    if former:
        check_version(kept.version, if_version)
        for name in former:
            setattr(kept, name, getattr(said, name))
        kept.version += 1
    return Put(kept, False, former)


def keep_newest(transaction: Transaction, model: type[Mapped], rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the newest ``version`` of each row, whatever order and number they arrive in: a projection.

    ``model`` has one primary key and a ``version``; all rows have the same keys. One statement.
    """
    (key,) = [column.name for column in table_of(model).primary_key]
    newest: dict[Any, Mapping[str, Any]] = {}
    for row in rows:
        if row[key] not in newest or newest[row[key]]["version"] < row["version"]:
            newest[row[key]] = row
    ordered = [newest[each] for each in sorted(newest)]  # the same order in every process, so that none waits in a ring
    transaction.insert_many(table_of(model), ordered, newest="version")


def page(session: Session, statement: Select[Row], limit: int, key: Callable[[Row], str]) -> Page[Row]:
    """Return the first ``limit`` (1 to 500) rows of an ordered statement, and the last one's key if more follow.

    Raises:
        Invalid: the limit is out of its bounds.
    """
    if not 1 <= limit <= MAX_PAGE:
        words = f"limit is {limit}; ask for 1 to {MAX_PAGE} rows."
        raise Invalid(words, {"/limit": words})
    rows = list(session.scalars(statement.limit(limit + 1)))
    return Page(rows[:limit], key(rows[limit - 1]) if len(rows) > limit else None)


def page_by_id(
    session: Session, statement: Select[Row], key: InstrumentedAttribute[UUID], after: str | None, limit: int
) -> Page[Row]:
    """Return one page of the rows of a statement, by the id that ``key`` is; ``after`` is the last page's ``after``.

    Raises:
        Invalid: the limit is out of its bounds, or ``after`` comes from no page of this list.
    """
    if after is not None:
        try:
            statement = statement.where(key > UUID(after))
        except ValueError as error:
            words = "after is no key of this list; take it from the page before, or leave it out."
            raise Invalid(words, {"/after": words}) from error
    return page(session, statement.order_by(key), limit, lambda row: str(getattr(row, key.key)))


def check_version(version: int, if_version: int | None) -> None:
    """Refuse a change by a caller who has not seen the row as it is (RFC 9110, If-Match).

    The version 0, which no row has, stands for ``If-Match: *``: whatever version it has.

    Raises:
        PreconditionRequired: no version was given.
        Stale: the row has another version by now.
    """
    if if_version is None:
        raise PreconditionRequired("It exists and differs; send If-Match with the ETag that you read to change it.")
    if if_version not in (ANY_VERSION, version):
        raise Stale("It changed since you read it; read it again, then send your change with the new ETag.")
