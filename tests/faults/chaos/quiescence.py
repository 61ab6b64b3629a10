"""When the last fault is mended: everything goes on by itself until nothing is under way."""

import time
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import func, select

from chassis import clock
from chassis.messaging import inbox
from chassis.settings import SERVICES
from chassis.storage.store import Store
from services.notifications.models import Message
from tests.faults.chaos.system import System
from tests.harness.quiescence import is_quiescent, next_retry

STILL_S = 4.0  #: so long nothing may have happened before the clock is moved on to the next try
LIMIT_S = 1200.0  #: real seconds in which a system must come to rest
FAR = timedelta(hours=3)  #: nothing that failed waits longer for its next try


class NotQuiescent(Exception):
    """It did not come to rest; the message says what is still under way."""


def settle(system: System) -> float:
    """Return when nothing is under way; the seconds that it took. The clock is moved on to what waits for its time.

    Raises:
        NotQuiescent: after ``LIMIT_S`` something still is.
    """
    services = {name: system.stores[name] for name in SERVICES}
    began = still_since = time.monotonic()
    before: object = None
    if system.off < timedelta():  # the hours that were taken back pass, and with them what was planned for then
        system.allow_copies_by_clock()
        system.move_clock(-system.off)
    while time.monotonic() - began < LIMIT_S:
        is_resting, waits_for = is_quiescent(services, system.held), next_retry(services, FAR)
        if is_resting and waits_for is None:
            return time.monotonic() - began
        now = _traces(services)
        if now != before:
            before, still_since = now, time.monotonic()
        elif waits_for is not None and (is_resting or time.monotonic() - still_since > STILL_S):
            system.move_clock(max(waits_for - clock.now(), timedelta()) + timedelta(seconds=1))
            still_since = time.monotonic()
        time.sleep(0.5)
    raise NotQuiescent(f"not at rest after {LIMIT_S:g} s: {_traces(services)}")


def _traces(services: Mapping[str, Store]) -> dict[str, object]:
    """Numbers that change whenever something happens."""
    found: dict[str, object] = {}
    for name, opened in services.items():
        with opened.begin() as session:
            taken = session.scalar(select(func.count()).select_from(inbox.INBOX))
            parked = list(session.execute(select(inbox.PARKED.c.state, func.count()).group_by(inbox.PARKED.c.state)))
            found[name] = (taken, [tuple(row) for row in parked])
            if name == "notifications":
                states = session.execute(select(Message.state, func.count()).group_by(Message.state))
                found["messages"] = sorted((state.value, count) for state, count in states)
    return found
