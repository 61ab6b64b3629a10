"""A consumer that outlives the broker, cannot be killed by a message, and stops in bounded time.

nameko's own is replaced whole: it acknowledges what it could not decode, closes the connection before the workers
have finished, and never stops while the broker is away (docs/decisions/0001, W4, W5, W7, W15).
"""

import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from chassis import green
from chassis.messaging import broker
from chassis.messaging.transport import Transport

log = logging.getLogger(__name__)

DRAIN_S = 10.0  #: how long work in flight may go on after SIGTERM


class QueueConsumer(ABC):
    """Subclasses say what to consume, and what a round is; ``run`` belongs in a green thread of its own."""

    def __init__(self, transport: Transport, name: str) -> None:
        self.transport, self.name = transport, name
        self.is_consuming = False
        self.is_busy = False  #: something would be cut short by killing the thread now
        self.is_stopping = False
        self._thread: Any = None
        self._ended = green.Event()

    @abstractmethod
    def consumers(self, channel: Any) -> Sequence[Any]:
        """Declare what is needed on a fresh channel and return the kombu consumers to start."""

    def round(self, connection: Any) -> None:
        """One turn: wait for deliveries at most a second, and do what they ask."""
        with suppress(TimeoutError):
            connection.drain_events(timeout=1.0)

    def is_drained(self) -> bool:
        """Whether nothing is in flight, so that the connection may close."""
        return True

    def run(self) -> None:
        """Consume until stopped; when the broker goes, come back when it does."""
        self._thread = green.getcurrent()
        pause_s = 0.1
        try:
            while not self.is_stopping:
                try:
                    with self.transport.connection() as connection:
                        self._consume(connection)
                except broker.BROKER_ERRORS as error:
                    log.warning("%s lost the broker (%s: %s)", self.name, type(error).__name__, str(error)[:200])
                except Exception:
                    log.exception("%s goes on with a new connection", self.name)
                if self.is_consuming:
                    self.is_consuming, pause_s = False, 0.1
                if not self.is_stopping:
                    green.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311  (no secret)
                    pause_s = min(pause_s * 2, 2.0)
        finally:
            self.is_consuming = False
            self._ended.send()

    def _consume(self, connection: Any) -> None:
        channel = connection.default_channel
        with broker.time_limit(connection, broker.PUBLISH_TIMEOUT_S):
            started = self.consumers(channel)
            for consumer in started:
                consumer.consume()
        self.is_consuming = True
        while not self.is_stopping:
            self.round(connection)
            self.transport.check_heartbeat(connection)
        for consumer in started:
            with broker.time_limit(connection, 1.0):
                consumer.cancel()
        while not self.is_drained():
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.05)

    def stop(self) -> None:
        """Take nothing new, finish what is in flight within ``DRAIN_S``, and close.

        At once where nothing is in flight, also while the broker is away.
        """
        self.is_stopping = True
        if self._thread is None:
            return
        with green.Timeout(DRAIN_S, False):
            while (self.is_busy or not self.is_drained()) and not self._ended.ready():
                green.sleep(0.01)
        self.kill()

    def kill(self) -> None:
        """End the thread now, within a second; what was not acknowledged is delivered again."""
        self.is_stopping = True
        if self._thread is not None and not self._ended.ready():
            self._thread.kill()
            with green.Timeout(1.0, False):
                self._ended.wait()
