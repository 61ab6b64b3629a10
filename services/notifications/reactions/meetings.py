"""Reactions to events of meetings: invite, tell of changes, call off, keep attendance."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from chassis.messaging.inbox import Reactions, set_based, set_based_on_envelopes
from chassis.storage.rows import keep_newest
from chassis.storage.transaction import Transaction
from chassis.storage.types import table_of
from pratique.event import Envelope
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
from services.notifications.commands import NewMessage, drop_queued, queue_messages
from services.notifications.kinds import END_WITH_MEETING, TO_FACILITATORS
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
    lock_audience,
    meeting_invitation,
    members_of,
    results_message,
    tell_those_there,
)

_ATTENDANCE = table_of(MeetingAttendance)
_THERE = tuple(state for state in AttendanceState if state.was_there)
_WORDS = {"themes", "place", "link"}  #: fields that MeetingDescribed carries
_TOLD = {"place", "link", "mode"}  #: fields of whose change the invited are told


def invite(transaction: Transaction, event: MeetingScheduled) -> None:
    """Invite the members of the meeting's communities, whoever facilitates and whoever takes notes, each once."""
    _keep_meetings(transaction, [event])
    _keep_people(transaction, event, has_new_words=True)
    _invite(transaction, event)


def tell_of_change(transaction: Transaction, event: MeetingChanged) -> None:
    """Tell those whose invitation has left, or is leaving, of another place, link or mode; invite who is new to it.

    Others get an invitation that says how it is now. A change that was not told yet is told with this one.
    """
    transaction.lock_each([event.meeting_id])
    _keep_meetings(transaction, [event])
    _keep_people(transaction, event, has_new_words=bool(_WORDS & set(event.changed)))
    _invite(transaction, event)
    is_over = (
        transaction.scalar(select(MeetingEnd.outcome).where(MeetingEnd.meeting_id == event.meeting_id)) is not None
    )
    if is_over or not _TOLD & set(event.changed):
        return
    drop_queued(
        transaction,
        Message.meeting_id == event.meeting_id,
        Message.template == Template.MEETING_CHANGED,
        Message.number < event.version,
        reason=DropReason.SUPERSEDED,
    )
    told = _told_already(transaction, event)
    messages = [
        NewMessage(
            template=Template.MEETING_CHANGED,
            subject_id=event.meeting_id,
            member_id=member_id,
            number=event.version,
            meeting_id=event.meeting_id,
            community_ids=event.community_ids,
            source_version=event.version,
            relevant_until=relevant_until,
        )
        for member_id, relevant_until in _invited(transaction, event.meeting_id)
        if member_id not in told
    ]
    queue_messages(transaction, messages)


@set_based
def keep_meeting_words(transaction: Transaction, events: Sequence[MeetingDescribed]) -> None:
    """Know what these meetings are about, where they are, and why they were cancelled."""
    rows = [{"meeting_id": event.meeting_id, "version": event.version, "described": event.dump()} for event in events]
    keep_newest(transaction, MeetingWords, rows)


def call_off(transaction: Transaction, event: MeetingCancelled) -> None:
    """Tell those whose invitation has left, or is leaving, and drop whatever else waits for this meeting.

    Whether an invitation that is leaving arrived is looked at again when the message about it is due.
    """
    transaction.lock_each([event.meeting_id])
    _keep_ends(transaction, [event], Outcome.CANCELLED)
    of_meeting = Message.meeting_id == event.meeting_id
    is_other = Message.template != Template.MEETING_CANCELLED
    drop_queued(transaction, of_meeting, is_other, reason=DropReason.CANCELLED)
    messages = [
        NewMessage(
            template=Template.MEETING_CANCELLED,
            subject_id=event.meeting_id,
            member_id=member_id,
            meeting_id=event.meeting_id,
            community_ids=event.community_ids,
            source_version=event.version,
            relevant_until=relevant_until,
        )
        for member_id, relevant_until in _invited(transaction, event.meeting_id)
    ]
    queue_messages(transaction, messages)


@set_based_on_envelopes
def stop_inviting(transaction: Transaction, closings: Sequence[Envelope[MeetingClosed]]) -> None:
    """Drop what has not left and comes too late now; know who was there. Seven statements for any number of events."""
    events = [closing.event for closing in closings]
    transaction.lock_each({event.meeting_id for event in events})
    _keep_meetings(transaction, events)
    _keep_ends(transaction, events, Outcome.CLOSED)
    of_meetings = Message.meeting_id.in_({event.meeting_id for event in events})
    drop_queued(transaction, of_meetings, Message.template.in_(END_WITH_MEETING), reason=DropReason.EXPIRED)
    _keep_attendance(transaction, closings)


@set_based_on_envelopes
def keep_attendance(transaction: Transaction, records: Sequence[Envelope[AttendanceRecorded]]) -> None:
    """Know who is there."""
    transaction.lock_each({record.event.meeting_id for record in records})
    _keep_attendance(transaction, records)


