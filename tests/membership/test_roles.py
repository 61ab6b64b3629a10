"""Roles over communities, sets of them and the network: whom they are told of, when they begin and end, who may give
them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from chassis import clock
from chassis.actor import Actor, acting
from chassis.messaging.inbox import Reactions
from chassis.testing import memory_store
from pratique.errors import Conflict, Forbidden, Invalid, PreconditionRequired
from pratique.event import Event
from pratique.events.membership import (
    CommunityDescribed,
    CommunityFounded,
    CommunityKind,
    Locale,
    Role,
    RoleAssigned,
    RoleEnded,
)
from pratique.permissions import ROLE_PERMISSIONS, Grant, Permission
from pratique.requests.membership import (
    EndNetworkRole,
    EndSetRole,
    FoundInSet,
    GetAuthority,
    GetCommunitySet,
    GetRoleHolders,
    ListNetworkRoles,
    ListRoster,
    ListSetRoles,
    PutCommunity,
    PutCommunitySet,
    PutMember,
    PutNetworkRole,
    PutRole,
    PutSetRole,
)
from pratique.testing import AT
from services.membership.commands import COMMANDS
from services.membership.models import Base
from services.membership.queries import QUERIES
from services.membership.reactions import DUE
from tests.harness.service import ServiceFixture

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)
ADA, BO = UUID(int=0xA), UUID(int=0xB)
REGION = UUID(int=0x5E7)
DAY = timedelta(days=1)
CIRCLE: dict[str, Any] = {"name": "Cercle", "purpose": "Apprendre.", "kind": CommunityKind.OPEN}
CIRCLE |= {"locale": Locale.FR, "timezone": "America/Toronto"}
Told = list[tuple[str, UUID]]


class Membership(ServiceFixture):
    """Membership, with people who belong to no community."""

    def found(self, community_id: UUID) -> None:
        self.call(PutCommunity, community_id=community_id, **CIRCLE)

    def found_in_region(self, community_id: UUID, **said: Any) -> None:
        self.call(FoundInSet, set_id=REGION, community_id=community_id, **CIRCLE | said)

    def person(self, member_id: UUID, email: str, if_version: int | None = None, name: str = "Personne") -> None:
        said = {"name": name, "locale": Locale.FR, "timezone": "America/Toronto", "if_version": if_version}
        self.call(PutMember, member_id=member_id, email=email, **said)

    def region(self, *community_ids: UUID, if_version: int | None = None) -> None:
        self.call(PutCommunitySet, set_id=REGION, name="Région", community_ids=community_ids, if_version=if_version)

    def told(self) -> Told:
        """Of which roles subscribers heard, and where, oldest first."""
        told = [each for each in self.published(Event) if isinstance(each, RoleAssigned | RoleEnded)]
        return [(type(each).__name__, each.community_id) for each in told]

    def authority(self, member_id: UUID) -> dict[Role, Any]:
        """Return what a person may do now: over which communities they have which role."""
        held = self.call(GetAuthority, member_id=member_id).roles
        return {each.role: each.community_ids for each in held}


@pytest.fixture
def membership() -> Iterator[Membership]:
    with clock.fixed(AT), memory_store("membership", Base.metadata) as opened:
        none: Reactions = {}
        made = Membership(opened, none, DUE, {**COMMANDS, **QUERIES})
        for community_id in (ONE, TWO):
            made.found(community_id)
        made.person(ADA, "ada@example.org")
        made.person(BO, "bo@example.org")
        yield made


def test_a_role_needs_no_membership(membership: Membership) -> None:
    membership.call(PutRole, community_id=ONE, member_id=ADA, role=Role.FACILITATOR)

    assert membership.told() == [("RoleAssigned", ONE)]
    assert membership.authority(ADA) == {Role.FACILITATOR: [ONE]}
    (shown,) = membership.call(ListRoster, community_ids=(ONE,)).rows
    assert (shown.member_id, shown.capacity, shown.roles) == (ADA, None, [Role.FACILITATOR])


def test_a_role_over_a_set_is_told_in_each_of_its_communities_and_in_what_it_gains_and_loses(
    membership: Membership,
) -> None:
    membership.found(THREE)
    membership.region(ONE, TWO)
    membership.call(PutSetRole, set_id=REGION, member_id=ADA, role=Role.FACILITATOR)
    assert membership.authority(ADA) == {Role.FACILITATOR: [ONE, TWO]}

    membership.region(TWO, THREE, if_version=1)

    assert membership.told() == [
        ("RoleAssigned", ONE),
        ("RoleAssigned", TWO),
        ("RoleAssigned", THREE),
        ("RoleEnded", ONE),
    ]
    assert membership.authority(ADA) == {Role.FACILITATOR: [TWO, THREE]}
    membership.call(EndSetRole, set_id=REGION, member_id=ADA, role=Role.FACILITATOR)
    assert membership.told()[4:] == [("RoleEnded", TWO), ("RoleEnded", THREE)]
    assert membership.authority(ADA) == {}
    (listed,) = membership.call(ListSetRoles, set_id=REGION).rows
    assert (listed.set_id, listed.community_id, listed.ended_at) == (REGION, None, AT)


def test_in_each_community_the_newest_that_is_told_of_a_role_is_what_is_true(membership: Membership) -> None:
    """Subscribers keep what is newest by assignment."""
    membership.region(ONE)
    membership.call(PutSetRole, set_id=REGION, member_id=ADA, role=Role.FACILITATOR)
    membership.region(if_version=1)
    membership.region(ONE, TWO, if_version=2)
    heard = [each for each in membership.published(Event) if isinstance(each, RoleAssigned | RoleEnded)]
    newest = {each.assignment_id: each for each in sorted(heard, key=lambda each: each.version)}

    assert {each.community_id: type(each) for each in newest.values()} == {ONE: RoleAssigned, TWO: RoleAssigned}
    assert len({(each.assignment_id, each.version) for each in heard}) == len(heard)


def test_a_role_over_the_network_is_told_in_every_community_and_in_those_that_are_founded_later(
    membership: Membership,
) -> None:
    membership.call(PutNetworkRole, member_id=ADA, role=Role.COORDINATOR)
    membership.found(THREE)

    assert membership.told() == [("RoleAssigned", ONE), ("RoleAssigned", TWO), ("RoleAssigned", THREE)]
    assert membership.authority(ADA) == {Role.COORDINATOR: None}
    (listed,) = membership.call(ListNetworkRoles).rows
    assert (listed.member_id, listed.set_id, listed.community_id) == (ADA, None, None)


def test_a_role_begins_and_ends_by_itself(membership: Membership) -> None:
    role = {"community_id": ONE, "member_id": ADA, "role": Role.FACILITATOR}
    membership.call(PutRole, **role, begins_at=AT + DAY, ends_at=AT + 3 * DAY)
    membership.run_due()
    assert (membership.told(), membership.authority(ADA)) == ([], {})

    clock.move(DAY)
    assert membership.authority(ADA) == {Role.FACILITATOR: [ONE]}, "also while its due work is late"
    membership.run_due()
    assert membership.told() == [("RoleAssigned", ONE)]

    clock.move(2 * DAY)
    assert membership.authority(ADA) == {}, "also while its due work is late"
    membership.run_due()
    membership.run_due()
    assert membership.told() == [("RoleAssigned", ONE), ("RoleEnded", ONE)]


def test_an_end_that_is_moved_or_taken_back_counts_and_a_role_that_ended_ends_again(membership: Membership) -> None:
    role = {"community_id": ONE, "member_id": ADA, "role": Role.FACILITATOR}
    membership.call(PutRole, **role, ends_at=AT + DAY)
    membership.call(PutRole, **role, ends_at=AT + 2 * DAY)
    clock.move(DAY)
    membership.run_due()
    assert membership.told() == [("RoleAssigned", ONE)]
    clock.move(DAY)
    membership.run_due()
    assert membership.told()[1:] == [("RoleEnded", ONE)]

    membership.call(PutRole, **role, ends_at=AT + 4 * DAY)
    clock.move(2 * DAY)
    membership.run_due()
    assert membership.told()[2:] == [("RoleAssigned", ONE), ("RoleEnded", ONE)]

    membership.call(PutRole, **role, ends_at=AT + 9 * DAY)
    membership.call(PutRole, **role)
    clock.move(9 * DAY)
    membership.run_due()
    assert membership.authority(ADA) == {Role.FACILITATOR: [ONE]}


def test_a_role_that_is_put_off_is_over_until_then(membership: Membership) -> None:
    role = {"community_id": ONE, "member_id": ADA, "role": Role.FACILITATOR}
    membership.call(PutRole, **role)
    membership.call(PutRole, **role, begins_at=AT + DAY)

    assert membership.told() == [("RoleAssigned", ONE), ("RoleEnded", ONE)]
    clock.move(DAY)
    membership.run_due()
    assert membership.told()[2:] == [("RoleAssigned", ONE)]


@pytest.mark.parametrize(
    ("role", "times", "pointer"),
    [
        (Role.FACILITATOR, {"ends_at": AT}, "/ends_at"),
        (Role.FACILITATOR, {"begins_at": AT + DAY, "ends_at": AT + DAY}, "/ends_at"),
        (Role.NETWORK_ADMIN, {}, "/role"),
    ],
)
def test_a_role_that_cannot_be_is_refused(
    membership: Membership, role: Role, times: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as caught:
        membership.call(PutRole, community_id=ONE, member_id=ADA, role=role, **times)

    assert set(caught.value.fields) == {pointer}
    assert membership.told() == []


def test_nobody_ends_the_last_admin_of_the_network(membership: Membership) -> None:
    for member_id in (ADA, BO):
        membership.call(PutNetworkRole, member_id=member_id, role=Role.NETWORK_ADMIN)
    membership.call(EndNetworkRole, member_id=ADA, role=Role.NETWORK_ADMIN)

    with pytest.raises(Conflict, match="Nobody else"):
        membership.call(EndNetworkRole, member_id=BO, role=Role.NETWORK_ADMIN)
    membership.call(EndNetworkRole, member_id=ADA, role=Role.NETWORK_ADMIN)
    assert membership.authority(BO) == {Role.NETWORK_ADMIN: None}


def over(role: Role, *community_ids: UUID) -> Actor:
    return Actor("member x", (Grant.of_role(role, community_ids or None),), UUID(int=0xE))


LISTER = Actor("token 12", (Grant(frozenset({Permission.ROLES_WRITE, Permission.MEMBERSHIP_WRITE})),))


def denied(membership: Membership, actor: Actor, act: Callable[[], object]) -> bool:
    with acting(actor):
        try:
            act()
        except Forbidden:
            return True
    return False


@pytest.mark.parametrize("role", Role)
def test_whoever_gives_a_role_over_the_network_has_what_it_gives(membership: Membership, role: Role) -> None:
    give = partial(membership.call, PutNetworkRole, member_id=ADA, role=role)

    assert denied(membership, over(Role.COORDINATOR), give) == (role is Role.NETWORK_ADMIN)
    assert denied(membership, LISTER, give) == bool(ROLE_PERMISSIONS[role] - LISTER.grants[0].permissions)
    assert not denied(membership, over(Role.NETWORK_ADMIN), give)


def test_whoever_ends_a_role_has_what_it_gives(membership: Membership) -> None:
    for member_id in (ADA, BO):
        membership.call(PutNetworkRole, member_id=member_id, role=Role.NETWORK_ADMIN)
    end = partial(membership.call, EndNetworkRole, member_id=ADA, role=Role.NETWORK_ADMIN)

    assert denied(membership, over(Role.COORDINATOR), end)
    assert not denied(membership, over(Role.NETWORK_ADMIN), end)


def test_a_set_gains_no_community_over_which_its_roles_would_give_more_than_one_has(membership: Membership) -> None:
    membership.region(ONE)
    membership.call(PutSetRole, set_id=REGION, member_id=ADA, role=Role.COORDINATOR)
    widen = partial(membership.region, ONE, TWO, if_version=1)

    assert denied(membership, LISTER, widen)
    assert membership.authority(ADA) == {Role.COORDINATOR: [ONE]}
    assert not denied(membership, over(Role.COORDINATOR, ONE, TWO), widen)


def test_whoever_changes_an_address_has_all_that_its_owner_may(membership: Membership) -> None:
    membership.call(PutNetworkRole, member_id=ADA, role=Role.NETWORK_ADMIN)
    change = partial(membership.person, ADA, "autre@example.org", if_version=1)

    assert denied(membership, over(Role.COORDINATOR), change)
    assert not denied(membership, over(Role.NETWORK_ADMIN), change)
    assert not denied(membership, LISTER, lambda: membership.person(BO, "b@example.org", if_version=1))


def test_a_set_names_communities_that_there_are(membership: Membership) -> None:
    with pytest.raises(Invalid) as caught:
        membership.region(ONE, THREE)

    assert set(caught.value.fields) == {"/community_ids/1"}


def test_what_is_founded_in_a_set_is_in_it_at_once_and_under_its_roles(membership: Membership) -> None:
    membership.region(ONE)
    membership.call(PutSetRole, set_id=REGION, member_id=ADA, role=Role.COORDINATOR)
    membership.call(PutNetworkRole, member_id=BO, role=Role.EVALUATOR)
    before = len(membership.published(Event))
    membership.found_in_region(THREE)
    membership.found_in_region(THREE)

    told = membership.published(Event)[before:]
    assert [type(each) for each in told] == [CommunityFounded, CommunityDescribed, RoleAssigned, RoleAssigned]
    assert {(each.member_id, each.role) for each in told if isinstance(each, RoleAssigned)} == {
        (ADA, Role.COORDINATOR),
        (BO, Role.EVALUATOR),
    }
    assert membership.authority(ADA) == {Role.COORDINATOR: [ONE, THREE]}
    found = membership.call(GetCommunitySet, set_id=REGION)
    assert (found.community_ids, found.version) == ([ONE, THREE], 2)


def test_a_community_that_there_is_joins_a_set_by_a_change_of_the_set_alone(membership: Membership) -> None:
    membership.region(ONE)

    with pytest.raises(Conflict, match="founded already"):
        membership.found_in_region(TWO)
    with pytest.raises(PreconditionRequired):
        membership.found_in_region(ONE, name="Autre")
    assert membership.call(GetCommunitySet, set_id=REGION).community_ids == [ONE]


def test_who_has_a_role_over_a_set_without_communities_has_it_over_the_first_that_it_gains(
    membership: Membership,
) -> None:
    membership.region()
    membership.call(PutSetRole, set_id=REGION, member_id=ADA, role=Role.COORDINATOR)
    (held,) = membership.call(GetAuthority, member_id=ADA).roles
    assert (held.community_ids, held.set_ids) == ([], [REGION])
    regional = Actor("member x", (Grant.of_role(Role.COORDINATOR, [], [REGION]),), ADA)
    give = partial(membership.call, PutSetRole, set_id=REGION, member_id=BO)

    assert not denied(membership, regional, lambda: give(role=Role.FACILITATOR))
    assert not denied(membership, regional, lambda: membership.found_in_region(THREE))
    assert membership.authority(BO) == {Role.FACILITATOR: [THREE]}
    assert denied(membership, over(Role.COORDINATOR, ONE), lambda: give(role=Role.EVALUATOR))


def test_holders_of_roles_are_listed_by_name_until_their_roles_end(membership: Membership) -> None:
    membership.region(ONE)
    for number, name in enumerate(("Zoé", "Émile", "Ève")):
        membership.person(UUID(int=number + 1), f"n{number}@example.org", name=name)
        membership.call(PutSetRole, set_id=REGION, member_id=UUID(int=number + 1), role=Role.FACILITATOR)
    membership.call(EndSetRole, set_id=REGION, member_id=UUID(int=1), role=Role.FACILITATOR)
    membership.call(PutNetworkRole, member_id=ADA, role=Role.EVALUATOR, begins_at=AT + DAY)

    found = membership.call(GetRoleHolders, set_id=REGION)
    assert ([each.name for each in found.holders], found.of_set.name) == (["Émile", "Ève"], "Région")
    of_network = membership.call(GetRoleHolders)
    (waiting,) = of_network.holders
    assert (of_network.of_set, waiting.member_id, waiting.email, waiting.begins_at) == (
        None,
        ADA,
        "ada@example.org",
        AT + DAY,
    )
