"""The JSON Schema of each event, made from the annotations that are its schema, with the comments beside its fields.

For ``dataschema``, where the gateway serves it, and for the AsyncAPI page. Enumerations and parts have names of their
own, so that generators of code make one type of each.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

from pratique.event import Event
from pratique.value import Struct, Value

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OPEN = "Later versions may add values; take one that you do not know as unknown."
_PLAIN: Mapping[Any, Mapping[str, Any]] = {
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
}


def json_schema(event_class: type[Event]) -> dict[str, Any]:
    """The schema of the event's ``data``: JSON Schema 2020-12 that refers to nothing outside itself."""
    within = {name: told for name, told in definitions([event_class], "#/$defs/").items() if name != _name(event_class)}
    told = _object(event_class, "#/$defs/")
    return {"$schema": DIALECT, "title": event_class.__name__, **told, **({"$defs": within} if within else {})}


def definitions(structs: Iterable[type[Struct]], prefix: str) -> dict[str, Any]:
    """The schemas of these and of the parts and enumerations in them, by name; they refer to each other by prefix."""
    found: dict[str, Any] = {}
    for struct in structs:
        found[_name(struct)] = _object(struct, prefix)
        for kind in (each for hint in get_type_hints(struct).values() for each in _named(hint)):
            if issubclass(kind, Value):
                found |= definitions([kind], prefix)
            else:
                found[kind.__name__] = _enumeration(kind)
    return found


def words_of(struct: type[Any]) -> str:
    """The docstring as one paragraph."""
    return " ".join((inspect.getdoc(struct) or "").split())


def comments_of(struct: type[Struct]) -> dict[str, str]:
    """Return the comment behind each field, by field."""
    found: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if issubclass(base, Event | Value) and base is not Value:
            found |= dict(re.findall(r"^    (\w+): [^#\n]+#:? (.+)$", inspect.getsource(base), re.MULTILINE))
    return {name: words for name, words in found.items() if name in struct.schema.fields}


def _name(struct: type[Struct]) -> str:
    return struct.routing_key if issubclass(struct, Event) else struct.__name__


def _object(struct: type[Struct], prefix: str) -> dict[str, Any]:
    hints, comments = get_type_hints(struct), comments_of(struct)
    properties = {name: _property(hints[name], prefix, comments.get(name)) for name in struct.schema.fields}
    required = [name for name, field in struct.schema.fields.items() if field.required]
    return {"type": "object", "description": words_of(struct), "properties": properties, "required": required}


def _property(hint: Any, prefix: str, words: str | None = None) -> dict[str, Any]:
    told = _of(hint, prefix)
    # What stands beside a reference is passed over by many readers.
    return told | {"description": words} if words and "$ref" not in told else told


def _of(hint: Any, prefix: str) -> dict[str, Any]:
    if get_origin(hint) is UnionType:
        inner = _of(get_args(hint)[0], prefix)
        if "type" in inner:
            return inner | {"type": [inner["type"], "null"]}
        return {"oneOf": [inner, {"type": "null"}]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _of(get_args(hint)[0], prefix)}
    return dict(_PLAIN[hint]) if hint in _PLAIN else {"$ref": prefix + hint.__name__}


def _enumeration(kind: type[Enum]) -> dict[str, Any]:
    return {"type": "string", "enum": [each.value for each in kind], "description": f"{words_of(kind)} {OPEN}"}


def _named(hint: Any) -> list[type[Any]]:
    """The parts and enumerations in an annotation."""
    if isinstance(hint, type) and issubclass(hint, Value | Enum):
        return [hint]
    return [each for inner in get_args(hint) for each in _named(inner)]
