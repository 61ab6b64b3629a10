"""The inbox: each event is handled once per service, however often and in whatever order the broker delivers it.

Deliveries come in batches; a batch is one transaction. What fails is tried alone, so that it harms no other; what
still fails is *parked* in the store and tried again later, and after the last attempt it is a dead letter.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, Uuid, delete, select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.crashpoint import crashpoint
from chassis.log import Ids, bound
from chassis.retry import RETRY_AFTER_S, next_attempt_at, words_of
from chassis.storage import store
from chassis.storage.transaction import Transaction
from chassis.storage.types import CHASSIS_TABLES, Instant, LoopName
from pratique.errors import NotYet
from pratique.event import Envelope, Event, Undecodable

log = logging.getLogger(__name__)

INBOX = Table(
    "inbox",
    CHASSIS_TABLES,
    Column("event_id", Uuid, primary_key=True),
    Column("at", Instant, nullable=False),
    Index("ix_inbox_at", "at"),
)
PARKED = Table(
    "parked",
    CHASSIS_TABLES,
    Column("id", Uuid, primary_key=True),  # the event's, or made of the bytes where there is none to read
    Column("type", String(200), nullable=False, default="", server_default=""),
    Column("body", LargeBinary, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0, server_default="0"),
    Column("state", String(16), nullable=False, default="waiting", server_default="waiting"),  # or dead
    Column("next_attempt_at", Instant, nullable=False),
    Column("parked_at", Instant, nullable=False),
    Index("ix_parked_state_next_attempt_at", "state", "next_attempt_at"),
    Index("ix_parked_type", "type"),
)

LOOP = LoopName("parked")  #: tries parked events again
_AT_ONCE = 500  #: ids in one statement
Reaction = Callable[[Transaction, Any], None]
Reactions = Mapping[type[Event], Reaction]  #: the one table of a service: event class -> what it makes us do


def set_based(reaction: Callable[[Transaction, Sequence[Any]], None]) -> Reaction:
    """Mark a reaction that takes a list of events and serves them by set-based statements."""
    reaction.takes = "events"  # type: ignore[attr-defined]
    return reaction


def set_based_on_envelopes(reaction: Callable[[Transaction, Sequence[Envelope[Any]]], None]) -> Reaction:
    """Mark a set-based reaction that takes envelopes, since what it publishes or plans follows from one of them."""
    reaction.takes = "envelopes"  # type: ignore[attr-defined]
    return reaction


def receive(opened: store.Store, reactions: Reactions, bodies: Sequence[bytes]) -> list[Envelope[Event]]:
    """React to a batch of deliveries; when this returns, all may be acknowledged. Returns what was new.

    Raises:
        StoreAway: acknowledge nothing, wait, and do it again; what was recorded before is not done twice.
    """
    envelopes: dict[UUID, Envelope[Event]] = {}
    raw: dict[UUID, bytes] = {}
    refused: list[tuple[bytes, str]] = []
    for body in bodies:
        try:
            envelope = Envelope.from_bytes(body, opened.seal)
        except Undecodable as error:
            refused.append((body, str(error)))
        else:
            if type(envelope.event) in reactions:
                envelopes.setdefault(envelope.id, envelope)
                raw[envelope.id] = body
    if refused:
        _dead_letter(opened, refused)
    try:
        with _bound(list(envelopes.values())):
            return _react(opened, reactions, list(envelopes.values()))
    except store.StoreAway:
        raise
    except Exception as error:
        if len(envelopes) > 1:
            log.info("a batch of %d failed and is tried one by one", len(envelopes), exc_info=error)
    done = []
    for envelope in envelopes.values():
        with _bound([envelope]):
            try:
                done += _react(opened, reactions, [envelope])
            except store.StoreAway:
                raise
            except Exception as error:  # noqa: BLE001  (the bus loop: the parked row remembers it)
                _log_failure(envelope.event.type, error)
                park(opened, envelope, raw[envelope.id], words_of(error))
    return done


def _bound(envelopes: Sequence[Envelope[Event]]) -> AbstractContextManager[None]:
    """Bind the one event that is handled; of several nobody could say which of them a log line means."""
    if len(envelopes) != 1:
        return nullcontext()
    (only,) = envelopes
    return bound(event_type=only.event.type, event_id=only.id, correlation_id=only.correlation_id)


def _log_handled(envelopes: Sequence[Envelope[Event]]) -> None:
    """Log which events were handled, in one line for a batch: ids by which an act is followed, and no content."""
    if not envelopes or not log.isEnabledFor(logging.INFO):
        return
    events = Ids(
        {"type": each.event.type, "id": str(each.id), "correlation_id": str(each.correlation_id)} for each in envelopes
    )
    log.info("handled %d events", len(events), extra={"events": events})


def _react(
    opened: store.Store, reactions: Reactions, envelopes: list[Envelope[Event]], parked: UUID | None = None
) -> list[Envelope[Event]]:
    """Claim, react, write the outbox: one transaction. Returns those that had not been seen before.

    What was ``parked`` under this id is forgotten with it.
    """
    if not envelopes and parked is None:
        return []
    with opened.begin() as transaction:
        at = clock.now()
        claimed = set(
            transaction.insert_many(
                INBOX,
                [{"event_id": envelope.id, "at": at} for envelope in envelopes],
                ignore_conflicts=True,
                returning="event_id",
            )
        )
        crashpoint("inbox.claimed")
        new = [envelope for envelope in envelopes if envelope.id in claimed]
        by_class: dict[type[Event], list[Envelope[Event]]] = {}
        for envelope in new:
            by_class.setdefault(type(envelope.event), []).append(envelope)
        for event_class, group in by_class.items():
            _react_to(transaction, reactions[event_class], group)
        if parked is not None:
            transaction.execute(delete(PARKED).where(PARKED.c.id == parked))
        crashpoint("inbox.before_commit")
    crashpoint("inbox.committed")
    _log_handled(new)
    return new


def _react_to(transaction: Transaction, reaction: Reaction, group: Sequence[Envelope[Event]]) -> None:
    """Call the reaction with all events of one class, at once or one after the other."""
    takes = getattr(reaction, "takes", "event")
    transaction.is_one_act = takes == "event"
    if takes == "envelopes":
        reaction(transaction, group)
    elif takes == "events":
        reaction(transaction, [envelope.event for envelope in group])
    else:
        for envelope in group:
            transaction.cause = envelope.as_cause()
            reaction(transaction, envelope.event)
        transaction.cause = None


def park(opened: store.Store, envelope: Envelope[Event], body: bytes, error: str) -> None:
    """Set an event aside as it came, with what went wrong; it is tried again by itself."""
    with opened.begin() as transaction:
        row = _parked(envelope.id, envelope.event.type, body, error, state="waiting")
        transaction.insert_many(PARKED, [row], ignore_conflicts=True)
        transaction.wake(LOOP)
        crashpoint("inbox.before_park")
    crashpoint("inbox.parked")


def park_unread(opened: store.Store, bodies: Sequence[bytes]) -> None:
    """Set deliveries aside before they are handled, because handling them may have ended the process."""
    for body in bodies:
        try:
            envelope = Envelope.from_bytes(body, opened.seal)
            park(opened, envelope, body, "it was delivered again and again without being acknowledged")
        except Undecodable as error:
            _dead_letter(opened, [(body, str(error))])


def _dead_letter(opened: store.Store, refused: Sequence[tuple[bytes, str]]) -> None:
    """Make a dead letter of what cannot be decoded, at once: another attempt would not help."""
    for _, error in refused:
        log.error("an undecodable message became a dead letter: %s", error[:500])
    with opened.begin() as transaction:
        rows = [_parked(_id_of(body), "", body, error, state="dead") for body, error in refused]
        transaction.insert_many(PARKED, rows, ignore_conflicts=True)
        crashpoint("inbox.before_dead_letter")
    crashpoint("inbox.dead_lettered")


def _id_of(body: bytes) -> UUID:
    """Return the same id for the same bytes, so that what is delivered again is one dead letter and not two."""
    return UUID(bytes=hashlib.sha256(body).digest()[:16])


def _parked(id: UUID, type_name: str, body: bytes, error: str, *, state: str) -> dict[str, Any]:
    row = {"id": id, "type": type_name, "body": body, "error": words_of(error), "attempts": 0, "state": state}
    return row | {"next_attempt_at": next_attempt_at(0), "parked_at": clock.now()}


def retry_next(opened: store.Store, reactions: Reactions) -> bool:
    """Try the parked event that has waited longest past its time again; False if none is due.

    The attempt is counted before it is made, so that an event that ends the process uses its attempts up too.

    Raises:
        StoreAway: nothing was changed but, perhaps, the count.
    """
    with opened.begin() as transaction:
        row = transaction.execute(
            select(PARKED)
            .where(PARKED.c.state == "waiting", PARKED.c.next_attempt_at <= clock.now())
            .order_by(PARKED.c.next_attempt_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is None:
            return False
        is_last = row.attempts + 1 >= len(RETRY_AFTER_S)
        transaction.execute(
            update(PARKED)
            .where(PARKED.c.id == row.id)
            .values(
                attempts=row.attempts + 1,
                next_attempt_at=next_attempt_at(row.attempts + 1),
                state="dead" if is_last else "waiting",
            )
        )
    crashpoint("inbox.attempt_counted")
    try:
        envelope = Envelope.from_bytes(row.body, opened.seal)
        envelopes = [envelope] if type(envelope.event) in reactions else []
        with _bound([envelope]):
            _react(opened, reactions, envelopes, parked=row.id)
    except store.StoreAway:
        raise
    except Exception as error:  # noqa: BLE001  (the bus loop: the parked row remembers it)
        with bound(event_type=row.type, event_id=row.id):
            _log_failure(row.type, error)
        with opened.begin() as transaction:
            failed = update(PARKED).where(PARKED.c.id == row.id).values(error=words_of(error))
            transaction.execute(failed.values(state="dead") if isinstance(error, Undecodable) else failed)
    return True


def _log_failure(name: str, error: Exception) -> None:
    if isinstance(error, NotYet):
        log.info("%s waits for something that has not arrived: %s", name, error)
    else:
        log.warning("a reaction to %s failed; it is tried again later", name, exc_info=error)


def forget(session: Session, types: Collection[type[Event]], subject: UUID) -> int:
    """Delete what is parked or dead of these classes about one subject (the ``subject`` of the CloudEvent).

    Also what cannot be opened, as long as its attributes can be read. Returns how many.
    """
    names = {event_class.type for event_class in types}
    rows = session.execute(select(PARKED.c.id, PARKED.c.body).where(PARKED.c.type.in_([*names, ""])))
    ids = [row.id for row in rows if _is_about(row.body, names, str(subject))]
    for start in range(0, len(ids), _AT_ONCE):
        session.execute(delete(PARKED).where(PARKED.c.id.in_(ids[start : start + _AT_ONCE])))
    return len(ids)


def _is_about(body: bytes, names: Collection[str], subject: str) -> bool:
    try:
        told = json.loads(body)
        return told["type"] in names and told["subject"] == subject
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def prune(session: Session, keep: timedelta) -> int:
    """Delete ids of events seen longer than ``keep`` ago. Natural keys make a later repeat harmless."""
    result: Any = session.execute(delete(INBOX).where(INBOX.c.at < clock.now() - keep))
    return int(result.rowcount)
