"""Queues in memory: kombu's in-memory transport, with consumers woken by the publish instead of by polling.

Importing this registers it under ``embedded://``. Everything in it is lost with the process; at start the relay offers
again what the event log holds (``outbox.offer_again``), and the inboxes drop what they have seen.
"""

import time
from queue import Empty
from typing import Any, ClassVar

from kombu.transport import TRANSPORT_ALIASES, memory, virtual

from chassis import green

#: While so many messages wait in one queue, relays publish nothing more: what the stores hold stays there.
QUEUE_LIMIT = 2000


class _Notifier:
    """A condition that all consumers wait for: something was put into a queue."""

    def __init__(self) -> None:
        self._event = green.Event()

    def notify_all(self) -> None:
        """Wake all that wait now."""
        passed, self._event = self._event, green.Event()
        passed.send()

    def wait(self, timeout_s: float | None) -> None:
        """Return at the next notification, or after ``timeout_s``."""
        with green.Timeout(timeout_s, False):
            self._event.wait()


_arrivals = _Notifier()


class Message(virtual.Message):
    """A delivery with its content type among the properties, as AMQP has it."""

    def __init__(self, payload: Any, channel: Any = None, **options: Any) -> None:
        super().__init__(payload, channel=channel, **options)
        self.properties.setdefault("content_type", self.content_type)


class Channel(memory.Channel):
    """Queues that outlive the channel, as a broker's do; what was not acknowledged goes back."""

    Message = Message
    queues: ClassVar[dict[str, Any]] = {}
    do_restore = True

    def _put(self, queue: str, message: Any, **options: Any) -> None:
        super()._put(queue, message, **options)
        _arrivals.notify_all()

    def _restore(self, message: Any) -> None:
        super()._restore(message)
        _arrivals.notify_all()

    def close(self) -> None:
        """Close this channel only; the stock one empties every queue."""
        virtual.Channel.close(self)


class Transport(memory.Transport):
    """The transport that kombu knows as ``embedded``: it waits for the next publish instead of polling."""

    Channel = Channel
    global_state = virtual.BrokerState()
    polling_interval = None

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        """Deliver one message to its consumer; wait for one at most ``timeout`` seconds.

        Raises:
            socket.timeout: nothing came in time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                self.cycle.get(self._deliver, timeout=0)
                return
            except Empty:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError from None
                _arrivals.wait(left)


def has_room() -> bool:
    """Return whether no queue is so long that more must wait."""
    return all(queue.qsize() < QUEUE_LIMIT for queue in Channel.queues.values())


def reset() -> None:
    """Empty every queue and drop every binding, as the end of the process would; for tests."""
    Channel.queues.clear()
    Transport.global_state.clear()


TRANSPORT_ALIASES["embedded"] = "chassis.messaging.in_memory:Transport"
