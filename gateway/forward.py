"""The generic way through the gateway: one RPC, its answer as JSON with ETag, Link and status."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from chassis.http.problems import to_json
from gateway.fields import only_named
from gateway.reading import read_if_match, read_page, read_query
from gateway.routes import Ask, Media
from pratique.errors import Stale


def forward(ask: Ask) -> Response:
    """What the service says to path, body, query, If-Match, after and limit."""
    route = ask.route
    if route.versions and (unchanged := _find_unchanged(ask)) is not None:
        return unchanged
    payload: dict[str, Any] = {**ask.path, **ask.body}
    if route.is_versioned and (version := read_if_match(ask.request)) is not None:
        payload["if_version"] = version
    if route.query is not None:
        payload |= read_query(ask.request, route.query)
    if route.is_list:
        payload |= read_page(ask.request)
    result = ask.call(route.rpc, **payload)
    if route.answer is None:
        return no_content()
    if route.is_list:
        return _listed(ask, result)
    if _is_saved(result):
        return _saved(ask, result)
    return answered(ask, result, route.status)


def answered(ask: Ask, row: Any, status: int = 200) -> Response:
    """The row as the route's answer schema shows it, with its ETag; 304 where the client has it already."""
    version = row.get("version") if isinstance(row, dict) else None
    return _versioned(ask, to_json(_shown(ask, row)), status, version)


def _versioned(ask: Ask, body: bytes, status: int, version: Any) -> Response:
    response = Response(body, status, content_type=Media.JSON)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    if isinstance(version, int) and not ask.route.reserved:  # who may see more gets another text of the same version
        response.set_etag(str(version))
    if ask.request.method in ("GET", "HEAD"):
        check_conditions(ask.request, response)
    return response


def _find_unchanged(ask: Ask) -> Response | None:
    """A 304 if the client names the version that the service has now; None if the row has to be read."""
    if "If-None-Match" not in ask.request.headers or (version := ask.find_version()) is None:
        return None
    response = _versioned(ask, b"", 200, version)
    return response if response.status_code == 304 else None


def check_conditions(request: Request, response: Response) -> None:
    """Make it a 304 where the client has it already.

    Raises:
        Stale: the client asked for another version only (If-Match, which the framework would answer in full).
    """
    response.make_conditional(request)
    if response.status_code == 412:
        raise Stale("It has another version than the one that If-Match asks for.")


def no_content() -> Response:
    """Done, and there is nothing to say."""
    response = Response(status=204)
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_saved(result: Any) -> bool:
    return isinstance(result, dict) and result.keys() == {"row", "is_new"}


def _saved(ask: Ask, result: Mapping[str, Any]) -> Response:
    response = answered(ask, result["row"], 201 if result["is_new"] else 200)
    if result["is_new"]:
        response.headers["Location"] = ask.request.path
    return response


def _listed(ask: Ask, page: Mapping[str, Any]) -> Response:
    body = {"items": [_shown(ask, row) for row in page["rows"]]}
    response = Response(to_json(body), content_type=Media.JSON)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    if page["after"] is not None:
        kept = [*(ask.route.query().fields if ask.route.query else ()), "limit"]
        asked = {name: ask.request.args[name] for name in kept if name in ask.request.args}
        query = {"after": page["after"], **asked}
        response.headers["Link"] = f'<{ask.request.path}?{urlencode(query)}>; rel="next"'
    return response


def _shown(ask: Ask, row: Any) -> Any:
    """Only what the schema names; a reserved field is null for those who may not see it."""
    route = ask.route
    shown = only_named(route.answer)(row) if route.answer else row
    for name, scope in route.reserved.items():
        if ask.holder is None or not ask.holder.may(scope):
            shown[name] = None
    return shown
