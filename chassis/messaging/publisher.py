"""The publisher: messages in windows, with pipelined confirms, over a connection that is made anew when it breaks."""

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from chassis.crashpoint import crashpoint
from chassis.messaging import broker
from chassis.messaging.transport import Transport
from pratique.event import CONTENT_TYPE


class NotConfirmed(Exception):
    """The broker did not confirm in time, or refused; publish again later."""


class Outgoing(NamedTuple):
    """One message to publish."""

    exchange: str
    routing_key: str
    body: bytes
    headers: dict[str, str]
    message_id: str


class Publisher:
    """The sending end of one service, on a connection of its own."""

    def __init__(self, transport: Transport, service: str) -> None:
        self._transport, self._service = transport, service
        self._context: Any = None
        self._connection: Any = None
        self._channel: Any = None
        self._has_confirms = False
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
            with broker.time_limit(self._connection, broker.PUBLISH_TIMEOUT_S):
                with broker.corked(self._connection):
                    self._send(messages)
                crashpoint("relay.sent")
                while self._unconfirmed:
                    self._connection.drain_events(timeout=broker.PUBLISH_TIMEOUT_S)
        except broker.BROKER_ERRORS as error:
            self.close()
            raise NotConfirmed(f"{type(error).__name__}: {error}") from error
        if self._refused:
            self._refused = 0
            raise NotConfirmed("the broker refused a message (nack)")

    def keep_alive(self) -> None:
        """Answer heartbeats while there is nothing to publish."""
        if self._connection is None:
            return
        try:
            with broker.time_limit(self._connection, broker.PUBLISH_TIMEOUT_S), contextlib.suppress(TimeoutError):
                self._transport.check_heartbeat(self._connection)
                self._connection.drain_events(timeout=0)
        except broker.BROKER_ERRORS:
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
        self._context = self._transport.connection()
        try:
            self._connection = self._context.__enter__()
        except BaseException:
            self._context = None
            raise
        with broker.time_limit(self._connection, broker.PUBLISH_TIMEOUT_S):
            self._channel = self._connection.default_channel
            if not self._transport.exists(self._channel, broker.private_exchange(self._service)):
                self._transport.declare_exchanges(self._channel, self._service)
            self._tag = 0
            self._has_confirms = self._transport.select_confirms(self._channel, self._on_ack, self._on_nack)

    def _send(self, messages: Sequence[Outgoing]) -> None:
        channel = self._channel
        for each in messages:
            properties = {"delivery_mode": 2, "message_id": each.message_id, "type": each.headers.get("ce-type", "")}
            message = channel.prepare_message(each.body, None, CONTENT_TYPE, "utf-8", dict(each.headers), properties)
            if self._has_confirms:
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
