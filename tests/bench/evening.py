"""A network's evening: its meetings close within a minute, and everyone who was there is asked by mail.

Each side is a ``with`` block in which its processes run, the closings already waiting; it yields the sides.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis import settings
from chassis.runtime import tables, topology
from chassis.storage.transaction import Transaction
from chassis.storage.types import table_of
from chassis.testing import open_at
from operations import composition
from pratique.event import Envelope
from pratique.events.meetings import MeetingClosed
from pratique.events.membership import Locale
from services.evaluation.models import Base as EvaluationBase
from services.notifications.models import Base as NotificationsBase
from services.notifications.models import CommunityCard, ContactCard
from tests.bench.closings import ATTENDEES
from tests.bench.environment import Environment, declare_queue, publish
from tests.bench.measure import FROM, Stuck
from tests.bench.side import OURS, Side, peer, running
from tests.servers import Fresh

OURS_ARE = ("evaluation", "notifications")  #: the services that a closing passes through
PROCESSES = 2  #: of each side, one for each core
STALLED_S = 60  #: without a mail; a side that long without one has failed
Started = AbstractContextManager[Sequence[Side]]


class Arrivals:
    """When each mail was accepted."""

    def __init__(self) -> None:
        self.at: list[datetime] = []

    def wait_for(self, count: int, sides: Sequence[Side]) -> None:
        """Return when ``count`` mails were accepted.

        Raises:
            Stuck: a side ended, or nothing came for a minute.
        """
        seen, since = 0, time.monotonic()
        while len(self.at) < count:
            if len(self.at) != seen:
                seen, since = len(self.at), time.monotonic()
            if time.monotonic() > since + STALLED_S or not all(side.is_alive() for side in sides):
                raise Stuck(f"{seen} of {count} mails came")
            time.sleep(0.05)

    def per_second(self, count: int) -> float:
        """Mails per second, from the first tenth of ``count`` to the last; start-up is nobody's."""
        first = int(count * FROM)
        return (count - first) / ((self.at[count - 1] - self.at[first - 1]) / timedelta(seconds=1))


def per_second(start: Callable[[str], Started], smtp_url: str, arrivals: Arrivals, closings: int) -> float:
    """Mails per second of one side."""
    arrivals.at.clear()
    with start(smtp_url) as sides:
        arrivals.wait_for(closings * ATTENDEES, sides)
    return arrivals.per_second(closings * ATTENDEES)


def know(session: Transaction, envelopes: Sequence[Envelope[Any]]) -> None:
    """Let a store know everyone who was there and every community, as events of membership have told it before."""
    closed = [envelope.event for envelope in envelopes if isinstance(envelope.event, MeetingClosed)]
    members = sorted({each.member_id for event in closed for each in event.attendees})
    communities = sorted({id for event in closed for id in event.community_ids})
    session.insert_many(table_of(ContactCard), [_contact(number, id) for number, id in enumerate(members)])
    names = [
        {"community_id": id, "version": 1, "name": f"Relève des proches, cercle {number}"}
        for number, id in enumerate(communities)
    ]
    session.insert_many(table_of(CommunityCard), names)


def _contact(number: int, member_id: UUID) -> dict[str, object]:
    locale = (Locale.FR, Locale.EN)[number % 2]
    card = {"name": f"Personne N{number}", "email": f"n{number}@example.org", "locale": locale}
    return {"member_id": member_id, "version": 1, "timezone": "America/Toronto", **card}


@contextmanager
def ours(
    environment: Environment,
    envelopes: Sequence[Envelope[Any]],
    smtp_url: str,
    replicas: Mapping[str, int] | None = None,
) -> Iterator[Sequence[Side]]:
    """``pratique run evaluation`` and ``pratique run notifications``, each with its relay at work."""
    fresh = environment.empty()
    topology.declare(settings.load(fresh.environ()), composition.service_classes(settings.SERVICES))
    filled(fresh.store_urls["notifications"], envelopes)
    bodies = [envelope.to_bytes() for envelope in envelopes]
    for name in OURS_ARE:
        publish(fresh.broker_url, name, bodies)
    names = [name for name in OURS_ARE for _ in range((replicas or {}).get(name, 1))]
    with serving(fresh, names, {"PRATIQUE_SMTP_URL": smtp_url}) as sides:
        yield sides


@contextmanager
def serving(fresh: Fresh, names: Sequence[str], environ: Mapping[str, str]) -> Iterator[Sequence[Side]]:
    """A process of ours for each of these names."""
    with ExitStack() as processes:
        yield [processes.enter_context(running((*OURS, name), {**fresh.environ(), **environ})) for name in names]


def filled(store_url: str, envelopes: Sequence[Envelope[Any]], *, is_bare: bool = False) -> None:
    """Leave in the store whom and what mails speak of; in a bare one, make the tables of both services first."""
    opened = open_at("notifications", store_url)
    try:
        if is_bare:
            for metadata in (EvaluationBase.metadata, NotificationsBase.metadata):
                tables.create_all(opened, metadata)
        with opened.begin() as session:
            know(session, envelopes)
    finally:
        opened.close()


@contextmanager
def faststream(environment: Environment, envelopes: Sequence[Envelope[Any]], smtp_url: str) -> Iterator[Sequence[Side]]:
    """FastStream with SQLAlchemy's asyncio, two processes."""
    fresh = environment.empty(is_migrated=False)
    url = fresh.store_urls["notifications"]
    filled(url, envelopes, is_bare=True)
    for queue in ("bench", "bench-mails"):
        declare_queue(fresh.broker_url, queue)
    publish(fresh.broker_url, "bench", [envelope.to_bytes() for envelope in envelopes])
    environ = {
        "BENCH_STORE_URL": url.replace("+psycopg2", "+asyncpg"),
        "BENCH_BROKER_URL": fresh.broker_url,
        "BENCH_SMTP_URL": smtp_url,
    }
    with ExitStack() as processes:
        yield [processes.enter_context(running(peer("faststream_mails"), environ)) for _ in range(PROCESSES)]


@contextmanager
def celery(
    environment: Environment, envelopes: Sequence[Envelope[Any]], bodies: Path, smtp_url: str
) -> Iterator[Sequence[Side]]:
    """Celery, one worker with two prefork processes."""
    fresh = environment.empty(is_migrated=False)
    url = fresh.store_urls["notifications"]
    filled(url, envelopes, is_bare=True)
    environ = {
        "BENCH_STORE_URL": url,
        "BENCH_BROKER_URL": fresh.broker_url,
        "BENCH_SMTP_URL": smtp_url,
        "BENCH_BODIES": str(bodies),
    }
    with running(peer("celery_sqlalchemy"), environ) as asking:
        asking.results()
    app = "tests.bench.peers.celery_sqlalchemy"
    options = "worker", "--concurrency", str(PROCESSES), "--loglevel", "WARNING"
    with running((sys.executable, "-m", "celery", "--app", app, *options), environ) as side:
        yield [side]
