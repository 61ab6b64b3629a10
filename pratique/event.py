"""The base of every event, and the registry by which integrators read events from the wire.

An event states a fact in the past tense. It is a frozen value; its annotations are its schema. On the
wire it is a CloudEvents 1.0 object in structured JSON, whose ``type`` ends in the contract's version:
``org.pratique.meetings.MeetingClosed.v1``.
"""

import base64
import dataclasses
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar, dataclass_transform

from marshmallow import ValidationError

from pratique.value import Struct, Value, read_instant

__all__ = [
    "CONTENT_TYPE",
    "EXAMPLE_URL",
    "REGISTRY",
    "Cause",
    "Envelope",
    "Event",
    "Sealing",
    "Some",
    "Undecodable",
    "Value",
    "attributes_of",
    "unsealed",
]

CONTENT_TYPE = "application/cloudevents+json"
MAX_BODY_BYTES = 4 * 1024 * 1024  #: larger bodies are refused unread; 5,000 attendees need 0.8 MB
EXAMPLE_URL = "https://pratique.example.org"  #: of the network in examples, golden files and tests


class Undecodable(Exception):
    """These bytes are no event of ours; asking again will not help, so keep them aside and go on."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
@dataclasses.dataclass(frozen=True, kw_only=True)
class Event(Struct):
    """A fact, delivered at least once and in no promised order.

    Drop what is older than what you have by ``version``; handle each ``Envelope.id`` once. A value of an enumeration
    that this code does not know, since a later version has added it, is read as plain text.
    """

    type: ClassVar[str]  #: org.pratique.<publisher>.<Name>.v<N>, a public promise
    routing_key: ClassVar[str]  #: Name, or Name.v2
    publisher: ClassVar[str]  #: the service that alone publishes it
    is_private: ClassVar[bool]  #: carries personal data or free text; never on the public exchange
    subject_field: ClassVar[str]  #: the field that holds the aggregate's id
    block: ClassVar[int]  #: bytes to a multiple of which a private event is padded, so that its length tells little

    version: int  #: of the aggregate, after this fact; grows by at least one with every change
    community_ids: tuple[uuid.UUID, ...]  #: whom the fact concerns; none where it is about a person as such

    def __init_subclass__(cls, subject: str, private: bool = False, contract: int = 1, block: int = 256) -> None:
        cls._compile()
        cls.publisher = cls.__module__.rsplit(".", 1)[-1]
        cls.routing_key = cls.__name__ if contract == 1 else f"{cls.__name__}.v{contract}"
        cls.type = f"org.pratique.{cls.publisher}.{cls.__name__}.v{contract}"
        cls.subject_field, cls.is_private, cls.block = subject, private, block
        REGISTRY[cls.type] = cls

    @classmethod
    def exchange(cls) -> str:
        """Return the exchange on which it is published: ``<service>.events``, or ``<service>.private``."""
        return f"{cls.publisher}.{'private' if cls.is_private else 'events'}"

    @property
    def subject(self) -> str:
        """The id of the aggregate that the fact is about."""
        return str(getattr(self, self.subject_field))


REGISTRY: dict[str, type[Event]] = {}


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@dataclasses.dataclass(frozen=True)
class Cause:
    """The cause of an event: the one before it, if any, and the id that all shares which follows from one act."""

    correlation_id: uuid.UUID
    id: uuid.UUID | None = None


class Sealing(Protocol):
    """A sealer of boxes: ``chassis.sealing.Seal``, which only services have."""

    def close(self, purpose: str, content: bytes, block: int = ...) -> bytes:
        """The content in a box, padded to a multiple of ``block`` bytes."""
        ...

    def open(self, purpose: str, box: bytes) -> bytes:
        """Open the box; ValueError if it is not ours."""
        ...


_SEALED_FOR = "event"
Fact = TypeVar("Fact", bound=Event, covariant=True)
Some = TypeVar("Some", bound=Event)


@dataclasses.dataclass(frozen=True)
class Envelope(Generic[Fact]):
    """An event on its way, with what routing, tracing and handling it once need (CloudEvents 1.0)."""

    event: Fact
    id: uuid.UUID
    time: datetime
    correlation_id: uuid.UUID
    causation_id: uuid.UUID | None = None

    @classmethod
    def seal(cls, event: Some, time: datetime, cause: Cause | None = None) -> "Envelope[Some]":
        """Give the event its identity; what follows from ``cause`` shares its correlation id."""
        id = uuid.uuid4()
        return Envelope(event, id, time, cause.correlation_id if cause else id, cause.id if cause else None)

    def as_cause(self) -> Cause:
        """Return the cause of what follows from this event."""
        return Cause(self.correlation_id, self.id)

    def attributes(self, public_url: str = EXAMPLE_URL) -> dict[str, str]:
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
            "dataschema": f"{public_url}/schemas/{event.type}.json",
            "correlationid": str(self.correlation_id),
            "sequence": f"{event.version:010d}",  # compared as texts, by its extension of CloudEvents
        }
        if self.causation_id:
            attributes["causationid"] = str(self.causation_id)
        return attributes

    def to_bytes(self, public_url: str = EXAMPLE_URL, seal: Sealing | None = None) -> bytes:
        """The body on the wire: structured CloudEvents JSON in UTF-8.

        With a ``seal``, a private event lies whole in a sealed box in the place of its data; the attributes stay in
        clear beside it. Without one it is in clear, as only tests and golden files have it.

        Raises:
            ValueError: a text holds half a surrogate pair, or a number is not finite; no reader could take it.
        """
        attributes = self.attributes(public_url)
        body = _encode({**attributes, "data": self.event.dump()}).encode()
        if seal is None or not self.event.is_private:
            return body
        head = _encode(attributes).encode().removesuffix(b"}")
        return b'%b,"data":{"box":"%b"}}' % (head, base64.b64encode(seal.close(_SEALED_FOR, body, self.event.block)))

    @classmethod
    def from_bytes(cls, body: bytes, seal: Sealing | None = None) -> "Envelope[Event]":
        """Read what came over the wire. With a ``seal``, private events must be sealed by it; without, none may be.

        Raises:
            Undecodable: too long, no JSON, no CloudEvent, of an unknown type or version, not of its schema, or not
                sealed with our key. The message says which, for whoever looks at the dead letters.
        """
        raw = _parsed(body)
        event_class = _event_class(raw.get("type"))
        if seal is not None and event_class.is_private:
            raw = _opened(body, raw, seal)
        try:
            cause = raw.get("causationid")
            return Envelope(
                event=event_class.read(raw.get("data")),
                id=uuid.UUID(raw["id"]),
                time=read_instant(raw["time"]),
                correlation_id=uuid.UUID(raw.get("correlationid") or raw["id"]),
                causation_id=uuid.UUID(cause) if cause else None,
            )
        except ValidationError as error:
            raise Undecodable(f"{raw.get('type')} does not fit its schema: {error.messages}") from error
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Undecodable(f"an attribute of the CloudEvent is missing or malformed: {error!r}") from error


def _parsed(body: bytes) -> Mapping[str, Any]:
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
    return raw


def unsealed(body: bytes, seal: Sealing) -> bytes:
    """The body in clear of an event that ``Envelope.to_bytes`` sealed.

    Raises:
        Undecodable: it has no box, or one that was altered or sealed by another key.
    """
    data = _parsed(body).get("data")
    try:
        return seal.open(_SEALED_FOR, base64.b64decode(data["box"], validate=True))  # type: ignore[index]  # see below
    except (TypeError, KeyError) as error:
        raise Undecodable("the event is private and not sealed: somebody else has published it") from error
    except ValueError as error:
        raise Undecodable(f"the event is sealed, and not by this network's key, or was altered: {error}") from error


def _opened(body: bytes, raw: Mapping[str, Any], seal: Sealing) -> Mapping[str, Any]:
    """Open the box of a private event, which must be the box of this event and not of another."""
    inner = _parsed(unsealed(body, seal))
    if (inner.get("id"), inner.get("type")) != (raw.get("id"), raw.get("type")):
        raise Undecodable("the sealed box is that of another event")
    return inner


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
