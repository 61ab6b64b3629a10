"""Limits on requests before anything reads them, and masking of paths in logs."""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from chassis import green
from chassis.http.problems import bare

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BODY_BYTES = 1_000_000  #: larger is 413, unread beyond ``_DRAINED_BYTES``
SMALL_BODY_BYTES = 16_384  #: of a larger body the application is asked whether it takes so much, before it is read
BODY_TIMEOUT_S = 30.0  #: for the whole body; it is read before a worker is taken
_DRAINED_BYTES = 4 * MAX_BODY_BYTES  #: read and dropped, so that a client that only writes hears of the 413

_LONG = re.compile(r"(?<![\w-])(?!(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![\w-]))[\w-]{16,}")  # but for UUIDs

_TOKEN = rb"[!#-'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(_TOKEN + rb" [\x21-\x7e\x80-\xff]+ HTTP/\d\.\d\r?\n")
_HEADER_LINE = re.compile(_TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r?\n|\r?\n")
_LENGTH = re.compile(r"[0-9]{1,18}")
_AUTHORITY = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


def masked(path: str, secret_after: Sequence[str] = ()) -> str:
    """The path as a log may hold it: without what is or could be a secret, and in one line of bounded length.

    The segment after each prefix of ``secret_after``, which are in small letters, is a secret, however it is written.
    """
    for prefix in secret_after:
        if path.lower().startswith(prefix):
            return f"{prefix}***"
    return "".join(ch if ch.isprintable() else "?" for ch in _LONG.sub("***", path)[:200])


class Malformed(Exception):
    """The head of a request is none by RFC 9112."""


class HeadLines:
    """The lines of a request's head, each checked before anything is made of it.

    What is no header line (RFC 9112, 5) would end the headers for Python's parser, and the rest of them would be the
    next request: smuggled past whatever stands before us.
    """

    def __init__(self, lines: Any) -> None:
        self._lines = lines

    def readline(self, size: int = -1) -> bytes:
        """The next line.

        Raises:
            Malformed: it is no header: folded, without a name, with control characters, or cut short.
        """
        line: bytes = self._lines.readline(size)
        if not _HEADER_LINE.fullmatch(line):
            raise Malformed
        return line


def check_request_line(line: bytes) -> None:
    """Let only a method, a target and a version pass, with one space between them.

    Raises:
        Malformed: it is something else.
    """
    if not _REQUEST_LINE.fullmatch(line):
        raise Malformed


def origin_form(target: str) -> str:
    """The path and query of a target that may be absolute, as to a proxy (RFC 9112, 3.2.2).

    Raises:
        Malformed: it is neither.
    """
    path = _AUTHORITY.sub("", target, count=1) if target[:1] not in "/*" else target
    if path[:1] in ("", "?"):
        path = f"/{path}"
    if path[0] != "/" and path != "*":
        raise Malformed
    return re.sub("^/+", "/", path)


def refusal_of(headers: Any, is_host_needed: bool) -> int:
    """The status with which a head is refused whose end, or whose body's, two servers could see at two places; or 0.

    A body of unknown length is refused with 411: what is never read, no two read differently.
    """
    hosts = headers.get_all("Host", ())
    lengths = {value.strip(" \t") for value in headers.get_all("Content-Length", ())}
    if len(hosts) > 1 or (is_host_needed and not hosts):
        return 400
    if len(lengths) > 1 or not all(_LENGTH.fullmatch(value) for value in lengths):
        return 400
    if "Transfer-Encoding" in headers:
        return 400 if lengths else 411
    return 0


def bounded(
    app: "WSGIApplication", limit_of: Callable[["WSGIEnvironment"], int] = lambda environ: MAX_BODY_BYTES
) -> "WSGIApplication":
    """The application, which now sees only requests whose whole body is here and small enough.

    ``limit_of`` says how many bytes this request may bring, ``MAX_BODY_BYTES`` at most.
    """

    def refuse(
        environ: "WSGIEnvironment", start_response: "StartResponse", status: int, extra: str = ""
    ) -> Iterable[bytes]:
        environ.get("pratique.close", lambda: None)()  # what follows on the connection is no request
        return bare(status, extra)(environ, start_response)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        size = int(environ.get("CONTENT_LENGTH", 0))
        body = b""
        with green.Timeout(BODY_TIMEOUT_S, False):
            if size > SMALL_BODY_BYTES and size > (most := min(limit_of(environ), MAX_BODY_BYTES)):
                _drop(environ, size)
                return refuse(environ, start_response, 413, f'"detail":"At most {most} bytes are read here.",')
            body = environ["wsgi.input"].read(size) if size else b""
        if len(body) < size:
            return refuse(environ, start_response, 408)
        environ["wsgi.input"] = io.BytesIO(body)
        return app(environ, start_response)

    return answer


def _drop(environ: "WSGIEnvironment", size: int) -> None:
    """Read a body that is too large and keep nothing of it; but not from those who ask before they send."""
    if "HTTP_EXPECT" in environ:
        return
    left = min(size, _DRAINED_BYTES)
    while left > 0 and (piece := environ["wsgi.input"].read(min(left, 65536))):
        left -= len(piece)
