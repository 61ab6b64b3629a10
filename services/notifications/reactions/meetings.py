"""Reactions to events of meetings: invite, tell of changes, call off, keep attendance."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, inspect, select, update
from sqlalchemy.orm import Session

from chassis.messaging.inbox import set_based
from chassis.storage import store
from chassis.storage.rows import keep_newest
from pratique.events.meetings import (
    AttendanceCorrected,
    AttendanceRecorded,
    AttendanceState,
    MeetingCancelled,
    MeetingChanged,
    MeetingClosed,
    MeetingDescribed,
    MeetingScheduled,
)
from pratique.events.notifications import DropReason, Template
from services.notifications.commands import Wanted, drop_queued, queue_messages
from services.notifications.decisions import TO_FACILITATORS
from services.notifications.models import (
    MeetingAttendance,
    MeetingCard,
    MeetingEnd,
    MeetingWords,
    Message,
    Outcome,
    State,
)
from services.notifications.reactions.audience import (
    keep_communities,
    list_news,
    match_alone,
    meeting_invitation,
    members_of,
    results_message,
    take_turns,
    tell_those_there,
)

_ATTENDANCE: Table = inspect(MeetingAttendance).local_table  # type: ignore[assignment]  # a mapped class has a Table
_THERE = tuple(state for state in AttendanceState if state.was_there)
_WORDS = {"themes", "place", "link"}  #: fields that MeetingDescribed carries
_TOLD = {"place", "link", "mode"}  #: fields of whose change the invited are told
_COME_TOO_LATE = (Template.MEETING_INVITATION, Template.MEETING_CHANGED, Template.MEETING_LEFT_OPEN)


def invite(session: Session, event: MeetingScheduled) -> None:
    """Invite the members of the meeting's communities, whoever facilitates and whoever takes notes, each once."""
    _keep_meetings(session, [event])
    _keep_people(session, event, has_new_words=True)
    _invite(session, event)


def tell_of_change(session: Session, event: MeetingChanged) -> None:
    """Tell those whose invitation has left, or is leaving, of another place, link or mode; invite who is new to it.

    Others get an invitation that says how it is now. A change that was not told yet is told with this one.
    """
    take_turns(session, [event.meeting_id])
    _keep_meetings(session, [event])
    _keep_people(session, event, has_new_words=bool(_WORDS & set(event.changed)))
    _invite(session, event)
    is_over = session.scalar(select(MeetingEnd.outcome).where(MeetingEnd.meeting_id == event.meeting_id)) is not None
    if is_over or not _TOLD & set(event.changed):
        return
    drop_queued(
        session,
        Message.meeting_id == event.meeting_id,
        Message.template == Template.MEETING_CHANGED,
        Message.number < event.version,
        reason=DropReason.SUPERSEDED,
    )
    told = _told_already(session, event)
    wanted = [
        Wanted(
            template=Template.MEETING_CHANGED,
            subject_id=event.meeting_id,
            member_id=member_id,
            number=event.version,
            meeting_id=event.meeting_id,
            community_ids=event.community_ids,
            source_version=event.version,
            relevant_until=relevant_until,
            because=event,
        )
        for member_id, relevant_until in _invited(session, event.meeting_id)
        if member_id not in told
    ]
    queue_messages(session, wanted)


@set_based
def keep_meeting_words(session: Session, events: Sequence[MeetingDescribed]) -> None:
    """Know what these meetings are about, where they are, and why they were cancelled."""
    rows = [
        {
            "meeting_id": event.meeting_id,
            "version": event.version,
            "themes": list(event.themes),
            "place": event.place,
            "link": event.link,
            "cancel_reason": event.cancel_reason,
        }
        for event in events
    ]
    keep_newest(session, MeetingWords, rows)


def call_off(session: Session, event: MeetingCancelled) -> None:
    """Tell those whose invitation has left, or is leaving, and drop whatever else waits for this meeting.

    Whether an invitation that is leaving arrived is looked at again when the message about it is due.
    """
    take_turns(session, [event.meeting_id])
    _keep_ends(session, [event], Outcome.CANCELLED)
    of_meeting = Message.meeting_id == event.meeting_id
    is_other = Message.template != Template.MEETING_CANCELLED
    drop_queued(session, of_meeting, is_other, reason=DropReason.CANCELLED)
    wanted = [
        Wanted(
            template=Template.MEETING_CANCELLED,
            subject_id=event.meeting_id,
            member_id=member_id,
            meeting_id=event.meeting_id,
            community_ids=event.community_ids,
            source_version=event.version,
            relevant_until=relevant_until,
            because=event,
        )
        for member_id, relevant_until in _invited(session, event.meeting_id)
    ]
    queue_messages(session, wanted)


@set_based
def stop_inviting(session: Session, events: Sequence[MeetingClosed]) -> None:
    """Drop what has not left and comes too late now; know who was there. Seven statements for any number of events."""
    take_turns(session, {event.meeting_id for event in events})
    _keep_meetings(session, events)
    _keep_ends(session, events, Outcome.CLOSED)
    of_meetings = Message.meeting_id.in_({event.meeting_id for event in events})
    drop_queued(session, of_meetings, Message.template.in_(_COME_TOO_LATE), reason=DropReason.EXPIRED)
    _keep_attendance(session, events)


