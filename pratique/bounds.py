"""What bounds a request before anything reads it, and what of it a log may hold."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

import eventlet
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BODY_BYTES = 1_000_000  #: larger is 413, unread beyond ``_DRAINED_BYTES``
BODY_TIMEOUT_S = 30.0  #: for the whole body; it is read before a worker is taken
_DRAINED_BYTES = 4 * MAX_BODY_BYTES  #: read and dropped, so that a client that only writes hears of the 413

#: The path segment after these is a secret: it is masked in logs, and a success there leaves no line at all, because
#: the time of a line would tell when somebody answered.
SECRET_AFTER = ("/v1/rooms/", "/v1/ballots/", "/r/", "/s/")


def masked(path: str) -> str:
    """The path as a log may hold it: without secrets, and in one line of bounded length."""
    for prefix in SECRET_AFTER:
        if path.startswith(prefix):
            return f"{prefix}***"
    return "".join(ch if ch.isprintable() else "?" for ch in path[:200])


def bounded(app: "WSGIApplication") -> "WSGIApplication":
    """The application, which now sees only requests whose whole body is here and small enough.

    A body of unknown length is refused with 411: what two servers in a row could read differently, none reads.
    """

    def refuse(environ: "WSGIEnvironment", start_response: "StartResponse", status: int) -> Iterable[bytes]:
        environ.get("pratique.close", lambda: None)()  # what follows on the connection is no request
        return problem(status)(environ, start_response)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ:
            return refuse(environ, start_response, 411)
        lengths = {value for name, value in environ.get("headers_raw", ()) if name.lower() == "content-length"}
        lengths = lengths or {environ.get("CONTENT_LENGTH") or "0"}
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdigit()):
            return refuse(environ, start_response, 400)
        size = int(length[:12])
        body = b""
        with eventlet.Timeout(BODY_TIMEOUT_S, False):
            if size > MAX_BODY_BYTES:
                _drop(environ, size)
                return refuse(environ, start_response, 413)
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


_TITLES = {
    400: ("malformed", "The request cannot be read"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "The method is not allowed here"),
    408: ("timeout", "The body did not arrive in time"),
    411: ("length-required", "Send a Content-Length"),
    431: ("too-large", "The headers are too large"),
    413: ("too-large", f"The body has more than {MAX_BODY_BYTES} bytes"),
    500: ("internal", "Internal error"),
}


def problem(status: int, extra: str = "") -> Response:
    """A problem by RFC 9457 in words of ours; ``extra`` is a member of the JSON object, with its comma."""
    slug, title = _TITLES.get(status, ("refused", "The request is refused"))
    body = f'{{"type":"urn:pratique:problem:{slug}",{extra}"title":"{title}","status":{status}}}'
    return Response(body, status, content_type="application/problem+json")