@set_based_on_envelopes
def correct_attendance(transaction: Transaction, corrections: Sequence[Envelope[AttendanceCorrected]]) -> None:
    """Know who was there after all, or was not; whoever was hears of results while they are news."""
    transaction.lock_each({correction.event.meeting_id for correction in corrections})
    _keep_attendance(transaction, corrections)


def _invite(transaction: Transaction, event: MeetingScheduled | MeetingChanged) -> None:
    """Invite all whom the meeting concerns, and tell whoever facilitates what there is to tell already."""
    lock_audience(transaction)
    card = transaction.get_one(MeetingCard, event.meeting_id, populate_existing=True)
    end = transaction.get(MeetingEnd, event.meeting_id)
    outcome = end.outcome if end else None
    people = {*members_of(transaction, event.community_ids), card.facilitator_id, card.note_taker_id} - {None}
    messages = [meeting_invitation(id, card, event.community_ids, outcome) for id in people if id]
    if card.facilitator_id:
        news = list_news(transaction, TO_FACILITATORS, [event.meeting_id])
        messages += [results_message(card.facilitator_id, notice) for notice in news]
    queue_messages(transaction, messages)


def _invited(transaction: Transaction, meeting_id: UUID) -> list[tuple[UUID, datetime]]:
    """Return those whose invitation has left or is leaving, and until when it is of use.

    Nobody claims one meanwhile: it would say how the meeting was before.
    """
    invitations = select(Message).where(
        Message.meeting_id == meeting_id, Message.template == Template.MEETING_INVITATION
    )
    locked = invitations.order_by(Message.id).with_for_update().execution_options(populate_existing=True)
    left = [each for each in transaction.scalars(locked) if each.may_have_arrived or each.state is State.SENDING]
    return [(each.member_id, each.relevant_until) for each in left if each.member_id]


def _told_already(transaction: Transaction, event: MeetingChanged) -> set[UUID]:
    """Return those who were told of a later change, or will be, in words that are as new as this one."""
    words = transaction.get(MeetingWords, event.meeting_id, populate_existing=True)
    has_newer_words = words is not None and words.version > event.version
    later = select(Message.member_id).where(
        Message.meeting_id == event.meeting_id,
        Message.template == Template.MEETING_CHANGED,
        Message.number >= event.version,
    )
    if _WORDS & set(event.changed) and not has_newer_words:
        later = later.where((Message.number == event.version) | (Message.state == State.QUEUED))
    return {id for id in transaction.scalars(later) if id}


def _keep_meetings(
    transaction: Transaction, events: Sequence[MeetingScheduled | MeetingChanged | MeetingClosed]
) -> None:
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
    keep_newest(transaction, MeetingCard, rows)
    keep_communities(transaction, events)


def _keep_people(transaction: Transaction, event: MeetingScheduled | MeetingChanged, has_new_words: bool) -> None:
    """Know who facilitates and who takes notes, which a closing does not say, and of which version words should be."""
    card = update(MeetingCard).where(MeetingCard.meeting_id == event.meeting_id)
    newest = card.where(MeetingCard.people_version < event.version)
    people = {"facilitator_id": event.facilitator_id, "note_taker_id": event.note_taker_id}
    transaction.execute(newest.values(**people, people_version=event.version))
    if has_new_words:
        older = card.where(MeetingCard.words_version < event.version)
        transaction.execute(older.values(words_version=event.version))


def _keep_ends(transaction: Transaction, events: Sequence[MeetingCancelled | MeetingClosed], outcome: Outcome) -> None:
    rows = [{"meeting_id": event.meeting_id, "version": event.version, "outcome": outcome} for event in events]
    keep_newest(transaction, MeetingEnd, rows)


def _keep_attendance(
    transaction: Transaction, envelopes: Sequence[Envelope[AttendanceRecorded | AttendanceCorrected | MeetingClosed]]
) -> None:
    """Know who was there, by the newest event that says so, and tell them of results that came before."""
    newest: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for event in sorted((envelope.event for envelope in envelopes), key=lambda one: one.version):
        people = (
            [(event.member_id, event.to_state)]
            if isinstance(event, AttendanceCorrected)
            else [(each.member_id, each.state) for each in event.attendees]
        )
        for member_id, state in people:
            named = {"meeting_id": event.meeting_id, "member_id": member_id}
            newest[event.meeting_id, member_id] = named | {"version": event.version, "was_there": state in _THERE}
    transaction.insert_many(_ATTENDANCE, [newest[key] for key in sorted(newest)], newest="version")
    tell_those_there(transaction, {each.event.meeting_id: each.as_cause() for each in envelopes})


REACTIONS: Reactions = {
    MeetingScheduled: invite,
    MeetingChanged: tell_of_change,
    MeetingDescribed: keep_meeting_words,
    MeetingCancelled: call_off,
    AttendanceRecorded: keep_attendance,
    AttendanceCorrected: correct_attendance,
    MeetingClosed: stop_inviting,
}
