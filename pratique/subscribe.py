"""For integrators: read a network's events with nothing but kombu.

    from pratique.event import Envelope
    from pratique.events.meetings import MeetingClosed
    from pratique.subscribe import subscribe

    def handle(envelope: Envelope[MeetingClosed]) -> None:
        print(envelope.id, envelope.event.meeting_id, envelope.event.head_count)

    subscribe("amqp://integrator.acme:secret@broker//", "integrator.acme.closings", [MeetingClosed], handle)

Delivery is at least once and in no promised order: keep ``envelope.id`` and drop what you have seen; keep the
``version`` of each aggregate and drop what is older.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from amqp.exceptions import NotFound
from kombu import Connection, Consumer, Exchange, Queue

from pratique.event import Envelope, Some, Undecodable

log = logging.getLogger(__name__)

PUBLIC = "pratique.events"  #: the exchange; a topic exchange, routing key = the event's name
RETRY_S = 5.0  #: between two tries to reach the broker


def subscribe(
    url: str,
    queue_name: str,
    events: Sequence[type[Some]],
    handle: Callable[[Envelope[Some]], None],
    *,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Call ``handle`` with each such event, from a durable queue of yours, until ``until`` says True.

    The queue is the one that `pratique integrator add` made for you; who may make queues gets it made here. It keeps
    what comes while you are away. An event is acknowledged when ``handle`` returns; if it raises, the event goes back,
    the error comes to you, and a later ``subscribe`` gets it again. What cannot be decoded is logged and passed over.
    ``until`` is asked at least each second; a lost broker is waited for.

    Raises:
        ValueError: an event is private, or none is named.
        amqp.exceptions.AccessRefused: the queue is not yours, or you were not given one of the events.
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
    try:
        with connection.channel() as asking:
            asking.queue_declare(queue_name, passive=True)  # to ask needs no right
            is_there = True
    except NotFound:
        is_there = False
    channel = connection.channel()
    queue = Queue(queue_name, durable=True, queue_arguments={"x-queue-type": "quorum"})(channel)
    if not is_there:
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
