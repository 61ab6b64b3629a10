"""Our copy of who was at each meeting: taken from events in any order, by one transaction at a time."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, not_, or_, select, update
from sqlalchemy.orm import Session

from chassis.storage.transaction import Transaction
from chassis.storage.types import table_of
from pratique.events.meetings import AttendanceState, Attendee, MeetingClosed, MeetingRole
from services.evaluation.models.surveys import Attendance, may_answer

#: Those who are asked: participants who were there, wholly or in part.
ELIGIBLE = and_(
    Attendance.state.in_([state for state in AttendanceState if state.was_there]),
    Attendance.role == MeetingRole.PARTICIPANT,
)


def project(
    transaction: Transaction,
    seen: Iterable[tuple[UUID, int, Sequence[Attendee]]],
    first_of: Set[UUID] = frozenset(),
) -> None:
    """Keep what is newer than what we have, of (meeting, version, attendees) in any order and number.

    Of the meetings ``first_of`` nothing is known yet, and nobody else may write it: no conflict need be looked for,
    which costs a third of an insert.
    """
    rows: dict[UUID, dict[UUID, dict[str, Any]]] = {}
    for meeting_id, version, attendees in seen:
        of_meeting = rows.setdefault(meeting_id, {})
        for each in attendees:
            may, before = may_answer(each.state, each.role), of_meeting.get(each.member_id)
            if before is None or before["version"] < version:
                of_meeting[each.member_id] = {
                    "meeting_id": meeting_id,
                    "member_id": each.member_id,
                    "state": each.state,
                    "role": each.role,
                    "version": version,
                    "was_eligible": may or (before is not None and before["was_eligible"]),
                }
            elif may:
                before["was_eligible"] = True
    table = table_of(Attendance)
    first = [row for meeting_id in rows.keys() & first_of for row in rows[meeting_id].values()]
    other = [row for meeting_id in rows.keys() - first_of for row in rows[meeting_id].values()]
    transaction.insert_many(table, first)
    transaction.insert_many(table, other, newest="version", sticky="was_eligible")


def known_otherwise(transaction: Transaction, closings: Sequence[MeetingClosed]) -> set[UUID]:
    """Return the meetings whose attendance one closing alone does not say: some is known already, or two close it.

    To be asked before the closings are projected. For all others nothing can be corrected, and nothing need be read.
    """
    times = Counter(event.meeting_id for event in closings)
    rows = transaction.scalars(
        select(Attendance.meeting_id).where(transaction.is_one_of(Attendance.meeting_id, list(times))).distinct()
    )
    return {*rows, *[meeting_id for meeting_id, count in times.items() if count > 1]}


def begin_anew(transaction: Transaction, meeting_ids: Iterable[UUID]) -> None:
    """Forget who was marked as there and taken off before anybody could answer. One statement."""
    mistaken = (
        transaction.is_one_of(Attendance.meeting_id, list(meeting_ids)),
        Attendance.was_eligible,
        not_(ELIGIBLE),
    )
    transaction.execute(update(Attendance).where(*mistaken).values(was_eligible=False))


def count_removed(session: Session, meeting_id: UUID) -> int:
    """Count those who could have answered and are not eligible any more, whether they have answered or not."""
    removed = (Attendance.meeting_id == meeting_id, Attendance.was_eligible, not_(ELIGIBLE))
    return session.scalar(select(func.count()).select_from(Attendance).where(*removed)) or 0


def present_at(session: Session, closings: Sequence[MeetingClosed], known: Set[UUID]) -> Mapping[UUID, set[UUID]]:
    """Return the people to ask after each meeting: as closed, but for corrections that arrived before the closing.

    There are none where nothing was ``known_otherwise``.
    """
    present = {
        event.meeting_id: {each.member_id for each in event.attendees if may_answer(each.state, each.role)}
        for event in closings
    }
    by_version: dict[int, list[UUID]] = {}
    for event in closings:
        if event.meeting_id in known:
            by_version.setdefault(event.version, []).append(event.meeting_id)
    if not by_version:
        return present
    newer = [
        and_(Attendance.meeting_id.in_(meeting_ids), Attendance.version > version)
        for version, meeting_ids in by_version.items()
    ]
    table = table_of(Attendance)
    columns = select(table.c.meeting_id, table.c.member_id, table.c.state, table.c.role)
    for row in session.execute(columns.where(or_(*newer))):
        if may_answer(row.state, row.role):
            present[row.meeting_id].add(row.member_id)
        else:
            present[row.meeting_id].discard(row.member_id)
    return present
