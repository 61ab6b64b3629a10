"""For integrators: read a network's events with nothing but kombu.

    from pratique.events.meetings import MeetingClosed
    from pratique.subscribe import subscribe

    def handle(envelope):
        print(envelope.id, envelope.event.meeting_id, envelope.event.head_count)

    subscribe("amqp://acme:secret@broker//", "int.acme.closings", [MeetingClosed], handle)

Delivery is at least once and in no promised order: keep ``envelope.id`` and drop what you have seen; keep the
``version`` of each aggregate and drop what is older.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from kombu import Connection, Consumer, Exchange, Queue

from pratique.event import Envelope, Event, Undecodable

log = logging.getLogger(__name__)

PUBLIC = "pratique.events"  #: the exchange; a topic exchange, routing key = the event's name
RETRY_S = 5.0  #: between two tries to reach the broker


def subscribe(
    url: str,
    queue_name: str,
    events: Sequence[type[Event]],
    handle: Callable[[Envelope], None],
    *,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Call ``handle`` with each such event, from a durable queue of yours, until ``until`` says True.

    The queue keeps what comes while you are away. An event is acknowledged when ``handle`` returns; if it raises,
    the event goes back, the error comes to you, and a later ``subscribe`` gets it again. What cannot be decoded is
    logged and passed over. ``until`` is asked at least each second; a lost broker is waited for.

    Raises:
        ValueError: an event is private, or none is named.
    """
    if not events or any(event.is_private for event in events):
        raise ValueError("name at least one event, and only public ones")
    while not until():
        try:
            with Connection(url, connect_timeout=5, heartbeat=30) as connection:
                _consume(connection, queue_name, events, handle, until=until)
        except connection.connection_errors as error:
            log.warning("the broker is away (%s); trying again", error)
            time.sleep(RETRY_S)


def _consume(connection: Any, queue_name: str, events: Any, handle: Any, *, until: Callable[[], bool]) -> None:
    channel = connection.channel()
    queue = Queue(queue_name, durable=True, queue_arguments={"x-queue-type": "quorum"})(channel)
    queue.declare()
    for event in events:
        queue.bind_to(Exchange(PUBLIC, "topic"), routing_key=event.routing_key)

    def take(message: Any) -> None:
        body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
        try:
            envelope = Envelope.from_bytes(body)
        except Undecodable as error:
            log.error("passed over a message that is no event of ours: %s", error)
            message.ack()
            return
        try:
            handle(envelope)
        except BaseException:
            message.requeue()
            raise
        message.ack()

    channel.basic_qos(0, 50, False)
    with Consumer(channel, queue, on_message=take, auto_declare=False):
        while not until():
            try:
                connection.drain_events(timeout=1)
            except TimeoutError:
                connection.heartbeat_check()
