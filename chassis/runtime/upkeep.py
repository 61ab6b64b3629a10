"""Once an hour each store forgets what has served its time."""

from collections.abc import Callable
from datetime import datetime, timedelta

from chassis import clock
from chassis.crashpoint import crashpoint
from chassis.messaging import inbox, outbox
from chassis.storage import audit, store

KEEP_EVENTS = timedelta(days=90)  #: in the event log, as docs/operate.md promises
KEEP_SEEN = timedelta(days=90)  #: in the inbox; a later repeat meets natural keys
_EVERY = timedelta(hours=1)


def upkeep(opened: store.Store) -> Callable[[], bool]:
    """A unit of work that does nothing for an hour after it has done something."""
    last: datetime | None = None

    def tidy() -> bool:
        nonlocal last
        if last is not None and clock.now() - last < _EVERY:
            return False
        last = clock.now()
        with opened.begin() as session:
            outbox.prune(session, KEEP_EVENTS)
            inbox.prune(session, KEEP_SEEN)
            audit.prune(session)
            crashpoint("upkeep.before_commit")
        crashpoint("upkeep.committed")
        return False

    return tidy
