"""The gateway as it runs: HTTP in, RPC out over the bus, and an end that loses nothing."""

import dataclasses
import http.client
import json
from pathlib import Path

import eventlet
import pytest

from chassis.http.web import HttpServer
from chassis.messaging import in_memory
from chassis.rpc.server import Refusal, rpc
from chassis.settings import EMBEDDED, Settings
from chassis.storage import migrate
from chassis.testing import SEAL_KEY
from gateway import auth
from gateway.app import ROUTES
from gateway.service import Gateway, Site
from operations import composition
from pratique.errors import NotFound
from tests.harness.containers import running
from tests.harness.waiting import PATIENCE_S, until

COMMUNITY = "/v1/communities/00000000-0000-4000-8000-000000000001"


class Membership:
    """A peer at the other end of the bus, in place of the service of this name."""

    name = "membership"

    @rpc
    def get_community(self, community_id):
        return {"community_id": community_id, "name": "Répit", "version": 2}

    @rpc
    def get_member(self, member_id):
        return Refusal(NotFound("There is no such member."))

    @rpc
    def list_communities(self, **page):
        eventlet.sleep(0.3)
        return {"rows": [], "after": None}


class Meetings:
    """Another, from before it could tell versions."""

    name = "meetings"

    @rpc
    def get_meeting(self, meeting_id):
        return {"meeting_id": meeting_id, "version": 2}


@pytest.fixture
def settings(tmp_path):
    in_memory.reset()
    urls = {"gateway": f"sqlite:///{tmp_path}/gateway.sqlite"}
    return Settings(
        broker_url=EMBEDDED, store_urls=urls, home=Path(), http_port=0, rpc_timeout_s=30.0, seal_key=SEAL_KEY
    )


def opened(started):
    """Where it listens, and a token for everything."""
    store = started.extension("gateway", Site).store
    migrate.migrate(store, composition.migrations_of("gateway"))
    with store.begin() as session:
        token = auth.create_token(session, "test", ["*"])
    return started.extension("gateway", HttpServer).port, {"Authorization": f"Bearer {token}"}


def get(port, path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read()
        return response, json.loads(body) if "json" in response.headers["Content-Type"] else body.decode()
    finally:
        connection.close()


def test_a_request_crosses_the_bus_and_comes_back(settings):
    with running(settings, [Gateway, Membership]) as started:
        port, headers = opened(started)
        response, body = get(port, COMMUNITY, headers)
        assert (response.status, response.headers["ETag"], body["name"]) == (200, '"2"', "Répit")
        response, body = get(port, "/v1/members/00000000-0000-4000-8000-000000000001", headers)
        assert (response.status, body["detail"]) == (404, "There is no such member.")
        assert get(port, "/readyz", {})[1] == {"is_ready": True, "rpc": True, "store": True}
        assert "Pratique" in get(port, "/", {})[1]


def test_a_client_that_has_the_row_already_is_served_by_an_older_service_too(settings):
    with running(settings, [Gateway, Meetings]) as started:
        port, headers = opened(started)
        path = "/v1/meetings/00000000-0000-4000-8000-000000000001"
        for known, status in (('"1"', 200), ('"2"', 304)):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            connection.request("GET", path, headers={**headers, "If-None-Match": known})
            assert connection.getresponse().status == status
            connection.close()


@pytest.mark.parametrize("route", [each for each in ROUTES if each.versions], ids=lambda each: each.template)
def test_a_row_that_tells_versions_asks_for_them_as_its_service_takes_it(route):
    service, method = route.versions.service, route.versions.method
    assert method in composition.service_class(service).handlers
    assert [field.name for field in dataclasses.fields(route.versions)] == ["ids"]
    assert set(route.versions.answer.schema.fields) >= {"id", "version"}
    assert route.has_etag
    assert route.method == "GET"


def test_a_service_that_is_absent_is_503_in_bounded_time(settings):
    with running(dataclasses.replace(settings, rpc_timeout_s=1.0), [Gateway]) as started:
        port, headers = opened(started)
        with eventlet.Timeout(PATIENCE_S):
            response, body = get(port, COMMUNITY, headers)
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
        assert body["type"] == "urn:pratique:problem:unavailable"


def test_it_takes_a_hundred_requests_at_once_and_not_nameko_s_ten(settings):
    with running(dataclasses.replace(settings, max_workers=3), [Gateway]) as started:
        assert started.container("gateway").max_workers == 100


def test_a_stop_lets_what_was_asked_be_answered(settings):
    with running(settings, [Gateway, Membership]) as started:
        port, headers = opened(started)
        asking = eventlet.spawn(get, port, "/v1/communities", headers)
        until(lambda: started.container("membership")._worker_threads)
        started.container("gateway").stop()
        response, body = asking.wait()
        assert (response.status, body) == (200, {"items": []})


def test_the_class_is_found_by_its_name():
    assert composition.service_class("gateway") is Gateway


def send(port, path, size, headers):
    """The status of a POST whose body has this size."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("POST", path, b" " * size, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_a_large_body_where_anyone_may_call_is_refused_before_it_is_kept(settings):
    with running(settings, [Gateway]) as started:
        port, headers = opened(started)
        path = "/v1/meetings/00000000-0000-4000-8000-000000000001/cancel"
        for limit, place in ((32_768, "/v1/ballots"), (32_768, "/nowhere"), (1_000_000, path)):
            status, body = send(port, place, limit + 1, headers)
            assert (status, body["type"]) == (413, "urn:pratique:problem:too-large")
            assert str(limit) in body["detail"]
        assert send(port, "/v1/ballots", 32_768, {})[0] == 400
        assert send(port, path, 999_000, headers)[0] == 400
