"""All that a network's stores hold, row by row, as somebody with every password would read it."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, text

from chassis.sealing import BrokenSeal, Seal
from chassis.storage.store import Store
from pratique.event import unsealed

Rows = list[dict[str, Any]]
SEALED = ("message", "sheet", "survey key", "kept answers")  #: for what boxes in tables are sealed


def all_rows(stores: Mapping[str, Store]) -> dict[str, Rows]:
    """Return every row of every table, by ``store.table``."""
    held: dict[str, Rows] = {}
    for name, opened in stores.items():
        with opened.begin() as session:
            for table in inspect(session.connection()).get_table_names():
                rows = session.execute(text(f'select * from "{table}"')).mappings()
                held[f"{name}.{table}"] = [{column: _plain(value) for column, value in row.items()} for row in rows]
    return held


def opened(held: Mapping[str, Rows], seal: Seal) -> dict[str, Rows]:
    """The same as whoever has the network's seal key as well would read it: all boxes open."""
    return {
        table: [{column: _clear(value, seal) for column, value in row.items()} for row in rows]
        for table, rows in held.items()
    }


def words_of(rows: Rows) -> str:
    """All values of these rows in every form in which they can be read."""
    return "\n".join(form for row in rows for value in row.values() for form in _forms(value))


def where(held: Mapping[str, Rows], word: str | UUID) -> set[str]:
    """In which tables this stands, alone or within something."""
    return {table for table, rows in held.items() if names(rows, word)}


def names(rows: Rows, word: str | UUID) -> bool:
    """Whether this stands in one of these rows, alone or within something."""
    words = words_of(rows)
    return any(form in words for form in ({str(word), word.hex} if isinstance(word, UUID) else {word}))


def _plain(value: object) -> object:
    """What psycopg2 gives as a view of memory, as bytes."""
    return bytes(value) if isinstance(value, memoryview) else value


def _clear(value: object, seal: Seal) -> object:
    """What is in this box, or the value itself if it is none."""
    if not isinstance(value, bytes):
        return value
    if b'"data":{"box":' in value:
        return unsealed(value, seal)
    for purpose in SEALED:
        try:
            return seal.open(purpose, value)
        except BrokenSeal:
            continue
    return value


def _forms(value: object) -> Iterator[str]:
    if isinstance(value, bytes):
        yield value.hex()
        yield value.decode("utf-8", "replace")
    elif value is not None:
        yield str(value)
        if isinstance(value, str) and "\\u" in value:  # JSON as SQLite keeps it
            yield value.encode().decode("unicode_escape", "replace")
