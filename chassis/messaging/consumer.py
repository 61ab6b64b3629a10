"""The event consumer: deliveries in batches, each handled by the inbox in one transaction, then acknowledged."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from kombu import Consumer
from sqlalchemy import delete, select

from chassis import metrics
from chassis.crashpoint import crashpoint
from chassis.messaging import inbox
from chassis.messaging.bindings import BINDING
from chassis.messaging.queue_consumer import QueueConsumer
from chassis.messaging.transport import Transport
from chassis.storage import store
from pratique.event import Envelope, Event

log = logging.getLogger(__name__)

REDELIVERY_LIMIT = 3  #: deliveries without an acknowledgement, after which a message is parked before it is handled
#: How often a message came before: RabbitMQ 4.3 counts in the first only deliveries that failed, which one that timed
#: out or was given back did not; in the second all of them.
_COUNTS = ("x-delivery-count", "x-acquired-count")
_PAUSE_S = 1.0  #: between two tries while the store is away
Reacted = Callable[[list[Envelope[Event]]], None]


class EventConsumer(QueueConsumer):
    """The consumer of one service's queue."""

    def __init__(self, opened: store.Store, reactions: inbox.Reactions, transport: Transport, batch_size: int) -> None:
        super().__init__(transport, f"{opened.name} reactions")
        self._store, self._reactions, self._batch_size = opened, reactions, batch_size
        self._buffer: list[Any] = []
        self.reacted: Reacted = lambda envelopes: None  #: called with each batch, for observers

    def consumers(self, channel: Any) -> Sequence[Any]:
        """Declare the service's queue, bound to exactly what its reactions table names."""
        self._buffer.clear()
        service = self._store.name
        has_lost_queue = self._has_lost_queue(channel)
        queue = self.transport.declare_queue(channel, service, self._reactions)
        if has_lost_queue:
            words = "the queue %s was gone with what waited in it, and is made anew; say `pratique republish --since …`"
            log.error(words, service)
        crashpoint("consumer.bound")
        self._unbind_others(queue)
        channel.basic_qos(0, self._batch_size * 2, False)
        # What kombu itself cannot unpack is for the inbox to judge, like all else that cannot be read.
        take = self._buffer.append
        return [Consumer(channel, queue, on_message=take, on_decode_error=lambda message, error: take(message))]

    def _has_lost_queue(self, channel: Any) -> bool:
        """Return whether the service had its queue and somebody has deleted it."""
        if not self.transport.is_durable:
            return False
        with self._store.begin() as session:
            had_one = session.scalar(select(BINDING.c.exchange).limit(1)) is not None
        return had_one and not self.transport.exists(channel, self.transport.queue(self._store.name))

    def _unbind_others(self, queue: Any) -> None:
        bound_to = {(event.exchange(), event.routing_key) for event in self._reactions}
        with self._store.begin() as session:
            known = {(row.exchange, row.routing_key) for row in session.execute(select(BINDING))}
            for exchange, routing_key in known - bound_to:
                queue.channel.queue_unbind(queue=queue.name, exchange=exchange, routing_key=routing_key)
                mine = (BINDING.c.exchange == exchange) & (BINDING.c.routing_key == routing_key)
                session.execute(delete(BINDING).where(mine))
            rows = [{"exchange": exchange, "routing_key": key} for exchange, key in sorted(bound_to - known)]
            session.insert_many(BINDING, rows, ignore_conflicts=True)  # another replica may start just now

    def receive(self, connection: Any) -> None:
        """Take what is there without waiting for more, react, and acknowledge."""
        with suppress(TimeoutError):
            connection.drain_events(timeout=1.0)
            while len(self._buffer) < self._batch_size:
                connection.drain_events(timeout=0)
        if not self._buffer:
            return
        batch, self._buffer[:] = self._buffer[: self._batch_size], self._buffer[self._batch_size :]
        crashpoint("consumer.taken")
        while not self._react(batch):
            if self.is_stopping:
                return
            self._stay_connected(connection, _PAUSE_S)
        self._acknowledge(batch)

    def _react(self, batch: Sequence[Any]) -> bool:
        """React; False while the store is away, when nothing is acknowledged and nothing more is taken."""
        fresh = [_body(message) for message in batch if not _is_over_limit(message)]
        over_limit = [_body(message) for message in batch if _is_over_limit(message)]
        self.is_busy = True
        try:
            with metrics.BATCH_SECONDS.labels(self._store.name).time():
                envelopes = inbox.receive(self._store, self._reactions, fresh)
            if over_limit:
                log.warning("%s: %d messages came %d times", self.name, len(over_limit), REDELIVERY_LIMIT)
                inbox.park_unread(self._store, over_limit)
        except store.StoreAway as error:
            log.warning("%s: %s; consumption pauses", self.name, error)
            return False
        finally:
            self.is_busy = False
        metrics.EVENTS_HANDLED.labels(self._store.name).inc(len(envelopes))
        self.reacted(envelopes)
        return True

    def _stay_connected(self, connection: Any, seconds: float) -> None:
        """Wait without losing the connection; deliveries that still come are bounded by the prefetch."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            with suppress(TimeoutError):
                connection.drain_events(timeout=left)
        self.transport.check_heartbeat(connection)

    def _acknowledge(self, batch: Sequence[Any]) -> None:
        crashpoint("consumer.before_ack")
        self.transport.acknowledge(batch)
        crashpoint("consumer.acked")


def _body(message: Any) -> bytes:
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def _is_over_limit(message: Any) -> bool:
    """Return whether handling it may have ended a process; its attempts are then counted in the store."""
    counts = [(message.headers or {}).get(name) for name in _COUNTS]
    return any(isinstance(count, int) and count >= REDELIVERY_LIMIT for count in counts)
