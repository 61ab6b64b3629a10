"""Our copy of who was at each meeting: taken from events in any order, by one transaction at a time."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import and_, or_, select, text
from sqlalchemy.orm import Session

from pratique import store
from pratique.events.meetings import Attendee, MeetingClosed
from services.evaluation.models.surveys import Attendance, may_answer


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
    newest: dict[UUID, dict[UUID, tuple[int, Attendee]]] = {}
    for meeting_id, version, attendees in seen:
        of_meeting = newest.setdefault(meeting_id, {})
        for each in attendees:
            member_id = each.member_id
            if member_id not in of_meeting or of_meeting[member_id][0] < version:
                of_meeting[member_id] = version, each
    rows = [
        {"meeting_id": meeting_id, "member_id": member_id, "state": each.state, "role": each.role, "version": version}
        for meeting_id, of_meeting in newest.items()
        for member_id, (version, each) in of_meeting.items()
    ]
    store.insert_many(session, Attendance.metadata.tables[Attendance.__tablename__], rows, newest="version")


def present_at(session: Session, closed: Mapping[UUID, MeetingClosed]) -> Mapping[UUID, set[UUID]]:
    """Whom to ask after each meeting: as it was closed, but for what was corrected since and arrived before it."""
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
