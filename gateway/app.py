"""The WSGI application: find the route of a request, authenticate it, read its body, let the route answer."""

import functools
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotAcceptable, RequestEntityTooLarge
from werkzeug.routing import Map, RequestRedirect
from werkzeug.wrappers import Request, Response

from chassis.actor import acting
from chassis.http import problems
from chassis.settings import Settings
from chassis.storage.store import Store, StoreAway
from gateway import operations
from gateway.api import evaluation, meetings, membership, notifications
from gateway.auth import Principal, TokenStore
from gateway.calendars import CalendarStore
from gateway.directory import Directory
from gateway.forward import forward
from gateway.headings import Headings
from gateway.limits import WINDOW, Allowance, RateLimiter, client_address
from gateway.pages import (
    about,
    account,
    attendance,
    audit,
    calendar,
    cockpit,
    community,
    errors,
    front,
    holders,
    home,
    home_member,
    invitation,
    mails,
    messages,
    network,
    people,
    prepare,
    release,
    results,
    sets,
    sign_in,
    style,
    survey,
    tokens,
    wall,
)
from gateway.pages.render import message
from gateway.reading import PUBLIC_BODY_BYTES, read_body, read_host, read_locale
from gateway.routes import Call, Find, Media, RequestContext, Route, Together
from gateway.sessions import SessionStore
from gateway.together import one_by_one
from gateway.visitors import Visitors
from pratique.errors import DomainError, NotFound, Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: Every route there is, but for the embedded mode's (``routes_of``). A path that no row names is 404.
ROUTES: tuple[Route, ...] = (
    *membership.ROUTES,
    *meetings.ROUTES,
    *evaluation.ROUTES,
    *notifications.ROUTES,
    *operations.ROUTES,
    *front.ROUTES,
    *about.ROUTES,
    *survey.ROUTES,
    *invitation.ROUTES,
    *results.ROUTES,
    *sign_in.ROUTES,
    *account.ROUTES,
    *home.ROUTES,
    *home_member.ROUTES,
    *messages.ROUTES,
    *calendar.ROUTES,
    *network.ROUTES,
    *community.ROUTES,
    *people.ROUTES,
    *sets.ROUTES,
    *holders.ROUTES,
    *tokens.ROUTES,
    *audit.ROUTES,
    *prepare.ROUTES,
    *cockpit.ROUTES,
    *attendance.ROUTES,
    *wall.ROUTES,
    *release.ROUTES,
    *style.ROUTES,
)

#: The routes that need neither a token nor somebody who is signed in. Such a row that is not named here fails a test.
PUBLIC = frozenset(
    {
        ("GET", "/v1/rooms/{room_code}"),  # whoever is in the room knows its code; guessing is slowed
        ("POST", "/v1/ballots"),  # the link's token or the room's code is what lets one in
        ("POST", "/v1/answers"),  # the ballot itself is the secret
        ("GET", "/s/{token}"),
        ("POST", "/s/{token}"),
        ("GET", "/r/{room_code}"),
        ("POST", "/r/{room_code}"),
        ("GET", "/i/{token}"),  # one's own link, sealed, in one's mail
        ("POST", "/i/{token}"),  # says whether its person comes, and nothing of anybody else
        ("GET", "/R/{room_code}"),  # leads on to the room from the picture on the wall
        ("GET", "/results/{token}"),  # the link opens for us alone, and shows what all may see
        ("GET", "/"),
        ("GET", "/r/"),  # the same page, for whoever leaves the code out of the address
        ("GET", "/help"),
        ("GET", "/privacy"),
        ("GET", "/accessibility"),
        ("GET", "/static/{name}"),  # looks, the same for everyone
        ("POST", "/r/"),  # leads on to the room whose code is typed
        ("GET", "/sign-in"),
        ("POST", "/sign-in"),  # answers the same to all, and is limited by address
        ("GET", "/sign-in/{token}"),
        ("POST", "/sign-in/{token}"),  # the link is what signs one in
        ("GET", "/sign-in/as/{token}"),  # in the embedded mode only, from this machine
        ("GET", "/calendar/{token}.ics"),  # one's own meetings, for one's calendar; the address is the secret
        ("GET", "/mails"),  # in the embedded mode only, for whoever sits at this machine
        ("GET", "/mails/{name}"),
        ("GET", "/mails/{name}/html"),
        ("GET", "/openapi.json"),
        ("GET", "/schemas/{type}"),  # of public events, as the documentation shows them
        ("GET", "/healthz"),  # says nothing but that the process lives
        ("GET", "/readyz"),  # says which of its parts are there, by name
    }
)

