"""Audit log: rows written with the change that they record, and that the database lets nobody change or remove.

Roles, memberships, tokens, closings, attendance changed from the wrap-up on, dead letters; of changed addresses the
first letter and the domain. Ids and states, never what a survey was answered, nor by whom.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, Row, String, Table, delete, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from chassis import clock
from chassis.actor import ACTOR
from chassis.storage.types import CHASSIS_TABLES, Instant
from pratique.requests.fields import AuditQuery

#: 24 months, and a day for clocks that differ: the database refuses, by its own, to remove what is younger.
KEEP = timedelta(days=732)
MAX_VALUES = 2000  #: characters of the values of a record, where it is read by a page
Record = dict[str, Any]  #: as ``AuditRecord`` shows it

_VALUES = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

AUDIT = Table(
    "audit",
    CHASSIS_TABLES,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("before", _VALUES),
    Column("after", _VALUES),
    Index("ix_audit_at", "at"),
)


def record(
    session: Session,
    action: str,
    subject: object,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Record what the actor of this call does, if and only if the session commits. Values are plain JSON."""
    row = {"action": action, "subject": str(subject), "before": before, "after": after}
    session.execute(insert(AUDIT).values(at=clock.now(), actor=ACTOR.get().name[:200], **row))


def list_records(session: Session, since: datetime, limit: int) -> list[Row[Any]]:
    """Return the latest records since then, at most ``limit``, oldest first."""
    newest = select(AUDIT).where(AUDIT.c.at >= since).order_by(AUDIT.c.seq.desc()).limit(limit)
    return list(reversed(session.execute(newest).all()))


def find_records(session: Session, query: AuditQuery) -> list[Record]:
    """Return the latest records between two instants, newest first; with these words in their actor and action."""
    found = (
        select(AUDIT)
        .where(AUDIT.c.at >= query.since, AUDIT.c.at < query.before)
        .order_by(AUDIT.c.at.desc(), AUDIT.c.seq.desc())
    )
    if query.actor:
        found = found.where(AUDIT.c.actor.icontains(query.actor, autoescape=True))
    if query.action:
        found = found.where(AUDIT.c.action.startswith(query.action, autoescape=True))
    return [
        {**row._mapping, "before": _as_text(row.before), "after": _as_text(row.after)}
        for row in session.execute(found.limit(query.limit))
    ]


def _as_text(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else json.dumps(values, ensure_ascii=False)[:MAX_VALUES]


def prune(session: Session) -> None:
    """Delete what has been kept for 24 months."""
    session.execute(delete(AUDIT).where(AUDIT.c.at < clock.now() - KEEP))
