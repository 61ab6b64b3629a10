"""The frame of signed-in pages: what a person's navigation offers, by their roles, and the shortest way to a page."""

from typing import Any

from werkzeug.wrappers import Response

from gateway.pages.render import Link, app_page
from gateway.routes import RequestContext
from pratique.permissions import Permission
from words.catalogue import N_, sentences

#: Address, name, and what one must be allowed somewhere to be led there; None: everyone is. ``*``: in the network.
_PLACES: tuple[tuple[str, str, Permission | None, bool], ...] = (
    ("/home", N_("Home"), None, False),
    ("/network", N_("Communities"), Permission.MEMBERSHIP_WRITE, False),
    ("/admin/tokens", N_("Tokens"), Permission.TOKENS_WRITE, True),
    ("/admin/audit", N_("Who did what"), Permission.AUDIT_READ, True),
)


def framed(context: RequestContext, template: str, title: str, status: int = 200, **values: Any) -> Response:
    """The page of a template in the frame of the person who asks, with their navigation."""
    nav = navigation(context)
    return app_page(template, context.locale, context.person, status, title=title, nav=nav, **values)


def navigation(context: RequestContext) -> tuple[Link, ...]:
    """Return where a person can go; nothing where home is all there is."""
    _, actor, asked = sentences(context.locale), context.actor, context.request.path
    offered = []
    for path, label, needed, is_of_network in _PLACES:
        if needed is None or (actor.may(needed, ()) if is_of_network else actor.may_somewhere(needed)):
            offered.append(Link(f"{path}?lang={context.locale}", _(label), asked == path))
    return tuple(offered) if len(offered) > 1 else ()


def led_to(path: str, context: RequestContext) -> Response:
    """Lead on to another page after a form, in the language of this one."""
    mark = "&" if "?" in path else "?"
    location = f"{path}{mark}lang={context.locale}" if "lang" in context.request.args else path
    return Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})
