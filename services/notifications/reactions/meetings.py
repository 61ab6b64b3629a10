"""What events of meetings make notifications do: invite, and call off."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pratique.events.meetings import MeetingCancelled, MeetingClosed, MeetingDescribed, MeetingScheduled
from pratique.events.notifications import DropReason, Template
from pratique.inbox import set_based
from pratique.rows import keep_newest
from services.notifications.commands import Wanted, drop_queued, queue_messages
from services.notifications.models import (
    MeetingCard,
    MeetingEnd,
    MeetingWords,
    Message,
    Outcome,
    State,
)
from services.notifications.reactions.audience import keep_communities, match_alone, meeting_invitation, members_of


def invite_members(session: Session, event: MeetingScheduled) -> None:
    """Invite every member of the meeting's communities, each once, whichever of them they are in."""
    _keep_meeting(session, event)
    match_alone(session)
    card = session.get_one(MeetingCard, event.meeting_id, populate_existing=True)
    end = session.get(MeetingEnd, event.meeting_id)
    outcome = end.outcome if end else None
    members = members_of(session, event.community_ids)
    queue_messages(session, [meeting_invitation(member_id, card, outcome, event) for member_id in members])


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
    _keep_end(session, event, Outcome.CANCELLED)
    of_meeting = Message.meeting_id == event.meeting_id
    is_other = Message.template != Template.MEETING_CANCELLED
    drop_queued(session, of_meeting, is_other, reason=DropReason.CANCELLED, because=event)
    has_left = or_(Message.state.in_((State.SENT, State.SENDING)), Message.interruptions > 0)
    invited = session.execute(
        select(Message.member_id, Message.relevant_until).where(
            of_meeting, Message.template == Template.MEETING_INVITATION, has_left
        )
    )
    wanted = [
        Wanted(
            template=Template.MEETING_CANCELLED,
            subject_id=event.meeting_id,
            member_id=member_id,
            meeting_id=event.meeting_id,
            source_version=event.version,
            relevant_until=relevant_until,
            because=event,
        )
        for member_id, relevant_until in invited
    ]
    queue_messages(session, wanted)


def stop_inviting(session: Session, event: MeetingClosed) -> None:
    """Drop the invitations to it that have not left: they come too late."""
    _keep_meeting(session, event)
    _keep_end(session, event, Outcome.CLOSED)
    is_invitation = Message.template == Template.MEETING_INVITATION
    of_meeting = Message.meeting_id == event.meeting_id
    drop_queued(session, of_meeting, is_invitation, reason=DropReason.EXPIRED, because=event)


def _keep_meeting(session: Session, event: MeetingScheduled | MeetingClosed) -> None:
    row = {
        "meeting_id": event.meeting_id,
        "version": event.version,
        "kind": event.kind,
        "mode": event.mode,
        "starts_at": event.starts_at,
        "ends_at": event.ends_at,
        "timezone": event.timezone,
    }
    keep_newest(session, MeetingCard, [row])
    keep_communities(session, event.meeting_id, event.community_ids)


def _keep_end(session: Session, event: MeetingCancelled | MeetingClosed, outcome: Outcome) -> None:
    row = {"meeting_id": event.meeting_id, "version": event.version, "outcome": outcome}
    keep_newest(session, MeetingEnd, [row])
