"""The base of every event, and the registry by which integrators read events from the wire.

An event states a fact in the past tense. It is a frozen value; its annotations are its schema. On the
wire it is a CloudEvents 1.0 object in structured JSON, whose ``type`` ends in the contract's version:
``org.pratique.meetings.MeetingClosed.v1``.
"""

import dataclasses
import functools
import json
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

CONTENT_TYPE = "application/cloudevents+json"
MAX_BODY_BYTES = 4 * 1024 * 1024  #: larger bodies are refused unread; 5,000 attendees need 0.8 MB


class _Instant(fields.AwareDateTime):
    """An instant with its offset, read into UTC; one that UTC's calendar cannot hold is refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        at: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return at.astimezone(UTC)
        except OverflowError as error:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error


_PLAIN: dict[Any, type[fields.Field[Any]]] = {
    uuid.UUID: fields.UUID,
    datetime: _Instant,
    str: fields.String,
    int: fields.Integer,
    float: fields.Float,
    bool: fields.Boolean,
    object: fields.Raw,  # any JSON value; whoever takes it checks it
}


class Undecodable(Exception):
    """These bytes are no event of ours; asking again will not help, so keep them aside and go on."""


def _is_optional(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


def _inner(hint: Any) -> Any:
    """The X of ``X | None``."""
    return next(arg for arg in get_args(hint) if arg is not type(None))


def field_of(hint: Any, required: bool = True) -> fields.Field[Any]:
    """The marshmallow field of one annotation: a plain type, an enum, a Value, ``tuple[X, ...]`` or ``X | None``."""
    if _is_optional(hint):
        field = field_of(_inner(hint), required=False)
        field.allow_none, field.load_default = True, None
        return field
    if get_origin(hint) in (tuple, list):
        return fields.List(field_of(get_args(hint)[0]), required=required)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return fields.Enum(hint, by_value=True, required=required)
    if isinstance(hint, type) and issubclass(hint, Value):
        return fields.Nested(hint.schema, required=required)
    return _PLAIN[hint](required=required)


def _reader(hint: Any) -> Callable[[Any], Any]:
    """A fast reader of one annotation from JSON; it raises on all that the marshmallow field refuses."""
    if _is_optional(hint):
        read = _reader(_inner(hint))
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
        return {member.value: member for member in hint}.__getitem__
    if hint is float:
        return _read_number
    if hint is object:
        return lambda raw: raw
    return lambda raw: _typed(raw, hint)


def _writer(hint: Any) -> Callable[[Any], Any] | None:
    """A fast writer of one annotation to JSON; None where the value is JSON already."""
    if _is_optional(hint):
        write_inner = _writer(_inner(hint))
        return write_inner and (lambda value: None if value is None else write_inner(value))
    if get_origin(hint) is tuple:
        write = _writer(get_args(hint)[0])
        return (lambda value: [write(each) for each in value]) if write else list
    if isinstance(hint, type) and issubclass(hint, Value):
        return lambda value: value.dump()
    if hint is uuid.UUID:
        return str
    if hint is datetime:
        return lambda value: value.astimezone(UTC).isoformat()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: value.value
    return None


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


class _Struct:
    """What events and their parts share: annotations that are the schema, and both directions of JSON."""

    schema: ClassVar[Schema]
    _readers: ClassVar[list[tuple[str, Callable[[Any], Any], bool]]]
    _writers: ClassVar[list[tuple[str, Callable[[Any], Any] | None]]]

    @classmethod
    def _compile(cls) -> None:
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        hints = get_type_hints(cls)
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]  # made one above
        cls.schema = Schema.from_dict({name: field_of(hints[name]) for name in names}, name=cls.__name__)(
            unknown=EXCLUDE
        )
        cls._readers = [(name, _reader(hints[name]), _is_optional(hints[name])) for name in names]
        cls._writers = [(name, _writer(hints[name])) for name in names]

    @classmethod
    def read(cls, raw: Any) -> Self:
        """The value of this JSON object.

        Unknown keys are passed over: a newer publisher may add some.

        Raises:
            ValidationError: with the messages that marshmallow has for each bad field.
        """
        try:
            value = object.__new__(cls)  # what the frozen class's __init__ would do, field by field and slowly
            value.__dict__.update(
                {name: read(raw.get(name) if optional else raw[name]) for name, read, optional in cls._readers}
            )
            return value
        except ValidationError:
            raise
        except (TypeError, ValueError, KeyError, AttributeError):
            return cls._read_slowly(raw)

    @classmethod
    def _read_slowly(cls, raw: Any) -> Self:
        """Let marshmallow say what is wrong, or accept what it alone can read (an instant written with Z)."""
        loaded: dict[str, Any] = cls.schema.load(raw)
        return cls(**{name: freeze(value, _hints_of(cls)[name]) for name, value in loaded.items()})

    def dump(self) -> dict[str, Any]:
        """This value as plain JSON data: strings, numbers, lists and objects only."""
        return {name: write(getattr(self, name)) if write else getattr(self, name) for name, write in self._writers}


_hints_of: Callable[[Any], dict[str, Any]] = functools.cache(get_type_hints)  #: an entry for each class there is


def freeze(value: Any, hint: Any) -> Any:
    """What marshmallow loaded, as the frozen value that the annotation promises: tuples, Values."""
    if value is None:
        return None
    if _is_optional(hint):
        hint = _inner(hint)
    if get_origin(hint) is tuple:
        return tuple(freeze(each, get_args(hint)[0]) for each in value)
    if isinstance(hint, type) and issubclass(hint, Value):
        inner = _hints_of(hint)
        return hint(**{name: freeze(each, inner[name]) for name, each in value.items()})
    return value


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Value(_Struct):
    """A part of an event, such as one attendee: frozen, and its annotations are its schema."""

    def __init_subclass__(cls) -> None:
        cls._compile()


@dataclass_transform(frozen_default=True, kw_only_default=True)
@dataclasses.dataclass(frozen=True, kw_only=True)
class Event(_Struct):
    """A fact, delivered at least once and in no promised order.

    Drop what is older than what you have by ``version``; handle each ``Envelope.id`` once.
    """

    type: ClassVar[str]  #: org.pratique.<publisher>.<Name>.v<N>, a public promise
    routing_key: ClassVar[str]  #: Name, or Name.v2
    publisher: ClassVar[str]  #: the service that alone publishes it
    is_private: ClassVar[bool]  #: carries personal data or free text; never on the public exchange
    subject_field: ClassVar[str]  #: the field that holds the aggregate's id

    version: int  #: of the aggregate, after this fact; grows by at least one with every change
    community_ids: tuple[uuid.UUID, ...]  #: whom the fact concerns; none where it is about a person as such

    def __init_subclass__(cls, subject: str, private: bool = False, contract: int = 1) -> None:
        cls._compile()
        cls.publisher = cls.__module__.rsplit(".", 1)[-1]
        cls.routing_key = cls.__name__ if contract == 1 else f"{cls.__name__}.v{contract}"
        cls.type = f"org.pratique.{cls.publisher}.{cls.__name__}.v{contract}"
        cls.subject_field, cls.is_private = subject, private
        REGISTRY[cls.type] = cls

    @classmethod
    def exchange(cls) -> str:
        """Where it is published: ``<service>.events``, or ``<service>.private``."""
        return f"{cls.publisher}.{'private' if cls.is_private else 'events'}"

    @property
    def subject(self) -> str:
        """The id of the aggregate that the fact is about."""
        return str(getattr(self, self.subject_field))


REGISTRY: dict[str, type[Event]] = {}


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@dataclasses.dataclass(frozen=True)
class Cause:
    """From what an event follows: the one before it, if any, and the id that all shares which follows from one act."""

    correlation_id: uuid.UUID
    id: uuid.UUID | None = None


@dataclasses.dataclass(frozen=True)
class Envelope:
    """An event on its way, with what routing, tracing and handling it once need (CloudEvents 1.0)."""

    event: Event
    id: uuid.UUID
    time: datetime
    correlation_id: uuid.UUID
    causation_id: uuid.UUID | None = None

    @classmethod
    def seal(cls, event: Event, time: datetime, cause: Cause | None = None) -> Self:
        """Give the event its identity; what follows from ``cause`` shares its correlation id."""
        id = uuid.uuid4()
        return cls(event, id, time, cause.correlation_id if cause else id, cause.id if cause else None)

    def as_cause(self) -> Cause:
        """What follows from this event names it so."""
        return Cause(self.correlation_id, self.id)

    def attributes(self) -> dict[str, str]:
        """The CloudEvents attributes, in the order in which they are written."""
        event = self.event
        attributes = {
            "specversion": "1.0",
            "id": str(self.id),
            "source": f"/pratique/{event.publisher}",
            "type": event.type,
            "subject": event.subject,
            "time": self.time.astimezone(UTC).isoformat(),
            "datacontenttype": "application/json",
            "dataschema": f"urn:pratique:schema:{event.type}",
            "correlationid": str(self.correlation_id),
            "sequence": str(event.version),
        }
        if self.causation_id:
            attributes["causationid"] = str(self.causation_id)
        return attributes

    def to_bytes(self) -> bytes:
        """The body on the wire: structured CloudEvents JSON in UTF-8.

        Raises:
            ValueError: a text holds half a surrogate pair, or a number is not finite; no reader could take it.
        """
        return _encode({**self.attributes(), "data": self.event.dump()}).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read what came over the wire.

        Raises:
            Undecodable: too long, no JSON, no CloudEvent, of an unknown type or version, or not of its schema.
                The message says which, for whoever looks at the dead letters.
        """
        if len(body) > MAX_BODY_BYTES:
            raise Undecodable(f"the body has {len(body)} bytes; {MAX_BODY_BYTES} are allowed")
        try:
            raw = json.loads(body.decode())
            if b"\\u" in body:  # half a surrogate pair is no text: neither UTF-8 nor a store takes it
                json.dumps(raw, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise Undecodable(f"the body is not JSON in UTF-8: {error}") from error
        if not isinstance(raw, Mapping) or raw.get("specversion") != "1.0":
            raise Undecodable("the body is not a CloudEvents 1.0 object")
        try:
            cause = raw.get("causationid")
            return cls(
                event=_event_class(raw.get("type")).read(raw.get("data")),
                id=uuid.UUID(raw["id"]),
                time=read_instant(raw["time"]),
                correlation_id=uuid.UUID(raw.get("correlationid") or raw["id"]),
                causation_id=uuid.UUID(cause) if cause else None,
            )
        except ValidationError as error:
            raise Undecodable(f"{raw.get('type')} does not fit its schema: {error.messages}") from error
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Undecodable(f"an attribute of the CloudEvent is missing or malformed: {error!r}") from error


def attributes_of(body: bytes) -> dict[str, str]:
    """The CloudEvents attributes of a body that ``Envelope.to_bytes`` made, without reading the event itself."""
    head, _, _ = body.partition(b',"data":')  # attributes come first, and hold ids, instants and names only
    attributes: dict[str, str] = json.loads(head + b"}")
    return attributes


def _event_class(type_name: Any) -> type[Event]:
    if isinstance(type_name, str) and type_name in REGISTRY:
        return REGISTRY[type_name]
    stem = type_name.rpartition(".v")[0] if isinstance(type_name, str) else ""
    known = sorted(name for name in REGISTRY if stem and name.rpartition(".v")[0] == stem)
    if known:
        raise Undecodable(f"unknown version {type_name!r}; this code reads {', '.join(known)}")
    raise Undecodable(f"unknown event type {str(type_name)[:200]!r}")
