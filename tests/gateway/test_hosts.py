"""In the embedded mode a page of somebody else's in the browser reaches nothing, whatever name it gave this machine."""

import pytest

from gateway.app import routes_of
from tests.gateway.conftest import SETTINGS, make_gate
from tests.gateway.test_auth import concrete

ROUTES = routes_of(SETTINGS)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_no_route_answers_to_a_name_that_is_not_this_machine_s(gate, route):
    response = gate.ask(route.method, concrete(route), headers={"Host": "evil.example:8000"})
    assert (response.status_code, response.json["type"]) == (421, "urn:pratique:problem:misdirected")
    assert "PRATIQUE_PUBLIC_URL" in response.json["detail"]
    assert gate.peer.asked == []


@pytest.mark.parametrize("path", ["/mails", "/", "/nothing"])
@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.2", "[::2]", "", "é",
     "localhost.evil", "x@localhost", "localhost/", "127.0.0.1evil", "[", "0x7f.1", "localhost."],
)  # fmt: skip
def test_names_that_look_like_it_are_refused(gate, path, host):
    assert gate.ask("GET", path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8000"])
def test_this_machine_s_own_names_are_answered(gate, host):
    assert "Emails that were sent" in gate.ask("GET", "/mails?lang=en", headers={"Host": host}).text


def test_the_host_of_the_public_url_is_answered(store):
    gate = make_gate(store, public_url="https://Pratique.example.org:8443/")
    assert gate.ask("GET", "/", headers={"Host": "pratique.example.org"}).status_code == 200
    assert gate.ask("GET", "/", headers={"Host": "other.example.org"}).status_code == 421


def test_in_earnest_the_proxy_before_it_says_which_hosts_there_are(store):
    gate = make_gate(store, broker_url="amqp://rabbitmq")
    assert gate.ask("GET", "/", headers={"Host": "evil.example"}).status_code == 200
