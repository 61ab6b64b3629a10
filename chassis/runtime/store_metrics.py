"""Gauges for Prometheus of what lies in the stores of this process: backlogs, dead letters, overdue work."""

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
    """What lies in the stores of this process, asked for when Prometheus asks; a store that is away says nothing."""

    def __init__(self) -> None:
        self._stores: list[store.Store] = []

    def watch(self, opened: store.Store) -> None:
        """Let Prometheus see this store."""
        self._stores.append(opened)

    def forget(self, opened: store.Store) -> None:
        """It is closed."""
        self._stores.remove(opened)

    def describe(self) -> list[Metric]:
        """Nothing: registering asks no store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The backlog of the outbox, parked events, dead letters and overdue work, by service."""
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
