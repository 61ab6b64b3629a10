"""Signed-in people on the pages of a whole network: real services and stores, and no socket between."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import html5lib
from werkzeug.test import Client, TestResponse

from tests.harness.people import Community
from tests.harness.runtimes import Shuffled

HOST = "http://localhost"


class Visit:
    """A browser in which one person is signed in."""

    def __init__(self, network: Shuffled, member_id: str, locale: str = "en") -> None:
        self.app, self.locale, self.member_id = network.app, locale, member_id
        self._client = Client(self.app)
        self._client.set_cookie(self.app.visitors.cookie, self.app.sessions.begin(UUID(member_id), "test"))

    def get(self, path: str, status: int = 200) -> Any:
        """Return a page, as a browser reads it, in the language of the visit."""
        return parsed(self._open("GET", self._in_language(path)), status)

    def read(self, path: str, **options: Any) -> TestResponse:
        """Return what a path answers, whatever it is."""
        return self._open("GET", path, **options)

    def send(self, page: Any, action: str, **typed: Any) -> TestResponse:
        """Send the form of a page that has this action, as it stands there but for what is typed."""
        (form,) = [each for each in page.iter("form") if (each.get("action") or "").partition("?")[0] == action]
        return self._open("POST", form.get("action"), data={**standing(form), **typed})

    def post(self, path: str, page: Any, **typed: Any) -> TestResponse:
        """Send what no form of the page offers, with the token of its forms."""
        token = next(each.get("value") for each in page.iter("input") if each.get("name") == "form_token")
        return self._open("POST", path, data={"form_token": token, **typed})

    def _open(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Accept": "text/html,*/*;q=0.5", "Sec-Fetch-Site": "same-origin"}
        place = {"REMOTE_ADDR": "127.0.0.1"}
        return self._client.open(path, HOST, method=method, headers=headers, environ_base=place, **options)

    def _in_language(self, path: str) -> str:
        return f"{path}{'&' if '?' in path else '?'}lang={self.locale}"


def with_role(
    network: Shuffled, role: str, community: Community | None = None, locale: str = "en", name: str = "Inès Chartrand"
) -> Visit:
    """Return the visit of a person who belongs nowhere and has a role in this community, or in the whole network."""
    member_id = str(uuid4())
    network.put_member(member_id, name)
    if community:
        network.put_role(community.id, member_id, role)
    else:
        network.ok("PUT", f"/v1/roles/{member_id}/{role}")
    network.settle()
    return Visit(network, member_id, locale)


def parsed(response: TestResponse, status: int = 200) -> Any:
    """Return a page as a browser reads it; html5lib in strict mode refuses what is not HTML."""
    assert response.status_code == status, f"{response.status_code}: {response.text[-3000:]}"
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(response.text)


def standing(form: Any) -> dict[str, Any]:
    """Return what a browser would send of a form that nobody touched; a button only if it is pressed."""
    sent: dict[str, Any] = {}
    for each in form.iter("input"):
        is_taken = each.get("type") not in ("checkbox", "radio") or each.get("checked") is not None
        if each.get("name") and is_taken:
            _add(sent, each.get("name"), each.get("value") or "")
    for each in form.iter("textarea"):
        sent[each.get("name")] = (each.text or "").removeprefix("\n")
    for each in form.iter("select"):
        options = list(each.iter("option"))
        chosen = [option for option in options if option.get("selected") is not None] or options[:1]
        sent[each.get("name")] = chosen[0].get("value") if chosen else ""
    return sent


def _add(sent: dict[str, Any], name: str, value: str) -> None:
    if name in sent:
        former = sent[name]
        sent[name] = [*(former if isinstance(former, list) else [former]), value]
    else:
        sent[name] = value


def words_of(page: Any) -> str:
    """Return the text of a page's main part, with single spaces."""
    return " ".join(" ".join(page.find("body/main").itertext()).replace("\xa0", " ").split())


def title_of(page: Any) -> str:
    """Return the heading of a page."""
    return " ".join("".join(next(page.iter("h1")).itertext()).split())


def actions_of(page: Any) -> set[str]:
    """Return where the forms of a page lead."""
    return {(each.get("action") or "").partition("?")[0] for each in page.iter("form")}


def links_of(page: Any) -> Mapping[str, str]:
    """Return where the links of a page lead, by their words."""
    return {" ".join("".join(each.itertext()).split()): each.get("href") for each in page.iter("a")}
