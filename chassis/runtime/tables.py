"""The chassis' tables in one place; importing this completes ``CHASSIS_TABLES``."""

from sqlalchemy import MetaData

from chassis.messaging import bindings, inbox, outbox
from chassis.scheduling import due
from chassis.storage import audit, store
from chassis.storage.types import CHASSIS_TABLES


def create_all(opened: store.Store, metadata: MetaData) -> None:
    """Create the chassis' and the service's tables as the models say, without migrations; for tests."""
    CHASSIS_TABLES.create_all(opened.engine)
    metadata.create_all(opened.engine)


__all__ = ["audit", "bindings", "create_all", "due", "inbox", "outbox"]
