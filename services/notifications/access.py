"""Access to notifications: whose messages one may read, for whoever may act in some communities alone."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from chassis.rpc.access import Access, each_of, either, themself
from chassis.storage.transaction import Transaction
from pratique.requests.notifications import ListMessages
from services.notifications.models import CommunityMember


def _communities_of(transaction: Transaction, request: ListMessages) -> Collection[UUID]:
    """Return where the person belongs or belonged: their messages are of all these communities."""
    belonging = select(CommunityMember.community_id).where(CommunityMember.member_id == request.member_id)
    return transaction.scalars(belonging).all()


ACCESS: Access = {ListMessages: either(themself, each_of(_communities_of))}
