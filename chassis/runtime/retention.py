"""Retention: once an hour each store deletes what has been kept long enough."""

from collections.abc import Callable
from datetime import datetime, timedelta

from chassis import clock
from chassis.crashpoint import crashpoint
from chassis.messaging import inbox, outbox
from chassis.storage import audit, store
from chassis.storage.types import LoopName

RETENTION = LoopName("retention")  #: forgets what has served its time
KEEP_EVENTS = timedelta(days=90)  #: in the event log, as docs/operate.md promises
KEEP_SEEN = timedelta(days=90)  #: in the inbox; a later repeat meets natural keys
_EVERY = timedelta(hours=1)


def retention(opened: store.Store) -> Callable[[], bool]:
    """Return a unit of work that deletes what is old, and then nothing for an hour."""
    last: datetime | None = None

    def prune() -> bool:
        nonlocal last
        if last is not None and clock.now() - last < _EVERY:
            return False
        last = clock.now()
        with opened.begin() as session:
            outbox.prune(session, KEEP_EVENTS)
            inbox.prune(session, KEEP_SEEN)
            audit.prune(session)
            crashpoint("retention.before_commit")
        crashpoint("retention.committed")
        return False

    return prune
