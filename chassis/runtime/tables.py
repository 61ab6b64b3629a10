"""The kernel's tables, gathered; importing this completes ``store.KERNEL``."""

from sqlalchemy import Column, MetaData, String, Table

from chassis.messaging import inbox, outbox
from chassis.scheduling import due
from chassis.storage import audit, store

#: What our queue was bound to when the service last started, so that a binding no longer wanted can be removed.
BINDING = Table(
    "binding",
    store.KERNEL,
    Column("exchange", String(100), primary_key=True),
    Column("routing_key", String(100), primary_key=True),
)


def create_all(opened: store.Store, metadata: MetaData) -> None:
    """Create the kernel's and the service's tables as the models say, without migrations; for tests."""
    store.KERNEL.create_all(opened.engine)
    metadata.create_all(opened.engine)


__all__ = ["BINDING", "audit", "create_all", "due", "inbox", "outbox"]