_FOUND = "pratique.route"  #: where the environment of a request keeps what was found
Readiness = Callable[[], Mapping[str, bool]]
#: ``later(function, *arguments)``: let it run when the answer is on its way.
Later = Callable[..., object]


def routes_of(settings: Settings) -> tuple[Route, ...]:
    """The routes of a deployment; what is for whoever tries it on their machine is there in the embedded mode alone."""
    return (*ROUTES, *mails.ROUTES, *sign_in.EMBEDDED_ROUTES) if settings.is_embedded else ROUTES


@functools.cache
def _urls_of(routes: tuple[Route, ...]) -> Map:
    return Map([route.rule() for route in routes], merge_slashes=False)


def body_limit(environ: "WSGIEnvironment") -> int:
    """How many bytes of a body this request may bring; asked before they are read. Few where no route takes it."""
    try:
        route, _ = _match(_urls_of(ROUTES), environ)
    except HTTPException:
        return PUBLIC_BODY_BYTES
    return route.body_limit


def _match(urls: Map, environ: "WSGIEnvironment") -> tuple[Route, dict[str, str]]:
    """The route of a request and the variables of its path; looked for once, however often it is asked.

    Raises:
        HTTPException: there is none, or none of this method.
    """
    found: tuple[Map, Route, dict[str, str]] | None = environ.get(_FOUND)
    if found is None or found[0] is not urls:
        route, variables = urls.bind_to_environ(environ).match()
        found = environ[_FOUND] = urls, route, {name: str(value) for name, value in variables.items()}
    return found[1], found[2]


class Misdirected(HTTPException):
    """In the embedded mode: the Host is none of this machine's own, so a stranger's page may be asking."""

    code = 421
    description = "This Pratique answers to localhost, 127.0.0.1, [::1] and the host of PRATIQUE_PUBLIC_URL only."


