"""What crosses RPC into a command or query is checked against that function's own annotations."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from marshmallow import RAISE, Schema, ValidationError

from pratique.errors import Invalid
from pratique.value import field_of, freeze


@functools.cache
def schema_of(function: Callable[..., Any]) -> Schema:
    """The marshmallow schema of the keyword arguments that follow ``session``; unknown ones are refused."""
    hints = get_type_hints(function)
    fields = {}
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        field = field_of(hints[name], required=parameter.default is inspect.Parameter.empty)
        if parameter.default is not inspect.Parameter.empty:
            field.load_default = parameter.default
        fields[name] = field
    return Schema.from_dict(fields, name=function.__name__)(unknown=RAISE)


def load(function: Callable[..., Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the types that the function takes.

    Raises:
        Invalid: with a JSON pointer to each argument that is missing, unknown or malformed.
    """
    try:
        loaded: dict[str, Any] = schema_of(function).load(payload)
    except ValidationError as error:
        raise Invalid("Some of what was sent cannot be read.", pointers(error.messages)) from error
    hints = _hints_of(function)
    return {name: freeze(value, hints[name]) for name, value in loaded.items()}


_hints_of: Callable[[Any], dict[str, Any]] = functools.cache(get_type_hints)  #: an entry for each command and query


def pointers(messages: Any, at: str = "") -> dict[str, str]:
    """Marshmallow's nested messages as {JSON pointer: sentence}."""
    if isinstance(messages, dict):
        found: dict[str, str] = {}
        for key, inner in messages.items():
            step = str(key).replace("~", "~0").replace("/", "~1")  # RFC 6901
            found |= pointers(inner, at if key == "_schema" else f"{at}/{step}")
        return found
    return {at or "/": " ".join(str(message) for message in messages)}
