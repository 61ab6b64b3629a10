"""The queue consumer: outlives the broker, cannot be killed by a message, and stops in bounded time.

nameko's own is replaced whole: it acknowledges what it could not decode, closes the connection before the workers
have finished, and never stops while the broker is away (docs/decisions/0001, W4, W5, W7, W15).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from chassis import green
from chassis.loop import Loop
from chassis.messaging import broker
from chassis.messaging.transport import Transport

DRAIN_S = 10.0  #: how long work in flight may go on after SIGTERM


class QueueConsumer(ABC):
    """A connection with consumers, made anew whenever it is lost; ``run`` belongs in a green thread of its own.

    Subclasses declare their queues in ``consumers`` and may override ``receive`` and ``is_drained``.
    """

    def __init__(self, transport: Transport, name: str) -> None:
        self.transport, self.name = transport, name
        self.is_consuming = False
        self.is_busy = False  #: something would be cut short by killing the thread now
        self._loop = Loop(name, self._connect_and_consume, broker.BROKER_ERRORS, "lost the broker")

    @abstractmethod
    def consumers(self, channel: Any) -> Sequence[Any]:
        """Declare what is needed on a fresh channel and return the kombu consumers to start."""

    def receive(self, connection: Any) -> None:
        """Wait for deliveries, a second at most, and do what they ask."""
        with suppress(TimeoutError):
            connection.drain_events(timeout=1.0)

    def is_drained(self) -> bool:
        """Return whether nothing is in flight, so that the connection may close."""
        return True

    @property
    def is_stopping(self) -> bool:
        """True once nothing new is to be taken."""
        return self._loop.is_stopping

    def run(self) -> None:
        """Consume until stopped; when the broker goes, come back when it does."""
        self._loop.run()

    def _connect_and_consume(self) -> bool:
        try:
            with self.transport.connection() as connection:
                self._consume(connection)
        finally:
            self.is_consuming = False
        return True

    def _consume(self, connection: Any) -> None:
        channel = connection.default_channel
        with broker.time_limit(connection, broker.PUBLISH_TIMEOUT_S):
            started = self.consumers(channel)
            for consumer in started:
                consumer.consume()
        self.is_consuming = True
        while not self.is_stopping:
            self.receive(connection)
            self.transport.check_heartbeat(connection)
        for consumer in started:
            with broker.time_limit(connection, 1.0):
                consumer.cancel()
        while not self.is_drained():
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.05)

    def drain(self) -> None:
        """Take nothing new, and return at once; work in flight goes on."""
        self._loop.request_stop()

    def stop(self) -> None:
        """Take nothing new, let work in flight end within ``DRAIN_S``, and close.

        At once where nothing is in flight, also while the broker is away.
        """
        self.drain()
        with green.Timeout(DRAIN_S, False):
            while self._loop.is_running and (self.is_busy or not self.is_drained()):
                green.sleep(0.01)
        self._loop.kill()

    def kill(self) -> None:
        """End now, within a second; deliveries without an acknowledgement come again."""
        self._loop.kill()
