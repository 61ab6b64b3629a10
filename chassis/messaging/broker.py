"""Connections to the broker that cannot hang, the names on it, and publishing with pipelined confirms."""

import contextlib
import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import eventlet
from amqp.exceptions import AMQPError, NotFound
from kombu import Connection, Exchange, Queue
from kombu.exceptions import KombuError

from chassis.crashpoint import crashpoint
from pratique.event import CONTENT_TYPE, Event

log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S = 5.0  #: a broker that is paused or blocked costs a publisher this long, and no longer
CONNECT_TIMEOUT_S = 3.0
HEARTBEAT_S = 30  #: a peer that is gone is seen within two of these

#: What can go wrong with a broker; the remedy is always a new connection.
BROKER_ERRORS: tuple[type[Exception], ...] = (AMQPError, KombuError, OSError, EOFError)

PUBLIC = Exchange("pratique.events", "topic", durable=True)  #: the only name that integrators are told
DEAD = Exchange("pratique.dead", "fanout", durable=True)  #: a net for messages that end the process
RPC = Exchange("nameko-rpc", "topic", durable=True)  #: as nameko names it
_QUORUM = {"x-queue-type": "quorum"}
#: A message that is taken so often without being acknowledged leaves the queue; parking it in the store comes first.
DELIVERY_LIMIT = 100


class NotConfirmed(Exception):
    """The broker did not confirm in time, or refused; publish again later."""


class Outgoing(NamedTuple):
    """One message to publish."""

    exchange: str
    routing_key: str
    body: bytes
    headers: dict[str, str]
    message_id: str


@contextmanager
def connection(url: str) -> Iterator[Any]:
    """A broker connection, established in bounded time and closed in bounded time."""
    opened = Connection(
        url,
        connect_timeout=CONNECT_TIMEOUT_S,
        heartbeat=0 if url.startswith("embedded:") else HEARTBEAT_S,
        transport_options={"max_retries": 0, "confirm_publish": False},
    )
    try:
        with within(opened, CONNECT_TIMEOUT_S + 1):
            opened.connect()
        yield opened
    finally:
        with contextlib.suppress(*BROKER_ERRORS, eventlet.Timeout), within(opened, 1.0):
            opened.release()


@contextmanager
def within(opened: Any, timeout_s: float) -> Iterator[None]:
    """Bound what is done with a connection: after ``timeout_s`` its socket is cut, whoever waits on it gets an error.

    A time-out alone is not enough: kombu would wait for the broker to agree to the closing (docs/decisions/0001, W11).
    """
    watchdog = eventlet.spawn_after(timeout_s, cut, opened)
    try:
        yield
    finally:
        watchdog.cancel()


def cut(opened: Any) -> None:
    """Shut the socket of a connection, now."""
    if (sock := _socket_of(opened)) is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def corked(opened: Any) -> Iterator[None]:
    """Let the kernel fill packets while much is written: a packet and a wake-up for each message cost most of the time.

    Only Linux can; elsewhere nothing changes.
    """
    sock = _socket_of(opened) if hasattr(socket, "TCP_CORK") else None
    if sock is None:
        yield
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


def _socket_of(opened: Any) -> Any:
    return getattr(getattr(getattr(opened, "_connection", None), "transport", None), "sock", None)


def queue_of(service: str, url: str) -> Queue:
    """The one durable queue of a service, named after it."""
    arguments = {}
    if not url.startswith("embedded:"):
        arguments = {**_QUORUM, "x-delivery-limit": DELIVERY_LIMIT, "x-dead-letter-exchange": DEAD.name}
    return Queue(service, durable=True, queue_arguments=arguments)


def is_there(channel: Any, entity: Any) -> bool:
    """Whether an exchange or a queue is there.

    To ask needs any right to it, or none before RabbitMQ 4.3; to make it needs one that services lack.
    """
    try:
        with channel.connection.channel() as asking:  # a no costs the channel
            if isinstance(entity, Queue):
                asking.queue_declare(entity.name, passive=True)
            else:
                asking.exchange_declare(entity.name, entity.type, passive=True)
    except NotFound:
        return False
    return True


def depth(channel: Any, queue: str) -> int:
    """Return how many messages wait in a queue, those excluded that somebody has taken and not acknowledged."""
    return int(channel.queue_declare(queue, passive=True).message_count)


def ensure(channel: Any, url: str, exchange: Exchange) -> None:
    """Leave the broker with this exchange, made now only if it is missing."""
    if url.startswith("embedded:") or not is_there(channel, exchange):
        exchange(channel).declare()


