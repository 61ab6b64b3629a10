"""What concerns a person as a coordinator: the way to their communities side by side."""

from collections.abc import Sequence
from typing import Any

from gateway.pages.community import may_found
from gateway.pages.sections import Home, Section
from gateway.routes import Ask, RequestContext
from pratique.permissions import Permission
from words.order import in_order

SHOWN = 8  #: communities by name; the page of all of them has the rest


def asks(context: RequestContext) -> Sequence[Ask]:
    """Return what is asked besides the agenda: nothing."""
    return ()


def section(context: RequestContext, home: Home, answers: Sequence[Any]) -> Section | None:
    """Return the section; None where the person coordinates nothing."""
    actor, needed = context.actor, Permission.MEMBERSHIP_WRITE
    if not actor.may_somewhere(needed):
        return None
    theirs = actor.communities_for(needed)
    known = context.app.communities
    communities = known.all() if theirs is None else known.of(map(str, theirs))
    shown = in_order(communities.values(), lambda each: str(each["name"]))
    values = {"communities": shown[:SHOWN], "left": max(0, len(shown) - SHOWN), "may_found": may_found(actor)}
    return Section("home_coordinator.html", values)
