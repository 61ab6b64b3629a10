"""Types of columns, the naming of constraints, and the catalogue of tables: the same on both databases."""

import enum
from datetime import UTC, datetime
from typing import Any, NewType, cast
from uuid import UUID

from sqlalchemy import JSON, DateTime, Dialect, Enum, LargeBinary, MetaData, Table, TypeDecorator
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase

#: The name of a loop in this process, by which a transaction wakes it. Whoever runs the loop declares its name.
LoopName = NewType("LoopName", str)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC on both databases. A naive datetime is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse an instant without an offset; give others in UTC, since SQLite keeps no offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in a store; give it its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the offset back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Utf8(LargeBinary):
    """Bytes that are a text in UTF-8 without NUL: bulk inserts send them as that text, in half the length of others."""


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
    """Return a fresh catalogue of tables whose constraints are named the same on both databases."""
    return MetaData(naming_convention=NAMES)


#: The tables that every store has: event_log, outbox, inbox, parked, due, binding, audit.
CHASSIS_TABLES = metadata()


def table_of(model: type[DeclarativeBase]) -> Table:
    """Return the table of a mapped class."""
    return cast(Table, model.__table__)
