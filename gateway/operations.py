"""The routes for operators and for programs that want to know what there is."""

import math
from typing import Annotated, Any

from prometheus_client import REGISTRY as METRICS
from prometheus_client import Counter, Histogram, generate_latest
from werkzeug.wrappers import Request, Response

from chassis.http.problems import to_json
from chassis.storage.store import Store, StoreAway
from gateway import openapi
from gateway.forward import check_conditions
from gateway.routes import Media, RequestContext, Route
from gateway.secrecy import is_about_survey
from pratique.errors import NotFound
from pratique.event import REGISTRY
from pratique.fields import Doc
from pratique.request import Answer
from pratique.schemas import json_schema

REQUESTS = Counter(
    "pratique_http_requests_total", "Requests answered, by the template of their route.", ["route", "method", "status"]
)
REQUEST_SECONDS = Histogram("pratique_http_request_seconds", "From request to response.", ["route", "method"])

_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE")


class Health(Answer):
    """The process lives."""

    status: Annotated[str, Doc("Always ok.", "ok")]


class Readiness(Answer):
    """Readiness to serve requests, and the parts that are missing if not."""

    is_ready: Annotated[bool, Doc("Whether all parts are there.", True)]
    store: Annotated[bool, Doc("Whether the store of tokens answers.", True)]
    rpc: Annotated[bool, Doc("Whether answers of services can arrive.", True)]


def count(request: Request, template: str, status: int, seconds: float) -> None:
    """Add one request to the metrics.

    Of surveys all is one figure, ``route="surveys"``: who watches it sees that somebody came, not what they did. Their
    durations are whole seconds, or the time would tell.
    """
    method = request.method if request.method in _METHODS else "other"
    told = str(status)
    if is_about_survey(request.path):
        template, method, told, seconds = "surveys", "*", "*", math.ceil(seconds)
    REQUESTS.labels(template, method, told).inc()
    REQUEST_SECONDS.labels(template, method).observe(seconds)


def tell_health(context: RequestContext) -> Response:
    """Say that the process lives; asks nobody."""
    return _told({"status": "ok"}, 200)


def tell_readiness(context: RequestContext) -> Response:
    """Say whether requests can be served: 200, or 503 with the part that is missing."""
    parts = {**context.app.readiness(), "store": _answers(context.app.store)}
    is_ready = all(parts.values())
    return _told({"is_ready": is_ready, **parts}, 200 if is_ready else 503)


def tell_metrics(context: RequestContext) -> Response:
    """Show what was counted, for Prometheus."""
    response = Response(generate_latest(METRICS), content_type="text/plain; version=0.0.4; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def tell_openapi(context: RequestContext) -> Response:
    """Show the description of this API."""
    settings = context.app.settings
    return _cached(openapi.document(context.app.routes, settings.public_url, settings.is_embedded), context.request)


def tell_schema(context: RequestContext) -> Response:
    """Show the JSON Schema of a public event's data, to which every event's ``dataschema`` leads.

    Raises:
        NotFound: there is no such event, or it is private.
    """
    event = REGISTRY.get(context.path["type"].removesuffix(".json"))
    if event is None or event.is_private or not context.path["type"].endswith(".json"):
        raise NotFound("There is no public event of this type; the AsyncAPI document lists those that there are.")
    url = f"{context.app.settings.public_url}/schemas/{event.type}.json"
    return _cached({"$id": url, **json_schema(event)}, context.request)


def _cached(body: dict[str, Any], request: Request) -> Response:
    response = Response(to_json(body), content_type=Media.JSON)
    response.headers["Cache-Control"] = "public, max-age=300"
    response.add_etag()
    check_conditions(request, response)
    return response


def _told(body: dict[str, object], status: int) -> Response:
    response = Response(to_json(body), status, content_type=Media.JSON)
    response.headers["Cache-Control"] = "no-store"
    return response


def _answers(store: Store) -> bool:
    try:
        with store.begin() as session:
            session.connection().exec_driver_sql("select 1")
    except StoreAway:
        return False
    return True


ROUTES = (
    Route("GET", "/healthz", "Say that the process lives", act=tell_health, operation="tell_health", answer=Health),
    Route(
        "GET",
        "/readyz",
        "Say whether requests can be served",
        act=tell_readiness,
        operation="tell_readiness",
        answer=Readiness,
        unready=True,
        description="503 with the same body while a part is missing.",
    ),
    Route(
        "GET",
        "/metrics",
        "Show the gateway's metrics, for Prometheus",
        scope="metrics:read",
        act=tell_metrics,
        operation="tell_metrics",
        media=Media.METRICS,
        description="Needs a token, since the gateway may face the internet: they tell how much is answered when.",
    ),
    Route("GET", "/openapi.json", "Describe this API", act=tell_openapi, operation="tell_openapi", is_cached=True),
    Route(
        "GET",
        "/schemas/<type>",
        "Read the JSON Schema of an event's data",
        act=tell_schema,
        operation="tell_schema",
        is_cached=True,
        description="`type` is that of a public event with `.json` after it, as its `dataschema` has it.",
    ),
)
