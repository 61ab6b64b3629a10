"""Rows of pages for people who are signed in, and the pages that tell them what went wrong."""

from collections.abc import Callable
from urllib.parse import urlencode

from werkzeug.wrappers import Response

from chassis.http.problems import kind_of, record
from gateway.forgery import SAFE, Forged
from gateway.pages.render import message
from gateway.pages.survey import show_failure
from gateway.routes import Media, RequestContext, Route
from gateway.visitors import Nobody
from pratique.errors import Conflict, DomainError, Forbidden, Gone, NotFound, Stale, Unauthenticated, Unavailable

#: Which sentence tells an error; the first that fits, "visit_refused" tells the others.
_SENTENCES: tuple[tuple[type[DomainError], str], ...] = (
    (Unauthenticated, "visit_over"),
    (Nobody, "visit_nobody"),
    (Forged, "visit_forged"),
    (Forbidden, "visit_forbidden"),
    (NotFound, "visit_lost"),
    (Gone, "visit_lost"),
    (Conflict, "visit_stale"),
    (Stale, "visit_stale"),
    (Unavailable, "visit_away"),
)
_UNKEPT = {"Cache-Control": "no-store"}


def visitor_route(
    method: str,
    path: str,
    summary: str,
    act: Callable[[RequestContext], Response],
    status: int = 200,
    max_body: int = 0,
) -> Route:
    """A page of people who are signed in: ``context.person`` says who, and services what they may.

    ``max_body`` is for long forms; 32,768 bytes are read by default.
    """
    return Route(
        method,
        path,
        summary,
        visitor=True,
        act=act,
        operation=act.__name__,
        status=status,
        media=Media.HTML,
        max_body=max_body,
        refuse=refuse,
    )


def refuse(context: RequestContext, error: DomainError) -> Response:
    """The page that tells this error to a person; whoever only looks and is not signed in is asked to sign in."""
    request, kind = context.request, kind_of(error)
    if isinstance(error, Unauthenticated) and request.method in SAFE:
        asked = request.full_path.rstrip("?")
        return Response(status=303, headers={"Location": f"/sign-in?{urlencode({'next': asked})}", **_UNKEPT})
    if kind.status == 500:
        return show_failure(request, record(error))
    name = next((name for each, name in _SENTENCES if isinstance(error, each)), "visit_refused")
    way_on = "/sign-in" if isinstance(error, Unauthenticated | Nobody) else "/home"
    response = message(name, context.locale, kind.status, way_on=way_on)
    response.headers.update(
        {header: value for header, value in (kind.headers or {}).items() if header == "Retry-After"}
    )
    if isinstance(error, Unauthenticated | Nobody):
        context.app.visitors.give_cookie(response, "")
    return response
