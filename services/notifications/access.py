"""Access to notifications: whose messages one may read, for whoever may act in some communities alone."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, select

from chassis.actor import Actor
from chassis.rpc.access import Access, each_of, either, nowhere, themself
from chassis.storage.transaction import Transaction
from pratique.requests.notifications import ListMessages, ListNotificationsAudit, PreviewInvitation, ReadInvitation
from services.notifications.models import CommunityMember, MeetingCard, MeetingCommunity


def _communities_of(transaction: Transaction, request: ListMessages) -> Collection[UUID]:
    """Return where the person belongs or belonged: their messages are of all these communities."""
    belonging = select(CommunityMember.community_id).where(CommunityMember.member_id == request.member_id)
    return transaction.scalars(belonging).all()


def _previewed(transaction: Transaction, request: PreviewInvitation) -> Collection[UUID]:
    """Return whose meeting it is, as it is planned, or as it is known here."""
    if request.planned is not None:
        return request.planned.community_ids
    of_meeting = MeetingCommunity.meeting_id == request.meeting_id
    return transaction.scalars(select(MeetingCommunity.community_id).where(of_meeting)).all()


def _leads(transaction: Transaction, request: PreviewInvitation, actor: Actor) -> bool:
    """Return whether the meeting names this person as its facilitator; a plan may name anybody."""
    if actor.member_id is None or request.planned is not None:
        return False
    named = MeetingCard.facilitator_id == actor.member_id
    return bool(transaction.scalar(select(exists().where(MeetingCard.meeting_id == request.meeting_id, named))))


ACCESS: Access = {
    ListMessages: either(themself, each_of(_communities_of)),
    ReadInvitation: themself,
    PreviewInvitation: either(each_of(_previewed), _leads),
    ListNotificationsAudit: nowhere,
}
