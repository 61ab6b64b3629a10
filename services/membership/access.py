"""Access to membership: which communities each request concerns, for whoever may act in some of them alone."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.actor import Actor
from chassis.rpc.access import Access, anywhere, either, over, themself
from chassis.storage.transaction import Transaction
from pratique.permissions import Permission
from pratique.requests.membership import (
    EndRole,
    GetCommunity,
    GetMember,
    GetOrganization,
    ListCommunities,
    ListMembers,
    ListMemberships,
    ListOrganizations,
    ListRoles,
    ListRoster,
    PutCommunity,
    PutMember,
    PutMembership,
    PutOrganization,
    PutRole,
)
from services.membership.models import Member, Membership, RoleAssignment


def _represented_in(transaction: Transaction, request: PutOrganization, actor: Actor) -> bool:
    """Return whether the actor may act in every community to which the organisation sends people; in any, if none."""
    where = select(Membership.community_id).where(Membership.organization_id == request.organization_id).distinct()
    found = transaction.scalars(where).all()
    return actor.may(request.needs, found) if found else actor.may_somewhere(request.needs)


def _may_change(transaction: Transaction, request: PutMember, actor: Actor) -> bool:
    """Return whether the actor may act wherever the person belongs or has a role; anywhere, if that is nowhere.

    An address that is changed and changed back takes a vote, or a role, from whoever had it.
    """
    found = whereabouts(transaction, request.member_id)
    return actor.may(request.needs, found) if found else actor.may_somewhere(request.needs)


def _may_read(transaction: Transaction, request: GetMember, actor: Actor) -> bool:
    """Return whether the person belongs or has a role where the actor may read; whoever may record people reads those
    who are nowhere yet."""
    if found := whereabouts(transaction, request.member_id):
        return actor.may_in_one(request.needs, found)
    is_known = transaction.get(Member, request.member_id) is not None
    return is_known and actor.may_somewhere(Permission.MEMBERSHIP_WRITE)


def whereabouts(session: Session, member_id: UUID) -> set[UUID]:
    """Return the communities in which a person belongs or has a role."""
    belonging = select(Membership.community_id).where(Membership.member_id == member_id)
    trusted = select(RoleAssignment.community_id).where(
        RoleAssignment.member_id == member_id, RoleAssignment.ended_at.is_(None)
    )
    return set(session.scalars(belonging.union(trusted)))


_IN_COMMUNITY = over("community_id")

ACCESS: Access = {
    PutOrganization: _represented_in,
    GetOrganization: anywhere(),
    ListOrganizations: anywhere(),
    PutCommunity: _IN_COMMUNITY,
    GetCommunity: _IN_COMMUNITY,
    ListCommunities: anywhere(),  # and lists no other
    PutMember: _may_change,
    GetMember: either(themself, _may_read),
    ListMembers: anywhere(Permission.MEMBERSHIP_WRITE),
    PutMembership: _IN_COMMUNITY,
    ListMemberships: _IN_COMMUNITY,
    PutRole: _IN_COMMUNITY,
    EndRole: _IN_COMMUNITY,
    ListRoles: _IN_COMMUNITY,
    ListRoster: over("community_ids"),
}
