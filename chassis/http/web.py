"""nameko's HTTP made safe: no connection, and no lack of descriptors, ends the process; bodies and waits are bounded.

nameko 2.14 tells the text of exceptions in a 500, ends the process when descriptors run out, and limits neither
connections nor sizes nor waits. This closes that by subclasses of its own extension points.
"""

import contextlib
import ctypes
import logging
import resource
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterable
from http import HTTPMethod
from typing import TYPE_CHECKING, Any, TypeVar

from nameko.web.handlers import HttpRequestHandler
from nameko.web.server import HttpOnlyProtocol, WebServer
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from chassis import green
from chassis.http.bounds import (
    HeadLines,
    Malformed,
    bounded,
    check_request_line,
    masked,
    origin_form,
    refusal_of,
)
from chassis.http.problems import bare, record
from chassis.log import REQUEST_ID, bound, bound_fact
from chassis.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("pratique.http")

MAX_CONNECTIONS = 1000  #: open at once; half of the process's descriptors where those are fewer
MAX_REQUEST_LINE = 8192  #: bytes; longer is 414. Header lines are limited to 8 KB and all of them to 64 KB by eventlet
HEADER_TIMEOUT_S = 10.0  #: for the request line and all headers together; also how long an idle connection is kept
WRITE_TIMEOUT_S = 30.0  #: for a client to take the next piece of the answer
REQUEST_TIMEOUT_S = 60.0  #: from the end of the head to the last byte of the answer, the body included
ON_THE_WAY_S = 2.0  #: once asked to stop: for a request whose connection is open already, or was just answered on
STOP_S = 10.0  #: for requests in flight, once asked to stop
ACCEPT_PAUSE_S = 0.2  #: after accept failed, for want of descriptors for instance, or while the house is full
IDLE_IF_FULL_S = 1.0  #: how long a connection on which nothing is asked is kept while others wait for its place
SO_ATTACH_FILTER = 26  #: of Linux (socket(7)); Python does not name it
_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  #: a filter of one instruction: pass nothing


