"""Rosters: the people of communities with what they are trusted with, and who holds roles over more than one."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from uuid import UUID

from sqlalchemy import Select, select

from chassis import clock
from chassis.actor import ACTOR
from chassis.storage import rows
from chassis.storage.rows import Page
from chassis.storage.transaction import Transaction
from pratique.errors import Invalid, NotFound
from pratique.events.membership import Role
from pratique.requests.membership import GetPersonInCommunity, GetRoleHolders, ListRoster
from services.membership.labels import fold, sort_key
from services.membership.models import CommunitySet, Member, Membership, Organization, RoleAssignment
from services.membership.roles import in_force, no_set, over_network


def list_roster(transaction: Transaction, query: ListRoster) -> Page[SimpleNamespace]:
    """Return who belongs to these communities or has a role there, each once in each, sorted as French sorts.

    A role over a set counts, one over the network does not. Six queries; ``after`` counts rows. A roster is a few
    hundred people at most, so it is sorted here: no two databases sort names alike.

    Raises:
        Invalid: ``after`` comes from no page of this list.
    """
    people = _rows_of_roster(transaction, query.community_ids)
    words = fold(query.search).split()
    found = [
        each for each in people.values() if all(word in fold(f"{each.name} {each.organization}") for word in words)
    ]
    found.sort(key=lambda each: (*sort_key(each.name), str(each.member_id), str(each.community_id)))
    if not (query.after or "0").isdecimal():
        words_of = "after is no key of this list; take it from the page before, or leave it out."
        raise Invalid(words_of, {"/after": words_of})
    start = int(query.after or 0)
    end = start + query.limit
    return Page(found[start:end], str(end) if len(found) > end else None)


def get_person_in_community(transaction: Transaction, query: GetPersonInCommunity) -> SimpleNamespace:
    """Return a person who belongs to a community, or has or is to have a role there, with those roles. Nine queries.

    Raises:
        NotFound: nobody of this id does.
    """
    found = _rows_of_roster(transaction, [query.community_id]).get((query.member_id, query.community_id))
    sets = {
        each.set_id: each
        for each in transaction.scalars(select(CommunitySet))
        if query.community_id in each.community_ids
    }
    is_here = (RoleAssignment.community_id == query.community_id) | transaction.is_one_of(
        RoleAssignment.set_id, list(sets)
    )
    if ACTOR.get().communities_for(query.needs) is None:  # who reads the whole network reads of its own roles too
        is_here |= over_network()
    theirs = select(RoleAssignment).where(
        RoleAssignment.member_id == query.member_id, RoleAssignment.ended_at.is_(None), is_here
    )
    assignments = transaction.scalars(theirs.order_by(RoleAssignment.assigned_at, RoleAssignment.assignment_id)).all()
    if found is None and not assignments:
        raise NotFound(f"Nobody {query.member_id} belongs to community {query.community_id} or has a role there.")
    person = found or _entry(transaction.get_one(Member, query.member_id), query.community_id)
    theirs_over = {each.set_id for each in assignments}
    actor = ACTOR.get()
    readable = [
        each
        for set_id, each in sets.items()
        if set_id in theirs_over
        and (actor.may(query.needs, each.community_ids) or actor.may_over_set(query.needs, set_id))
    ]
    return SimpleNamespace(**vars(person), assignments=assignments, sets=readable)


def get_role_holders(transaction: Transaction, query: GetRoleHolders) -> SimpleNamespace:
    """Return a set, or the network, with who has or is to have a role over it, sorted as French sorts. A few queries.

    Raises:
        NotFound: there is no such set.
    """
    of_set = transaction.get(CommunitySet, query.set_id) if query.set_id else None
    if query.set_id and of_set is None:
        raise no_set(query.set_id)
    over = RoleAssignment.set_id == query.set_id if query.set_id else over_network()
    held = list(_held(transaction, select(RoleAssignment).where(over, RoleAssignment.ended_at.is_(None))))
    is_theirs = transaction.is_one_of(Member.member_id, list({each.member_id for each in held}))
    named = {each.member_id: each for each in transaction.scalars(select(Member).where(is_theirs))}
    columns = RoleAssignment.__table__.columns.keys()
    found = [
        SimpleNamespace(
            **{name: getattr(each, name) for name in columns},
            name=named[each.member_id].name,
            email=named[each.member_id].email,
        )
        for each in held
    ]
    found.sort(key=lambda each: (*sort_key(each.name), str(each.assignment_id)))
    return SimpleNamespace(of_set=of_set, holders=found)


def _held(transaction: Transaction, statement: Select[RoleAssignment]) -> Iterator[RoleAssignment]:
    """Return the roles of a statement, page by page along the key, since few of many are over the network."""
    after: str | None = None
    while True:
        page = rows.page_by_id(transaction, statement, RoleAssignment.assignment_id, after, rows.MAX_PAGE)
        yield from page.rows
        if (after := page.after) is None:
            return


def _rows_of_roster(
    transaction: Transaction, community_ids: Sequence[UUID]
) -> dict[tuple[UUID, UUID], SimpleNamespace]:
    of_these = transaction.is_one_of(Membership.community_id, community_ids)
    belonging = transaction.scalars(select(Membership).where(of_these, Membership.ended_at.is_(None))).all()
    trusted = _trusted(transaction, community_ids)
    ids = {each.member_id for each in belonging} | {member_id for member_id, _, _ in trusted}
    members = {
        each.member_id: each
        for each in transaction.scalars(select(Member).where(transaction.is_one_of(Member.member_id, list(ids))))
    }
    of_bodies = transaction.is_one_of(
        Organization.organization_id, list({each.organization_id for each in belonging if each.organization_id})
    )
    named = select(Organization.organization_id, Organization.name).where(of_bodies)
    names: dict[UUID | None, str] = dict(iter(transaction.execute(named)))
    people = {}
    for each in belonging:
        person = people[each.member_id, each.community_id] = _entry(members[each.member_id], each.community_id)
        person.capacity, person.organization_id = each.capacity, each.organization_id
        person.organization = names.get(each.organization_id, "")
    for member_id, community_id, role in trusted:
        person = people.setdefault((member_id, community_id), _entry(members[member_id], community_id))
        if role not in person.roles:
            person.roles.append(role)
    return people


def _trusted(transaction: Transaction, community_ids: Sequence[UUID]) -> list[tuple[UUID, UUID, Role]]:
    """Return who has which role in which of these communities now, given there or over a set, by role."""
    over_sets = {
        each.set_id: set(each.community_ids) & set(community_ids) for each in transaction.scalars(select(CommunitySet))
    }
    of_these = transaction.is_one_of(RoleAssignment.community_id, community_ids)
    of_sets = transaction.is_one_of(RoleAssignment.set_id, [id for id, found in over_sets.items() if found])
    found = []
    for over in (of_these, of_sets):
        for each in transaction.scalars(select(RoleAssignment).where(over, in_force(clock.now()))):
            own = over_sets[each.set_id] if each.set_id else {each.community_id}
            found += [(each.member_id, community_id, each.role) for community_id in own if community_id]
    return sorted(found, key=lambda one: one[2])


def _entry(member: Member, community_id: UUID) -> SimpleNamespace:
    of_member = {"member_id": member.member_id, "name": member.name, "email": member.email}
    return SimpleNamespace(
        **of_member, community_id=community_id, capacity=None, organization_id=None, organization="", roles=[]
    )
