"""MeetingClosed with 15 attendees, until survey, invitations and outbox rows are committed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from pratique import bus, settings
from tests.bench.measure import rate
from tests.bench.side import OURS, peer, running
from tests.bench.stage import Stage, declare_queue, publish, query

SURVEYS = "select count(*) from survey"  # committed in one transaction with all else, and cheap to count
SERVICE = "evaluation"


def ours(stage: Stage, bodies: Sequence[bytes], relays: bool = False) -> float:
    """Events per second of ``pratique run evaluation``.

    The peers write outbox rows and send none. So that all do the same, another replica is the active relay of the
    store meanwhile: its lock is held here. ``relays=True`` measures the process with its relay at work besides.
    """
    fresh = stage.empty()
    bus.declare(settings.load(fresh.environ()), [SERVICE])
    publish(fresh.broker_url, SERVICE, bodies)
    url = fresh.store_urls[SERVICE]
    with nullcontext() if relays else _relay_elsewhere(url), running((*OURS, SERVICE), fresh.environ()) as side:
        return rate(url, SURVEYS, len(bodies), side.is_alive)


@contextmanager
def _relay_elsewhere(store_url: str) -> Iterator[None]:
    with query(store_url) as cursor:
        cursor.execute("select pg_advisory_lock(hashtext('pratique.relay'))")
        yield


def faststream(stage: Stage, bodies: Sequence[bytes]) -> float:
    """Events per second of FastStream with SQLAlchemy's asyncio."""
    fresh = stage.empty()
    declare_queue(fresh.broker_url, "bench")
    publish(fresh.broker_url, "bench", bodies)
    url = fresh.store_urls[SERVICE]
    environ = {
        "BENCH_STORE_URL": url.replace("+psycopg2", "+asyncpg"),
        "BENCH_BROKER_URL": fresh.broker_url,
        "BENCH_QUEUE": "bench",
    }
    with running(peer("faststream_sqlalchemy"), environ) as side:
        return rate(url, SURVEYS, len(bodies), side.is_alive)


def plain_loop(stage: Stage, bodies: Path, count: int) -> float:
    """Events per second of the same SQL without a bus; the file holds ``count`` of them, one to a line."""
    url = stage.empty().store_urls[SERVICE]
    with running(peer("plain_loop"), {"BENCH_STORE_URL": url, "BENCH_BODIES": str(bodies)}) as side:
        return rate(url, SURVEYS, count, side.is_alive)
