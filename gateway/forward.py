"""The generic way through the gateway: one RPC, its answer as JSON with ETag, Link and status."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from gateway.errors import to_json
from gateway.reading import read_if_match, read_page, read_query
from gateway.routes import Media, RequestContext
from gateway.schemas import only_named
from pratique.errors import Stale


def forward(context: RequestContext) -> Response:
    """Make the request of the route, of path, body, query, If-Match, after and limit, and return its answer."""
    route = context.route
    payload: dict[str, Any] = {**context.path, **context.body}
    if route.is_versioned and (version := read_if_match(context.request)) is not None:
        payload["if_version"] = version
    if route.query is not None:
        payload |= read_query(context.request, route.query)
    if route.is_list:
        payload |= read_page(context.request)
    assert route.request is not None, "a route makes a request, or acts by itself"
    result = context.call(route.request, **payload)
    if route.answer is None:
        return no_content()
    if route.is_list:
        return _listed(context, result)
    if _is_saved(result):
        return _saved(context, result)
    return answered(context, result, route.status)


def answered(context: RequestContext, row: Any, status: int = 200) -> Response:
    """The row as the route's answer schema shows it, with its ETag; 304 where the client has it already."""
    response = Response(to_json(_shown(context, row)), status, content_type=Media.JSON)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    version = row.get("version") if isinstance(row, dict) else None
    if (
        isinstance(version, int) and not context.route.reserved
    ):  # who may see more gets another text of the same version
        response.set_etag(str(version))
    if context.request.method in ("GET", "HEAD"):
        check_conditions(context.request, response)
    return response


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


def _saved(context: RequestContext, result: Mapping[str, Any]) -> Response:
    response = answered(context, result["row"], 201 if result["is_new"] else 200)
    if result["is_new"]:
        response.headers["Location"] = context.request.path
    return response


def _listed(context: RequestContext, page: Mapping[str, Any]) -> Response:
    body = {"items": [_shown(context, row) for row in page["rows"]]}
    response = Response(to_json(body), content_type=Media.JSON)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    if page["after"] is not None:
        kept = [*(context.route.query.schema.fields if context.route.query else ()), "limit"]
        asked = {name: context.request.args[name] for name in kept if name in context.request.args}
        query = {"after": page["after"], **asked}
        response.headers["Link"] = f'<{context.request.path}?{urlencode(query)}>; rel="next"'
    return response


def _shown(context: RequestContext, row: Any) -> Any:
    """Only what the schema names; a reserved field is null for those who may not see it."""
    route = context.route
    shown = only_named(route.answer.schema, row) if route.answer else row
    for name, scope in route.reserved.items():
        if context.principal is None or not context.principal.may(scope):
            shown[name] = None
    return shown
