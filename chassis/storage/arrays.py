"""PostgreSQL arrays as text: one parameter for a whole column of a bulk insert.

psycopg2 adapts and quotes the elements of a list one by one, which costs as much as all else that such an insert
takes in Python; a literal is joined at once, and quoted once (PostgreSQL manual, 8.15.2).
"""

import functools
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

_NEEDS_QUOTES = re.compile(r"[^A-Za-z0-9_.:+-]|^$|^null$", re.IGNORECASE)
_SHORT = 64


def _text(value: str) -> str:
    return _quoted(value) if len(value) > _SHORT else _short(value)


@functools.lru_cache(maxsize=1024)
def _short(value: str) -> str:
    """Names, zones and codes recur from row to row."""
    return _quoted(value) if _NEEDS_QUOTES.search(value) else value


def _quoted(value: str) -> str:
    if "\x00" in value:
        raise ValueError("PostgreSQL keeps no NUL characters")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


_WRITERS: dict[type, Callable[[Any], str]] = {
    UUID: lambda value: str(value.hex),
    int: str,
    float: repr,
    bool: lambda value: "true" if value else "false",
    str: _text,
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    date: lambda value: str(value.isoformat()),
    datetime: lambda value: f'"{value.isoformat()}"',
}


def literal(values: Sequence[Any]) -> str:
    """Return these values, of one kind or None, as an array literal to be cast to the column's type.

    Raises:
        KeyError: values of a type that no store of ours holds.
    """
    write = _WRITERS[next((type(value) for value in values if value is not None), str)]
    return "{" + ",".join(["NULL" if value is None else write(value) for value in values]) + "}"
