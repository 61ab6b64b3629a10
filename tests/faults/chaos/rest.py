"""When the last fault is mended: everything goes on by itself until nothing is under way."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select

from chassis import clock
from chassis.messaging import inbox
from chassis.settings import SERVICES
from chassis.storage.store import Store
from operations import composition
from services.notifications.models import Message, State
from tests.faults.chaos.system import System
from tests.journeys.rest import is_at_rest, next_try

STILL_S = 4.0  #: so long nothing may have happened before the clock is moved on to the next try
LIMIT_S = 300.0  #: real seconds in which a system must come to rest
FAR = timedelta(hours=3)  #: nothing that failed waits longer for its next try


class Restless(Exception):
    """It did not come to rest; the message says what is still under way."""


def settle(system: System) -> float:
    """Return when nothing is under way; the seconds that it took. The clock is moved on to what waits for its time.

    Raises:
        Restless: after ``LIMIT_S`` something still is.
    """
    services = {name: system.stores[name] for name in SERVICES}
    reactions = {name: composition.reactions_of(name) for name in SERVICES}
    began = still_since = time.monotonic()
    before: object = None
    if system.off < timedelta():  # the hours that were taken back pass, and with them what was planned for then
        system.allow_copies_by_clock()
        system.move_clock(-system.off)
    while time.monotonic() - began < LIMIT_S:
        is_resting, waits_for = is_at_rest(services, reactions, system.held), _next(services)
        if is_resting and waits_for is None:
            return time.monotonic() - began
        now = _traces(services)
        if now != before:
            before, still_since = now, time.monotonic()
        elif waits_for is not None and (is_resting or time.monotonic() - still_since > STILL_S):
            system.move_clock(max(waits_for - clock.now(), timedelta()) + timedelta(seconds=1))
            still_since = time.monotonic()
        time.sleep(0.5)
    raise Restless(f"not at rest after {LIMIT_S:g} s: {_traces(services)}")


def _next(services: Mapping[str, Store]) -> datetime | None:
    """When the next try of something is due that a fault has put off, a mail in unknown hands included."""
    with services["notifications"].begin() as session:
        lease = session.scalar(select(func.min(Message.lease_until)).where(Message.state == State.SENDING))
    found = [at for at in (next_try(services), lease, _parked(services)) if at is not None]
    soon = [at for at in found if at < clock.now() + FAR]
    return min(soon, default=None)


def _parked(services: Mapping[str, Store]) -> datetime | None:
    found = []
    for opened in services.values():
        with opened.begin() as session:
            waiting = inbox.PARKED.c.state == "waiting"
            found.append(session.scalar(select(func.min(inbox.PARKED.c.next_attempt_at)).where(waiting)))
    return min((at for at in found if at is not None), default=None)


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
