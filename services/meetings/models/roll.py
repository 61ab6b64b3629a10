"""Taking the roll of a meeting, and correcting it after the meeting has closed."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.validation import ValidationErrors
from pratique.event import Event
from pratique.events.meetings import AttendanceRecorded, AttendanceState, MeetingRole, MeetingState
from pratique.requests.meetings import AttendanceEntry
from services.meetings.models.attendance import Attendance
from services.meetings.models.communities import Membership
from services.meetings.models.meetings import Meeting


def take_roll(
    meeting: Meeting,
    entries: Sequence[AttendanceEntry],
    belonging: Mapping[UUID, Membership],
    at: datetime,
    *,
    facilitating: Set[UUID] = frozenset(),
) -> tuple[list[Event], list[dict[str, Any]]]:
    """Mark these people; only what differs is kept and announced.

    ``belonging`` has the membership of each who belongs to one of the meeting's communities; ``facilitating`` holds
    whoever facilitates one of them by role, which makes them facilitators of the meeting when they are first marked.
    Until the meeting closes one AttendanceRecorded tells of all; afterwards one AttendanceCorrected tells of each, with
    growing versions. Returns the events, and the rows of AttendanceChange to insert: five thousand at once are too many
    for objects.

    Raises:
        Conflict: the meeting has not started, or was cancelled.
        Invalid: an entry names the note taker, a stranger, or a person whom another entry names.
    """
    meeting.refuse_unless_begun("take its attendance")
    with ValidationErrors() as errors:
        _check(meeting, entries, belonging, errors)
    is_closed = meeting.state is MeetingState.CLOSED
    # Until closing, "unknown" puts a person on the roll; afterwards it says no more than silence did.
    silence = AttendanceState.UNKNOWN if is_closed else None
    rows = {row.member_id: row for row in meeting.attendance}
    marked: list[Attendance] = []
    events: list[Event] = []
    changes: list[dict[str, Any]] = []
    for entry in entries:
        row = rows.get(entry.member_id)
        before = row.state if row else None
        if entry.state is (before or silence):
            continue
        if is_closed or not marked:
            meeting.version += 1
        if row is None:
            row = _first_mark(meeting, entry.member_id, belonging.get(entry.member_id))
            row.role = _role(meeting, entry.member_id, facilitating)
        row.state, row.version = entry.state, meeting.version
        changes.append(_change(row, before, at))
        marked.append(row)
        if is_closed:
            events.append(row.corrected(meeting.community_ids, before or AttendanceState.UNKNOWN, at))
    if marked and not is_closed:
        events.append(_recorded(meeting, marked, at))
    meeting.head_count = sum(row.state.was_there for row in meeting.attendance)
    return events, changes


def _check(
    meeting: Meeting, entries: Sequence[AttendanceEntry], belonging: Mapping[UUID, Membership], errors: ValidationErrors
) -> None:
    """Say which entries cannot be. Whoever is on the roll already stays on it, also after leaving the community."""
    welcome = {each.member_id for each in meeting.attendance} | belonging.keys() | {meeting.facilitator_id}
    seen: set[UUID] = set()
    for index, entry in enumerate(entries):
        pointer = f"/entries/{index}/member_id"
        if entry.member_id == meeting.note_taker_id:
            errors.add(pointer, "The note taker of this meeting is never counted among its attendees; leave them out.")
        elif entry.member_id in seen:
            errors.add(pointer, f"Member {entry.member_id} is named twice; send one state for each person.")
        elif entry.member_id not in welcome:
            errors.add(
                pointer,
                f"Member {entry.member_id} belongs to none of the meeting's communities; record the membership first "
                "(one recorded moments ago may need a second to arrive).",
            )
        seen.add(entry.member_id)


def _first_mark(meeting: Meeting, member_id: UUID, membership: Membership | None) -> Attendance:
    """Put a person on the roll, for whom they stand for and from where they come today."""
    row = Attendance(
        meeting_id=meeting.meeting_id,
        member_id=member_id,
        community_id=membership.community_id if membership else None,
        organization_id=membership.organization_id if membership else None,
    )
    meeting.attendance.append(row)
    return row


def _role(meeting: Meeting, member_id: UUID, facilitating: Set[UUID]) -> MeetingRole:
    leads = member_id == meeting.facilitator_id or member_id in facilitating
    return MeetingRole.FACILITATOR if leads else MeetingRole.PARTICIPANT


def _change(row: Attendance, before: AttendanceState | None, at: datetime) -> dict[str, Any]:
    key = {"meeting_id": row.meeting_id, "member_id": row.member_id, "version": row.version}
    return key | {"from_state": before, "to_state": row.state, "at": at}


def _recorded(meeting: Meeting, marked: Sequence[Attendance], at: datetime) -> AttendanceRecorded:
    return AttendanceRecorded(
        meeting_id=meeting.meeting_id,
        community_ids=meeting.community_ids,
        attendees=tuple(row.as_attendee() for row in marked),
        recorded_at=at,
        version=meeting.version,
    )