class Protocol(HttpOnlyProtocol):
    """One connection, with one deadline for each request's head, however slowly its bytes drip in."""

    path: str
    rfile: Any

    def handle_one_request(self) -> None:
        """Read one request and answer it, or close a connection that says nothing in time."""
        self._deadline = green.Timeout(HEADER_TIMEOUT_S)
        try:
            super().handle_one_request()
        except green.Timeout as passed:
            if passed is not self._deadline:
                raise
            self.close_connection = True
        finally:
            self._deadline.cancel()

    def _read_request_line(self) -> bytes:
        line: bytes = super()._read_request_line()
        self.raw_requestline = line
        if len(line) >= MAX_REQUEST_LINE:
            self.send_error(414)
            return b""
        return line

    def parse_request(self) -> bool:
        """Read the head, strictly, and refuse it in words of ours; then its deadline is over."""
        self.rfile = HeadLines(self.rfile)
        try:
            check_request_line(self.raw_requestline)
            if not super().parse_request():
                return False
            self.path = origin_form(self.path)
            status = refusal_of(self.headers, is_host_needed=self.request_version != "HTTP/1.0")
        except Malformed:
            status = 400
        except (green.wsgi.HeaderLineTooLong, green.wsgi.HeadersTooLarge):
            status = 431
        finally:
            self._deadline.cancel()
        if status:
            self.send_error(status)
        return not status

    def handle_one_response(self) -> None:
        """Answer; whoever neither sends nor takes it in time is cut off, however slowly its bytes move."""
        cut = green.call_later(REQUEST_TIMEOUT_S, green.shutdown_safe, self.connection)
        try:
            super().handle_one_response()
        finally:
            cut.cancel()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, in words of ours: the stock page repeats what was sent."""
        self.close_connection = True
        response = bare(int(code))
        head = f"HTTP/1.1 {response.status}\r\nContent-Type: {response.content_type}\r\nConnection: close\r\n"
        body = response.get_data()
        shown = b"" if self.raw_requestline.startswith(b"HEAD ") else body
        self.wfile.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + shown)

    def get_environ(self) -> dict[str, Any]:
        """Return the WSGI environment, with a way to say that the connection cannot go on."""
        environ: dict[str, Any] = super().get_environ()
        environ["pratique.close"] = self._close_after_this
        return environ

    def finish(self) -> None:
        """Give everything back, also where the client is gone and the last bytes cannot be sent."""
        try:
            super().finish()
        finally:
            for file in (self.wfile, self.rfile):
                with contextlib.suppress(OSError):
                    file.close()

    def _close_after_this(self) -> None:
        self.close_connection = True

    def log_message(self, words: str, *arguments: Any) -> None:
        """Say nothing: what the stock one prints holds the path, and paths hold secrets."""


class HttpServer(WebServer):
    """Accepts connections whatever happens, and lets requests in flight finish when it stops."""

    def __init__(self) -> None:
        super().__init__()
        self._is_accepting = True
        self._connections: set[_Connection] = set()
        self._refused_at = 0.0

    @property
    def bind_addr(self) -> tuple[str, int]:
        """Host and port of the settings."""
        settings: Settings = self.container.config["settings"]
        return settings.http_host, settings.http_port

    @property
    def port(self) -> int:
        """The port that is listened on; of use where the settings say 0, for any free one."""
        return int(self._sock.getsockname()[1])

    def make_url_map(self) -> Map:
        """Return the URL map of the entrypoints; two slashes are two slashes, and no reason to redirect."""
        rules = []
        for provider in self._providers:
            rule = provider.get_url_rule()
            rule.endpoint = provider
            rules.append(rule)
        return Map(rules, merge_slashes=False)

    def context_data_from_headers(self, request: Request) -> dict[str, str]:
        """Return the context of a request for its worker: the id that its log lines carry, if it has one."""
        request_id = bound_fact(REQUEST_ID)
        return {REQUEST_ID: request_id} if request_id else {}

    def get_wsgi_app(self) -> "WSGIApplication":
        """The application that finds the entrypoint, behind what bounds bodies.

        A service that takes less than ``MAX_BODY_BYTES`` somewhere says so by a static ``body_limit(environ)``.
        """
        limit_of = getattr(self.container.service_cls, "body_limit", None)
        return bounded(_Entrypoints(self), limit_of) if limit_of else bounded(_Entrypoints(self))

    def get_wsgi_server(self, sock: Any, wsgi_app: "WSGIApplication", **options: Any) -> green.wsgi.Server:
        """eventlet's server, silent: its log lines hold secrets."""
        return green.wsgi.Server(
            sock,
            sock.getsockname(),
            wsgi_app,
            protocol=Protocol,
            debug=False,
            log_output=False,
            keepalive=HEADER_TIMEOUT_S,
            socket_timeout=WRITE_TIMEOUT_S,
            url_length_limit=MAX_REQUEST_LINE,
        )

    def run(self) -> None:
        """Accept until stopped. A full house closes what is idle; the rest waits in the kernel's queue for its turn."""
        free = green.Semaphore(_connection_limit())
        while self._is_accepting:
            while not free.acquire(timeout=ACCEPT_PAUSE_S):
                self._make_room()
            try:
                sock, address = self._sock.accept()
            except OSError as error:
                free.release()
                if self._is_accepting:
                    self._tell_refused(error)
                    self._make_room()
                    green.sleep(ACCEPT_PAUSE_S)
                continue
            self._welcome(sock, address, free)

    def _welcome(self, sock: Any, address: Any, free: green.Semaphore | None = None) -> None:
        sock.settimeout(WRITE_TIMEOUT_S)
        connection = _Connection(address, sock)
        self._connections.add(connection)
        green.spawn_n(self._serve, connection, free)

    def _serve(self, connection: "_Connection", free: green.Semaphore | None) -> None:
        try:
            self._serv.process_request(connection.state)
        except (Exception, green.Timeout) as error:  # noqa: BLE001  (one connection never ends the process)
            log.info("a connection ended: %s", type(error).__name__)
        finally:
            self._connections.discard(connection)
            connection.close()
            if free is not None:
                free.release()

    def _make_room(self) -> None:
        for connection in list(self._connections):
            if connection.is_idle and time.monotonic() - connection.began > IDLE_IF_FULL_S:
                connection.end_after_this()

    def _tell_refused(self, error: OSError) -> None:
        """One line in five seconds; there may be thousands of reasons for it."""
        if time.monotonic() - self._refused_at > 5:
            self._refused_at = time.monotonic()
            log.error("connections cannot be accepted: %s", error.strerror)

    def drain(self) -> None:
        """Accept nothing more, answer what is in flight or on its way, and return when that is done, or after 10 s."""
        if not self._is_accepting or self._gt is None:
            return
        self._is_accepting = False
        self._gt.kill()
        self._let_nobody_in()
        self._accept_who_waits()
        self._sock.close()
        began = time.monotonic()
        with green.Timeout(STOP_S, False):
            while self._connections:
                for connection in list(self._connections):
                    if not connection.is_idle or time.monotonic() - began > ON_THE_WAY_S:
                        connection.end_after_this()
                green.sleep(0.01)

    def _let_nobody_in(self) -> None:
        """Let the kernel answer nobody who connects from now on; they are refused when the port is closed.

        Between the last accept and the closing, they would be connected first, and then cut off.
        """
        with contextlib.suppress(OSError):  # not on Linux: the gap stays
            self._sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(_NOTHING)))

    def _accept_who_waits(self) -> None:
        """Accept those in the kernel's queue: they are connected, and closing the port would cut them off."""
        with contextlib.suppress(OSError):  # of which the usual one says that nobody waits
            while True:
                sock, address = self._sock.fd.accept()
                self._welcome(green.GreenSocket(sock), address)

    def stop(self) -> None:
        """End; entrypoints have drained by now."""
        self.drain()
        self.wait_for_providers()

    def kill(self) -> None:
        """End at once."""
        self._is_accepting = False
        if self._sock is not None:
            self._sock.close()
        for connection in list(self._connections):
            connection.close()


