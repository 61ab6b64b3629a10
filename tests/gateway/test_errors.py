"""Errors in a browser: a page in one's language that says what to do, where a program gets a problem in JSON."""

import logging
import re

import pytest

from pratique.request import example_id
from tests.gateway.conftest import sentence_of

COMMUNITY = f"/v1/communities/{example_id('community')}"
MEETING = f"/v1/meetings/{example_id('meeting')}"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize(
    ("method", "path", "token", "status", "sentence"),
    [
        ("GET", "/nothing", True, 404, "lost"),
        ("GET", "/v1/nothing", True, 404, "lost"),
        ("POST", "/results/x", True, 405, "lost"),
        ("GET", COMMUNITY, False, 401, "programs"),
        ("GET", COMMUNITY, True, 503, "away"),
        ("POST", f"{MEETING}/close", True, 503, "away"),
        ("PUT", COMMUNITY, True, 415, "refused"),
    ],
)
def test_a_browser_gets_a_page_and_never_json(gate, method, path, token, status, sentence, locale):
    headers = {"Accept": BROWSER, "Accept-Language": locale} | ({} if token else {"Authorization": None})
    response = gate.ask(method, path, headers=headers, data="x" if method == "PUT" else None)
    assert (response.status_code, response.content_type) == (status, "text/html; charset=utf-8")
    assert sentence_of(sentence, locale) in response.text
    assert f'href="/?lang={locale}"' in response.text
    assert response.headers["Content-Language"] == locale


def test_a_browser_gets_what_says_what_to_do_and_the_number_of_a_fault(gate, caplog):
    browser = {"Accept": BROWSER}
    assert gate.ask("PATCH", COMMUNITY, headers=browser).headers["Allow"] == "GET, HEAD, OPTIONS, PUT"
    assert gate.ask("GET", COMMUNITY, headers=browser).headers["Retry-After"] == "5"
    gate.peer.says("membership.get_community", RuntimeError("dsn postgresql://u:pw@h/db"))
    with caplog.at_level(logging.ERROR):
        response = gate.ask("GET", COMMUNITY, headers=browser)
    (incident,) = re.findall(r"<code>([0-9a-f-]{36})</code>", response.text)
    assert response.status_code == 500
    assert incident in caplog.text
    assert "pw@h" not in response.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.5", "", None])
def test_a_program_gets_a_problem(gate, accept):
    response = gate.ask("GET", "/nothing", headers={"Accept": accept})
    assert (response.status_code, response.content_type) == (404, "application/problem+json")
