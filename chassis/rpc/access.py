"""Access to what a request concerns, checked in the service that has the rows, before the handler sees the request.

Each service has a table: request -> a rule, which says of an actor whose grants are limited to some communities whether
they may ask it. For an actor with the permission over the whole network no rule is asked, and nothing is looked up. A
request without a rule is refused to every other.
"""

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any
from uuid import UUID

from chassis.actor import ACTOR, Actor
from chassis.rpc.requests import Handler
from chassis.storage.transaction import Transaction
from pratique.errors import Forbidden
from pratique.permissions import EVERYTHING, Permission, Rule
from pratique.request import Request

#: ``rule(transaction, request, actor)``: whether an actor who has the permission over some communities may ask this.
AccessRule = Callable[[Transaction, Any, Actor], bool]
Access = Mapping[type[Request], AccessRule]
#: ``find(transaction, request)``: the communities that a request concerns; none where it names nothing that there is.
Find = Callable[[Transaction, Any], Collection[UUID]]


def guarded(kind: type[Request], handler: Handler, access: Access) -> Handler:
    """Return the handler behind the check of who asks.

    Raises:
        Forbidden: in the same words whether there is no such row or one of foreign communities.
    """

    @wraps(handler)
    def checked(transaction: Transaction, request: Any) -> Any:
        if not _may(ACTOR.get(), transaction, request, access.get(kind)):
            raise refusal(kind.needs)
        return handler(transaction, request)

    return checked


def refusal(needed: Permission | Rule) -> Forbidden:
    """Return the error for whoever lacks a permission over what a request concerns, be it there or not."""
    words = f"This takes {needed.value} over the communities that it concerns, and you do not have it there."
    if isinstance(needed, Rule):
        words = "This is for the network itself to ask, and for nobody else."
    return Forbidden(f"{words} Ask whoever coordinates the network for the role or the token.")


def _may(actor: Actor, transaction: Transaction, request: Request, rule: AccessRule | None) -> bool:
    needed = request.needs
    if isinstance(needed, Rule):
        return needed is Rule.ANYONE or all(actor.communities_for(each) is None for each in EVERYTHING)
    if actor.communities_for(needed) is None:
        return True
    return rule is not None and rule(transaction, request, actor)


def each_of(find: Find) -> AccessRule:
    """Return a rule: the permission over each of these communities, and at least one."""
    return lambda transaction, request, actor: actor.may(request.needs, find(transaction, request))


def one_of(find: Find) -> AccessRule:
    """Return a rule: the permission over at least one of these communities."""
    return lambda transaction, request, actor: actor.may_in_one(request.needs, find(transaction, request))


def over(field: str) -> AccessRule:
    """Return a rule: the permission over the community, or each of the communities, that this field names."""

    def find(transaction: Transaction, request: Any) -> Collection[UUID]:
        named = getattr(request, field)
        return [named] if isinstance(named, UUID) else named

    return each_of(find)


def anywhere(needed: Permission | None = None) -> AccessRule:
    """Return a rule: the permission over any community; by default the one that the request needs."""
    return lambda transaction, request, actor: actor.may_somewhere(needed or request.needs)


def themself(transaction: Transaction, request: Any, actor: Actor) -> bool:
    """Return whether a person asks for what is their own, which takes no role."""
    return actor.member_id is not None and request.member_id == actor.member_id


def nowhere(transaction: Transaction, request: Any, actor: Actor) -> bool:
    """Return False: what this concerns is of the whole network."""
    return False


def either(*rules: AccessRule) -> AccessRule:
    """Return a rule: any of these, tried in order."""
    return lambda transaction, request, actor: any(rule(transaction, request, actor) for rule in rules)


def both(*rules: AccessRule) -> AccessRule:
    """Return a rule: all of these, tried in order."""
    return lambda transaction, request, actor: all(rule(transaction, request, actor) for rule in rules)