def declare_exchanges(channel: Any, service: str, is_embedded: bool) -> None:
    """Leave the broker with the exchanges on which ``service`` publishes, the public one bound to them."""
    PUBLIC(channel).declare()
    events, private = (Exchange(f"{service}.{kind}", "topic", durable=True) for kind in ("events", "private"))
    events(channel).declare()
    if not is_embedded:
        PUBLIC(channel).bind_to(events, routing_key="#")
    private(channel).declare()  # last: who finds it knows that all of this was done


def _ensure_exchanges(channel: Any, service: str, heard: Iterable[str], is_embedded: bool) -> None:
    """Leave the broker with all exchanges of a service that has not run yet, if what is heard of it is missing.

    All of them: who finds the private one there takes it that the public exchange is bound to the other.
    """
    if is_embedded or not all(is_there(channel, Exchange(name, "topic")) for name in heard):
        declare_exchanges(channel, service, is_embedded)


def declare_queue(channel: Any, service: str, url: str, events: Iterable[type[Event]]) -> Any:
    """Leave the broker with the service's queue, bound to these events; returns the bound queue."""
    net = Queue(DEAD.name, DEAD, durable=True, queue_arguments=_QUORUM)
    if not url.startswith("embedded:") and not is_there(channel, net):
        net(channel).declare()
    queue = queue_of(service, url)(channel)
    queue.declare()
    events = list(events)
    for publisher in sorted({event.publisher for event in events}):
        heard = {event.exchange() for event in events if event.publisher == publisher}
        _ensure_exchanges(channel, publisher, heard, url.startswith("embedded:"))
    for event in events:
        queue.bind_to(event.exchange(), routing_key=event.routing_key)
    return queue


class Publisher:
    """Publishes in windows with pipelined confirms, on a connection of its own that it makes anew when it breaks."""

    def __init__(self, url: str, service: str) -> None:
        self._url, self._service = url, service
        self._context: Any = None
        self._connection: Any = None
        self._channel: Any = None
        self._unconfirmed: set[int] = set()
        self._tag = 0
        self._refused = 0

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Return when the broker has confirmed every message.

        Raises:
            NotConfirmed: it did not, within ``PUBLISH_TIMEOUT_S``; some may have arrived all the same.
        """
        try:
            self._open()
            with within(self._connection, PUBLISH_TIMEOUT_S):
                with corked(self._connection):
                    self._send(messages)
                crashpoint("relay.sent")
                while self._unconfirmed:
                    self._connection.drain_events(timeout=PUBLISH_TIMEOUT_S)
        except BROKER_ERRORS as error:
            self.close()
            raise NotConfirmed(f"{type(error).__name__}: {error}") from error
        if self._refused:
            self._refused = 0
            raise NotConfirmed("the broker refused a message (nack)")

    def keep_alive(self) -> None:
        """Answer heartbeats while there is nothing to publish."""
        if self._connection is None or self._url.startswith("embedded:"):
            return
        try:
            with within(self._connection, PUBLISH_TIMEOUT_S), contextlib.suppress(TimeoutError):
                self._connection.heartbeat_check()
                self._connection.drain_events(timeout=0)
        except BROKER_ERRORS:
            self.close()

    def close(self) -> None:
        """Close the connection, in bounded time."""
        context, self._context, self._connection, self._channel = self._context, None, None, None
        self._unconfirmed.clear()
        self._refused = 0
        if context is not None:
            context.__exit__(None, None, None)

    def _open(self) -> None:
        if self._connection is not None:
            return
        self._context = connection(self._url)
        try:
            self._connection = self._context.__enter__()
        except BaseException:
            self._context = None
            raise
        is_embedded = self._url.startswith("embedded:")
        with within(self._connection, PUBLISH_TIMEOUT_S):
            self._channel = self._connection.default_channel
            if is_embedded or not is_there(self._channel, Exchange(f"{self._service}.private", "topic")):
                declare_exchanges(self._channel, self._service, is_embedded)
            self._tag = 0
            if not is_embedded:
                self._channel.confirm_select()
                self._channel.events["basic_ack"].add(self._on_ack)
                self._channel.events["basic_nack"].add(self._on_nack)

    def _send(self, messages: Sequence[Outgoing]) -> None:
        channel, needs_confirm = self._channel, not self._url.startswith("embedded:")
        for each in messages:
            properties = {"delivery_mode": 2, "message_id": each.message_id, "type": each.headers.get("ce-type", "")}
            message = channel.prepare_message(each.body, None, CONTENT_TYPE, "utf-8", dict(each.headers), properties)
            if needs_confirm:
                self._tag += 1
                self._unconfirmed.add(self._tag)
            channel.basic_publish(message, each.exchange, routing_key=each.routing_key)

    def _on_ack(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._unconfirmed = {each for each in self._unconfirmed if each > tag}
        else:
            self._unconfirmed.discard(tag)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refused += 1
        self._on_ack(tag, multiple)
