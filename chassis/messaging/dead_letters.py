"""Dead letters: what failed until its last attempt, kept in its service's store until a person decides.

Two kinds: events whose reaction failed or that nobody can read (``parked``), and things that should have happened at
a time and could not (``due``).
"""

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.messaging import inbox
from chassis.messaging.inbox import PARKED
from chassis.scheduling import due as scheduled
from chassis.scheduling.due import DUE
from chassis.settings import Missing
from chassis.storage.transaction import Transaction
from pratique.event import Undecodable, unsealed

LIMIT = 500  #: of each kind, in one listing


@dataclasses.dataclass(frozen=True)
class Letter:
    """One dead letter, or with state ``waiting`` one that is still tried again by itself."""

    service: str
    id: UUID  #: of a parked event its own id, which may be parked in several services
    kind: str  #: event, or due
    what: str  #: the event's type, empty if it cannot be read; or what was due
    state: str
    attempts: int
    at: datetime  #: when it was parked, or is or was to be tried again
    error: str
    content: str  #: the event as it came, sealed if it is private, or the subject of what was due


def list_letters(session: Session, service: str, with_waiting: bool = False) -> list[Letter]:
    """Return the store's dead letters, oldest first, at most ``LIMIT`` of each kind; with those that wait if asked."""
    states = ("dead", "waiting") if with_waiting else ("dead",)
    parked = select(PARKED).where(PARKED.c.state.in_(states)).order_by(PARKED.c.parked_at).limit(LIMIT)
    dead = DUE.c.state == "dead"
    failing = (DUE.c.state == "waiting") & (DUE.c.attempts > 0)
    due = select(DUE).where(dead | failing if with_waiting else dead).order_by(DUE.c.due_at).limit(LIMIT)
    letters = [_event(service, row) for row in session.execute(parked)]
    return letters + [_due(service, row) for row in session.execute(due)]


def find_letter(transaction: Transaction, service: str, id: UUID) -> Letter | None:
    """Return the letter of this id in the store, dead or waiting; None if there is none.

    What is sealed is opened, where the store was opened with the key that does it.
    """
    if row := transaction.execute(select(PARKED).where(PARKED.c.id == id)).first():
        return dataclasses.replace(_event(service, row), content=_text(_opened(transaction, bytes(row.body))))
    if row := transaction.execute(select(DUE).where(DUE.c.id == id, DUE.c.state.in_(("dead", "waiting")))).first():
        return _due(service, row)
    return None


def replay(transaction: Transaction, letters: Sequence[Letter]) -> None:
    """Retry each now, with all its attempts anew; the service does it within seconds."""
    fresh = {"state": "waiting", "attempts": 0}
    for ids in _ids(letters, "event"):
        transaction.execute(update(PARKED).where(PARKED.c.id.in_(ids)).values(next_attempt_at=clock.now(), **fresh))
        transaction.wake(inbox.LOOP)
    for ids in _ids(letters, "due"):
        again = update(DUE).where(DUE.c.id.in_(ids), DUE.c.state.in_(("dead", "waiting")))
        transaction.execute(again.values(due_at=clock.now(), **fresh))
        transaction.wake(scheduled.LOOP)


def drop(session: Session, letters: Sequence[Letter]) -> None:
    """Delete each for good; what was due is marked, so that it is not planned again."""
    for ids in _ids(letters, "event"):
        session.execute(delete(PARKED).where(PARKED.c.id.in_(ids)))
    for ids in _ids(letters, "due"):
        session.execute(update(DUE).where(DUE.c.id.in_(ids)).values(state="dropped"))


def count(session: Session) -> dict[str, int]:
    """Return how many letters are dead, and how many events wait for their next attempt: {"dead": …, "waiting": …}."""
    rows = session.execute(select(PARKED.c.state, func.count()).group_by(PARKED.c.state))
    parked: dict[str, int] = {state: number for state, number in rows}  # noqa: C416  (a Row is not a tuple to mypy)
    due = session.scalar(select(func.count()).where(DUE.c.state == "dead")) or 0
    return {"dead": parked.get("dead", 0) + due, "waiting": parked.get("waiting", 0)}


def _ids(letters: Sequence[Letter], kind: str) -> Iterator[list[UUID]]:
    """Yield the ids of this kind, in lists that any database takes."""
    ids = [letter.id for letter in letters if letter.kind == kind]
    for start in range(0, len(ids), LIMIT):
        yield ids[start : start + LIMIT]


def _event(service: str, row: Row[Any]) -> Letter:
    return Letter(
        service=service,
        id=row.id,
        kind="event",
        what=row.type,
        state=row.state,
        attempts=row.attempts,
        at=row.next_attempt_at if row.state == "waiting" else row.parked_at,
        error=row.error,
        content=_text(bytes(row.body)),
    )


def _text(body: bytes) -> str:
    return body.decode("utf-8", "backslashreplace")


def _opened(transaction: Transaction, body: bytes) -> bytes:
    try:
        return unsealed(body, transaction.seal)
    except (Undecodable, Missing, LookupError):
        return body


def _due(service: str, row: Row[Any]) -> Letter:
    return Letter(
        service=service,
        id=row.id,
        kind="due",
        what=row.kind,
        state=row.state,
        attempts=row.attempts,
        at=row.due_at,
        error=row.error or "",
        content=str(row.subject),
    )
