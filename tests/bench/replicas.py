"""Several processes of one service: what they gain on this machine, and that each thing is done once."""

import collections
import time
from collections.abc import Sequence
from typing import Any

from chassis import settings
from chassis.runtime import topology
from operations import composition
from pratique.event import Envelope
from tests.bench import evening
from tests.bench.closings import ATTENDEES
from tests.bench.environment import Environment, publish, query
from tests.bench.measure import Stuck, rate
from tests.bench.reactions import SURVEYS
from tests.bench.sink import sink

#: What so many closings leave, each once: surveys and their secrets, two due things and two events.
LEFT = """select (select count(*) from survey), (select count(*) from survey_key), (select count(*) from due),
    (select count(*) from event_log), (select count(distinct (type, subject)) from event_log)"""


def reactions_per_second(environment: Environment, envelopes: Sequence[Envelope[Any]], replicas: int) -> float:
    """Closings per second of so many processes of evaluation, their relays at work.

    Raises:
        Stuck: something is missing, or was done twice.
    """
    fresh, count = environment.empty(), len(envelopes)
    topology.declare(settings.load(fresh.environ()), composition.service_classes(settings.SERVICES))
    publish(fresh.broker_url, "evaluation", [envelope.to_bytes() for envelope in envelopes])
    url = fresh.store_urls["evaluation"]
    with evening.serving(fresh, ["evaluation"] * replicas, {}) as sides, query(url) as cursor:
        reached = rate(url, SURVEYS, count, lambda: all(side.is_alive() for side in sides))
        time.sleep(0.5)
        cursor.execute(LEFT)
        left, expected = cursor.fetchone(), (count, count, count * 2, count * 2, count * 2)
        if left != expected:
            raise Stuck(f"{replicas} replicas left {left}, and not {expected}")
    return reached


def mails_per_second(environment: Environment, envelopes: Sequence[Envelope[Any]], replicas: int) -> float:
    """Mails per second of so many processes of notifications beside one of evaluation.

    Raises:
        Stuck: a mail is missing, or came twice.
    """
    arrivals, ids = evening.Arrivals(), collections.Counter[bytes]()
    count = len(envelopes) * ATTENDEES

    def read(mail: bytes) -> None:
        [id] = [line for line in mail.splitlines() if line.lower().startswith(b"message-id:")]
        ids[id] += 1

    with (
        sink(arrivals.at.append, read) as smtp_url,
        evening.ours(environment, envelopes, smtp_url, {"notifications": replicas}) as sides,
    ):
        arrivals.wait_for(count, sides)
        time.sleep(0.5)
        if len(ids) != count or sum(ids.values()) != count:
            raise Stuck(f"{replicas} replicas sent {sum(ids.values())} mails about {len(ids)} of {count}")
    return arrivals.per_second(count)
