"""A token or a person becomes an actor with what they were given, and no more."""

from typing import Any
from uuid import UUID

from chassis.actor import ACTOR, ANYONE, Actor
from gateway.auth import Principal, actor_of_member
from pratique.permissions import EVERYTHING, Grant, Permission

MEMBER, OWN, SIBLING = UUID(int=7), UUID(int=1), UUID(int=2)
COMMUNITIES = "/v1/communities"


def told(*roles: tuple[str, list[UUID] | None], belongs: list[UUID] | None = None) -> dict[str, Any]:
    held = [{"role": role, "community_ids": None if ids is None else texts(ids)} for role, ids in roles]
    return {"member_id": str(MEMBER), "roles": held, "community_ids": texts(belongs or [])}


def texts(ids: list[UUID]) -> list[str]:
    return [str(each) for each in ids]


def test_a_person_has_what_their_roles_give_where_they_have_them() -> None:
    actor = actor_of_member(told(("facilitator", [OWN]), ("coordinator", None)))

    assert actor.name == f"member {MEMBER}"
    assert actor.member_id == MEMBER
    assert actor.communities_for(Permission.MEMBERSHIP_WRITE) is None
    assert actor.communities_for(Permission.TOKENS_WRITE) == frozenset()


def test_a_facilitator_runs_meetings_of_their_own_communities_alone() -> None:
    actor = actor_of_member(told(("facilitator", [OWN])))

    assert actor.may(Permission.MEETINGS_WRITE, [OWN])
    assert not actor.may(Permission.MEETINGS_WRITE, [OWN, SIBLING])


def test_whoever_belongs_without_a_role_may_read_what_their_communities_are_called_and_when_they_meet() -> None:
    actor = actor_of_member(told(belongs=[OWN]))

    assert [each for each in Permission if actor.may(each, [OWN])] == [
        Permission.COMMUNITIES_READ,
        Permission.AGENDA_READ,
    ]
    assert not actor.may(Permission.COMMUNITIES_READ, [SIBLING])


def test_a_role_of_a_later_version_gives_nothing() -> None:
    assert not any(actor_of_member(told(("archivist", None))).may_somewhere(each) for each in Permission)


def test_a_token_has_its_scopes_over_the_network() -> None:
    actor = Principal("ab12", frozenset({"membership:read"}), "intranet").actor

    assert actor == Actor(
        "token ab12 intranet", (Grant(frozenset({Permission.MEMBERSHIP_READ, Permission.COMMUNITIES_READ})),)
    )


def test_the_star_is_everything() -> None:
    assert Principal("ab12", frozenset({"*"})).actor.grants == (Grant(EVERYTHING),)


def test_services_hear_who_acts(gate: Any) -> None:
    heard: list[Actor] = []

    def hear(**payload: Any) -> dict[str, Any]:
        heard.append(ACTOR.get())
        return {"rows": [], "after": None, "member_ids": []}

    gate.peer.answers |= {"membership.list_communities": hear, "evaluation.get_room": hear}
    gate.peer.says("membership.list_labels", [])

    gate.ask("GET", COMMUNITIES)
    gate.ask("GET", "/v1/rooms/K7MQ2PXD")

    assert [each.name.split()[0] for each in heard] == ["token", "anyone"]
    assert heard[1] == ANYONE
