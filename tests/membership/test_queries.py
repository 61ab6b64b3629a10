"""What people read from membership."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from chassis.rpc.requests import dump
from chassis.storage.rows import Page
from chassis.storage.transaction import Transaction
from chassis.testing import published
from pratique.errors import Invalid, NotFound
from pratique.events.membership import Capacity, MembershipActivated, Role, RoleAssigned
from pratique.requests.membership import (
    Attending,
    Authority,
    EndRole,
    GetAuthority,
    GetCommunity,
    GetMember,
    GetOrganization,
    GetPersonInCommunity,
    ListCommunities,
    ListLabels,
    ListMembers,
    ListMemberships,
    ListOrganizations,
    ListRoles,
    ListRoster,
    PutMember,
    PutMembership,
    PutOrganization,
    PutRole,
)
from pratique.requests.membership import Member as MemberShown
from pratique.testing import AT
from services.membership.models import Community, Member, Membership
from tests.membership.conftest import ask

COMMUNITY, MEMBER, STRANGER = UUID(int=0xC), UUID(int=0xA), UUID(int=0xBAD)


def test_communities_are_listed_once_each_page_by_page(
    session: Transaction, put_community: Callable[..., Community]
) -> None:
    ids = [UUID(int=number) for number in (5, 3, 1, 4, 2)]
    for community_id in ids:
        put_community(community_id=community_id)
    seen: list[UUID] = []
    after = None
    while True:
        page = ask(session, ListCommunities, after=after, limit=2)
        seen += [community.community_id for community in page.rows]
        after = page.after
        if after is None:
            break

    assert seen == sorted(ids)


@pytest.mark.parametrize("after", ["", "x", "5"])
def test_a_key_that_comes_from_no_page_is_refused(session: Transaction, after: str) -> None:
    with pytest.raises(Invalid) as caught:
        ask(session, ListCommunities, after=after)

    assert set(caught.value.fields) == {"/after"}


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_one_to_five_hundred_rows(session: Transaction, limit: int) -> None:
    with pytest.raises(Invalid):
        ask(session, ListCommunities, limit=limit)


def test_labels_are_asked_of_those_who_are_known(session: Transaction, put_member: Callable[..., Member]) -> None:
    put_member(name="Amina Koné")

    labels = ask(session, ListLabels, member_ids=(MEMBER, STRANGER))

    assert [Attending.dump_of(each) for each in labels] == [{"member_id": str(MEMBER), "label": "Amina K."}]


def test_people_of_one_name_are_told_apart_by_whom_they_represent(
    session: Transaction, put_community: Callable[..., Community], put_member: Callable[..., Member]
) -> None:
    put_community()
    for number, organization in enumerate(("Maison de la culture", "Centre des aînés", None), 1):
        member_id, organization_id = UUID(int=number), UUID(int=0x100 + number)
        put_member(member_id=member_id, name="Marie Tremblay", email=f"marie{number}@example.org")
        capacity = Capacity.INDIVIDUAL
        if organization:
            ask(session, PutOrganization, organization_id=organization_id, name=organization)
            capacity = Capacity.REPRESENTATIVE
        ask(
            session,
            PutMembership,
            community_id=COMMUNITY,
            member_id=member_id,
            capacity=capacity,
            organization_id=organization_id if organization else None,
        )

    labels = ask(session, ListLabels, member_ids=tuple(UUID(int=number) for number in (1, 2, 3)))

    assert [each.label for each in labels] == [
        "Marie T.",
        "Marie T. (Centre des aînés)",
        "Marie T. (Maison de la culture)",
    ]
    assert not any("@" in each.label for each in labels)


def everything(ask: Callable[..., Page[Any]], key: str) -> list[Any]:
    """The rows of all pages of two."""
    page, seen = ask(limit=2), list[Any]()
    while page.after:
        seen += page.rows
        page = ask(after=page.after, limit=2)
    ids = [getattr(row, key) for row in [*seen, *page.rows]]
    assert ids == sorted(set(ids))
    return [*seen, *page.rows]


def test_whatever_events_name_by_an_id_can_be_read(
    session: Transaction, put_community: Callable[..., Community], put_member: Callable[..., Member]
) -> None:
    put_community()
    put_community(community_id=STRANGER)
    people = [put_member(member_id=UUID(int=each), email=f"n{each}@example.org").member_id for each in range(1, 6)]
    for member_id in people:
        ask(session, PutOrganization, organization_id=UUID(int=0x100 + member_id.int), name="Organisme")
        belonging: dict[str, Any] = {"community_id": COMMUNITY, "member_id": member_id}
        ask(session, PutMembership, **belonging, capacity=Capacity.INDIVIDUAL)
        ask(session, PutRole, **belonging, role=Role.FACILITATOR)
    ask(session, EndRole, community_id=COMMUNITY, member_id=people[0], role=Role.FACILITATOR)
    in_it: dict[str, Any] = {"community_id": COMMUNITY}

    organizations = everything(partial(ask, session, ListOrganizations), "organization_id")
    memberships = everything(partial(ask, session, ListMemberships, **in_it), "membership_id")
    roles = everything(partial(ask, session, ListRoles, **in_it), "assignment_id")

    assert [each.name for each in organizations] == ["Organisme"] * 5
    assert {each.membership_id for each in memberships} == {
        event.membership_id for event in published(session, MembershipActivated)
    }
    assert {each.assignment_id for each in roles} == {event.assignment_id for event in published(session, RoleAssigned)}
    assert [each.member_id for each in roles if each.ended_at] == people[:1]
    for kind in (ListMemberships, ListRoles):
        assert ask(session, kind, community_id=STRANGER).rows == []
    assert ask(session, GetOrganization, organization_id=UUID(int=0x101)).name == "Organisme"


@pytest.mark.parametrize("email", ["amina@example.org", "AMINA@Example.ORG"])
def test_a_person_is_found_by_their_address_and_no_other(
    session: Transaction, put_member: Callable[..., Member], email: str
) -> None:
    put_member()
    put_member(member_id=STRANGER, email="aminata@example.org")

    page = ask(session, ListMembers, email=email)

    assert ([each.member_id for each in page.rows], page.after) == ([MEMBER], None)
    assert ask(session, ListMembers, email="nobody@example.org").rows == []


def test_too_many_labels_at_once_are_refused(session: Transaction) -> None:
    with pytest.raises(Invalid):
        ask(session, ListLabels, member_ids=(MEMBER,) * 5001)


def test_what_nobody_recorded_is_not_found(session: Transaction) -> None:
    with pytest.raises(NotFound, match=str(STRANGER)):
        ask(session, GetMember, member_id=STRANGER)
    with pytest.raises(NotFound, match=str(STRANGER)):
        ask(session, GetCommunity, community_id=STRANGER)
    with pytest.raises(NotFound, match=str(STRANGER)):
        ask(session, GetOrganization, organization_id=STRANGER)
    for kind in (ListMemberships, ListRoles):
        with pytest.raises(NotFound, match=str(STRANGER)):
            ask(session, kind, community_id=STRANGER)


def test_a_dumped_member_has_the_fields_that_are_promised(put_member: Callable[..., Member]) -> None:
    assert MemberShown.dump_of(put_member()) == {
        "member_id": str(MEMBER),
        "name": "Amina Koné",
        "email": "amina@example.org",
        "locale": "fr",
        "timezone": "America/Toronto",
        "version": 1,
    }


def test_a_roster_names_members_and_staff_sorted_as_french_sorts(
    session: Transaction, put_community: Callable[..., Any], organization: Any
) -> None:
    put_community()
    for number, name in enumerate(["Zoé Roy", "Éloïse Côté", "Eloi Coté", "Paul Dehors"]):
        id = UUID(int=0x700 + number)
        person = {"name": name, "email": f"p{number}@example.org", "locale": "fr", "timezone": "America/Toronto"}
        ask(session, PutMember, member_id=id, **person)
        said = {"capacity": Capacity.REPRESENTATIVE, "organization_id": organization.organization_id}
        ask(session, PutMembership, community_id=COMMUNITY, member_id=id, **said)
    ask(session, PutRole, community_id=COMMUNITY, member_id=UUID(int=0x700), role=Role.FACILITATOR)

    def names(**said: Any) -> list[str]:
        return [each.name for each in ask(session, ListRoster, community_ids=(COMMUNITY,), **said).rows]

    assert names() == ["Eloi Coté", "Éloïse Côté", "Paul Dehors", "Zoé Roy"]
    assert names(search="cote elo") == ["Eloi Coté", "Éloïse Côté"]
    assert names(search="maison") == names()
    first = ask(session, ListRoster, community_ids=(COMMUNITY,), limit=3)
    assert names(limit=3, after=first.after) == ["Zoé Roy"]
    (zoe,) = ask(session, ListRoster, community_ids=(COMMUNITY,), search="zoe").rows
    assert (zoe.roles, zoe.organization) == ([Role.FACILITATOR], organization.name)


def test_what_a_person_may_do_is_their_roles_in_force_and_where_they_belong(
    session: Transaction, membership: Membership
) -> None:
    for role in (Role.FACILITATOR, Role.COORDINATOR):
        ask(session, PutRole, community_id=COMMUNITY, member_id=MEMBER, role=role)
    ask(session, EndRole, community_id=COMMUNITY, member_id=MEMBER, role=Role.COORDINATOR)

    authority = dump(ask(session, GetAuthority, member_id=MEMBER), Authority)

    assert authority == {
        "member_id": str(MEMBER),
        "name": "Amina Koné",
        "locale": "fr",
        "timezone": "America/Toronto",
        "roles": [{"role": "facilitator", "community_ids": [str(COMMUNITY)], "set_ids": []}],
        "community_ids": [str(COMMUNITY)],
    }


def test_of_an_unknown_person_nothing_is_known(session: Transaction) -> None:
    with pytest.raises(NotFound):
        ask(session, GetAuthority, member_id=STRANGER)


def test_one_person_of_a_community_is_read_with_roles_now_and_to_come(
    session: Transaction, membership: Membership
) -> None:
    begins_at = AT + timedelta(days=3)
    ask(session, PutRole, community_id=COMMUNITY, member_id=MEMBER, role=Role.FACILITATOR, begins_at=begins_at)
    person = ask(session, GetPersonInCommunity, community_id=COMMUNITY, member_id=MEMBER)
    assert (person.name, person.roles) == ("Amina Koné", [])
    assert [(each.role, each.begins_at) for each in person.assignments] == [(Role.FACILITATOR, begins_at)]
    ask(session, EndRole, community_id=COMMUNITY, member_id=MEMBER, role=Role.FACILITATOR)
    assert ask(session, GetPersonInCommunity, community_id=COMMUNITY, member_id=MEMBER).assignments == []
    with pytest.raises(NotFound):
        ask(session, GetPersonInCommunity, community_id=COMMUNITY, member_id=UUID(int=0xB))
