"""Frozen values whose annotations are their schema, read from and written to plain JSON data."""

import dataclasses
import functools
import math
import types
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import (
    Any,
    ClassVar,
    Self,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from marshmallow import EXCLUDE, Schema, ValidationError, fields


class Instant(fields.AwareDateTime):
    """An instant with its offset, read into UTC; one that UTC's calendar cannot hold is refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        at: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return at.astimezone(UTC)
        except OverflowError as error:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error


class _OpenEnum(fields.Enum[Any]):
    """A value of an enumeration; one that a later version may have added stays the text that it is."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, **kwargs)
        except ValidationError:
            if isinstance(value, str):
                return value
            raise


_PLAIN: dict[Any, type[fields.Field[Any]]] = {
    uuid.UUID: fields.UUID,
    datetime: Instant,
    str: fields.String,
    int: fields.Integer,
    float: fields.Float,
    bool: fields.Boolean,
}


def is_optional(hint: Any) -> bool:
    """Return whether the annotation is ``X | None``."""
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


def inner_of(hint: Any) -> Any:
    """Return the X of ``X | None``."""
    return next(arg for arg in get_args(hint) if arg is not type(None))


def field_of(hint: Any, required: bool = True) -> fields.Field[Any]:
    """The marshmallow field of one annotation: a plain type, an enum, a Value, ``tuple[X, ...]`` or ``X | None``."""
    if is_optional(hint):
        field = field_of(inner_of(hint), required=False)
        field.allow_none, field.load_default = True, None
        return field
    if get_origin(hint) is tuple:
        return fields.List(field_of(get_args(hint)[0]), required=required)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _OpenEnum(hint, by_value=True, required=required)
    if isinstance(hint, type) and issubclass(hint, Value):
        return fields.Nested(hint.schema, required=required)
    return _PLAIN[hint](required=required)


def _reader(hint: Any) -> Callable[[Any], Any]:
    """A fast reader of one annotation from JSON; it raises on all that the marshmallow field refuses."""
    if is_optional(hint):
        read = _reader(inner_of(hint))
        return lambda raw: None if raw is None else read(raw)
    if get_origin(hint) is tuple:
        read = _reader(get_args(hint)[0])
        return lambda raw: tuple([read(each) for each in _typed(raw, list)])
    if isinstance(hint, type) and issubclass(hint, Value):
        return hint.read
    if hint is uuid.UUID:
        return _read_uuid
    if hint is datetime:
        return read_instant
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = {member.value: member for member in hint}
        return lambda raw: members.get(raw) or _typed(raw, str)
    if hint is float:
        return _read_number
    return lambda raw: _typed(raw, hint)


def _writer(hint: Any) -> Callable[[Any], Any] | None:
    """A fast writer of one annotation to JSON; None where the value is JSON already."""
    if is_optional(hint):
        write_inner = _writer(inner_of(hint))
        return write_inner and (lambda value: None if value is None else write_inner(value))
    if get_origin(hint) is tuple:
        write = _writer(get_args(hint)[0])
        return (lambda value: [write(each) for each in value]) if write else list
    if isinstance(hint, type) and issubclass(hint, Value):
        return lambda value: hint._write_all(value)  # also of a row, whose class is another
    if get_origin(hint) is Mapping:
        return lambda value: {str(key): each for key, each in value.items()}
    if hint is uuid.UUID:
        return uuid.UUID.__str__
    if hint is datetime:
        return lambda value: value.astimezone(UTC).isoformat()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: getattr(value, "value", value)
    return None


def _compiled_reader(hints: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """A function from a JSON object to its fields, written out field by field, as dataclasses write ``__init__``."""
    readers = {f"_{name}": _reader(hint) for name, hint in hints.items()}
    raw = {name: f"raw.get({name!r})" if is_optional(hint) else f"raw[{name!r}]" for name, hint in hints.items()}
    return _compiled("raw", {name: f"_{name}({raw[name]})" for name in hints}, readers)


def _compiled_writer(hints: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """A function from a value to its JSON object, written out field by field."""
    writers = {f"_{name}": _writer(hint) for name, hint in hints.items()}
    written = {name: f"_{name}(value.{name})" if writers[f"_{name}"] else f"value.{name}" for name in hints}
    return _compiled("value", written, writers)


def _compiled(argument: str, items: dict[str, str], names: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """The function that makes a dictionary of these expressions; a loop over them takes twice as long."""
    entries = ", ".join(f"{name!r}: {expression}" for name, expression in items.items())
    made: Callable[[Any], dict[str, Any]] = staticmethod(eval(f"lambda {argument}: {{{entries}}}", names))  # noqa: S307  (names of our own fields)
    return made


def _typed(raw: Any, kind: type) -> Any:
    if type(raw) is not kind:
        raise TypeError(f"{kind.__name__} expected")
    return raw


@functools.lru_cache(maxsize=8192)
def _read_uuid(text: str) -> uuid.UUID:
    """People, organisations and communities recur from event to event; reading their ids is a third of reading all."""
    return uuid.UUID(_typed(text, str))


def read_instant(raw: Any) -> datetime:
    """The instant of this ISO 8601 text, in UTC; ValueError or TypeError if it is none, or has no offset."""
    at = datetime.fromisoformat(_typed(raw, str))
    if at.tzinfo is None:
        raise ValueError("an instant needs its offset")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an instant that UTC cannot hold") from error


def _read_number(raw: Any) -> float:
    number: float = _typed(raw, float)
    if not math.isfinite(number):
        raise ValueError("a number must be finite")
    return number


class Struct:
    """The base of events, requests and their parts: annotations that are the schema, and both directions of JSON."""

    schema: ClassVar[Schema]
    _read_all: ClassVar[Callable[[Any], dict[str, Any]]]
    _write_all: ClassVar[Callable[[Any], dict[str, Any]]]

    @classmethod
    def _compile(cls) -> None:
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        hints = get_type_hints(cls)
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]  # made one above
        cls.schema = cls._make_schema()
        cls._read_all = _compiled_reader({name: hints[name] for name in names})
        cls._write_all = _compiled_writer({name: hints[name] for name in names})

    @classmethod
    def of(cls, row: object, **more: Any) -> Self:
        """Return the value that says what ``row`` says in attributes of the same names, and ``more``."""
        said = {name: getattr(row, name) for name in cls.schema.fields if name not in more}
        return cls(**{name: tuple(each) if isinstance(each, list) else each for name, each in said.items()}, **more)

    @classmethod
    def _make_schema(cls) -> Schema:
        """Make the schema by which it is read; unknown keys are passed over."""
        hints = get_type_hints(cls)
        made = {each.name: field_of(hints[each.name]) for each in dataclasses.fields(cls)}  # type: ignore[arg-type]  # see _compile
        return Schema.from_dict(made, name=cls.__name__)(unknown=EXCLUDE)

    @classmethod
    def read(cls, raw: Any) -> Self:
        """The value of this JSON object.

        Unknown keys are passed over: a newer publisher may add some.

        Raises:
            ValidationError: with the messages that marshmallow has for each bad field.
        """
        try:
            value = object.__new__(cls)  # what the frozen class's __init__ would do, field by field and slowly
            value.__dict__.update(cls._read_all(raw))
            return value
        except ValidationError:
            raise
        except (TypeError, ValueError, KeyError, AttributeError):
            return cls._read_slowly(raw)

    @classmethod
    def _read_slowly(cls, raw: Any) -> Self:
        """Let marshmallow say what is wrong, or accept what it alone can read (an instant written with Z)."""
        loaded: dict[str, Any] = cls.schema.load(raw)
        return cls(**{name: freeze(value, hints_of(cls)[name]) for name, value in loaded.items()})

    def dump(self) -> dict[str, Any]:
        """This value as plain JSON data: strings, numbers, lists and objects only."""
        return type(self)._write_all(self)


hints_of: Callable[[Any], dict[str, Any]] = functools.cache(get_type_hints)  #: an entry for each class there is


def freeze(value: Any, hint: Any) -> Any:
    """Return what marshmallow loaded as the frozen value that the annotation promises: tuples, Values."""
    if value is None:
        return None
    if is_optional(hint):
        hint = inner_of(hint)
    if get_origin(hint) is tuple:
        return tuple(freeze(each, get_args(hint)[0]) for each in value)
    if isinstance(hint, type) and issubclass(hint, Value):
        inner = hints_of(hint)
        return hint(**{name: freeze(each, inner[name]) for name, each in value.items()})
    return value


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Value(Struct):
    """A part of an event, such as one attendee: frozen, and its annotations are its schema."""

    def __init_subclass__(cls) -> None:
        cls._compile()
