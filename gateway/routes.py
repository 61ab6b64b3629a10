"""Rows of the route tables: who may call a route, which request it makes, what goes in and comes out."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from chassis.actor import ANYONE, Actor
from gateway.reading import MAX_BODY_BYTES, PUBLIC_BODY_BYTES, read_locale
from pratique.errors import DomainError
from pratique.events.membership import Locale
from pratique.permissions import Permission
from pratique.request import Answer, Body, ListQuery, Query, Request, VersionedCommand

if TYPE_CHECKING:
    from gateway.app import App
    from gateway.auth import Principal
    from gateway.visitors import Visitor

#: ``call(service, method, payload)``: ask a service and wait; raises what ``pratique.errors`` names.
Call = Callable[[str, str, Mapping[str, Any]], Any]
#: ``find(service, method, argument, id)``: what the method says of this id, of a list of ids that the argument takes.
Find = Callable[[str, str, str, str], Any]
#: ``together(acts)``: what these return, in their order; an error that one raises, when all have ended.
Together = Callable[[Sequence[Callable[[], Any]]], list[Any]]

_VARIABLE = re.compile(r"<(?:(?P<kind>\w+)(?:\((?P<choices>[^)]*)\))?:)?(?P<name>\w+)>")


class Media(StrEnum):
    """Media type of a route's answers."""

    JSON = "application/json"
    HTML = "text/html"
    METRICS = "text/plain"
    CSS = "text/css"
    CALENDAR = "text/calendar"


class Ask:
    """A question to a service, for ``call_all``; ``or_none`` names errors that are answered by None."""

    def __init__(self, kind: type[Request], or_none: tuple[type[DomainError], ...] = (), /, **payload: Any) -> None:
        self.kind, self.or_none, self.payload = kind, or_none, payload


@dataclass(frozen=True)
class RequestContext:
    """One HTTP request that may be served: its principal has the scope and its body fits the schema."""

    app: "App"
    route: "Route"
    request: HttpRequest
    path: Mapping[str, str]  #: the variables of the path, ids as text
    body: Mapping[str, Any]  #: as the schema dumped it; plain JSON
    principal: "Principal | None"  #: None on public routes and pages
    visitor: "Visitor | None" = None  #: who is signed in, on pages that ask for somebody

    @property
    def actor(self) -> Actor:
        """Who acts, as services know them."""
        asking = self.visitor or self.principal
        return asking.actor if asking else ANYONE

    @property
    def locale(self) -> Locale:
        """The language to answer in: that of ``?lang=``, then the person's own, then the browser's."""
        return read_locale(self.request, self.visitor.locale if self.visitor else None)

    @property
    def person(self) -> "Visitor":
        """Who is signed in, on a page that asks for somebody."""
        assert self.visitor is not None, "a route that asks for nobody has no person"
        return self.visitor

    def call(self, kind: type[Request], /, **payload: Any) -> Any:
        """Return what the service answers to this request, both as plain JSON; raises what it raises."""
        return self.app.call(kind.service, kind.method, payload)

    def call_all(self, *asked: Ask) -> list[Any]:
        """Return what services answer to these, asked side by side; raises what the first that fails raises."""
        return self.app.together([partial(self._call_or_none, ask) for ask in asked])

    def _call_or_none(self, ask: Ask) -> Any:
        try:
            return self.call(ask.kind, **ask.payload)
        except ask.or_none:
            return None

    def find_version(self, kind: type[Request]) -> int | None:
        """Return the version that the service has of the one id in the path; None if it knows of none."""
        (id,) = self.path.values()
        version: int | None = self.app.find(kind.service, kind.method, "ids", id)
        return version