@set_based
def keep_attendance(session: Session, events: Sequence[AttendanceRecorded]) -> None:
    """Know who is there."""
    take_turns(session, {event.meeting_id for event in events})
    _keep_attendance(session, events)


@set_based
def correct_attendance(session: Session, events: Sequence[AttendanceCorrected]) -> None:
    """Know who was there after all, or was not; whoever was hears of results while they are news."""
    take_turns(session, {event.meeting_id for event in events})
    _keep_attendance(session, events)


def _invite(session: Session, event: MeetingScheduled | MeetingChanged) -> None:
    """Invite all whom the meeting concerns, and tell whoever facilitates what there is to tell already."""
    match_alone(session)
    card = session.get_one(MeetingCard, event.meeting_id, populate_existing=True)
    end = session.get(MeetingEnd, event.meeting_id)
    outcome = end.outcome if end else None
    people = {*members_of(session, event.community_ids), card.facilitator_id, card.note_taker_id} - {None}
    wanted = [meeting_invitation(id, card, event.community_ids, outcome, event) for id in people if id]
    if card.facilitator_id:
        news = list_news(session, TO_FACILITATORS, [event.meeting_id])
        wanted += [results_message(card.facilitator_id, notice, event) for notice in news]
    queue_messages(session, wanted)


def _invited(session: Session, meeting_id: UUID) -> list[tuple[UUID, datetime]]:
    """Return those whose invitation has left or is leaving, and until when it is of use.

    Nobody claims one meanwhile: it would say how the meeting was before.
    """
    invitations = select(Message).where(
        Message.meeting_id == meeting_id, Message.template == Template.MEETING_INVITATION
    )
    locked = invitations.order_by(Message.id).with_for_update().execution_options(populate_existing=True)
    left = [each for each in session.scalars(locked) if each.may_have_arrived or each.state is State.SENDING]
    return [(each.member_id, each.relevant_until) for each in left if each.member_id]


def _told_already(session: Session, event: MeetingChanged) -> set[UUID]:
    """Return those who were told of a later change, or will be, in words that are as new as this one."""
    words = session.get(MeetingWords, event.meeting_id, populate_existing=True)
    has_newer_words = words is not None and words.version > event.version
    later = select(Message.member_id).where(
        Message.meeting_id == event.meeting_id,
        Message.template == Template.MEETING_CHANGED,
        Message.number >= event.version,
    )
    if _WORDS & set(event.changed) and not has_newer_words:
        later = later.where((Message.number == event.version) | (Message.state == State.QUEUED))
    return {id for id in session.scalars(later) if id}


def _keep_meetings(session: Session, events: Sequence[MeetingScheduled | MeetingChanged | MeetingClosed]) -> None:
    rows = [
        {
            "meeting_id": event.meeting_id,
            "version": event.version,
            "kind": event.kind,
            "mode": event.mode,
            "starts_at": event.starts_at,
            "ends_at": event.ends_at,
            "timezone": event.timezone,
        }
        for event in events
    ]
    keep_newest(session, MeetingCard, rows)
    keep_communities(session, events)


def _keep_people(session: Session, event: MeetingScheduled | MeetingChanged, has_new_words: bool) -> None:
    """Know who facilitates and who takes notes, which a closing does not say, and of which version words should be."""
    card = update(MeetingCard).where(MeetingCard.meeting_id == event.meeting_id)
    newest = card.where(MeetingCard.people_version < event.version)
    people = {"facilitator_id": event.facilitator_id, "note_taker_id": event.note_taker_id}
    session.execute(newest.values(**people, people_version=event.version))
    if has_new_words:
        older = card.where(MeetingCard.words_version < event.version)
        session.execute(older.values(words_version=event.version))


def _keep_ends(session: Session, events: Sequence[MeetingCancelled | MeetingClosed], outcome: Outcome) -> None:
    rows = [{"meeting_id": event.meeting_id, "version": event.version, "outcome": outcome} for event in events]
    keep_newest(session, MeetingEnd, rows)


def _keep_attendance(
    session: Session, events: Sequence[AttendanceRecorded | AttendanceCorrected | MeetingClosed]
) -> None:
    """Know who was there, by the newest event that says so, and tell them of results that came before."""
    newest: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for event in sorted(events, key=lambda one: one.version):
        people = (
            [(event.member_id, event.to_state)]
            if isinstance(event, AttendanceCorrected)
            else [(each.member_id, each.state) for each in event.attendees]
        )
        for member_id, state in people:
            named = {"meeting_id": event.meeting_id, "member_id": member_id}
            newest[event.meeting_id, member_id] = named | {"version": event.version, "was_there": state in _THERE}
    store.insert_many(session, _ATTENDANCE, [newest[key] for key in sorted(newest)], newest="version")
    tell_those_there(session, {event.meeting_id: event for event in events})
