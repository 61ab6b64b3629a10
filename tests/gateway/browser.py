"""A browser before the gateway: it keeps cookies, and sends forms as they stand on the page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from werkzeug.test import Client, TestResponse

from tests.gateway.conftest import ANNE, Gate, parsed

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def knows(gate: Gate, member_id: str = ANNE, **known: Any) -> None:
    """Let membership know this person, with these traits, and find them by any address."""
    authority = {
        "name": "Anne Boucher",
        "locale": "en",
        "timezone": "America/Toronto",
        "roles": [],
        "community_ids": [],
    }
    gate.peer.says("membership.get_authority", authority | {"member_id": member_id} | known)
    gate.peer.says("membership.list_members", {"rows": [{"member_id": member_id, "version": 1}], "after": None})
    gate.peer.says("membership.list_communities", {"rows": [], "after": None})
    gate.peer.says("meetings.list_agenda", [])
    gate.peer.says("notifications.mail_sign_in_link", None)


class Browser:
    """One browser of one person."""

    def __init__(self, gate: Gate, agent: str = LAPTOP, host: str = "http://localhost", **headers: str) -> None:
        self.gate, self.client, self.host = gate, Client(gate.app), host
        self.headers = {"User-Agent": agent, "Accept": "text/html", **headers}

    def open(self, method: str, path: str, **options: Any) -> TestResponse:
        """Ask for one page, and follow nothing."""
        headers = {**self.headers, **options.pop("headers", {})}
        place = {"REMOTE_ADDR": "127.0.0.1", **options.pop("environ_base", {})}
        return self.client.open(path, self.host, method=method, headers=headers, environ_base=place, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        """Look at a page."""
        return self.open("GET", path, **options)

    def post(self, path: str, data: Mapping[str, str] | None = None, **options: Any) -> TestResponse:
        """Send a form, with the headers that a browser adds for a page of ours."""
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": self.host, **options.pop("headers", {})}
        return self.open("POST", path, data=data or {}, headers=headers, **options)

    def press(self, page: TestResponse, action: str, **more: str) -> TestResponse:
        """Send the form of a page that has this action, with its hidden fields."""
        (form,) = [each for each in parsed(page).iter("form") if (each.get("action") or "").partition("?")[0] == action]
        hidden = {each.get("name"): each.get("value") for each in form.iter("input") if each.get("type") == "hidden"}
        return self.post(action, hidden | more)

    def sign_in(self, member_id: str = ANNE) -> "Browser":
        """Sign in by a link."""
        token, _ = self.gate.app.sessions.create_link(UUID(member_id))
        assert self.post(f"/sign-in/{token}").status_code == 303
        return self

    @property
    def cookie(self) -> str:
        """The value of the session's cookie; empty without one."""
        found = self.client.get_cookie(self.gate.app.visitors.cookie, domain=self.host.partition("://")[2])
        return found.value if found else ""

    @property
    def is_signed_in(self) -> bool:
        """Whether the home page opens."""
        return self.get("/home").status_code == 200
