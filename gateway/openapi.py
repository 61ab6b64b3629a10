"""The description of the API, OpenAPI 3.1, made from the route tables and the schemas that serve it."""

import functools
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from chassis.http import problems
from gateway.auth import SCOPES
from gateway.reading import is_required
from gateway.routes import Media, Route
from pratique.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    TooManyTries,
    Unauthenticated,
    Unavailable,
)
from pratique.request import Answer, Shape, example_id, parts_of

_ABOUT = """\
Programs call `/v1` with a bearer token that the operator made (`pratique token create NAME --scope …`). Within its
scopes it reaches the whole network, all communities.
Ids are UUIDs chosen by the caller: the first PUT is 201, the same again is 200 and announces nothing; a change needs
`If-Match` with the ETag that was read, or `*` for whatever version there is. Lists come in pages; `Link: rel="next"`
leads on. Whatever goes wrong is a problem by RFC 9457, with a JSON pointer to each bad field, twenty of them at most.

Scopes:

"""


@functools.cache
def document(routes: Sequence[Route], public_url: str, is_embedded: bool = False) -> dict[str, Any]:
    """The whole description, as plain JSON."""
    spec = APISpec(
        title="Pratique",
        version=_version(),
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin()],
        info={"description": _ABOUT + "\n".join(f"- `{name}`: {words}" for name, words in SCOPES.items())},
        servers=[{"url": public_url}],
    )
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer", "bearerFormat": "prt_<id>_<secret>"})
    spec.components.schema("Problem", _PROBLEM)
    operations: dict[str, dict[str, Any]] = {}
    for route in [each for each in routes if not each.visitor]:  # pages of people are for no program
        operations.setdefault(route.template, {})[route.method.lower()] = _operation(route, is_embedded)
    for path, by_method in operations.items():
        spec.path(path, operations=by_method)
    described: dict[str, Any] = spec.to_dict()
    schemas = described["components"]["schemas"]
    for answer in dict.fromkeys(each for route in routes if route.answer for each in parts_of(route.answer)):
        shown = schemas[answer.__name__]
        shown["required"] = answer.always() if issubclass(answer, Answer) else list(shown["properties"])
        shown.pop("additionalProperties", None)  # more may come in a later version
    return described


def _version() -> str:
    try:
        return version("pratique")
    except PackageNotFoundError:
        return "0"


