"""Delivery between stores in this process, without a broker: for samples, and for tests that shuffle."""

from collections.abc import Callable, Mapping

from chassis.messaging import inbox, outbox
from chassis.storage import store

Arrange = Callable[[list[bytes]], list[bytes]]  #: what a delivery does to a batch: repeats, reorders, or nothing


def _as_they_are(bodies: list[bytes]) -> list[bytes]:
    return bodies


def deliver_all(
    stores: Mapping[str, store.Store], reactions: Mapping[str, inbox.Reactions], arrange: Arrange = _as_they_are
) -> int:
    """Deliver what is unpublished, and what follows from it, until nothing is left; returns how many events."""
    carried = 0
    while True:
        sent = 0
        for opened in stores.values():
            with opened.begin() as transaction:
                rows = outbox.unpublished(transaction, 500)
            if not rows:
                continue
            bodies = [row.body for row in rows]
            for name, table in reactions.items():
                inbox.receive(stores[name], table, arrange(bodies))
            with opened.begin() as transaction:
                outbox.confirmed(transaction, [row.seq for row in rows])
            sent += len(rows)
        if not sent:
            return carried
        carried += sent
