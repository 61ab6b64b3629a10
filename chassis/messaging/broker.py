"""The broker: names of exchanges on it, its errors, and time limits for operations on a connection."""

import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import AMQPError
from kombu import Exchange
from kombu.exceptions import KombuError

from chassis import green

PUBLISH_TIMEOUT_S = 5.0  #: a broker that is paused or blocked costs a publisher this long, and no longer
CONNECT_TIMEOUT_S = 3.0
HEARTBEAT_S = 30  #: a peer that is gone is noticed within two of these

#: Errors of connections and channels; the remedy is always a new connection.
BROKER_ERRORS: tuple[type[Exception], ...] = (AMQPError, KombuError, OSError, EOFError)

PUBLIC = Exchange("pratique.events", "topic", durable=True)  #: the only name that integrators are told
DEAD_LETTERS = Exchange("pratique.dead", "fanout", durable=True)  #: takes messages that end the process
RPC = Exchange("nameko-rpc", "topic", durable=True)  #: as nameko names it
#: A message that is taken so often without being acknowledged leaves the queue; parking it in the store comes first.
DELIVERY_LIMIT = 100


def events_exchange(service: str) -> Exchange:
    """Return the exchange of a service's public events, which the public exchange is bound to."""
    return Exchange(f"{service}.events", "topic", durable=True)


def private_exchange(service: str) -> Exchange:
    """Return the exchange of a service's private events."""
    return Exchange(f"{service}.private", "topic", durable=True)


@contextmanager
def time_limit(connection: Any, timeout_s: float) -> Iterator[None]:
    """Bound what is done with a connection: after ``timeout_s`` its socket is shut, and each wait on it fails.

    A time-out alone is not enough: kombu would wait for the broker to agree to the closing (docs/decisions/0001, W11).
    """
    watchdog = green.spawn_after(timeout_s, shut_socket, connection)
    try:
        yield
    finally:
        watchdog.cancel()


def shut_socket(connection: Any) -> None:
    """Shut the socket of a connection, now."""
    if (sock := _socket_of(connection)) is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def corked(connection: Any) -> Iterator[None]:
    """Let the kernel fill packets while much is written: a packet and a wake-up for each message cost most of the time.

    Only Linux can (TCP_CORK); elsewhere nothing changes.
    """
    sock = _socket_of(connection) if hasattr(socket, "TCP_CORK") else None
    if sock is None:
        yield
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


def _socket_of(connection: Any) -> Any:
    return getattr(getattr(getattr(connection, "_connection", None), "transport", None), "sock", None)
