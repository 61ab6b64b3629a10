"""Commands of meetings. Each locks its meeting, so that two at once announce once."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from chassis import clock
from chassis.rpc.requests import Handlers
from chassis.storage import audit, quota, rows
from chassis.storage.rows import Saved
from chassis.storage.transaction import Transaction
from chassis.storage.types import table_of
from chassis.validation import ValidationErrors
from pratique.errors import Invalid
from pratique.event import Event
from pratique.events.meetings import MeetingState
from pratique.requests.meetings import (
    CancelMeeting,
    CloseMeeting,
    PutMeeting,
    RecordAttendance,
    RegisterMember,
    StartMeeting,
    WrapUpMeeting,
)
from services.meetings import queries
from services.meetings.models import (
    MAILS_SPENT,
    AttendanceChange,
    Community,
    FacilitatorRole,
    Meeting,
    Membership,
    Registration,
)
from services.meetings.models.checks import check
from services.meetings.models.meetings import MAILED
from services.meetings.models.roll import take_roll

_CHANGES = table_of(AttendanceChange)
#: As what the audit notes attendance that is marked in these states.
_ON_RECORD = {MeetingState.WRAP_UP: "attendance.changed", MeetingState.CLOSED: "attendance.corrected"}


def put_meeting(transaction: Transaction, command: PutMeeting) -> Saved[Meeting]:
    """Schedule the meeting; while it is scheduled, change all but its time and communities.

    The facilitator and the note taker need not be members of its communities.

    Raises:
        Conflict: it would be moved, or it has begun, is over or cancelled, and would be changed.
        QuotaSpent: its members would get more mails than this token may bring about in a day.
    """
    planned = Meeting.planned(command)
    with ValidationErrors() as errors:
        check(planned, errors)
    _check_communities(transaction, command.community_ids)
    saved = rows.insert_or_lock(transaction, planned, command.if_version)
    if saved.is_new:
        saved.row.communities = planned.communities
        _announce(transaction, saved.row.scheduled())
        _spend_mails(transaction, saved.row)
    else:
        is_mailed = saved.row.differs(planned, MAILED)
        _announce(transaction, saved.row.change(planned, command.if_version))
        if is_mailed:
            _spend_mails(transaction, saved.row)
    return saved


def _spend_mails(transaction: Transaction, meeting: Meeting) -> None:
    """Count one mail for each member of its communities, as invitations or news will be; none where it is over."""
    if meeting.ends_at > clock.now():
        members = func.count(Membership.member_id.distinct())
        statement = select(members).where(Membership.community_id.in_(meeting.community_ids), Membership.is_active)
        quota.spend(transaction, MAILS_SPENT, transaction.scalar(statement) or 0)


def _check_communities(transaction: Transaction, community_ids: Sequence[UUID]) -> None:
    known = set(transaction.scalars(select(Community.community_id).where(Community.community_id.in_(community_ids))))
    with ValidationErrors() as errors:
        for index, community_id in enumerate(community_ids):
            if community_id not in known:
                errors.add(
                    f"/community_ids/{index}",
                    f"There is no community {community_id}; record it first "
                    "(one recorded moments ago may need a second to arrive).",
                )


def start_meeting(transaction: Transaction, command: StartMeeting) -> Meeting:
    """Start the meeting, so that attendance can be taken. Starting twice announces once."""
    meeting = _locked(transaction, command.meeting_id)
    _announce(transaction, meeting.start(clock.now()))
    return meeting


def wrap_up_meeting(transaction: Transaction, command: WrapUpMeeting) -> Meeting:
    """Begin the last minutes of the meeting, and open its survey. Asking twice announces once.

    Nobody is asked after a preparatory meeting, nor more than three days after the planned end unless
    ``with_survey`` is True; if it is False nobody is asked at all. None leaves it to that rule.
    """
    meeting = _locked(transaction, command.meeting_id)
    _announce(transaction, meeting.wrap_up(clock.now(), command.with_survey))
    return meeting


def close_meeting(transaction: Transaction, command: CloseMeeting) -> Meeting:
    """Close the meeting and announce it, so that all that should follow, follows. Closing twice announces once.

    ``with_survey`` as for ``wrap_up_meeting``; None lets what was said there stand.
    """
    meeting = _locked(transaction, command.meeting_id, with_attendance=True)
    before = meeting.state
    if closed := meeting.close(clock.now(), command.with_survey):
        _announce(transaction, closed)
        after = {"state": meeting.state.value, "head_count": meeting.head_count}
        audit.record(transaction, "meeting.closed", meeting.meeting_id, before={"state": before.value}, after=after)
    return meeting


def cancel_meeting(transaction: Transaction, command: CancelMeeting) -> Meeting:
    """Cancel the meeting, for this reason. Cancelling twice announces once; the first reason stays.

    Raises:
        Conflict: it has begun.
        QuotaSpent: its members would get more mails than this token may bring about in a day.
    """
    with ValidationErrors() as errors:
        errors.check_text("/reason", command.reason, mailed=True)
    meeting = _locked(transaction, command.meeting_id)
    if cancelled := meeting.cancel(clock.now(), command.reason):
        _announce(transaction, cancelled)
        _spend_mails(transaction, meeting)
    return meeting


def register_member(transaction: Transaction, command: RegisterMember) -> Saved[Registration]:
    """Keep whether the member means to come; their last word counts, and saying it twice announces once.

    Raises:
        Conflict: the meeting is over or cancelled.
        Invalid: they belong to none of its communities, and neither facilitate nor take notes.
    """
    member_id = command.member_id
    meeting = _locked(transaction, command.meeting_id)
    registration = transaction.get(Registration, (meeting.meeting_id, member_id))
    is_new = registration is None
    if registration is None:
        if member_id not in (meeting.facilitator_id, meeting.note_taker_id):
            _check_belongs(transaction, meeting, member_id)
        registration = Registration(meeting_id=meeting.meeting_id, member_id=member_id, version=0)
    _announce(transaction, registration.say(meeting, command.partstat, clock.now()))
    transaction.add(registration)
    return Saved(registration, is_new)


def record_attendance(transaction: Transaction, command: RecordAttendance) -> Meeting:
    """Record these people's attendance; once the meeting is closed, correct it.

    Only what differs is kept and announced. People whom no entry names stay as they are. From the wrap-up on, when the
    room can answer, each change is on record. A handful of statements, whatever their number.

    Raises:
        Conflict: the meeting has not started, or was cancelled.
        Invalid: an entry names the note taker, a stranger, or a person whom another entry names.
    """
    meeting = _locked(transaction, command.meeting_id, with_attendance=True)
    ids = [entry.member_id for entry in command.entries]
    belonging, facilitating = _belonging(transaction, meeting, ids), _facilitating(transaction, meeting, ids)
    events, changes = take_roll(meeting, command.entries, belonging, clock.now(), facilitating=facilitating)
    transaction.flush()
    transaction.insert_many(_CHANGES, changes)
    _announce(transaction, events)
    if changes and meeting.state in _ON_RECORD:
        before = {str(each["member_id"]): each["from_state"] for each in changes}
        after = {str(each["member_id"]): each["to_state"] for each in changes}
        audit.record(transaction, _ON_RECORD[meeting.state], meeting.meeting_id, before=before, after=after)
    return meeting


def _locked(transaction: Transaction, meeting_id: UUID, with_attendance: bool = False) -> Meeting:
    """The meeting, which nobody else changes until this transaction ends; NotFound if there is none."""
    options = [selectinload(Meeting.attendance)] if with_attendance else []
    meeting = transaction.get(Meeting, meeting_id, with_for_update=True, options=options)
    if meeting is None:
        raise queries.no_meeting(meeting_id)
    return meeting


def _belonging(transaction: Transaction, meeting: Meeting, member_ids: Iterable[UUID]) -> dict[UUID, Membership]:
    """The membership by which each of these comes: of several, that in the community named first."""
    order = {community_id: position for position, community_id in enumerate(meeting.community_ids)}
    found = transaction.scalars(
        select(Membership).where(
            Membership.community_id.in_(order), Membership.member_id.in_(member_ids), Membership.is_active
        )
    )
    last_first = sorted(found, key=lambda membership: -order[membership.community_id])
    return {membership.member_id: membership for membership in last_first}


def _facilitating(transaction: Transaction, meeting: Meeting, member_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of these who facilitate one of the meeting's communities by role."""
    statement = select(FacilitatorRole.member_id).where(
        FacilitatorRole.community_id.in_(meeting.community_ids),
        transaction.is_one_of(FacilitatorRole.member_id, member_ids),
        FacilitatorRole.is_active,
    )
    return set(transaction.scalars(statement))


def _check_belongs(transaction: Transaction, meeting: Meeting, member_id: UUID) -> None:
    if not _belonging(transaction, meeting, [member_id]):
        words = (
            f"Member {member_id} belongs to none of the meeting's communities; record the membership first "
            "(one recorded moments ago may need a second to arrive)."
        )
        raise Invalid(words, {"/member_id": words})


def _announce(transaction: Transaction, events: Iterable[Event]) -> None:
    for event in events:
        transaction.publish(event)


#: Which function carries out which command.
COMMANDS: Handlers = {
    PutMeeting: put_meeting,
    StartMeeting: start_meeting,
    WrapUpMeeting: wrap_up_meeting,
    CloseMeeting: close_meeting,
    CancelMeeting: cancel_meeting,
    RegisterMember: register_member,
    RecordAttendance: record_attendance,
}
