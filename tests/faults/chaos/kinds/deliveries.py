"""What a broker may do and ours seldom does: deliver twice, out of order, and late."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import amqp

from pratique.event import CONTENT_TYPE, Event
from pratique.events.evaluation import SurveyInvitationsIssued
from pratique.events.meetings import AttendanceRecorded, MeetingClosed, MeetingScheduled
from tests.bench.stage import broker
from tests.faults.chaos.registry import fault
from tests.faults.chaos.system import System

HELD = "held-back"
AGAIN = 150  #: events delivered once more
#: Whose event does not reach whom for a while.
LATE: tuple[tuple[type[Event], str], ...] = (
    (MeetingClosed, "evaluation"),
    (AttendanceRecorded, "evaluation"),
    (SurveyInvitationsIssued, "notifications"),
    (MeetingScheduled, "notifications"),
    (MeetingClosed, "notifications"),
)


@fault("delivered twice and out of order", is_telling=True)
def deliver_again(system: System, chance: random.Random) -> Iterator[str]:
    """What was published some time ago comes twice more, to everyone, in any order."""
    recent = list(system.bystander.recent)
    again = chance.sample(recent, min(AGAIN, len(recent))) * 2
    chance.shuffle(again)
    with broker(system.fresh.broker_url) as connection:
        channel = connection.channel()
        for seen in again:
            channel.basic_publish(_message(seen.body), f"{seen.source}.events", seen.routing_key)
    yield f"{len(again)} deliveries"


@fault("delivered late", lasts_s=(2, 6))
def deliver_late(system: System, chance: random.Random) -> Iterator[str]:
    """One event does not reach one service; then it comes, last first and by its clock an hour late."""
    event, service = chance.choice(LATE)
    binding = {"exchange": event.exchange(), "routing_key": event.routing_key}
    with broker(system.fresh.broker_url) as connection:
        channel = connection.channel()
        channel.queue_declare(HELD, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(HELD, **binding)
        channel.queue_unbind(service, **binding)
    is_hour = system.may_move(timedelta(hours=1))
    yield f"{event.__name__} to {service}{', by an hour' if is_hour else ''}"
    if is_hour:
        system.move_clock(timedelta(hours=1))
        system.allow_copies_by_clock()
    with broker(system.fresh.broker_url) as connection:
        channel = connection.channel()
        channel.queue_bind(service, **binding)
        channel.queue_unbind(HELD, **binding)
        held = _all_of(channel)
        for body in reversed(held):
            channel.basic_publish(_message(body), "", service)
        channel.queue_delete(HELD)
    system.remarks.append(f"{len(held)} {event.__name__} came late to {service}")


def _message(body: bytes) -> amqp.Message:
    return amqp.Message(body, content_type=CONTENT_TYPE, delivery_mode=2)


def _all_of(channel: Any) -> list[bytes]:
    bodies = []
    while (message := channel.basic_get(HELD)) is not None:
        bodies.append(message.body if isinstance(message.body, bytes) else message.body.encode())
    return bodies
