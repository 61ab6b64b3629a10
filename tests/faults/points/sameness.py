"""What two runs of one scenario left, made comparable: ids, secrets and minutes that differ each time are masked."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from chassis.sealing import Seal
from chassis.testing import SEAL_KEY
from tests.faults.points.scenario import NAMES
from tests.harness.stored_rows import Rows, opened

_ID = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d):\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_TOKEN = re.compile(r"^token [0-9a-f]{12} ")  # who acted; each network draws its own
_KNOWN = {name.replace("-", "") for name in NAMES}
_SECRETS = {"room_code", "token", "token_id"}
_SEAL = Seal.of(SEAL_KEY)
#: How often something was tried, and in which order events were written, are the only things that may differ.
_EFFORT = {"attempts", "interruptions", "seq", "last_error", "error"}
_SETTLED_ALREADY = ("outbox", "parked")
_ROUNDS = 3  #: an id is known by the rows that hold it, and these by the ids beside it, so many steps far


def alike(held: Mapping[str, Rows]) -> Counter[str]:
    """Every row of every service as text, in which each id that was drawn is named after what is known of it."""
    lines = [
        f"{table} {json.dumps(_plain(row), sort_keys=True, ensure_ascii=False)}"
        for table, rows in opened(held, _SEAL).items()
        if not table.endswith("_version") and not table.startswith("gateway.")
        for row in rows
    ]
    drawn = {found for line in lines for found in _ids(line)} - _KNOWN
    holding: dict[str, list[str]] = {id: [] for id in drawn}
    for line in lines:
        for id in set(_ids(line)) & drawn:
            holding[id].append(line)
    names = dict.fromkeys(drawn, "?")
    for _ in range(_ROUNDS):
        names = {id: _digest(_renamed(line, names | {id: "@"}) for line in holding[id]) for id in drawn}
    return Counter(_renamed(line, names) for line in lines)


def unsettled(held: Mapping[str, Rows]) -> list[str]:
    """What lies in an outbox or was set aside."""
    return [f"{name} {row}" for name, rows in held.items() if name.endswith(_SETTLED_ALREADY) for row in rows]


def efforts(held: Mapping[str, Rows]) -> dict[str, int]:
    """The most attempts at any one piece of due work, and of which it is not known what became of any one mail."""
    columns = {"evaluation.due": "attempts", "notifications.message": "interruptions"}
    return {table: max(row[column] for row in held[table]) for table, column in columns.items()}


def _ids(line: str) -> list[str]:
    return [found.replace("-", "") for found in _ID.findall(line)]


def _renamed(line: str, names: Mapping[str, str]) -> str:
    def name_of(found: re.Match[str]) -> str:
        id = found[0].replace("-", "")
        return names.get(id, id)

    return _ID.sub(name_of, line)


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:20]


def _plain(value: Any) -> Any:
    """A value without what differs each time; lists in an order of their own, instants to two hours."""
    shapes: dict[type, Callable[[Any], Any]] = {
        dict: lambda it: {k: "*" if k in _SECRETS and v else _plain(v) for k, v in it.items() if k not in _EFFORT},
        list: lambda it: sorted((_plain(each) for each in it), key=str),
        bytes: lambda it: _plain(it.decode("utf-8", "replace")),
        datetime: lambda it: _plain(it.isoformat()),
        str: _words,
        int: lambda it: it,
        float: lambda it: it,
        bool: lambda it: it,
        type(None): lambda it: it,
    }
    return shapes.get(type(value), str)(value)


def _words(text: str) -> Any:
    if text[:1] in ("{", "["):
        return _plain(json.loads(text))
    return _INSTANT.sub(lambda at: f"{at[1]} {int(at[2]) // 2 * 2}h", _TOKEN.sub("token ", text))
