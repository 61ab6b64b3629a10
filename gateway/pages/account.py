"""A person's account: where they are signed in, and signing out, here and everywhere."""

from werkzeug.wrappers import Response

from gateway.pages.render import app_page
from gateway.pages.visits import visitor_route
from gateway.routes import RequestContext
from words.catalogue import N_, sentences


def show_account(context: RequestContext) -> Response:
    """Show where the person is signed in."""
    person = context.person
    sessions = context.app.sessions.list_live(person.member_id)
    title = sentences(context.locale)(N_("Where I am signed in"))
    return app_page("account", context.locale, person, title=title, sessions=sessions)


def end_session(context: RequestContext) -> Response:
    """Sign out one browser of theirs, whichever it is."""
    session_id, person = context.path["session_id"], context.person
    context.app.sessions.end(person.member_id, session_id)
    return _left(context) if session_id == person.session_id else _to("/account")


def sign_out(context: RequestContext) -> Response:
    """Sign out here."""
    context.app.sessions.end(context.person.member_id, context.person.session_id)
    return _left(context)


def sign_out_everywhere(context: RequestContext) -> Response:
    """Sign out in all browsers, this one among them; links that were mailed and not used sign nobody in."""
    context.app.sessions.end_all(context.person.member_id)
    return _left(context)


def _left(context: RequestContext) -> Response:
    response = _to("/")
    context.app.visitors.give_cookie(response, "")
    return response


def _to(path: str) -> Response:
    return Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})


ROUTES = (
    visitor_route("GET", "/account", "Show where a person is signed in", show_account),
    visitor_route("POST", "/account/sign-out", "Sign out here", sign_out, status=303),
    visitor_route("POST", "/account/sign-out-everywhere", "Sign out in all browsers", sign_out_everywhere, status=303),
    visitor_route("POST", "/account/sessions/<session_id>/end", "Sign out one browser", end_session, status=303),
)
