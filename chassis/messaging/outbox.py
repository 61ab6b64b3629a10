"""Events wait here, in the transaction that made them true, until the relay has sent them.

``outbox.add`` is the only way to publish. ``event_log`` keeps what was ever published; ``outbox`` holds only
what the broker has not confirmed yet, and stays tiny.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Uuid,
    delete,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.orm import Session, SessionTransaction

from chassis import clock
from chassis.crashpoint import crashpoint
from chassis.settings import Settings
from chassis.storage import arrays, store
from chassis.storage.causation import cause_of
from pratique.event import Cause, Envelope, Event

OFFER_AGAIN_FOR = timedelta(days=3)  #: how far back the embedded mode offers again at start

_SEQ = BigInteger().with_variant(Integer, "sqlite")

EVENT_LOG = Table(
    "event_log",
    store.KERNEL,
    Column("seq", _SEQ, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("type", String(200), nullable=False),
    Column("subject", String(36), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", store.Instant, nullable=False),
    Index("ix_event_log_at", "at"),
    Index("ix_event_log_subject", "subject"),
)
OUTBOX = Table(
    "outbox",
    store.KERNEL,
    Column("seq", _SEQ, ForeignKey(EVENT_LOG.c.seq), primary_key=True, autoincrement=False),
)


def add(session: Session, event: Event, because: Event | Cause | None = None) -> None:
    """Promise to publish the event if, and only if, the session commits.

    In a reaction to one event, and in work that is due, the cause is known; a reaction that takes a list says
    ``because`` of which it is. All that a command publishes correlates.

    Raises:
        KeyError: ``because`` is none of the events that this session reacts to.
    """
    envelope = Envelope.seal(event, clock.now(), cause_of(session, because))
    if "causes" not in session.info:  # a reaction to a list does many acts at once
        session.info.setdefault("act", Cause(envelope.correlation_id))
    pending(session).append(envelope)


def pending(session: Session) -> list[Envelope[Event]]:
    """What this session has promised and not yet written."""
    return cast("list[Envelope[Event]]", session.info.setdefault("outbox", []))


def read(session: Session, body: bytes) -> Envelope[Event]:
    """The event of a body in the log, opened where it is sealed.

    Raises:
        Undecodable: it was sealed by another key.
    """
    return Envelope.from_bytes(body, store.seal_of(session))


def forget(session: Session, types: Collection[type[Event]], subject: UUID) -> int:
    """Remove what was published of these classes about one subject, and what still waits for the broker of it.

    For what must not be found later, not even sealed; ``offer_again`` will not bring it back. Returns how many.
    """
    names = [event_class.type for event_class in types]
    mine = EVENT_LOG.c.subject == str(subject), EVENT_LOG.c.type.in_(names)
    session.execute(delete(OUTBOX).where(OUTBOX.c.seq.in_(select(EVENT_LOG.c.seq).where(*mine))))
    result: Any = session.execute(delete(EVENT_LOG).where(*mine))
    return int(result.rowcount)


def _row(envelope: Envelope[Event], settings: Settings) -> dict[str, Any]:
    """An event as the log keeps it and the broker carries it: sealed if it is private."""
    told = envelope.event
    body = envelope.to_bytes(settings.public_url, settings.seal if told.is_private else None)
    return {"id": envelope.id, "type": told.type, "subject": told.subject, "body": body, "at": envelope.time}


#: Both rows of each event in one round trip, which every command and every batch makes.
_LOG_AND_OFFER = """
with logged as (
    insert into event_log (id, type, subject, body, at)
    select unnest(%(id)s::uuid[]), unnest(%(type)s::text[]), unnest(%(subject)s::text[]),
           unnest(%(body)s::bytea[]), unnest(%(at)s::timestamptz[])
    returning seq
)
insert into outbox (seq) select seq from logged
"""


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    """Write all that was promised, whatever its number; at the end, not at a savepoint's."""
    envelopes = pending(session)
    if not envelopes or session.in_nested_transaction():
        return
    settings = store.settings_of(session)
    rows = [_row(envelope, settings) for envelope in envelopes]
    envelopes.clear()
    if session.get_bind().dialect.name == "sqlite":
        session.execute(insert(EVENT_LOG), rows)
        ids = [row["id"] for row in rows]
        session.execute(
            insert(OUTBOX).from_select(
                ["seq"], select(EVENT_LOG.c.seq).where(EVENT_LOG.c.id.in_(ids)).order_by(EVENT_LOG.c.seq)
            )
        )
    else:
        columns = {name: arrays.literal([row[name] for row in rows]) for name in rows[0]}
        session.connection().exec_driver_sql(_LOG_AND_OFFER, columns)
    store.wake(session, "outbox")
    crashpoint("outbox.written")


