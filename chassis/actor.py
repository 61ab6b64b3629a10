"""The actor of a request: a token, a person, an operator, or the network itself. It travels with the call."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pratique.permissions import EVERYTHING, Grant, Permission, Rule


@dataclass(frozen=True)
class Actor:
    """Who acts, and what they may do over which communities. Without grants they may do what anyone may."""

    name: str  #: as the audit has it: « token 3f9c01d2ab47 intranet », « member <uuid> », « operator ada »
    grants: tuple[Grant, ...] = ()
    member_id: UUID | None = None  #: the person that acts, where it is one who signed in

    @classmethod
    def network(cls, name: str = "pratique") -> "Actor":
        """Return an actor that may do everything: the network itself, or its operator."""
        return cls(name, (Grant(EVERYTHING),))

    def communities_for(self, permission: Permission | Rule) -> frozenset[UUID] | None:
        """Return over which communities this actor has the permission; None: over the whole network."""
        found: frozenset[UUID] = frozenset()
        for grant in self.grants:
            if permission in grant.permissions:
                if grant.community_ids is None:
                    return None
                found |= grant.community_ids
        return found

    def sets_for(self, permission: Permission | Rule) -> frozenset[UUID] | None:
        """Return the sets over which, as a whole, this actor has the permission; None: over the whole network."""
        found = frozenset().union(*(grant.set_ids for grant in self.grants if permission in grant.permissions))
        return None if self.communities_for(permission) is None else found

    def may_over_set(self, permission: Permission | Rule, set_id: UUID) -> bool:
        """Return whether this actor has the permission over a set as a whole, with what it is yet to gain."""
        return (found := self.sets_for(permission)) is None or set_id in found

    def may(self, permission: Permission | Rule, community_ids: Collection[UUID]) -> bool:
        """Return whether this actor has the permission over each of these communities; of none, over the network."""
        found = self.communities_for(permission)
        return found is None or (bool(community_ids) and found.issuperset(community_ids))

    def may_in_one(self, permission: Permission | Rule, community_ids: Collection[UUID]) -> bool:
        """Return whether this actor has the permission over at least one of these communities, or over the network."""
        found = self.communities_for(permission)
        return found is None or not found.isdisjoint(community_ids)

    def may_somewhere(self, permission: Permission | Rule) -> bool:
        """Return whether this actor has the permission over any community at all, or over a set as a whole."""
        return self.communities_for(permission) != frozenset() or self.sets_for(permission) != frozenset()

    def authority(self) -> dict[str, Any]:
        """Return everything but the name, as plain JSON, so that it crosses with a call."""
        grants = [
            {
                "permissions": sorted(grant.permissions),
                "community_ids": None if grant.community_ids is None else sorted(map(str, grant.community_ids)),
                "set_ids": sorted(map(str, grant.set_ids)),
            }
            for grant in self.grants
        ]
        return {"grants": grants, "member_id": self.member_id and str(self.member_id)}

    @classmethod
    def read(cls, name: str, authority: Mapping[str, Any] | None) -> "Actor":
        """Return the actor that crossed; what a newer version may do besides is passed over.

        Without an authority it was sent by an older gateway, which had checked at its door whatever there was to check.
        """
        if authority is None:
            return cls.network(name)
        known = frozenset(Permission)
        grants = tuple(
            Grant(
                frozenset(Permission(each) for each in grant["permissions"] if each in known),
                None if grant["community_ids"] is None else frozenset(map(UUID, grant["community_ids"])),
                frozenset(map(UUID, grant.get("set_ids", ()))),
            )
            for grant in authority["grants"]
        )
        member_id = authority.get("member_id")
        return cls(name, grants, UUID(member_id) if member_id else None)


def person_of(name: str) -> UUID | None:
    """Return the id of the person that an actor of this name is; None of any other actor."""
    kind, _, id = name.partition(" ")
    try:
        return UUID(id) if kind == "member" else None
    except ValueError:
        return None


NETWORK = Actor.network()
ANYONE = Actor("anyone")  #: whoever shows neither token nor session

#: Of this request, call or command; each green thread begins with the default.
ACTOR: ContextVar[Actor] = ContextVar("actor", default=NETWORK)


@contextmanager
def acting(who: Actor) -> Iterator[None]:
    """Within the block this is who acts."""
    token = ACTOR.set(who)
    try:
        yield
    finally:
        ACTOR.reset(token)