@dataclass(frozen=True, eq=False)
class Route:
    """One row. A scope of None means that anyone may call; every such row stands in ``PUBLIC`` of the app too.

    But for pages of people who are signed in: there the cookie says who asks, and the services what they may.
    """

    method: str
    path: str  #: as werkzeug writes it, ``/v1/meetings/<uuid:meeting_id>``
    summary: str
    scope: str | None = None  #: by default the permission that the request needs
    visitor: bool = False  #: asks for somebody who is signed in; a POST must come from a page of theirs
    #: What it asks: path, body, query, If-Match as if_version, after and limit are its fields.
    request: type[Request] | None = None
    #: Asked first by whoever has the row already: the versions of ids, so that a 304 costs no reading of it.
    versions: type[Request] | None = None
    act: Callable[[RequestContext], Response] | None = None  #: instead of making the request by itself
    operation: str = ""  #: what generated clients call it, the operationId; by default the method of the request
    body: type[Body] | None = None  #: by default that of the request
    answer: type[Answer] | None = None  #: by default that of the request
    status: int = 200
    description: str = ""
    problems: tuple[type[DomainError], ...] = ()  #: beside those that follow from the other columns
    media: Media = Media.JSON
    query: type[Body] | None = None  #: what the query must say, beside after and limit
    is_list: bool = False  #: takes after and limit, answers with items and a Link to the next page
    is_versioned: bool = False  #: a change needs If-Match
    unready: bool = False  #: 503 has the same body as 200
    is_cached: bool = False  #: the same for everyone, with an ETag, for some minutes
    is_guessable: bool = False  #: takes a room's code, in its path or body, so wrong ones are counted (limits.py)
    max_body: int = 0  #: bytes; 0: 1,000,000 for holders of a token, 32,768 for anyone
    reserved: Mapping[str, str] = field(default_factory=dict)  #: a field of the answer -> the scope that sees it
    refuse: Callable[[RequestContext, DomainError], Response] | None = None  #: pages tell errors in their own way

    def __post_init__(self) -> None:
        """Take from the request what the row leaves out."""
        if self.request is None:
            return
        needs = self.request.needs
        taken: dict[str, Any] = {
            "scope": self.scope or (needs.value if isinstance(needs, Permission) else None),
            "operation": self.operation or self.request.method,
            "answer": self.answer or self.request.answer,
            "is_list": issubclass(self.request, ListQuery),
            "is_versioned": issubclass(self.request, VersionedCommand),
        }
        if self.request.body is not None:
            is_query = issubclass(self.request, Query) or self.method == "DELETE"  # which has no body
            column = "query" if is_query else "body"
            taken[column] = getattr(self, column) or self.request.body
        for name, value in taken.items():
            object.__setattr__(self, name, value)

    @property
    def has_etag(self) -> bool:
        """Return whether the answer carries an ETag by which a client that has it already is told so."""
        return self.is_cached or bool(
            self.answer and "version" in self.answer.schema.fields and not self.is_list and not self.reserved
        )

    @property
    def takes_room_code(self) -> bool:
        """Return whether a room's code is in the path or in the body, so that 429 may be the answer."""
        return self.is_guessable and ("{room_code}" in self.template or "room_code" in self._body_fields)

    @property
    def _body_fields(self) -> Mapping[str, Any]:
        return self.body.schema.fields if self.body else {}

    @property
    def body_limit(self) -> int:
        """How many bytes of a body are read; a larger one is refused unread."""
        return self.max_body or (MAX_BODY_BYTES if self.scope else PUBLIC_BODY_BYTES)

    @property
    def template(self) -> str:
        """The path as OpenAPI and the metrics write it, ``/v1/meetings/{meeting_id}``."""
        return _VARIABLE.sub(lambda found: "{" + found["name"] + "}", self.path)

    @property
    def variables(self) -> list[tuple[str, str, list[str]]]:
        """Name, converter and choices of each variable in the path."""
        return [
            (found["name"], found["kind"] or "string", [c.strip() for c in (found["choices"] or "").split(",") if c])
            for found in _VARIABLE.finditer(self.path)
        ]

    def rule(self) -> Rule:
        """The row as werkzeug matches it."""
        return Rule(self.path, methods=[self.method], endpoint=self)
