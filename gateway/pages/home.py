"""A person's home: a section for each of their hats, made of one agenda and of what each section asks besides."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from chassis import clock
from gateway.pages import home_coordinator, home_facilitator, home_member
from gateway.pages.frame import framed
from gateway.pages.roles import role_name
from gateway.pages.sections import Home, Section
from gateway.pages.visits import visitor_route
from gateway.routes import Ask, RequestContext
from pratique.permissions import Permission
from pratique.requests.meetings import ListAgenda
from words.catalogue import N_, sentences
from words.order import in_order

SINCE, UNTIL = timedelta(days=120), timedelta(days=240)  #: of the agenda, before and after now
AT_MOST = 500  #: meetings of the agenda


class Hat(NamedTuple):
    """What a section asks services, and how it is made of the home and of their answers."""

    asks: Callable[[RequestContext], Sequence[Ask]]
    section: Callable[[RequestContext, Home, Sequence[Any]], Section | None]


#: In the order in which they are shown.
HATS: tuple[Hat, ...] = (
    Hat(home_facilitator.asks, home_facilitator.section),
    Hat(home_member.asks, home_member.section),
    Hat(home_coordinator.asks, home_coordinator.section),
)


def show_home(context: RequestContext) -> Response:
    """Show what concerns the person who is signed in; what to do, if nothing does. Services are asked side by side."""
    asked = [list(hat.asks(context)) for hat in HATS]
    agenda, *answers = context.call_all(_agenda(context), *[ask for each in asked for ask in each])
    home = Home(_communities(context), agenda, clock.now())
    sections, left = [], iter(answers)
    for hat, asks in zip(HATS, asked, strict=True):
        section = hat.section(context, home, [next(left) for _ in asks])
        if section is not None:
            sections.append(section)
    title = sentences(context.locale)(N_("My home page"))
    return framed(context, "home", title, sections=sections, roles=_roles(context, home))


def _roles(context: RequestContext, home: Home) -> list[tuple[str, list[str] | None]]:
    """What the person is trusted with: each role, and over which communities; None: the whole network."""
    named = {id: str(each["name"]) for id, each in home.communities.items()}
    return [
        (
            role_name(role["role"], context.locale),
            None
            if role["community_ids"] is None
            else in_order([named[id] for id in role["community_ids"] if id in named], str),
        )
        for role in context.person.roles
    ]


def _agenda(context: RequestContext) -> Ask:
    """The meetings of communities that they belong to or have a role over, and of none where that is all of them."""
    person, now = context.person, clock.now()
    of_roles = {id for role in person.roles for id in role["community_ids"] or ()}
    theirs = {*person.community_ids, *of_roles}
    readable = context.actor.communities_for(Permission.AGENDA_READ)
    ids = sorted(id for id in theirs if readable is None or id in {str(each) for each in readable})
    return Ask(
        ListAgenda,
        community_ids=ids,
        since=(now - SINCE).isoformat(),
        until=(now + UNTIL).isoformat(),
        member_id=str(person.member_id),
        limit=AT_MOST,
    )


def _communities(context: RequestContext) -> Mapping[str, Mapping[str, Any]]:
    of_roles = {id for role in context.person.roles for id in role["community_ids"] or ()}
    return context.app.communities.of({*context.person.community_ids, *of_roles})


ROUTES = (visitor_route("GET", "/home", "Show a person who is signed in what concerns them", show_home),)
