"""Queries of membership."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.actor import ACTOR, person_of
from chassis.rpc.requests import Handlers
from chassis.storage import audit, rows
from chassis.storage.rows import Page
from chassis.storage.transaction import Transaction
from pratique.errors import NotFound
from pratique.events.membership import Locale, Role
from pratique.request import ListQuery
from pratique.requests.membership import (
    GetAuthority,
    GetCommunity,
    GetCommunitySet,
    GetMember,
    GetOrganization,
    GetPersonInCommunity,
    GetRoleHolders,
    ListCommunities,
    ListCommunitySets,
    ListLabels,
    ListMembers,
    ListMembershipAudit,
    ListMemberships,
    ListNetworkRoles,
    ListOrganizations,
    ListRoles,
    ListRoster,
    ListSetRoles,
)
from services.membership.labels import Label, labels_of
from services.membership.models import (
    Community,
    CommunitySet,
    Member,
    Membership,
    Organization,
    RoleAssignment,
    key_of,
)
from services.membership.roles import in_force, no_set, over_network
from services.membership.roster import get_person_in_community, get_role_holders, list_roster


def get_community(session: Session, query: GetCommunity) -> Community:
    """Return the community. One query; NotFound if there is none."""
    return access_community(session, query.community_id)


def access_community(session: Session, community_id: UUID) -> Community:
    """Return the community of this id; NotFound if there is none."""
    community = session.get(Community, community_id)
    if community is None:
        raise no_community(community_id)
    return community


def no_community(community_id: UUID) -> NotFound:
    """Return what to raise where a community is unknown."""
    return NotFound(f"There is no community {community_id}; record it first.")


def list_communities(session: Session, query: ListCommunities) -> Page[Community]:
    """Return all communities that whoever asks may read, by id, one page at a time. One query.

    Raises:
        Invalid: ``after`` comes from no page of this list.
    """
    statement = select(Community)
    if (readable := ACTOR.get().communities_for(query.needs)) is not None:
        statement = statement.where(Community.community_id.in_(readable))
    return rows.page_by_id(session, statement, Community.community_id, query.after, query.limit)


def get_organization(session: Session, query: GetOrganization) -> Organization:
    """Return the organisation. One query; NotFound if there is none."""
    organization = session.get(Organization, query.organization_id)
    if organization is None:
        raise NotFound(f"There is no organisation {query.organization_id}; record it first.")
    return organization


def list_organizations(session: Session, query: ListOrganizations) -> Page[Organization]:
    """Return all organisations, by id, one page at a time. One query; Invalid as for ``list_communities``."""
    return rows.page_by_id(session, select(Organization), Organization.organization_id, query.after, query.limit)


def list_memberships(session: Session, query: ListMemberships) -> Page[Membership]:
    """Return who belongs to a community, by the membership's id, one page at a time. Two queries.

    Raises:
        NotFound: there is no such community.
        Invalid: as for ``list_communities``.
    """
    access_community(session, query.community_id)
    statement = select(Membership).where(Membership.community_id == query.community_id, Membership.ended_at.is_(None))
    return rows.page_by_id(session, statement, Membership.membership_id, query.after, query.limit)


def list_roles(session: Session, query: ListRoles) -> Page[RoleAssignment]:
    """Return who is or was trusted with what in a community, by the assignment's id, one page at a time. Two queries.

    Raises:
        NotFound: there is no such community.
        Invalid: as for ``list_communities``.
    """
    access_community(session, query.community_id)
    return _page_of_roles(session, query, RoleAssignment.community_id == query.community_id)


def list_set_roles(session: Session, query: ListSetRoles) -> Page[RoleAssignment]:
    """Return who is or was trusted with what over a set, by the assignment's id, one page at a time. Two queries.

    Raises:
        NotFound: there is no such set.
        Invalid: as for ``list_communities``.
    """
    access_set(session, query.set_id)
    return _page_of_roles(session, query, RoleAssignment.set_id == query.set_id)


def list_network_roles(session: Session, query: ListNetworkRoles) -> Page[RoleAssignment]:
    """Return who is or was trusted with what over the network, by the assignment's id, one page at a time. One query.

    Raises:
        Invalid: as for ``list_communities``.
    """
    return _page_of_roles(session, query, over_network())


def _page_of_roles(session: Session, query: ListQuery, over: ColumnElement[bool]) -> Page[RoleAssignment]:
    statement = select(RoleAssignment).where(over)
    return rows.page_by_id(session, statement, RoleAssignment.assignment_id, query.after, query.limit)


def get_community_set(session: Session, query: GetCommunitySet) -> CommunitySet:
    """Return the set of communities. One query; NotFound if there is none."""
    return access_set(session, query.set_id)


def access_set(session: Session, set_id: UUID) -> CommunitySet:
    """Return the set of this id; NotFound if there is none."""
    found = session.get(CommunitySet, set_id)
    if found is None:
        raise no_set(set_id)
    return found


def list_community_sets(transaction: Transaction, query: ListCommunitySets) -> Page[CommunitySet]:
    """Return the sets of which whoever asks may read every community, or that their role is over, by id, in pages.

    Two queries at most.

    Raises:
        Invalid: as for ``list_communities``.
    """
    statement, actor = select(CommunitySet), ACTOR.get()
    if actor.communities_for(query.needs) is not None:
        every = transaction.execute(select(CommunitySet.set_id, CommunitySet.community_ids))
        readable = [
            set_id
            for set_id, community_ids in every
            if actor.may(query.needs, community_ids) or actor.may_over_set(query.needs, set_id)
        ]
        statement = statement.where(transaction.is_one_of(CommunitySet.set_id, readable))
    return rows.page_by_id(transaction, statement, CommunitySet.set_id, query.after, query.limit)


def get_member(session: Session, query: GetMember) -> Member:
    """Return the person. One query; NotFound if there is none."""
    return access_member(session, query.member_id)


def access_member(session: Session, member_id: UUID) -> Member:
    """Return the person of this id; NotFound if there is none."""
    member = session.get(Member, member_id)
    if member is None:
        raise NotFound(f"There is no member {member_id}; record them first.")
    return member


def list_members(session: Session, query: ListMembers) -> Page[Member]:
    """Return the person who has this address, or nobody. One query.

    Case does not count, nor how accents are composed. Where people shared an address before that was refused, only
    the one who may keep it is found.
    """
    statement = select(Member).where(Member.email_key == key_of(query.email))
    return rows.page_by_id(session, statement, Member.member_id, query.after, query.limit)


@dataclass(frozen=True)
class RoleHeld:
    """A role that is in force, and over which communities."""

    role: Role
    community_ids: Sequence[UUID] | None  #: None: the whole network
    set_ids: Sequence[UUID]


@dataclass(frozen=True)
class Authority:
    """A person, as far as it matters for what they may do."""

    member_id: UUID
    name: str
    locale: Locale
    timezone: str
    roles: Sequence[RoleHeld]
    community_ids: Sequence[UUID]


def get_authority(session: Session, query: GetAuthority) -> Authority:
    """Return the person, with their roles in force and the communities that they belong to. Three queries.

    Raises:
        NotFound: there is no such person.
    """
    member = access_member(session, query.member_id)
    held = session.execute(
        select(RoleAssignment.role, RoleAssignment.community_id, RoleAssignment.set_id, CommunitySet.community_ids)
        .outerjoin(CommunitySet, CommunitySet.set_id == RoleAssignment.set_id)
        .where(RoleAssignment.member_id == query.member_id, in_force(clock.now()))
    )
    over: dict[Role, set[UUID]] = defaultdict(set)
    sets: dict[Role, set[UUID]] = defaultdict(set)
    everywhere: set[Role] = set()
    for role, community_id, set_id, of_set in held:
        over[role].update([community_id] if community_id else of_set or ())
        if set_id is not None:
            sets[role].add(set_id)
        elif community_id is None:
            everywhere.add(role)
    belonging = select(Membership.community_id).where(
        Membership.member_id == query.member_id, Membership.ended_at.is_(None)
    )
    return Authority(
        member_id=member.member_id,
        name=member.name,
        locale=member.locale,
        timezone=member.timezone,
        roles=[
            RoleHeld(role, None if role in everywhere else sorted(over[role]), sorted(sets[role]))
            for role in Role
            if role in over
        ],
        community_ids=session.scalars(belonging.order_by(Membership.community_id)).all(),
    )


def list_labels(transaction: Transaction, query: ListLabels) -> Sequence[Label]:
    """Return how each of these people is named in a room, told apart and sorted as French sorts.

    Unknown ids are left out. One query, and another where two have the same name.
    """
    named = select(Member.member_id, Member.name).where(transaction.is_one_of(Member.member_id, query.member_ids))
    return labels_of(dict(iter(transaction.execute(named))), partial(_represented, transaction))


def _represented(transaction: Transaction, member_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The name of the organisation that each of these represents; of several, all in order."""
    found = transaction.execute(
        select(Membership.member_id, Organization.name)
        .join(Organization, Organization.organization_id == Membership.organization_id)
        .where(transaction.is_one_of(Membership.member_id, member_ids), Membership.ended_at.is_(None))
        .distinct()
        .order_by(Organization.name)
    )
    names: dict[UUID, list[str]] = defaultdict(list)
    for member_id, name in found:
        names[member_id].append(name)
    return {member_id: ", ".join(each) for member_id, each in names.items()}


def list_membership_audit(transaction: Transaction, query: ListMembershipAudit) -> SimpleNamespace:
    """Return who did what here, as ``audit.find_records``, and the names of people. Two queries, as ``list_labels``."""
    records = audit.find_records(transaction, query)
    acted = {id for each in records if (id := person_of(each["actor"]))}
    labels = list_labels(transaction, ListLabels(member_ids=tuple({*query.names_of, *acted})))
    return SimpleNamespace(records=records, labels=labels)


#: Which function answers which query.
QUERIES: Handlers = {
    ListMembershipAudit: list_membership_audit,
    GetCommunity: get_community,
    ListCommunities: list_communities,
    GetOrganization: get_organization,
    ListOrganizations: list_organizations,
    GetMember: get_member,
    ListMembers: list_members,
    ListMemberships: list_memberships,
    GetRoleHolders: get_role_holders,
    ListRoles: list_roles,
    ListSetRoles: list_set_roles,
    ListNetworkRoles: list_network_roles,
    GetCommunitySet: get_community_set,
    ListCommunitySets: list_community_sets,
    ListLabels: list_labels,
    ListRoster: list_roster,
    GetPersonInCommunity: get_person_in_community,
    GetAuthority: get_authority,
}
