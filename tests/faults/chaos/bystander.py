"""Whoever subscribes to ``pratique.events`` with nothing but AMQP: what it saw, and how often."""

import contextlib
import json
import threading
import time
from collections import Counter, deque
from typing import Any, NamedTuple

import amqp

from chassis.messaging.broker import PUBLIC
from tests.bench.environment import broker
from tests.harness.waiting import PATIENCE_S

QUEUE = "bystander"


class Seen(NamedTuple):
    """A message as it came."""

    routing_key: str
    id: str
    source: str
    body: bytes


class Bystander:
    """A queue of its own, bound to everything; it comes back whenever the broker does."""

    def __init__(self, url: str) -> None:
        self._url, self.times = url, Counter[str]()
        self.recent: deque[Seen] = deque(maxlen=3000)
        self._is_over, self._is_bound = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._is_bound.wait(PATIENCE_S):
            raise TimeoutError("the bystander could not bind its queue")

    def _run(self) -> None:
        while not self._is_over.is_set():
            with contextlib.suppress(amqp.AMQPError, OSError), broker(self._url) as connection:
                self._consume(connection)
            time.sleep(0.2)

    def _consume(self, connection: Any) -> None:
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(QUEUE, PUBLIC.name, "#")
        self._is_bound.set()
        channel.basic_qos(0, 200, False)
        channel.basic_consume(QUEUE, callback=self._see)
        while not self._is_over.is_set():
            with contextlib.suppress(TimeoutError):
                connection.drain_events(timeout=0.5)

    def _see(self, message: Any) -> None:
        body = message.body if isinstance(message.body, bytes) else message.body.encode()
        attributes = json.loads(body)
        self.times[attributes["id"]] += 1
        routing_key = message.delivery_info["routing_key"]
        self.recent.append(Seen(routing_key, attributes["id"], attributes["source"].rpartition("/")[2], body))
        message.channel.basic_ack(message.delivery_tag)

    def stop(self) -> None:
        """Listen no more."""
        self._is_over.set()
        self._thread.join(PATIENCE_S)
