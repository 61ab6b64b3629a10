"""Stores in memory, sealed messages, published events and requests as they arrive, for tests of services."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import MetaData, select

from chassis.messaging import outbox
from chassis.rpc.requests import read
from chassis.runtime.tables import create_all
from chassis.sealing import Seal
from chassis.settings import EMBEDDED, Settings
from chassis.storage.store import Store, Transaction, open_store
from pratique.event import Envelope, Event
from pratique.request import Request
from pratique.testing import envelope

SEAL_KEY = "5e" * 32  #: of networks in tests
Some = TypeVar("Some", bound=Event)
Asked = TypeVar("Asked", bound=Request)


def wire(told: Event | Envelope[Event]) -> bytes:
    """An event as the broker carries it in tests: sealed with ``SEAL_KEY`` if it is private."""
    sealed = told if isinstance(told, Envelope) else envelope(told)
    if not sealed.event.is_private:
        return sealed.to_bytes()
    return sealed.to_bytes(seal=Seal.of(SEAL_KEY))


def heard(body: bytes) -> Envelope[Event]:
    """The event of a body that ``wire`` made, or a service of a network whose seal key is ``SEAL_KEY``."""
    return Envelope.from_bytes(body, Seal.of(SEAL_KEY))


def published(session: Transaction, event_class: type[Some]) -> list[Some]:
    """The events of this class that the store has published, or this transaction will, oldest first."""
    rows = session.scalars(select(outbox.EVENT_LOG.c.body).order_by(outbox.EVENT_LOG.c.seq))
    events = [outbox.read(session, body).event for body in rows]
    events += [promised.event for promised in session.published]
    return [each for each in events if isinstance(each, event_class)]


def open_at(name: str, url: str, pool_size: int = 10) -> Store:
    """The store of a service at this URL, in a network whose seal key is ``SEAL_KEY``."""

    settings = Settings(broker_url=EMBEDDED, store_urls={name: url}, home=Path(), seal_key=SEAL_KEY)
    return open_store(settings, name, pool_size)


@contextmanager
def memory_store(name: str, metadata: MetaData) -> Iterator[Store]:
    """An empty store of the service in SQLite's memory, with all its tables."""
    opened = open_at(name, "sqlite://")
    create_all(opened, metadata)
    try:
        yield opened
    finally:
        opened.close()


def crossed(request: Asked) -> Asked:
    """Return the request as its service reads it, after it has crossed RPC as plain JSON.

    Raises:
        Invalid: with a JSON pointer to each field that does not fit its annotation.
    """
    return read(type(request), json.loads(json.dumps(request.payload())))
