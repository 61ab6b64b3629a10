"""For tests of services and of integrators: samples of every event, and what a session has published."""

import dataclasses
import enum
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID, uuid5

from pratique.event import Envelope, Event, Value

if TYPE_CHECKING:
    from sqlalchemy import MetaData
    from sqlalchemy.orm import Session

    from chassis.storage.store import Store

AT = datetime(2026, 3, 12, 14, 0, tzinfo=UTC)  #: the instant in samples
SEAL_KEY = "5e" * 32  #: of networks in tests
_SPACE = UUID("6f0a4f1e-0b3a-4b7e-9a53-3f6f0d9a1b12")
Some = TypeVar("Some", bound=Event)
Part = TypeVar("Part", bound=Value)


def sample(event_class: type[Some], **fields: Any) -> Some:
    """An event of this class in which every field has a value that fits; ``fields`` replace some. Always the same."""
    return event_class(**{**_values(event_class), **fields})


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


def wire(told: Event | Envelope[Event]) -> bytes:
    """An event as the broker carries it in tests: sealed with ``SEAL_KEY`` if it is private."""
    sealed = told if isinstance(told, Envelope) else envelope(told)
    if not sealed.event.is_private:
        return sealed.to_bytes()
    from chassis.sealing import Seal

    return sealed.to_bytes(seal=Seal.of(SEAL_KEY))


def heard(body: bytes) -> Envelope[Event]:
    """The event of a body that ``wire`` made, or a service of a network whose seal key is ``SEAL_KEY``."""
    from chassis.sealing import Seal

    return Envelope.from_bytes(body, Seal.of(SEAL_KEY))


def published(session: "Session", event_class: type[Some]) -> list[Some]:
    """The events of this class that the session's store has published or has promised, oldest first."""
    from sqlalchemy import select

    from chassis.messaging import outbox

    rows = session.scalars(select(outbox.EVENT_LOG.c.body).order_by(outbox.EVENT_LOG.c.seq))
    events = [outbox.read(session, body).event for body in rows]
    events += [promised.event for promised in outbox.pending(session)]
    return [each for each in events if isinstance(each, event_class)]


def open_at(name: str, url: str, pool_size: int = 10) -> "Store":
    """The store of a service at this URL, in a network whose seal key is ``SEAL_KEY``."""
    from chassis.settings import EMBEDDED, Settings
    from chassis.storage import store

    settings = Settings(broker_url=EMBEDDED, store_urls={name: url}, home=Path(), seal_key=SEAL_KEY)
    return store.open_store(settings, name, pool_size)


@contextmanager
def memory_store(name: str, metadata: "MetaData") -> Iterator["Store"]:
    """An empty store of the service in SQLite's memory, with all its tables."""
    from chassis.runtime.tables import create_all

    opened = open_at(name, "sqlite://")
    create_all(opened, metadata)
    try:
        yield opened
    finally:
        opened.close()