def _operation(route: Route, is_embedded: bool) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "tags": [_tag(route)],
        "security": [{"token": [route.scope]}] if route.scope else [],
        "parameters": _parameters(route),
        "responses": _responses(route, is_embedded),
    }
    if route.description:
        operation["description"] = route.description
    if route.body is not None:
        content = {"schema": _schema_of(route.body), "example": route.body.example()}
        operation["requestBody"] = {"required": is_required(route.body), "content": {Media.JSON.value: content}}
    elif route.media is Media.HTML and route.method == "POST":
        form = {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
        operation["requestBody"] = {"content": {"application/x-www-form-urlencoded": form}}
    return operation


def _tag(route: Route) -> str:
    if route.media is Media.HTML:
        return "pages"
    if route.request is not None:
        return route.request.service
    return "evaluation" if route.path.startswith("/v1/") else "operations"


def _schema_of(shape: type[Shape]) -> type[Schema]:
    """The marshmallow schema that apispec reads and names."""
    return type(shape.schema)


def _parameters(route: Route) -> list[dict[str, Any]]:
    found = [_path_parameter(*variable) for variable in route.variables]
    if route.is_versioned:
        words = "The ETag that was read, or * for whatever version there is; needed for a change."
        found.append(_header("If-Match", words))
    elif route.method == "GET" and route.has_etag:
        found.append(_header("If-None-Match", "The ETag that one has; 304 if it still holds."))
    if route.query is not None:
        found.append({"in": "query", "schema": _schema_of(route.query)})  # one parameter for each of its fields
    if route.is_list:
        limit = {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}
        found.append({"name": "after", "in": "query", "schema": {"type": "string"}, "description": "From Link."})
        found.append({"name": "limit", "in": "query", "schema": limit, "description": "Rows in a page."})
    is_shown = route.method != "PUT" and (route.method, route.status) != ("GET", 303)  # which leads on in any language
    if not route.scope and "{" in route.template and not route.is_cached and is_shown:
        words = "Language; by default that of Accept-Language, else fr."
        found.append(
            {"name": "lang", "in": "query", "schema": {"type": "string", "enum": ["fr", "en"]}, "description": words}
        )
    return found


def _path_parameter(name: str, kind: str, choices: list[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    shown: dict[str, Any] = {"name": name, "in": "path", "required": True, "schema": schema}
    if kind == "uuid":
        schema["format"] = "uuid"
        shown["example"] = example_id(name.removesuffix("_id"))
    if choices:
        schema["enum"] = choices
    return shown


def _header(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string"}, "example": '"3"', "description": words}


def _responses(route: Route, is_embedded: bool) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for status in [201, 200] if _creates(route) else [route.status]:
        told[str(status)] = _success(route, status)
    if route.method == "GET" and route.has_etag:
        told["304"] = {"description": "The client has it already."}
    if route.unready:
        told["503"] = {**_success(route, 200), "description": "A part is missing."}
    for kind in _kinds(route, is_embedded):
        shown = told.setdefault(str(kind.status), {"description": kind.title})
        is_page = route.media is Media.HTML and kind.status not in (406, 421)
        shown.setdefault("content", _PAGE if is_page else _problem_content(kind))
        if kind.headers:
            shown["headers"] = {name: {"schema": {"type": "string"}} for name in kind.headers}
    return {status: told[status] for status in sorted(told)}


def _creates(route: Route) -> bool:
    return route.method == "PUT" and route.status == 200


def _success(route: Route, status: int) -> dict[str, Any]:
    words = {201: "Created.", 204: "Done; nothing to say.", 303: "Go on there."}.get(status, "Done.")
    shown: dict[str, Any] = {"description": words}
    if status == 303:
        shown["headers"] = {"Location": {"schema": _TEXT}}
    elif route.media is not Media.JSON:
        shown["content"] = {route.media.value: {"schema": {"type": "string"}}}
    elif route.answer is None:
        if status != 204:
            shown["content"] = {Media.JSON.value: {"schema": {"type": "object"}}}
    elif route.is_list:
        items = {"type": "array", "items": _schema_of(route.answer)}
        schema = {"type": "object", "properties": {"items": items}, "required": ["items"]}
        example = {"items": [route.answer.example()]}
        shown["content"] = {Media.JSON.value: {"schema": schema, "example": example}}
        shown["headers"] = {"Link": {"schema": {"type": "string"}, "description": 'The next page, rel="next".'}}
    else:
        shown["content"] = {Media.JSON.value: {"schema": _schema_of(route.answer), "example": route.answer.example()}}
        if route.has_etag:
            shown["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "The version, in quotes."}}
    return shown


def _kinds(route: Route, is_embedded: bool) -> list[problems.Kind]:
    """The problems that can come back, from the row's columns and from what it says itself."""
    domain: list[type[DomainError]] = list(route.problems)
    statuses = [406, 421] if is_embedded else [406]
    has_body = route.method in ("PUT", "POST")
    if route.variables:
        statuses.append(404)  # an id that is none
    if route.scope:
        domain += [Unauthenticated, Forbidden]
    if has_body:
        statuses += [400, 413, 415] if route.media is Media.JSON else [413]
    if has_body or route.is_list or route.query is not None:
        domain.append(Invalid)
    if route.takes_room_code:
        domain += [NotFound, TooManyTries]
    if route.media is Media.HTML and route.variables:
        domain += [Conflict, Gone] if has_body else [Gone]
    if route.scope or route.request or route.variables or (has_body and not route.scope):
        domain.append(Unavailable)
    kinds = {status: problems.REFUSALS[status] for status in statuses}
    kinds |= {problems.PROBLEMS[each].status: problems.PROBLEMS[each] for each in domain}
    return [kinds[status] for status in sorted(kinds)]


def _problem_content(kind: problems.Kind) -> dict[str, Any]:
    example: dict[str, Any] = {"type": kind.type, "title": kind.title, "status": kind.status, "detail": "What to do."}
    if kind is problems.PROBLEMS[Invalid]:
        example["errors"] = [{"pointer": "/starts_at", "detail": "Not a valid aware datetime."}]
    return {problems.CONTENT_TYPE: {"schema": "Problem", "example": example}}


_TEXT = {"type": "string"}
_PAGE = {Media.HTML.value: {"schema": _TEXT}}
_PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {**_TEXT, "format": "uri", "description": "Which kind of problem; stays the same for ever."},
        "title": {**_TEXT, "description": "The kind, in words."},
        "status": {"type": "integer"},
        "detail": {**_TEXT, "description": "A sentence that a person can act on."},
        "instance": {**_TEXT, "description": "An id to tell the operator, where the fault is ours."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {**_TEXT, "description": "JSON pointer to the field."},
                    "detail": {**_TEXT, "description": "What is wrong with it."},
                },
            },
        },
    },
}
