"""Signing in as it happens: an address is typed, a mail is read, a button is pressed; and the embedded mode's links."""

import re
import urllib.parse
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.harness.mails import parsed, text_of
from tests.harness.processes import Up
from tests.harness.waiting import PATIENCE_S, until


class Browser:
    """A browser on a connection for each page; it keeps the cookie of the session and follows nothing."""

    def __init__(self, port: int) -> None:
        self.port, self.cookie, self.text = port, "", ""

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> HTTPResponse:
        """Ask for one page."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        headers = {"Accept": "text/html", "Accept-Language": "en", "Connection": "close", "Cookie": self.cookie}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        connection.request(method, path, urllib.parse.urlencode(form or {}), headers)
        response = connection.getresponse()
        self.text = response.read().decode()
        if given := response.headers.get("Set-Cookie"):
            self.cookie = given.partition(";")[0]
        connection.close()
        return response


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    made = Up(tmp_path_factory.mktemp("up"))
    try:
        made.start()
        made.wait_until_up()
        yield made
    finally:
        made.kill()


def links(up: Up) -> dict[str, str]:
    """The links on which it ends, by whom one is there."""
    return {role: urllib.parse.urlsplit(url).path for role, url in re.findall(r"As a (\w+): +(http\S+)", up.output)}


def mailed(up: Up, browser: Browser, address: str) -> str:
    """Ask for a link, and return its path from the mail."""
    folder = Path(up.data) / "mail"
    before = set(folder.rglob("*.eml"))
    assert browser.ask("POST", "/sign-in", {"email": address}).status == 200

    def found() -> str:
        for path in folder.rglob("*.eml"):
            mail = parsed(path.read_bytes())
            if path not in before and "/sign-in/" in text_of(mail):
                return re.findall(r"(/sign-in/\S+)", text_of(mail))[0]
        return ""

    return until(found, every_s=0.1)


def test_it_ends_on_links_that_are_signed_in_already(up: Up) -> None:
    assert set(links(up)) == {"facilitator", "coordinator", "member"}
    for role, path in links(up).items():
        browser = Browser(up.port)
        entered = browser.ask("GET", path)
        assert (entered.status, entered.headers["Location"]) == (303, "/home")
        assert browser.ask("GET", "/home?lang=en").status == 200
        assert (role.capitalize() in browser.text) == (role != "member")
        assert "Familles et premiers pas" in browser.text


def test_a_person_signs_in_by_the_mail_that_they_asked_for_and_out_again(up: Up) -> None:
    browser = Browser(up.port)
    path = mailed(up, browser, "PERSON007@example.org")
    assert browser.ask("GET", path).status == 200
    assert browser.ask("GET", "/home").status == 303
    assert browser.ask("POST", path).headers["Location"] == "/home"
    assert browser.ask("GET", "/home").status == 200
    assert browser.ask("POST", path).status == 404
    assert browser.ask("POST", "/account/sign-out").status == 403  # without the page's token
    browser.ask("GET", "/home")
    token = re.findall(r'name="form_token" value="([^"]+)"', browser.text)[0]
    assert browser.ask("POST", "/account/sign-out", {"form_token": token}).status == 303
    assert browser.ask("GET", "/home").status == 303


def test_nothing_of_it_is_printed(up: Up) -> None:
    browser = Browser(up.port)
    path = mailed(up, browser, "person008@example.org")
    browser.ask("POST", path)
    for secret in (path.rpartition("/")[2], browser.cookie.partition("=")[2], "person008"):
        assert secret
        assert secret not in up.output