@event.listens_for(Session, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    """Remember how much had been promised when a savepoint was set."""
    if transaction.nested:
        session.info.setdefault("savepoints", {})[transaction] = len(pending(session))


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    """Forget what was promised since the savepoint, or all of it; a flush that fails takes its savepoint with it."""
    while transaction.parent is not None and not transaction.nested:
        transaction = transaction.parent
    del pending(session)[session.info.get("savepoints", {}).get(transaction, 0) :]


def unpublished(session: Session, limit: int) -> list[Row[tuple[int, bytes]]]:
    """The oldest rows that wait for the broker, as (seq, body).

    PostgreSQL, whose statistics of the outbox are always of the past, would at times answer a join by reading the whole
    log, each time; an array leaves it no choice.
    """
    oldest = select(OUTBOX.c.seq).order_by(OUTBOX.c.seq).limit(limit)
    is_waiting: ColumnElement[bool] = EVENT_LOG.c.seq.in_(oldest)
    if session.get_bind().dialect.name != "sqlite":
        is_waiting = EVENT_LOG.c.seq == func.any(func.array(oldest.scalar_subquery()))
    return list(session.execute(select(EVENT_LOG.c.seq, EVENT_LOG.c.body).where(is_waiting).order_by(EVENT_LOG.c.seq)))


def confirmed(session: Session, seqs: list[int]) -> None:
    """Take what the broker confirmed out of the outbox; it stays in the event log."""
    session.execute(delete(OUTBOX).where(store.among(session, OUTBOX.c.seq, seqs)))


def offer_again(session: Session, since: datetime) -> int:
    """Put what was published since then back into the outbox; inboxes drop what they have seen. Returns how many.

    For the embedded mode, whose broker forgets with the process, and for repairs.
    """
    waiting = select(OUTBOX.c.seq)
    again = select(EVENT_LOG.c.seq).where(EVENT_LOG.c.at >= since, EVENT_LOG.c.seq.not_in(waiting))
    seqs = list(session.scalars(again.order_by(EVENT_LOG.c.seq)))
    if seqs:
        session.execute(insert(OUTBOX), [{"seq": seq} for seq in seqs])
        store.wake(session, "outbox")
    return len(seqs)


def backlog(session: Session) -> tuple[int, float]:
    """How many events wait for the broker, and the age of the oldest in seconds (0 if none)."""
    first = select(EVENT_LOG.c.at).where(EVENT_LOG.c.seq == select(func.min(OUTBOX.c.seq)).scalar_subquery())
    count, oldest = session.execute(select(func.count(OUTBOX.c.seq), first.scalar_subquery())).one()
    return count, (clock.now() - oldest).total_seconds() if oldest else 0.0


def prune(session: Session, keep: timedelta) -> int:
    """Forget events published longer than ``keep`` ago; what is unpublished stays. Returns how many."""
    old = EVENT_LOG.c.at < clock.now() - keep
    result: Any = session.execute(delete(EVENT_LOG).where(old, EVENT_LOG.c.seq.not_in(select(OUTBOX.c.seq))))
    return int(result.rowcount)
