"""Whoever acts may do what their grants say, over the communities that they name, and nothing else."""

import json
from uuid import UUID

import pytest

from chassis.actor import ACTOR, ANYONE, NETWORK, Actor, acting
from pratique.events.membership import Role
from pratique.permissions import (
    EVERYTHING,
    ROLE_PERMISSIONS,
    SENTENCES,
    Grant,
    Permission,
    completed,
)

OWN, SIBLING, FOREIGN = UUID(int=1), UUID(int=2), UUID(int=3)
READ, WRITE = Permission.MEETINGS_READ, Permission.MEETINGS_WRITE
EITHER = Actor("either", (Grant(frozenset({READ}), frozenset({OWN})), Grant(frozenset({READ}), frozenset({SIBLING}))))


def test_a_permission_over_two_communities_may_come_of_two_grants() -> None:
    assert EITHER.may(READ, [OWN, SIBLING])
    assert EITHER.communities_for(READ) == frozenset({OWN, SIBLING})


def test_what_concerns_a_foreign_community_too_is_not_allowed_and_may_be_seen_of_the_own_one() -> None:
    assert not EITHER.may(READ, [OWN, FOREIGN])
    assert EITHER.may_in_one(READ, [OWN, FOREIGN])
    assert not EITHER.may_in_one(READ, [FOREIGN])


def test_one_permission_says_nothing_of_another() -> None:
    assert not EITHER.may(WRITE, [OWN])
    assert not EITHER.may_somewhere(WRITE)


def test_what_concerns_no_community_takes_a_grant_over_the_network() -> None:
    assert not EITHER.may(READ, [])
    assert not EITHER.may_in_one(READ, [])
    assert NETWORK.may(READ, [])
    assert NETWORK.may_in_one(READ, [])


def test_a_grant_over_no_community_opens_nothing() -> None:
    nowhere = Actor("nowhere", (Grant(frozenset({READ}), frozenset()),))

    assert not nowhere.may(READ, [])
    assert not nowhere.may_somewhere(READ)


def test_anyone_may_do_nothing_and_the_network_everything() -> None:
    assert not any(ANYONE.may_somewhere(each) for each in Permission)
    assert all(NETWORK.communities_for(each) is None for each in Permission)


@pytest.mark.parametrize(
    "who", [EITHER, NETWORK, ANYONE, Actor("member x", (Grant(EVERYTHING),), UUID(int=9))], ids=lambda who: who.name
)
def test_an_actor_crosses_as_plain_json_unchanged(who: Actor) -> None:
    assert Actor.read(who.name, json.loads(json.dumps(who.authority()))) == who


def test_a_permission_that_this_version_does_not_know_is_passed_over() -> None:
    told = {"grants": [{"permissions": ["meetings:read", "budgets:read"], "community_ids": None}], "member_id": None}

    assert Actor.read("token 12", told) == Actor("token 12", (Grant(frozenset({READ})),))


def test_who_acts_is_the_network_unless_somebody_is_named_and_again_afterwards() -> None:
    with acting(EITHER):
        assert ACTOR.get() is EITHER
    assert ACTOR.get() is NETWORK


def test_every_role_and_permission_stands_in_the_tables() -> None:
    assert ROLE_PERMISSIONS.keys() == set(Role)
    assert SENTENCES.keys() == set(Permission)


@pytest.mark.parametrize("role", Role)
def test_a_role_has_all_that_is_part_of_what_it_has_and_less_than_the_admin(role: Role) -> None:
    assert ROLE_PERMISSIONS[role] == completed(ROLE_PERMISSIONS[role])
    assert ROLE_PERMISSIONS[role] <= ROLE_PERMISSIONS[Role.NETWORK_ADMIN]


def test_whoever_coordinates_can_give_every_role_but_those_of_the_network() -> None:
    given = {role for role in Role if ROLE_PERMISSIONS[role] <= ROLE_PERMISSIONS[Role.COORDINATOR]}

    assert given == set(Role) - {Role.NETWORK_ADMIN}


def test_a_role_that_this_version_does_not_know_gives_nothing() -> None:
    assert Grant.of_role("archivist", [OWN]).permissions == frozenset()
