"""All that a network's stores hold, row by row, as somebody with every password would read it."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, text

from pratique.store import Store

Rows = list[dict[str, Any]]


def everything_in(stores: Mapping[str, Store]) -> dict[str, Rows]:
    """Every row of every table, by ``store.table``."""
    held: dict[str, Rows] = {}
    for name, opened in stores.items():
        with opened.begin() as session:
            for table in inspect(session.connection()).get_table_names():
                rows = session.execute(text(f'select * from "{table}"')).mappings()
                held[f"{name}.{table}"] = [{column: _plain(value) for column, value in row.items()} for row in rows]
    return held


def words_of(rows: Rows) -> str:
    """All values of these rows in every form in which they can be read."""
    return "\n".join(form for row in rows for value in row.values() for form in _forms(value))


def where(held: Mapping[str, Rows], word: str | UUID) -> set[str]:
    """In which tables this stands, alone or within something."""
    sought = {str(word), word.hex} if isinstance(word, UUID) else {word}
    return {table for table, rows in held.items() if any(form in words_of(rows) for form in sought)}


def _plain(value: object) -> object:
    """What psycopg2 gives as a view of memory, as bytes."""
    return bytes(value) if isinstance(value, memoryview) else value


def _forms(value: object) -> Iterator[str]:
    if isinstance(value, bytes):
        yield value.hex()
        yield value.decode("utf-8", "replace")
    elif value is not None:
        yield str(value)
        if isinstance(value, str) and "\\u" in value:  # JSON as SQLite keeps it
            yield value.encode().decode("unicode_escape", "replace")
