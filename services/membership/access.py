"""Access to membership: which communities each request concerns, for whoever may act in some of them alone."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.actor import Actor
from chassis.rpc.access import Access, anywhere, each_of, either, nowhere, over, themself
from chassis.storage.transaction import Transaction
from pratique.permissions import Permission
from pratique.requests.membership import (
    AddPerson,
    EndMembership,
    EndNetworkRole,
    EndRole,
    EndSetRole,
    FoundInSet,
    GetCommunity,
    GetCommunitySet,
    GetMember,
    GetOrganization,
    GetPersonInCommunity,
    GetRoleHolders,
    ListCommunities,
    ListCommunitySets,
    ListMembers,
    ListMembershipAudit,
    ListMemberships,
    ListNetworkRoles,
    ListOrganizations,
    ListRoles,
    ListRoster,
    ListSetRoles,
    PutCommunity,
    PutCommunitySet,
    PutMember,
    PutMembership,
    PutNetworkRole,
    PutOrganization,
    PutRole,
    PutSetRole,
    TrustPerson,
)
from services.membership.models import Community, CommunitySet, Member, Membership, RoleAssignment
from services.membership.roles import communities_of

#: After a membership has ended, until a survey that may have asked its person is surely over.
STILL_THERE_FOR = timedelta(days=30)


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
    if found is None:
        return False
    return actor.may(request.needs, found) if found else actor.may_somewhere(request.needs)


def _may_read(transaction: Transaction, request: GetMember, actor: Actor) -> bool:
    """Return whether the person belongs or has a role where the actor may read.

    Whoever may record people reads those who are nowhere yet.
    """
    found = whereabouts(transaction, request.member_id)
    if found is None:
        return actor.may_somewhere(request.needs)
    if found:
        return actor.may_in_one(request.needs, found)
    is_known = transaction.get(Member, request.member_id) is not None
    return is_known and actor.may_somewhere(Permission.MEMBERSHIP_WRITE)


def whereabouts(session: Session, member_id: UUID) -> set[UUID] | None:
    """Return the communities in which a person belongs, belonged lately, or has a role; None: a role everywhere."""
    since = clock.now() - STILL_THERE_FOR
    belongs = Membership.ended_at.is_(None) | (Membership.ended_at > since)
    found = set(session.scalars(select(Membership.community_id).where(Membership.member_id == member_id, belongs)))
    held = select(RoleAssignment).where(RoleAssignment.member_id == member_id, RoleAssignment.ended_at.is_(None))
    for assignment in session.scalars(held):
        over = communities_of(session, assignment)
        if over is None:
            return None
        found.update(over)
    return found


def _of_set(transaction: Transaction, request: Any) -> Collection[UUID]:
    found = transaction.get(CommunitySet, request.set_id) if request.set_id else None
    return found.community_ids if found else ()


def _may_put_set(transaction: Transaction, request: PutCommunitySet, actor: Actor) -> bool:
    """Return whether the actor may act in each community that the set has, or is to have."""
    concerned = {*_of_set(transaction, request), *request.community_ids}
    return actor.may(request.needs, concerned) or (not concerned and _over_set(transaction, request, actor))


def _over_set(transaction: Transaction, request: Any, actor: Actor) -> bool:
    """Return whether the actor has a role over the set as a whole; it may have no community yet."""
    return bool(request.set_id) and actor.may_over_set(request.needs, request.set_id)


def _founds_in_set(transaction: Transaction, request: FoundInSet, actor: Actor) -> bool:
    """Return whether the actor has a role over the set as a whole, and the community is new or in it.

    To have a role over each of its communities is not enough: what is founded there is under roles over the set alone.
    """
    is_free = transaction.get(Community, request.community_id) is None
    return _over_set(transaction, request, actor) and (is_free or request.community_id in _of_set(transaction, request))


_IN_COMMUNITY = over("community_id")
_IN_SET = either(_over_set, each_of(_of_set))

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
    AddPerson: _IN_COMMUNITY,  # and the role takes its own permission
    ListMemberships: _IN_COMMUNITY,
    EndMembership: _IN_COMMUNITY,
    PutCommunitySet: _may_put_set,
    FoundInSet: _founds_in_set,
    GetCommunitySet: _IN_SET,
    ListCommunitySets: anywhere(),  # and lists no other
    PutSetRole: _IN_SET,
    EndSetRole: _IN_SET,
    ListSetRoles: _IN_SET,
    GetRoleHolders: _IN_SET,
    TrustPerson: _IN_SET,  # and the role takes its own permission
    PutNetworkRole: nowhere,
    EndNetworkRole: nowhere,
    ListNetworkRoles: nowhere,
    PutRole: _IN_COMMUNITY,
    EndRole: _IN_COMMUNITY,
    ListRoles: _IN_COMMUNITY,
    ListRoster: over("community_ids"),
    GetPersonInCommunity: _IN_COMMUNITY,
    ListMembershipAudit: nowhere,
}
