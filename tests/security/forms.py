"""Forms of all pages: found by opening what a person may open, not by a list."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import html5lib
from werkzeug.test import TestResponse

from gateway.forgery import FIELD
from tests.harness.pages import standing
from tests.security.site import Browser, Site

#: Fields in which people type; what is chosen or hidden is typed by attackers alone.
TYPED = ("text", "search", "email", "number", "date", "time", "url", "tel", "textarea")


@dataclass(frozen=True)
class Found:
    """A form as it stands on a page, and the kinds of its fields."""

    page: str
    method: str
    action: str
    fields: dict[str, Any] = field(hash=False, compare=False)
    kinds: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> list[str]:
        """Return the names of all fields but the token's."""
        return [name for name, _ in self.kinds if name != FIELD]

    @property
    def typed(self) -> list[str]:
        """Return the fields in which people type."""
        return [name for name, kind in self.kinds if kind in TYPED]

    def send(self, browser: Browser, **typed: Any) -> TestResponse:
        """Send it from this browser, with its token, as it stands but for what is typed."""
        sent = {name: each for name, each in self.fields.items() if name != FIELD} | typed
        if self.method == "POST":
            return browser.post(self.action, sent)
        return browser.open("GET", self.action.partition("?")[0], query_string=sent)


def forms_on(page: str, html: str) -> Iterator[Found]:
    """Return the forms of a page; html5lib in strict mode refuses what a browser would have to mend."""
    for form in parsed(html).iter("form"):
        kinds = {each.get("name"): each.get("type") or each.tag for each in fields_of(form) if each.get("name")}
        method, action = (form.get("method") or "get").upper(), urljoin(page, form.get("action") or page)
        yield Found(page, method, action, standing(form), tuple(sorted(kinds.items())))


def fields_of(form: Any) -> Iterator[Any]:
    """Return all that a browser may send of a form."""
    return (each for each in form.iter() if each.tag in ("input", "textarea", "select", "button"))


def parsed(html: str) -> Any:
    """Return a page as a browser reads it."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def forms_for(site: Site, browser: Browser, *more: str) -> list[Found]:
    """Return the forms on all pages that this browser is shown, and on ``more``; one of each kind."""
    paths = [path for route in site.pages if route.method == "GET" for path in site.paths(route)]
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Found] = {}
    for path in [*paths, *more]:
        response = browser.get(path)
        if response.status_code == 200 and response.mimetype == "text/html":
            for form in forms_on(path, response.text):
                found.setdefault((form.action.partition("?")[0], form.kinds), form)
    return list(found.values())
