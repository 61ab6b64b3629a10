"""Problem documents (RFC 9457): one table from errors and statuses to what a client reads.

What is not in it is a 500 whose text stays inside.
"""

import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from pratique.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    NotYet,
    PreconditionRequired,
    QuotaSpent,
    Stale,
    TooManyTries,
    Unauthenticated,
    Unavailable,
)
from pratique.fields import MAX_REPORTED

CONTENT_TYPE = "application/problem+json"
MAX_WORDS = 300  #: characters of a pointer or a sentence that repeats what was sent
log = logging.getLogger("pratique.http")


@dataclass(frozen=True)
class Kind:
    """The problem that stands for one class of error."""

    status: int
    slug: str  #: the end of the problem's type, ``urn:pratique:problem:<slug>``
    title: str
    headers: Mapping[str, str] | None = None

    @property
    def type(self) -> str:
        """The URI that names this kind of problem, for programs."""
        return f"urn:pratique:problem:{self.slug}"


#: The one table: what a service may answer instead of a result, and how that is told.
PROBLEMS: Mapping[type[DomainError], Kind] = {
    NotFound: Kind(404, "not-found", "Not found"),
    Invalid: Kind(422, "invalid", "What was sent cannot be"),
    Conflict: Kind(409, "conflict", "The state of things forbids it"),
    Stale: Kind(412, "stale", "It changed since it was read"),
    PreconditionRequired: Kind(428, "precondition-required", "A change needs If-Match"),
    Unauthenticated: Kind(401, "unauthenticated", "A token is needed", {"WWW-Authenticate": 'Bearer realm="pratique"'}),
    Forbidden: Kind(403, "forbidden", "The token lacks a scope"),
    Gone: Kind(410, "gone", "It is over"),
    TooManyTries: Kind(429, "too-many-tries", "Too many wrong tries", {"Retry-After": "60"}),
    QuotaSpent: Kind(429, "quota-spent", "The mails of the day are used up", {"Retry-After": "3600"}),
    Unavailable: Kind(503, "unavailable", "A part of Pratique does not answer", {"Retry-After": "5"}),
    NotYet: Kind(503, "not-yet", "Something that is needed has not arrived yet", {"Retry-After": "2"}),
}

#: What the framework refuses before any service is asked, by status.
REFUSALS: Mapping[int, Kind] = {
    400: Kind(400, "malformed", "The request cannot be read"),
    404: Kind(404, "not-found", "Not found"),
    405: Kind(405, "method-not-allowed", "The method is not allowed here"),
    406: Kind(406, "not-acceptable", "It is not available in the type asked for"),
    408: Kind(408, "timeout", "The body did not arrive in time"),
    411: Kind(411, "length-required", "Send a Content-Length"),
    413: Kind(413, "too-large", "The body is too large"),
    414: Kind(414, "too-large", "The target is too long"),
    415: Kind(415, "unsupported-media-type", "The body is not JSON"),
    421: Kind(421, "misdirected", "Not asked by its own name"),
    431: Kind(431, "too-large", "The headers are too large"),
}

FAULT = Kind(500, "internal", "Internal error")  #: everything else


def kind_of(error: DomainError) -> Kind:
    """The row of the table for this error, or for its nearest ancestor that has one; else FAULT."""
    return next((PROBLEMS[parent] for parent in type(error).__mro__ if parent in PROBLEMS), FAULT)


def problem(error: DomainError) -> Response:
    """Return the problem of an error that the table knows; of another it says no word."""
    kind = kind_of(error)
    if kind is FAULT:
        return failure(record(error))
    extra: dict[str, Any] = {"detail": error.message}
    if error.fields:
        told = sorted(error.fields.items())[:MAX_REPORTED]
        extra["errors"] = [{"pointer": at[:MAX_WORDS], "detail": words[:MAX_WORDS]} for at, words in told]
    return _response(kind, extra)


def refusal(error: HTTPException) -> Response:
    """Return the problem of a request that never reached a service: unknown path, wrong method, unreadable body."""
    status = error.code or 500
    kind = REFUSALS.get(status) or Kind(status, "refused", HTTPStatus(status).phrase)
    response = _response(kind, {"detail": error.description} if error.description else {})
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted({*error.valid_methods, "OPTIONS"}))
    return response


def bare(status: int, extra: str = "") -> Response:
    """Return the problem of a request that no application has seen: one that is none, or too large, or failed.

    ``extra`` is a member of the JSON object, with its comma.
    """
    kind = {**REFUSALS, FAULT.status: FAULT}.get(status) or Kind(status, "refused", "The request is refused")
    body = f'{{"type":"{kind.type}",{extra}"title":"{kind.title}","status":{status}}}'
    return Response(body, status, content_type=CONTENT_TYPE)


def record(error: BaseException) -> str:
    """The log has the error; the id that finds it there is all that a client is told."""
    incident = str(uuid.uuid4())
    log.error("request failed, incident %s", incident, exc_info=error)
    return incident


def failure(incident: str) -> Response:
    """Return the problem where we are at fault: an id, by which the operator finds the rest in the log."""
    extra = {
        "detail": "This is our fault. Tell the operator the id in instance; nothing else is known of it outside.",
        "instance": f"urn:uuid:{incident}",
    }
    return _response(FAULT, extra)


def _response(kind: Kind, extra: Mapping[str, Any]) -> Response:
    body = {"type": kind.type, "title": kind.title, "status": kind.status, **extra}
    response = Response(to_json(body), status=kind.status, content_type=CONTENT_TYPE)
    response.headers.update(kind.headers or {})
    response.headers["Cache-Control"] = "no-store"
    return response


def to_json(value: Any) -> bytes:
    """UTF-8 JSON; half a surrogate pair, which UTF-8 cannot carry, stays an escape."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
