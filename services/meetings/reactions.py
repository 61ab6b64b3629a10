"""Reactions of meetings to events of membership: keep its copy of who belongs where, and who facilitates, up to date.

Each takes what is newer by ``version``, so that any order and any number of deliveries leave the same rows.
"""

from collections.abc import Sequence

from chassis.messaging.inbox import Reactions, set_based
from chassis.scheduling.due import Handlers
from chassis.storage import rows
from chassis.storage.transaction import Transaction
from pratique.events.membership import (
    CommunityChanged,
    CommunityFounded,
    MembershipActivated,
    MembershipEnded,
    Role,
    RoleAssigned,
    RoleEnded,
)
from services.meetings.models import Community, FacilitatorRole, Membership


def know_communities(transaction: Transaction, events: Sequence[CommunityFounded | CommunityChanged]) -> None:
    """Communities can meet, as they are by now."""
    known = [
        {"community_id": e.community_id, "kind": e.kind, "timezone": e.timezone, "version": e.version} for e in events
    ]
    rows.keep_newest(transaction, Community, known)


def know_memberships(transaction: Transaction, events: Sequence[MembershipActivated | MembershipEnded]) -> None:
    """Members can register and be marked as attending, for whom they stand for by now, until they leave."""
    known = [
        {
            "membership_id": event.membership_id,
            "community_id": event.community_id,
            "member_id": event.member_id,
            "organization_id": event.organization_id if isinstance(event, MembershipActivated) else None,
            "is_active": isinstance(event, MembershipActivated),
            "version": event.version,
        }
        for event in events
    ]
    rows.keep_newest(transaction, Membership, known)


def know_facilitators(transaction: Transaction, events: Sequence[RoleAssigned | RoleEnded]) -> None:
    """Mark whoever facilitates a community by role as facilitator of its meetings, until the role ends."""
    known = [
        {
            "assignment_id": event.assignment_id,
            "community_id": event.community_id,
            "member_id": event.member_id,
            "is_active": isinstance(event, RoleAssigned),
            "version": event.version,
        }
        for event in events
        if event.role == Role.FACILITATOR
    ]
    rows.keep_newest(transaction, FacilitatorRole, known)


REACTIONS: Reactions = {
    CommunityFounded: set_based(know_communities),
    CommunityChanged: set_based(know_communities),
    MembershipActivated: set_based(know_memberships),
    MembershipEnded: set_based(know_memberships),
    RoleAssigned: set_based(know_facilitators),
    RoleEnded: set_based(know_facilitators),
}
DUE: Handlers = {}
