"""Our copy of who was at each meeting: taken from events in any order, by one transaction at a time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, not_, or_, select, text, update
from sqlalchemy.orm import Session

from chassis.storage import store
from pratique.events.meetings import AttendanceState, Attendee, MeetingClosed, MeetingRole
from services.evaluation.models.surveys import Attendance, may_answer

#: Those who are asked: participants who were there, wholly or in part.
ELIGIBLE = and_(
    Attendance.state.in_([state for state in AttendanceState if state.was_there]),
    Attendance.role == MeetingRole.PARTICIPANT,
)


def in_turn(session: Session, meeting_ids: Iterable[UUID]) -> None:
    """Wait until no other transaction reacts to these meetings, and let the others wait until ours has ended."""
    if session.get_bind().dialect.name == "sqlite":  # one writer at a time, by design
        return
    statement = text(
        "select pg_advisory_xact_lock(turn) from (select hashtextextended(id, 0) as turn from unnest(:ids) as id"
        " order by 1) as turns"
    )
    session.execute(statement, {"ids": [str(each) for each in meeting_ids]})


def project(session: Session, seen: Iterable[tuple[UUID, int, Sequence[Attendee]]]) -> None:
    """Keep what is newer than what we have, of (meeting, version, attendees) in any order and number."""
    rows: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for meeting_id, version, attendees in seen:
        for each in attendees:
            key, may = (meeting_id, each.member_id), may_answer(each.state, each.role)
            before = rows.get(key)
            if before is None or before["version"] < version:
                rows[key] = {
                    "meeting_id": meeting_id,
                    "member_id": each.member_id,
                    "state": each.state,
                    "role": each.role,
                    "version": version,
                    "was_eligible": may or (before is not None and before["was_eligible"]),
                }
            elif may:
                before["was_eligible"] = True
    table = Attendance.metadata.tables[Attendance.__tablename__]
    store.insert_many(session, table, list(rows.values()), newest="version", lasting="was_eligible")


def begin_anew(session: Session, meeting_ids: Iterable[UUID]) -> None:
    """Forget who was marked as there and taken off before anybody could answer. One statement."""
    mistaken = (store.among(session, Attendance.meeting_id, list(meeting_ids)), Attendance.was_eligible, not_(ELIGIBLE))
    session.execute(update(Attendance).where(*mistaken).values(was_eligible=False))


def count_removed(session: Session, meeting_id: UUID) -> int:
    """Count those who could have answered and are not eligible any more, whether they have answered or not."""
    removed = (Attendance.meeting_id == meeting_id, Attendance.was_eligible, not_(ELIGIBLE))
    return session.scalar(select(func.count()).select_from(Attendance).where(*removed)) or 0


def present_at(session: Session, closed: Mapping[UUID, MeetingClosed]) -> Mapping[UUID, set[UUID]]:
    """Return the people to ask after each meeting: as closed, but for corrections that arrived before the closing."""
    present = {
        event.meeting_id: {each.member_id for each in event.attendees if may_answer(each.state, each.role)}
        for event in closed.values()
    }
    by_version: dict[int, list[UUID]] = {}
    for event in closed.values():
        by_version.setdefault(event.version, []).append(event.meeting_id)
    newer = [
        and_(Attendance.meeting_id.in_(meeting_ids), Attendance.version > version)
        for version, meeting_ids in by_version.items()
    ]
    table = Attendance.metadata.tables[Attendance.__tablename__]
    columns = select(table.c.meeting_id, table.c.member_id, table.c.state, table.c.role)
    for row in session.execute(columns.where(or_(*newer))):
        if may_answer(row.state, row.role):
            present[row.meeting_id].add(row.member_id)
        else:
            present[row.meeting_id].discard(row.member_id)
    return present
