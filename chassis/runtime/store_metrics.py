"""Prometheus gauges of the stores of this process: backlogs, dead letters, overdue work."""

from collections.abc import Iterator
from contextlib import suppress

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from chassis.messaging import inbox, outbox
from chassis.scheduling import due
from chassis.storage import store


class Stores(Collector):
    """A collector that queries the stores when Prometheus scrapes; a store that is away has no samples."""

    def __init__(self) -> None:
        self._stores: list[store.Store] = []

    def watch(self, opened: store.Store) -> None:
        """Add a store."""
        self._stores.append(opened)

    def forget(self, opened: store.Store) -> None:
        """Remove a store, which is closed."""
        self._stores.remove(opened)

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering queries no store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Return the backlog of the outbox, parked events, dead letters and overdue work, by service."""
        gauges = {
            name: GaugeMetricFamily(f"pratique_{name}", words, labels=["service"])
            for name, words in {
                "outbox_rows": "Events that wait for the broker.",
                "outbox_oldest_seconds": "Age of the oldest of them.",
                "parked_events": "Events whose reaction is tried again.",
                "dead_letters": "Events that need a person.",
                "due_overdue": "Things that should have happened and have not.",
            }.items()
        }
        for opened in self._stores:
            with suppress(store.StoreAway):
                for name, value in _numbers(opened).items():
                    gauges[name].add_metric([opened.name], value)
        yield from gauges.values()


def _numbers(opened: store.Store) -> dict[str, float]:
    with opened.begin() as session:
        count, age_s = outbox.backlog(session)
        by_state = select(inbox.PARKED.c.state, func.count()).group_by(inbox.PARKED.c.state)
        rows = session.execute(by_state)
        parked: dict[str, int] = {state: number for state, number in rows}  # noqa: C416  (a Row is not a tuple to mypy)
        return {
            "outbox_rows": count,
            "outbox_oldest_seconds": age_s,
            "parked_events": parked.get("waiting", 0),
            "dead_letters": parked.get("dead", 0),
            "due_overdue": due.overdue(session),
        }


STORES = Stores()
REGISTRY.register(STORES)
