"""Keeps events from a service for a while, and hands them over when it pleases."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import amqp

from pratique.event import CONTENT_TYPE, Event
from tests.bench.environment import broker
from tests.faults.chaos.system import System
from tests.harness.waiting import until

HELD = "held-back"  #: a queue that is bound instead of the service's


@contextmanager
def held_back(system: System, event: type[Event], service: str, at_least: int = 0) -> Iterator[list[bytes]]:
    """Let no such event reach this service for the length of the block; afterwards the list holds what did not.

    Raises:
        TimeoutError: fewer came than ``at_least``.
    """
    binding = {"exchange": event.exchange(), "routing_key": event.routing_key}
    held: list[bytes] = []
    with broker(system.fresh.broker_url) as connection:
        channel = connection.channel()
        channel.queue_declare(HELD, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(HELD, **binding)
        channel.queue_unbind(service, **binding)
    yield held
    if at_least:
        until(lambda: _depth(system) >= at_least, every_s=0.1, what=f"{at_least} {event.__name__} to hold back")
    with broker(system.fresh.broker_url) as connection:
        channel = connection.channel()
        channel.queue_bind(service, **binding)
        channel.queue_unbind(HELD, **binding)
        held += _all_of(channel)
        channel.queue_delete(HELD)


def hand_over(system: System, service: str, bodies: Iterable[bytes]) -> None:
    """Put these into the queue of this service, and of nobody else."""
    with broker(system.fresh.broker_url) as connection:
        channel = connection.channel()
        for body in bodies:
            channel.basic_publish(message_of(body), "", service)


def message_of(body: bytes) -> amqp.Message:
    """An event as a relay publishes it."""
    return amqp.Message(body, content_type=CONTENT_TYPE, delivery_mode=2)


def _depth(system: System) -> int:
    with broker(system.fresh.broker_url) as connection:
        return int(connection.channel().queue_declare(HELD, passive=True)[1])


def _all_of(channel: Any) -> list[bytes]:
    bodies = []
    while (message := channel.basic_get(HELD)) is not None:
        bodies.append(message.body if isinstance(message.body, bytes) else message.body.encode())
    return bodies
