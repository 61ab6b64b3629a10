"""The outbox as the relay uses it: events that wait for the broker, that it confirmed, that are offered to it again.

``Transaction.publish`` is the only way to publish. ``event_log`` keeps what was ever published; ``outbox`` holds only
what the broker has not confirmed yet, and stays tiny (``chassis.storage.event_log``).
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.storage.event_log import EVENT_LOG, OUTBOX, RELAY
from chassis.storage.transaction import Transaction
from pratique.event import Envelope, Event

OFFER_AGAIN_FOR = timedelta(days=3)  #: how far back the embedded mode offers again at start


def read(transaction: Transaction, body: bytes) -> Envelope[Event]:
    """Return the event of a body in the log, opened where it is sealed.

    Raises:
        Undecodable: it was sealed by another key.
    """
    return Envelope.from_bytes(body, transaction.seal)


def forget(session: Session, types: Collection[type[Event]], subject: UUID) -> int:
    """Delete what was published of these classes about one subject, and what still waits for the broker of it.

    For what must not be found later, not even sealed; ``offer_again`` will not bring it back. Returns how many.
    """
    names = [event_class.type for event_class in types]
    mine = EVENT_LOG.c.subject == str(subject), EVENT_LOG.c.type.in_(names)
    session.execute(delete(OUTBOX).where(OUTBOX.c.seq.in_(select(EVENT_LOG.c.seq).where(*mine))))
    result: Any = session.execute(delete(EVENT_LOG).where(*mine))
    return int(result.rowcount)


def unpublished(transaction: Transaction, limit: int) -> list[Row[tuple[int, bytes]]]:
    """Return the oldest rows that wait for the broker, as (seq, body).

    PostgreSQL, whose statistics of the outbox are always of the past, would at times answer a join by reading the whole
    log, each time; ``is_one_of`` leaves it no choice.
    """
    oldest = select(OUTBOX.c.seq).order_by(OUTBOX.c.seq).limit(limit)
    is_waiting = transaction.is_one_of(EVENT_LOG.c.seq, oldest)
    return list(
        transaction.execute(select(EVENT_LOG.c.seq, EVENT_LOG.c.body).where(is_waiting).order_by(EVENT_LOG.c.seq))
    )


def confirmed(transaction: Transaction, seqs: list[int]) -> None:
    """Remove from the outbox what the broker confirmed; it stays in the event log."""
    transaction.execute(delete(OUTBOX).where(transaction.is_one_of(OUTBOX.c.seq, seqs)))


def offer_again(transaction: Transaction, since: datetime) -> int:
    """Put what was published since then back into the outbox; inboxes drop what they have seen. Returns how many.

    For the embedded mode, whose broker forgets with the process, and for repairs.
    """
    waiting = select(OUTBOX.c.seq)
    again = select(EVENT_LOG.c.seq).where(EVENT_LOG.c.at >= since, EVENT_LOG.c.seq.not_in(waiting))
    seqs = list(transaction.scalars(again.order_by(EVENT_LOG.c.seq)))
    if seqs:
        transaction.execute(insert(OUTBOX), [{"seq": seq} for seq in seqs])
        transaction.wake(RELAY)
    return len(seqs)


def backlog(session: Session) -> tuple[int, float]:
    """Return how many events wait for the broker, and the age of the oldest in seconds (0 if none)."""
    first = select(EVENT_LOG.c.at).where(EVENT_LOG.c.seq == select(func.min(OUTBOX.c.seq)).scalar_subquery())
    count, oldest = session.execute(select(func.count(OUTBOX.c.seq), first.scalar_subquery())).one()
    return count, (clock.now() - oldest).total_seconds() if oldest else 0.0


def prune(session: Session, keep: timedelta) -> int:
    """Delete events published longer than ``keep`` ago; what is unpublished stays. Returns how many."""
    old = EVENT_LOG.c.at < clock.now() - keep
    result: Any = session.execute(delete(EVENT_LOG).where(old, EVENT_LOG.c.seq.not_in(select(OUTBOX.c.seq))))
    return int(result.rowcount)


__all__ = [
    "EVENT_LOG",
    "OFFER_AGAIN_FOR",
    "OUTBOX",
    "backlog",
    "confirmed",
    "forget",
    "offer_again",
    "prune",
    "read",
    "unpublished",
]
