"""Uses of the schemas of bodies and answers: how large a body can be, and what leaves the gateway of an answer."""

import functools
from collections.abc import Callable
from typing import Any

from marshmallow import Schema, fields

from pratique.fields import Listed


def most_parts(schema: Schema) -> int:
    """Return how many strings and brackets a JSON object that fits the schema can have at most."""
    return 2 + sum(1 + _parts(each) for each in schema.fields.values())


def _parts(shown: Any) -> int:
    if isinstance(shown, fields.Nested):
        return most_parts(shown.schema)
    return 2 + shown.most * _parts(shown.inner) if isinstance(shown, Listed) else 1


Keep = Callable[[Any], Any]  #: returns what may leave of a value


@functools.cache
def only_named(schema: Schema) -> Keep:
    """Return a function that leaves of a row only what the schema names, at any depth. It is made once for each."""
    kept = [(name, _keep(field)) for name, field in schema.fields.items()]

    def keep(row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        return {name: inner(row[name]) if inner else row[name] for name, inner in kept if name in row}

    return keep


def _keep(field: Any) -> Keep | None:
    """Return what leaves of this field's value what may leave; None for all of it."""
    if isinstance(field, fields.Nested):
        one = only_named(field.schema)
        return lambda value: [one(each) for each in value] if isinstance(value, list) else one(value)
    if isinstance(field, fields.List) and (inner := _keep(field.inner)):
        return lambda value: [inner(each) for each in value] if isinstance(value, list) else value
    return None
