"""What happens to a request: find its row, tell its holder, read its body, let the row answer."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotAcceptable, NotFound
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from gateway import errors, evaluation, meetings, membership, notifications, operations
from gateway.auth import Holder, Keyring
from gateway.forward import forward
from gateway.limits import Tries, client_address
from gateway.pages import mails, survey
from gateway.reading import MAX_BODY_BYTES, read_body
from gateway.routes import Ask, Call, Media, Route
from pratique.actor import acting
from pratique.errors import DomainError, Unavailable
from pratique.errors import NotFound as NoSuchThing
from pratique.settings import Settings
from pratique.store import Store, StoreAway

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: Every route there is, but for the embedded mode's (``routes_of``). A path that no row names is 404.
ROUTES: tuple[Route, ...] = (
    *membership.ROUTES,
    *meetings.ROUTES,
    *evaluation.ROUTES,
    *notifications.ROUTES,
    *operations.ROUTES,
    *survey.ROUTES,
)

#: The routes that need no token. A row without a scope that is not named here fails a test.
PUBLIC = frozenset(
    {
        ("GET", "/v1/rooms/{room_code}"),  # whoever is in the room knows its code; guessing is slowed
        ("POST", "/v1/ballots"),  # the link's token or the room's code is what lets one in
        ("POST", "/v1/answers"),  # the ballot itself is the secret
        ("GET", "/s/{token}"),
        ("POST", "/s/{token}"),
        ("GET", "/r/{room_code}"),
        ("POST", "/r/{room_code}"),
        ("GET", "/"),
        ("GET", "/mails"),  # in the embedded mode only, for whoever sits at this machine
        ("GET", "/mails/{name}"),
        ("GET", "/openapi.json"),
        ("GET", "/healthz"),  # says nothing but that the process lives
        ("GET", "/readyz"),  # says which of its parts are there, by name
    }
)

Readiness = Callable[[], Mapping[str, bool]]
_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE")


def routes_of(settings: Settings) -> tuple[Route, ...]:
    """The routes of a deployment; mails can be looked at only where they reach nobody."""
    return (*ROUTES, *mails.ROUTES) if settings.is_embedded else ROUTES


class App:
    """The gateway as a WSGI application. It knows the services by ``call`` only."""

    def __init__(self, call: Call, store: Store, settings: Settings, readiness: Readiness = dict) -> None:
        self.call, self.store, self.settings, self.readiness = call, store, settings, readiness
        self.routes = routes_of(settings)
        self._urls = Map([route.rule() for route in self.routes], merge_slashes=False)
        self._keyring, self._tries = Keyring(store), Tries()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request, as WSGI has it."""
        return self.respond(Request(environ))(environ, start_response)

    def respond(self, request: Request) -> Response:
        """The response to one request, whatever happens."""
        began, template, media = time.perf_counter(), "unknown", Media.JSON
        request.max_content_length = MAX_BODY_BYTES
        try:
            route, path = self._match(request)
            template, media = route.template, route.media
            response = self._serve(route, path, request)
        except DomainError as error:
            response = errors.problem(error)
        except StoreAway:
            response = errors.problem(Unavailable("The store of tokens does not answer; try again in a moment."))
        except MethodNotAllowed as error:
            response = _options(error) if request.method == "OPTIONS" else errors.refusal(error)
        except HTTPException as error:
            response = errors.refusal(error)
        except Exception as error:  # noqa: BLE001  (the edge: what escapes here would reach the client)
            incident = errors.record(error)
            response = survey.apologise(request, incident) if media is Media.HTML else errors.failure(incident)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        method = request.method if request.method in _METHODS else "other"
        operations.REQUESTS.labels(template, method, str(response.status_code)).inc()
        operations.REQUEST_SECONDS.labels(template, method).observe(time.perf_counter() - began)
        return response

    def _match(self, request: Request) -> tuple[Route, dict[str, str]]:
        route, variables = self._urls.bind_to_environ(request.environ).match()
        path = {name: str(value) for name, value in variables.items()}
        if not all(value.isprintable() and "\ufffd" not in value for value in path.values()):
            raise NotFound
        return route, path

    def _serve(self, route: Route, path: Mapping[str, str], request: Request) -> Response:
        holder = self._holder(route, request)
        accepted = request.accept_mimetypes
        if accepted and not accepted[route.media]:
            raise NotAcceptable(f"Here is only {route.media}.")
        ask = Ask(self, route, request, path, {}, holder)
        try:
            with acting(str(holder or "anyone")), self._slowing(ask):
                if route.media is Media.JSON and request.method in ("PUT", "POST"):
                    ask = Ask(self, route, request, path, read_body(request, route.body), holder)
                return (route.act or forward)(ask)
        except DomainError as error:
            if route.refuse is None:
                raise
            return route.refuse(ask, error)

    def _holder(self, route: Route, request: Request) -> Holder | None:
        if route.scope is None:
            return None
        holder = self._keyring.holder(request.headers.get("Authorization", ""))
        holder.must(route.scope)
        return holder

    @contextmanager
    def _slowing(self, ask: Ask) -> Iterator[None]:
        """Count what was guessed wrong; right ones never count."""
        if not ask.route.is_guessable:
            yield
            return
        address = client_address(ask.request, self.settings.trusted_proxies)
        self._tries.check(address)
        try:
            yield
        except NoSuchThing:
            self._tries.fail(address)
            raise


def _options(error: MethodNotAllowed) -> Response:
    response = Response(status=204)
    response.headers["Allow"] = ", ".join(sorted({*(error.valid_methods or ()), "OPTIONS"}))
    return response
