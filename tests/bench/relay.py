"""Rows that wait in an outbox, until the broker has confirmed each into a quorum queue."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chassis.messaging import outbox
from chassis.testing import open_at
from pratique.event import Envelope
from tests.bench.closings import EXCHANGE, ROUTING_KEY
from tests.bench.environment import Environment, declare_queue
from tests.bench.measure import rate
from tests.bench.side import OURS, peer, running

SERVICE = "meetings"
#: Rows are numbered from 1 and leave in order. The oldest tells how many have left, without counting the rest.
SENT = "select coalesce((select min(seq) from outbox), 1 + (select max(seq) from event_log)) - 1"


def ours(environment: Environment, waiting: Sequence[Envelope[Any]]) -> float:
    """Messages per second of the relay in ``pratique run meetings``, rows read from and removed in its store."""
    fresh = environment.empty()
    declare_queue(fresh.broker_url, "bench", EXCHANGE, ROUTING_KEY)
    _commit(fresh.store_urls[SERVICE], waiting)
    with running((*OURS, SERVICE), fresh.environ()) as side:
        return rate(fresh.store_urls[SERVICE], SENT, len(waiting), side.is_alive)


def _commit(store_url: str, waiting: Sequence[Envelope[Any]]) -> None:
    opened = open_at(SERVICE, store_url)
    try:
        for start in range(0, len(waiting), 1000):
            rows = [
                {"id": e.id, "type": e.event.type, "subject": e.event.subject, "body": e.to_bytes(), "at": e.time}
                for e in waiting[start : start + 1000]
            ]
            with opened.begin() as session:
                seqs = session.insert_many(outbox.EVENT_LOG, rows, returning="seq")
                session.insert_many(outbox.OUTBOX, [{"seq": seq} for seq in seqs])
    finally:
        opened.close()


def nameko(environment: Environment, bodies: Path) -> float:
    """Messages per second of nameko's publisher with the same bodies, which it has in memory."""
    fresh = environment.empty()
    declare_queue(fresh.broker_url, "bench", EXCHANGE, ROUTING_KEY)
    environ = {"BENCH_BODIES": str(bodies), "BENCH_BROKER_URL": fresh.broker_url}
    with running(peer("nameko_confirm"), environ) as side:
        return side.results()[-1]
