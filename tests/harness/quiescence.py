"""Quiescence of a network, read from its stores alone: nothing is guessed from how long nothing has happened."""

from collections.abc import Callable, Mapping, Set
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.scheduling import due
from chassis.storage.store import Store
from operations import composition
from services.notifications.models import Message, State
from tests.harness.waiting import until

SOON = timedelta(minutes=10)  #: what waits for its next try no longer than this is still under way


def wait_until_quiescent(
    stores: Mapping[str, Store], timeout_s: float, every_s: float, meanwhile: Callable[[], object]
) -> None:
    """Return when nothing is under way and nothing is tried again soon; ``meanwhile`` is done before each look."""

    def look() -> bool:
        meanwhile()
        return is_quiescent(stores) and next_retry(stores) is None

    until(look, timeout_s, every_s, "nothing under way")


def is_quiescent(stores: Mapping[str, Store], held: Set[UUID] = frozenset()) -> bool:
    """Return whether each event has reached all whom it makes do something, nothing is due, and no mail is to leave.

    What is ``held`` back on purpose need not have reached anybody.
    The stores are read one after the other, each in one transaction. What moves on meanwhile is not missed: whoever
    took an event wrote what follows from it in the same transaction.
    """
    published: dict[str, set[UUID]] = {}
    taken: dict[str, set[UUID]] = {}
    for name, opened in stores.items():
        with opened.begin() as session:
            in_hand = (due.DUE.c.state == "waiting") & (due.DUE.c.attempts == 1) & due.DUE.c.error.is_(None)
            if (
                outbox.backlog(session)[0]
                or due.overdue(session)
                or session.scalar(select(due.DUE.c.id).where(in_hand))
            ):
                return False
            if name == "notifications":
                is_due = (Message.state == State.QUEUED) & (Message.due_at <= clock.now())
                if session.scalar(select(func.count()).where(is_due | (Message.state == State.SENDING))):
                    return False
            taken[name] = set(session.scalars(select(inbox.INBOX.c.event_id)))
            taken[name] |= set(session.scalars(select(inbox.PARKED.c.id)))
            for type_name, id in session.execute(select(outbox.EVENT_LOG.c.type, outbox.EVENT_LOG.c.id)):
                published.setdefault(type_name, set()).add(id)
    return all(
        published.get(event.type, set()) - held <= taken[name]
        for name in stores
        for event in composition.reactions_of(name)
    )


def next_retry(stores: Mapping[str, Store], within: timedelta = SOON) -> datetime | None:
    """Return when the first of what failed or waits for something is tried again, if that is soon; None if nothing is.

    What was set aside, or is in the hands of a sender that may have ended, counts if its time comes ``within`` this.
    """
    found: list[datetime | None] = []
    held: list[datetime | None] = []
    for name, opened in stores.items():
        with opened.begin() as session:
            parked = inbox.PARKED.c.state == "waiting"
            failing = (due.DUE.c.state == "waiting") & (due.DUE.c.attempts > 0)
            held.append(session.scalar(select(func.min(inbox.PARKED.c.next_attempt_at)).where(parked)))
            found.append(session.scalar(select(func.min(due.DUE.c.due_at)).where(failing)))
            if name == "notifications":
                queued = Message.state == State.QUEUED
                found.append(session.scalar(select(func.min(Message.due_at)).where(queued)))
                held.append(session.scalar(select(func.min(Message.lease_until)).where(Message.state == State.SENDING)))
    now = clock.now()
    soon = [at for at in found if at is not None and at < now + SOON]
    return min(soon + [at for at in held if at is not None and at < now + within], default=None)
