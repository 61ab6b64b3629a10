"""Work that is due later: rows with a due time, claimed by whichever replica comes first.

Its effect and its mark are one transaction: no leader, no double fire. The due time is computed once, from the
community's wall time and zone (``clock.on_the_wall``); whether it still makes sense is decided when it is due.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint, Uuid, delete, func, select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.crashpoint import crashpoint
from chassis.log import bound
from chassis.retry import RETRY_AFTER_S, next_attempt_at, words_of
from chassis.storage import store
from chassis.storage.transaction import Transaction
from chassis.storage.types import CHASSIS_TABLES, Instant, LoopName
from pratique.event import Cause

log = logging.getLogger(__name__)

LOOP = LoopName("due")  #: does what is due

DUE = Table(
    "due",
    CHASSIS_TABLES,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0, server_default="0"),
    Column("state", String(16), nullable=False, default="waiting", server_default="waiting"),  # done, dead
    Column("error", Text),
    Column("correlation_id", Uuid),  # of what planned it; what its handler publishes correlates with that
    Column("causation_id", Uuid),
    UniqueConstraint("kind", "subject"),
    Index("ix_due_state_due_at", "state", "due_at"),
)

Handler = Callable[[Transaction, UUID], None]
Handlers = Mapping[str, Handler]  #: kind -> what to do with its subject
#: What is to happen, to what and when; with the cause from which it follows, if not the transaction's.
Planned = tuple[str, UUID, datetime] | tuple[str, UUID, datetime, Cause]


def plan(transaction: Transaction, kind: str, subject: UUID, at: datetime, because: Cause | None = None) -> None:
    """Schedule ``kind`` for ``subject`` at ``at``, once; scheduling it again before then moves it.

    What its handler publishes follows from what this transaction reacts to, as in ``Transaction.publish``.
    """
    row = _row(transaction, kind, subject, at, because)
    moved = {name: row[name] for name in ("due_at", "correlation_id", "causation_id")}
    transaction.execute(
        transaction.insert(DUE)
        .values(row)
        .on_conflict_do_update(index_elements=["kind", "subject"], set_=moved, where=DUE.c.state == "waiting")
    )
    transaction.wake(LOOP)


def plan_again(transaction: Transaction, kind: str, subject: UUID, at: datetime) -> None:
    """Schedule it at ``at``, also where it was scheduled and done, or given up, before."""
    is_over = (DUE.c.kind == kind) & (DUE.c.subject == subject) & (DUE.c.state != "waiting")
    transaction.execute(delete(DUE).where(is_over))
    plan(transaction, kind, subject, at)


def plan_many(transaction: Transaction, rows: Iterable[Planned]) -> None:
    """Schedule each (kind, subject, at) that is not scheduled yet, in one statement.

    A reaction that takes a list of events says as fourth because of which of them, as in ``Transaction.publish``.
    """
    transaction.insert_many(DUE, [_row(transaction, *row) for row in rows], ignore_conflicts=True)


def _row(
    transaction: Transaction, kind: str, subject: UUID, at: datetime, because: Cause | None = None
) -> dict[str, Any]:
    cause = because or transaction.cause
    row = {"id": uuid4(), "kind": kind, "subject": subject, "due_at": at, "state": "waiting", "attempts": 0}
    return row | {"correlation_id": cause and cause.correlation_id, "causation_id": cause and cause.id}


def cancel_many(transaction: Transaction, kind: str, subjects: Sequence[UUID]) -> None:
    """Cancel it for all of these, in one statement."""
    chosen = transaction.is_one_of(DUE.c.subject, subjects)
    transaction.execute(delete(DUE).where(DUE.c.kind == kind, chosen, DUE.c.state == "waiting"))


def run_next(opened: store.Store, handlers: Handlers) -> bool:
    """Run the one thing that has been due longest; False if nothing is.

    The attempt is counted before it is made, so that a handler that ends its process uses its attempts up too. One
    that fails is tried again, later each time, and is dead after the last attempt (``pratique dead``).
    """
    row = _claim(opened)
    if row is None:
        return False
    with bound(due=row.kind, correlation_id=row.correlation_id):
        _run(opened, handlers, row)
    return True


def _run(opened: store.Store, handlers: Handlers, row: Any) -> None:
    """Do what was claimed; that it failed is remembered in its row."""
    crashpoint("due.claimed")
    mine = (DUE.c.id == row.id) & (DUE.c.attempts == row.attempts + 1) & (DUE.c.state != "done")
    try:
        with opened.begin() as transaction:
            if transaction.scalar(select(DUE.c.id).where(mine).with_for_update()) is None:
                return  # moved, cancelled, or taken over meanwhile
            transaction.execute(update(DUE).where(mine).values(state="done", error=None))
            transaction.cause = Cause(row.correlation_id, row.causation_id) if row.correlation_id else None
            handlers[row.kind](transaction, row.subject)
            crashpoint("due.before_commit")
        crashpoint("due.committed")
    except store.StoreAway:
        raise
    except Exception as error:
        log.warning("%s of %s failed; it is tried again later", row.kind, row.subject, exc_info=error)
        with opened.begin() as transaction:
            transaction.execute(update(DUE).where(mine).values(error=words_of(error)))


def _claim(opened: store.Store) -> Any:
    """Count an attempt at the one thing that has been due longest, and put it off to when it would be tried again."""
    with opened.begin() as transaction:
        row = transaction.execute(
            select(DUE)
            .where(DUE.c.state == "waiting", DUE.c.due_at <= clock.now())
            .order_by(DUE.c.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is not None:
            is_last = row.attempts >= len(RETRY_AFTER_S)
            transaction.execute(
                update(DUE)
                .where(DUE.c.id == row.id)
                .values(
                    attempts=row.attempts + 1,
                    due_at=next_attempt_at(row.attempts),
                    state="dead" if is_last else "waiting",
                )
            )
        return row


def overdue(session: Session) -> int:
    """Return how many things should have happened and have not."""
    return int(session.scalar(select(func.count()).where(DUE.c.state == "waiting", DUE.c.due_at <= clock.now())) or 0)
