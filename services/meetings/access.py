"""Access to meetings: which communities each request concerns, for whoever may act in some of them alone.

A joint meeting is planned by whoever may act in all of its communities, and run by whoever may in one. The facilitator
and the note taker that a meeting names run it without any role.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.actor import Actor
from chassis.rpc.access import Access, both, each_of, either, nowhere, one_of, over, themself
from chassis.storage.transaction import Transaction
from pratique.events.meetings import MeetingState
from pratique.requests.meetings import (
    CancelMeeting,
    CloseMeeting,
    GetMeeting,
    GetStanding,
    ListAgenda,
    ListInvited,
    ListMeetings,
    ListMeetingsAudit,
    ListMeetingVersions,
    ListRegistrations,
    PutMeeting,
    RecordAttendance,
    RegisterMember,
    StartMeeting,
    SummarizeMeetings,
    WrapUpMeeting,
)
from services.meetings.models import Meeting, MeetingCommunity, Membership

#: After its end, until whom a meeting names no longer learns who belongs to its communities.
CORRECTED_WITHIN = timedelta(days=30)


def _communities_of(session: Session, request: Any) -> Collection[UUID]:
    of_meeting = select(MeetingCommunity.community_id).where(MeetingCommunity.meeting_id == request.meeting_id)
    return session.scalars(of_meeting).all()


def _is_planned_by(transaction: Transaction, request: PutMeeting, actor: Actor) -> bool:
    """Return whether the actor may act in every community of the meeting as it is; there may be none yet."""
    found = _communities_of(transaction, request)
    return not found or actor.may(request.needs, found)


def _is_named(transaction: Transaction, request: Any, actor: Actor) -> bool:
    """Return whether the meeting names this person as its facilitator or its note taker."""
    if actor.member_id is None:
        return False
    of_meeting = Meeting.meeting_id == request.meeting_id
    return bool(transaction.scalar(select(exists().where(of_meeting, Meeting.names(actor.member_id)))))


def _is_named_for_now(transaction: Transaction, request: ListInvited, actor: Actor) -> bool:
    """Return whether the meeting names this person and is being held, or was lately: its attendance is theirs to take.

    Before it starts they need to know nobody, and a month after it whom it would invite by then is no more of theirs.
    """
    statement = select(Meeting.state, Meeting.ends_at).where(Meeting.meeting_id == request.meeting_id)
    found = transaction.execute(statement).first()
    is_held = found is not None and found.state not in (MeetingState.SCHEDULED, MeetingState.CANCELLED)
    is_fresh = found is not None and found.ends_at > clock.now() - CORRECTED_WITHIN
    return is_held and is_fresh and _is_named(transaction, request, actor)


def _is_invited(transaction: Transaction, request: RegisterMember, actor: Actor) -> bool:
    """Return whether a person speaks of themself, and belongs to one of the meeting's communities or is named by it."""
    if actor.member_id is None or request.member_id != actor.member_id:
        return False
    belongs = (
        exists()
        .where(MeetingCommunity.meeting_id == request.meeting_id)
        .where(Membership.community_id == MeetingCommunity.community_id, Membership.is_active)
        .where(Membership.member_id == actor.member_id)
    )
    return bool(transaction.scalar(select(belongs))) or _is_named(transaction, request, actor)


def _is_own_agenda(transaction: Transaction, request: ListAgenda, actor: Actor) -> bool:
    """Return whether the agenda is of communities of the actor, and with nobody's part in it but their own."""
    if not all(actor.may(request.needs, [each]) for each in request.community_ids):
        return False
    return bool(request.community_ids) if request.member_id is None else request.member_id == actor.member_id


_RUN = either(one_of(_communities_of), _is_named)

ACCESS: Access = {
    PutMeeting: both(over("community_ids"), _is_planned_by),
    CancelMeeting: each_of(_communities_of),
    StartMeeting: _RUN,
    WrapUpMeeting: _RUN,
    CloseMeeting: _RUN,
    RecordAttendance: _RUN,
    RegisterMember: either(_is_invited, _RUN),
    GetMeeting: _RUN,
    GetStanding: either(themself, _RUN),
    ListRegistrations: _RUN,
    ListInvited: either(one_of(_communities_of), _is_named_for_now),
    ListMeetingVersions: lambda transaction, request, actor: True,  # tells of those alone that the actor may read
    ListMeetings: over("community_id"),
    ListAgenda: _is_own_agenda,
    SummarizeMeetings: over("community_ids"),
    ListMeetingsAudit: nowhere,
}
