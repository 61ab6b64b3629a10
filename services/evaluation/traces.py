"""Leaves nothing of closed surveys in the database's files: deleted rows stay there until the tables are rewritten."""

import time
from collections.abc import Callable

from chassis.settings import Settings
from chassis.storage.store import Store
from chassis.storage.types import LoopName
from services.evaluation.models.ballots import VOLATILE

LOOP = LoopName("destroyed")  #: is woken when a survey was closed
EVERY_S = 60.0  #: at most so often; each time, for some milliseconds, nobody can answer


def loop(settings: Settings, opened: Store) -> Callable[[], bool]:
    """A unit of work, for the bus, that rewrites what is volatile after a survey has closed, and once at start."""
    tables = [table.__tablename__ for table in VOLATILE]
    is_due, tried_at = True, -EVERY_S

    def request() -> None:
        nonlocal is_due
        is_due = True

    def rewrite() -> bool:
        nonlocal is_due, tried_at
        if is_due and time.monotonic() - tried_at >= EVERY_S:
            tried_at, is_due = time.monotonic(), False
            if not opened.rewrite(tables):
                is_due = True
        return False

    opened.on_commit(LOOP, request)
    return rewrite
