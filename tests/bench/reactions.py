"""MeetingClosed with 15 attendees, until survey, invitations and outbox rows are committed.

Each side is a ``with`` block in which its process runs, its input already waiting; it yields where it writes.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

from chassis import settings
from chassis.runtime import topology
from operations import composition
from tests.bench.environment import Environment, declare_queue, publish, query
from tests.bench.measure import rate
from tests.bench.side import OURS, Side, peer, running

SURVEYS = "select count(*) from survey"  # committed in one transaction with all else, and cheap to count
SERVICE = "evaluation"


class Writing(NamedTuple):
    """A side at work."""

    store_url: str
    side: Side


def per_second(started: AbstractContextManager[Writing], count: int) -> float:
    """Events per second of one side, from the first tenth of ``count`` to the last."""
    with started as (store_url, side):
        return rate(store_url, SURVEYS, count, side.is_alive)


@contextmanager
def ours(environment: Environment, bodies: Sequence[bytes], relays: bool = False) -> Iterator[Writing]:
    """``pratique run evaluation``.

    The peers write outbox rows and send none. So that all do the same, another replica is the active relay of the
    store meanwhile: its lock is held here. With ``relays`` the process has its own relay at work besides.
    """
    fresh = environment.empty()
    topology.declare(settings.load(fresh.environ()), composition.service_classes([SERVICE]))
    publish(fresh.broker_url, SERVICE, bodies)
    url = fresh.store_urls[SERVICE]
    with nullcontext() if relays else _relay_elsewhere(url), running((*OURS, SERVICE), fresh.environ()) as side:
        yield Writing(url, side)


@contextmanager
def _relay_elsewhere(store_url: str) -> Iterator[None]:
    with query(store_url) as cursor:
        cursor.execute("select pg_advisory_lock(hashtext('pratique.relay'))")
        yield


@contextmanager
def faststream(environment: Environment, bodies: Sequence[bytes]) -> Iterator[Writing]:
    """FastStream with SQLAlchemy's asyncio."""
    fresh = environment.empty()
    declare_queue(fresh.broker_url, "bench")
    publish(fresh.broker_url, "bench", bodies)
    url = fresh.store_urls[SERVICE]
    environ = {
        "BENCH_STORE_URL": url.replace("+psycopg2", "+asyncpg"),
        "BENCH_BROKER_URL": fresh.broker_url,
        "BENCH_QUEUE": "bench",
    }
    with running(peer("faststream_sqlalchemy"), environ) as side:
        yield Writing(url, side)


@contextmanager
def plain_loop(environment: Environment, bodies: Path) -> Iterator[Writing]:
    """The same SQL without a bus; the file holds the bodies, one to a line."""
    url = environment.empty().store_urls[SERVICE]
    with running(peer("plain_loop"), {"BENCH_STORE_URL": url, "BENCH_BODIES": str(bodies)}) as side:
        yield Writing(url, side)