class _Connection:
    """A connection as eventlet's server wants it, and whether it is idle."""

    def __init__(self, address: Any, sock: Any) -> None:
        self.sock = sock
        self.began = time.monotonic()
        self.state: list[Any] = [address, sock, green.wsgi.STATE_IDLE]

    @property
    def is_idle(self) -> bool:
        """Whether no request line has come since the last answer."""
        return bool(self.state[2] == green.wsgi.STATE_IDLE)

    def end_after_this(self) -> None:
        """Close now if idle, else after the request in flight."""
        if self.is_idle and self._is_asking():
            return  # it is about to be read
        was_idle = self.is_idle
        self.state[2] = green.wsgi.STATE_CLOSE
        if was_idle:
            green.shutdown_safe(self.sock)

    def _is_asking(self) -> bool:
        """Whether something has come that nobody has read yet."""
        try:
            return bool(self.sock.fd.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            return False

    def close(self) -> None:
        """Give the descriptor back."""
        green.shutdown_safe(self.sock)
        self.sock.close()


class _Entrypoints:
    """Finds the entrypoint of a request and logs what became of it.

    A service says by a static ``is_silent(path)`` of which paths only failures are logged, and without an id by which
    lines belong together; and in no line stands the segment after one of its ``secret_after``.
    """

    def __init__(self, server: HttpServer) -> None:
        self._urls, self._service = server.make_url_map(), server.container.service_name
        never: Callable[[str], bool] = lambda path: False  # noqa: E731  (used once)
        self._is_silent = getattr(server.container.service_cls, "is_silent", never)
        self._secret_after: tuple[str, ...] = getattr(server.container.service_cls, "secret_after", ())

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        is_silent = self._is_silent(request.path)
        with bound(service=self._service, request_id=None if is_silent else uuid.uuid4()):
            return self._respond(request, is_silent)(environ, start_response)

    def _respond(self, request: Request, is_silent: bool) -> Response:
        began = time.perf_counter()
        try:
            provider, request.path_values = self._urls.bind_to_environ(request.environ).match()  # type: ignore[attr-defined]  # nameko reads it
            response: Response = provider.handle_request(request)
        except HTTPException as error:
            response = bare(error.code or 500)
            if isinstance(error, MethodNotAllowed) and error.valid_methods:
                response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        if response.status_code >= 500 or not is_silent:
            spent_ms = (time.perf_counter() - began) * 1000
            path = masked(request.path, self._secret_after)
            log.info("%s %s %d %.0f ms", _verb(request.method), path, response.status_code, spent_ms)
        return response


class Http(HttpRequestHandler):
    """An HTTP entrypoint. The method ``*`` takes all methods. A failure tells an id and nothing else."""

    server = HttpServer()

    def get_url_rule(self) -> Rule:
        """Return the rule of this entrypoint."""
        return Rule(self.url, methods=None if self.method == "*" else self.method.split(","))

    def stop(self) -> None:
        """Return when requests in flight have been answered."""
        self.server.drain()
        super().stop()

    def response_from_exception(self, exc: BaseException) -> Response:
        """A 500 with an id, by which the log tells the rest."""
        return bare(500, f'"instance":"urn:uuid:{record(exc)}",')


Method = TypeVar("Method", bound=Callable[..., Response])


def http(method: str, url: str) -> Callable[[Method], Method]:
    """The method answers these requests; ``url`` as werkzeug writes rules, ``method`` ``*`` for all."""
    decorate: Callable[[Method], Method] = Http.decorator(method, url)
    return decorate


def _verb(method: str) -> str:
    """The method as a log may hold it: a client can make up any."""
    return method if method in HTTPMethod.__members__ else "other"


def _connection_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(8, min(MAX_CONNECTIONS, soft // 2))