class App:
    """The gateway as a WSGI application. It knows the services by ``call`` and ``find`` only."""

    def __init__(
        self,
        call: Call,
        store: Store,
        settings: Settings,
        readiness: Readiness = dict,
        find: Find | None = None,
        later: Later = lambda act, *arguments: act(*arguments),
        together: Together = one_by_one,
    ) -> None:
        """``find`` may ask for several ids at once; without it each is asked for by a call of its own. Without
        ``later`` nothing is put off until after the answer. ``together`` asks several services side by side.
        """
        self.call, self.store, self.settings, self.readiness = call, store, settings, readiness
        self.routes = routes_of(settings)
        self._urls = _urls_of(self.routes)
        self.find = find or self._find_alone
        self.together, self.communities, self.headings = together, Directory(call), Headings(call)
        self._tokens, self._limiter, self.later = TokenStore(store), RateLimiter(), later
        self.sessions = SessionStore(store)
        self.visitors = Visitors(call, self.sessions, settings)
        self.sign_in_limits = sign_in.Limits()
        self.link_mails = Allowance(survey.LINKS_ASKED_FOR, WINDOW)
        self.calendars = CalendarStore(store)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request, as WSGI has it."""
        return self.respond(Request(environ))(environ, start_response)

    def respond(self, request: Request) -> Response:
        """The response to one request, whatever happens."""
        began, template, media = time.perf_counter(), "unknown", Media.JSON
        try:
            self._check_host(request)
            route, path = _match(self._urls, request.environ)
            template, media = route.template, route.media
            response = self._serve(route, path, request)
        except DomainError as error:
            response = problems.problem(error)
        except StoreAway:
            response = problems.problem(Unavailable("The store of tokens does not answer; try again in a moment."))
        except MethodNotAllowed as error:
            response = _options(error) if request.method == "OPTIONS" else problems.refusal(error)
        except HTTPException as error:
            response = _refused(request, media, error)
        except Exception as error:  # noqa: BLE001  (the edge: what escapes here would reach the client)
            incident = problems.record(error)
            response = survey.show_failure(request, incident) if media is Media.HTML else problems.failure(incident)
        if errors.is_for_person(request, response):
            response = errors.as_page(request, response)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        operations.count(request, template, response.status_code, time.perf_counter() - began)
        return response

    def is_page_of_people(self, path: str) -> bool:
        """Return whether this path leads to a page of people who are signed in; signing in leads to no other."""
        try:
            route, _ = self._urls.bind("").match(path, "GET")
        except HTTPException:
            return False
        return bool(route.visitor)

    def _find_alone(self, service: str, method: str, argument: str, id: str) -> Any:
        rows = self.call(service, method, {argument: [id]})
        return next((row["version"] for row in rows if row["id"] == id), None)

    def _check_host(self, request: Request) -> None:
        """Let nobody's page in a browser reach this machine's own Pratique under a name of theirs (DNS rebinding)."""
        host = read_host(request)  # without one it comes from no browser
        if host is None or not self.settings.is_embedded:
            return
        if host not in ("localhost", "127.0.0.1", "[::1]", urlsplit(self.settings.public_url).hostname):
            raise Misdirected

    def _serve(self, route: Route, path: Mapping[str, str], request: Request) -> Response:
        principal = self._principal(route, request)
        request.max_content_length = route.body_limit
        if (request.content_length or 0) > route.body_limit:
            raise RequestEntityTooLarge(f"At most {route.body_limit} bytes are read here.")
        if not _is_accepted(request, route.media):
            raise NotAcceptable(f"Here is only {route.media}.")
        context = RequestContext(self, route, request, path, {}, principal)
        try:
            if route.visitor:
                context = replace(context, visitor=self.visitors.admit(request))
            if not all(value.isprintable() and "\ufffd" not in value for value in path.values()):
                raise NotFound("There is nothing here; the address holds characters that none of ours has.")
            if route.media is Media.JSON and request.method in ("PUT", "POST"):
                context = RequestContext(self, route, request, path, read_body(request, route.body), principal)
            with acting(context.actor), self._limited(context):
                return (route.act or forward)(context)
        except DomainError as error:
            if route.refuse is None:
                raise
            return route.refuse(context, error)

    def _principal(self, route: Route, request: Request) -> Principal | None:
        if route.scope is None:
            return None
        principal = self._tokens.authenticate(request.headers.get("Authorization", ""))
        principal.require(route.scope, is_of_network=route.request is None)
        return principal

    def _limited(self, context: RequestContext) -> AbstractContextManager[None]:
        """Count wrong room codes, if the request carries one; nothing else is limited."""
        room_code = context.path.get("room_code") or context.body.get("room_code")
        if not context.route.is_guessable or not isinstance(room_code, str):
            return nullcontext()
        return self._limiter.attempt(client_address(context.request, self.settings.trusted_proxies), room_code)


def _is_accepted(request: Request, media: Media) -> bool:
    """Whether the client takes this type; most name it or nothing, and then Accept need not be parsed."""
    named = request.headers.get("Accept", "*/*")
    return named in (media, "*/*", "") or not request.accept_mimetypes or bool(request.accept_mimetypes[media])


def _refused(request: Request, media: Media, error: HTTPException) -> Response:
    if isinstance(error, RequestRedirect):  # a slash was left out
        return Response(status=error.code, headers={"Location": f"{request.path}/"})
    if media is Media.HTML and error.code in (400, 413):
        return message("unread", read_locale(request), error.code)
    return problems.refusal(error)


def _options(error: MethodNotAllowed) -> Response:
    response = Response(status=204)
    response.headers["Allow"] = ", ".join(sorted({*(error.valid_methods or ()), "OPTIONS"}))
    return response
