"""What people read from membership."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from chassis.storage.rows import Page
from chassis.storage.transaction import Transaction
from chassis.testing import published
from pratique.errors import Invalid, NotFound
from pratique.events.membership import Capacity, MembershipActivated, Role, RoleAssigned
from services.membership import commands, queries, schemas
from services.membership.models import Community, Member

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
        page = queries.list_communities(session, after=after, limit=2)
        seen += [community.community_id for community in page.rows]
        after = page.after
        if after is None:
            break

    assert seen == sorted(ids)


@pytest.mark.parametrize("after", ["", "x", "5"])
def test_a_key_that_comes_from_no_page_is_refused(session: Transaction, after: str) -> None:
    with pytest.raises(Invalid) as caught:
        queries.list_communities(session, after=after)

    assert set(caught.value.fields) == {"/after"}


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_one_to_five_hundred_rows(session: Transaction, limit: int) -> None:
    with pytest.raises(Invalid):
        queries.list_communities(session, limit=limit)


def test_labels_are_asked_of_those_who_are_known(session: Transaction, put_member: Callable[..., Member]) -> None:
    put_member(name="Amina Koné")

    labels = queries.list_labels(session, member_ids=(MEMBER, STRANGER))

    assert schemas.Label(many=True).dump(labels) == [{"member_id": str(MEMBER), "label": "Amina K."}]


def test_people_of_one_name_are_told_apart_by_whom_they_represent(
    session: Transaction, put_community: Callable[..., Community], put_member: Callable[..., Member]
) -> None:
    put_community()
    for number, organization in enumerate(("Maison de la culture", "Centre des aînés", None), 1):
        member_id, organization_id = UUID(int=number), UUID(int=0x100 + number)
        put_member(member_id=member_id, name="Marie Tremblay", email=f"marie{number}@example.org")
        capacity = Capacity.INDIVIDUAL
        if organization:
            commands.put_organization(session, organization_id=organization_id, name=organization)
            capacity = Capacity.REPRESENTATIVE
        commands.put_membership(
            session,
            community_id=COMMUNITY,
            member_id=member_id,
            capacity=capacity,
            organization_id=organization_id if organization else None,
        )

    labels = queries.list_labels(session, member_ids=tuple(UUID(int=number) for number in (1, 2, 3)))

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
        commands.put_organization(session, organization_id=UUID(int=0x100 + member_id.int), name="Organisme")
        belonging: dict[str, Any] = {"community_id": COMMUNITY, "member_id": member_id}
        commands.put_membership(session, **belonging, capacity=Capacity.INDIVIDUAL)
        commands.put_role(session, **belonging, role=Role.FACILITATOR)
    commands.end_role(session, community_id=COMMUNITY, member_id=people[0], role=Role.FACILITATOR)
    in_it: dict[str, Any] = {"session": session, "community_id": COMMUNITY}

    organizations = everything(partial(queries.list_organizations, session), "organization_id")
    memberships = everything(partial(queries.list_memberships, **in_it), "membership_id")
    roles = everything(partial(queries.list_roles, **in_it), "assignment_id")

    assert [each.name for each in organizations] == ["Organisme"] * 5
    assert {each.membership_id for each in memberships} == {
        event.membership_id for event in published(session, MembershipActivated)
    }
    assert {each.assignment_id for each in roles} == {event.assignment_id for event in published(session, RoleAssigned)}
    assert [each.member_id for each in roles if each.ended_at] == people[:1]
    for ask in (queries.list_memberships, queries.list_roles):
        assert ask(session, community_id=STRANGER).rows == []
    assert queries.get_organization(session, organization_id=UUID(int=0x101)).name == "Organisme"


@pytest.mark.parametrize("email", ["amina@example.org", "AMINA@Example.ORG"])
def test_a_person_is_found_by_their_address_and_no_other(
    session: Transaction, put_member: Callable[..., Member], email: str
) -> None:
    put_member()
    put_member(member_id=STRANGER, email="aminata@example.org")

    page = queries.list_members(session, email=email)

    assert ([each.member_id for each in page.rows], page.after) == ([MEMBER], None)
    assert queries.list_members(session, email="nobody").rows == []


def test_too_many_labels_at_once_are_refused(session: Transaction) -> None:
    with pytest.raises(Invalid):
        queries.list_labels(session, member_ids=(MEMBER,) * 5001)


def test_what_nobody_recorded_is_not_found(session: Transaction) -> None:
    with pytest.raises(NotFound, match=str(STRANGER)):
        queries.get_member(session, member_id=STRANGER)
    with pytest.raises(NotFound, match=str(STRANGER)):
        queries.get_community(session, community_id=STRANGER)
    with pytest.raises(NotFound, match=str(STRANGER)):
        queries.get_organization(session, organization_id=STRANGER)
    for ask in (queries.list_memberships, queries.list_roles):
        with pytest.raises(NotFound, match=str(STRANGER)):
            ask(session, community_id=STRANGER)


def test_a_dumped_member_has_the_fields_that_are_promised(put_member: Callable[..., Member]) -> None:
    assert schemas.Member().dump(put_member()) == {
        "member_id": str(MEMBER),
        "name": "Amina Koné",
        "email": "amina@example.org",
        "locale": "fr",
        "timezone": "America/Toronto",
        "version": 1,
    }
