"""Waiting for a condition, with a limit; nothing is guessed from how much time has passed."""

import socket
import time
import urllib.request
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import text

from chassis.storage.store import Store

Found = TypeVar("Found")
#: For what must come true, on a machine that does much else: it costs time only where something is wrong.
PATIENCE_S = 300.0
PROGRAM_S = 1200.0  #: for a program to do its work and end, likewise
_LOCKED_OUT = text(
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
)


def until(
    is_true: Callable[[], Found], timeout_s: float = PATIENCE_S, every_s: float = 0.01, what: str = "it"
) -> Found:
    """Wait until the function returns something true, and return that.

    Raises:
        TimeoutError: it did not in time; ``what`` says in words what was waited for.
    """
    deadline = time.monotonic() + timeout_s
    while not (found := is_true()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s:g} s")
        time.sleep(every_s)
    return found


def is_listening(port: int) -> bool:
    """Return whether something accepts connections on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def is_ready(port: int) -> bool:
    """Return whether the process with this health port says that it does its work."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def locked_out(opened: Store) -> int:
    """Return how many transactions wait for what another holds, in this database of PostgreSQL."""
    with opened.begin() as session:
        return int(session.scalar(_LOCKED_OUT) or 0)
