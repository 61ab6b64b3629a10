"""What a broker may do and ours seldom does: deliver twice, out of order, and late."""

import random
from collections.abc import Iterator
from datetime import timedelta

from pratique.event import Event
from pratique.events.evaluation import SurveyInvitationsIssued
from pratique.events.meetings import AttendanceRecorded, MeetingClosed, MeetingScheduled
from tests.bench.environment import broker
from tests.faults.chaos.postman import hand_over, held_back, message_of
from tests.faults.chaos.registry import fault
from tests.faults.chaos.system import System

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
            channel.basic_publish(message_of(seen.body), f"{seen.source}.events", seen.routing_key)
    yield f"{len(again)} deliveries"


@fault("delivered late", lasts_s=(2, 6))
def deliver_late(system: System, chance: random.Random) -> Iterator[str]:
    """One event does not reach one service; then it comes, last first and by its clock an hour late."""
    event, service = chance.choice(LATE)
    with held_back(system, event, service) as held:
        is_hour = system.may_move(timedelta(hours=1))
        yield f"{event.__name__} to {service}{', by an hour' if is_hour else ''}"
        if is_hour:
            system.move_clock(timedelta(hours=1))
            system.allow_copies_by_clock()
    hand_over(system, service, reversed(held))
    system.remarks.append(f"{len(held)} {event.__name__} came late to {service}")
