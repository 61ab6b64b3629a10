"""Uses of the schemas of bodies and answers: how large a body can be, and what leaves the gateway of an answer."""

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


def only_named(schema: Schema, row: Any) -> Any:
    """Return the row without whatever the schema does not name, at any depth."""
    if not isinstance(row, dict):
        return row
    return {name: _only(each, row[name]) for name, each in schema.fields.items() if name in row}


def _only(shown: Any, value: Any) -> Any:
    if isinstance(shown, fields.Nested):
        return only_named(shown.schema, value)
    if isinstance(shown, fields.List) and isinstance(value, list):
        return [_only(shown.inner, each) for each in value]
    return value
