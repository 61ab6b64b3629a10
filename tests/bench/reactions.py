"""MeetingClosed with 15 attendees, until survey, invitations and outbox rows are committed."""

from pathlib import Path

from tests.bench.measure import rate
from tests.bench.side import peer, running
from tests.bench.stage import Stage

FASTSTREAM_QUEUE = "bench-faststream"
SURVEYS = "select count(*) from survey"  # committed in one transaction with all else, and cheap to count


def faststream(stage: Stage, bodies: list[bytes]) -> float:
    """Events per second of FastStream with SQLAlchemy's asyncio."""
    url = stage.fresh_store("faststream")
    stage.empty_queue(FASTSTREAM_QUEUE)
    stage.publish(bodies, FASTSTREAM_QUEUE)
    environ = {
        "BENCH_STORE_URL": url.replace("+psycopg2", "+asyncpg"),
        "BENCH_BROKER_URL": stage.broker_url,
        "BENCH_QUEUE": FASTSTREAM_QUEUE,
    }
    with running(peer("faststream_sqlalchemy"), environ) as side:
        return rate(url, SURVEYS, len(bodies), side.is_alive)


def plain_loop(stage: Stage, bodies: Path, count: int) -> float:
    """Events per second of the same SQL without a bus; ``bodies`` holds ``count`` of them."""
    url = stage.fresh_store("plain")
    with running(peer("plain_loop"), {"BENCH_STORE_URL": url, "BENCH_BODIES": str(bodies)}) as side:
        return rate(url, SURVEYS, count, side.is_alive)
