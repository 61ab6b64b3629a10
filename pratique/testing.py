"""Samples of every event and request, for tests of integrators and of services."""

import dataclasses
import enum
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID, uuid5

from pratique.event import Envelope, Event, Value
from pratique.request import Request
from pratique.value import freeze

AT = datetime(2026, 3, 12, 14, 0, tzinfo=UTC)  #: the instant in samples
_SPACE = UUID("6f0a4f1e-0b3a-4b7e-9a53-3f6f0d9a1b12")
Some = TypeVar("Some", bound=Event)
Asked = TypeVar("Asked", bound=Request)
Part = TypeVar("Part", bound=Value)


def sample(event_class: type[Some], **fields: Any) -> Some:
    """An event of this class in which every field has a value that fits; ``fields`` replace some. Always the same."""
    return event_class(**{**_values(event_class), **fields})


def sample_request(request_class: type[Asked], **fields: Any) -> Asked:
    """Return a request of this class, made of the examples of its fields; ``fields`` replace some. Always the same."""
    hints = get_type_hints(request_class)
    needed = [each for each in dataclasses.fields(request_class) if each.default is dataclasses.MISSING]  # type: ignore[arg-type]  # made one by its base
    examples = request_class.schema.load(request_class.example(), partial=True)
    values = {each.name: _value(each.name, hints[each.name]) for each in needed}
    values |= {name: freeze(value, hints[name]) for name, value in examples.items()}
    return request_class(**{**values, **fields})


def part(value_class: type[Part], **fields: Any) -> Part:
    """A part of an event, such as one attendee, filled in the same way."""
    return value_class(**{**_values(value_class), **fields})


def _values(struct: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(struct)
    return {field.name: _value(field.name, hints[field.name]) for field in dataclasses.fields(struct)}


def _value(name: str, hint: Any) -> Any:
    if get_origin(hint) is UnionType:
        return _value(name, get_args(hint)[0])
    if get_origin(hint) is tuple:
        return (_value(name.removesuffix("s"), get_args(hint)[0]),)
    if isinstance(hint, type) and issubclass(hint, Value):
        return part(hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    plain = {
        UUID: uuid5(_SPACE, name),
        datetime: AT,
        str: {"timezone": "America/Toronto", "email": "someone@example.org"}.get(name, name),
        int: 1,
        float: 0.5,
        bool: True,
    }
    return plain[hint]


def envelope(event: Some, **attributes: Any) -> Envelope[Some]:
    """The event in an envelope of its own, a minute after ``AT``."""
    sealed = Envelope.seal(event, AT + timedelta(minutes=1))
    return dataclasses.replace(sealed, **attributes)
