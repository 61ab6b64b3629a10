"""Whatever is typed into any field of any page: nothing runs, nothing breaks, and nothing hidden is kept.

Forms are found by opening all pages as whoever may; each field gets each of these, and what is hidden or chosen too.
"""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.validation import has_hidden, is_control
from pratique.requests.evaluation import CastSlip
from tests.harness.network import AT
from tests.security.forms import Found, forms_for, parsed
from tests.security.site import HOSTILE, Browser, Site

LETTERS = "é" * 10_000
TYPED = {
    "ten thousand letters": LETTERS,
    "markup": f"{HOSTILE}</title></textarea><svg onload=alert(1)>",
    "a link that runs": "javascript:alert(1)//https://example.org",
    "turns of direction": "Ada\u202eadA\u2066\u200b",
    "controls": "Ada\x00\x1b[31m\x7f\x85\u2028\ufdd0\uffff",
    "lines of a header": "Ada\r\nSet-Cookie: session=mine\r\nBcc: all@example.org",
    "a template": "{{ 7 * 7 }}{% raw %}${7*7}",
    "a query": "' or 1=1; drop table member; --",
    "a path": "../../../../etc/passwd",
    "what is no number": "9" * 400,
    "nothing": "",
}
#: Where a page may lead: nowhere else does a browser run or fetch. ``data:,`` is the icon that there is not.
LEADS = re.compile(r"[/?#]|https?://|webcal://|mailto:|data:,$|$")
WHO = ("", "member", "facilitator", "coordinator", "admin")


@pytest.fixture(scope="module")
def found(site: Site) -> list[tuple[str, Found]]:
    """The forms of all pages, each with who is shown it."""
    site.app.calendars.renew(UUID(site.people["member"]))  # which shows one more form
    site.world.token(None, scopes=("*",))  # and so does this
    links = site.links(AT + timedelta(days=1))
    public = [template.replace("{token}", link) for template, link in links.items() if "as" not in template]
    seen: dict[Any, tuple[str, Found]] = {}
    for who in WHO:
        for form in forms_for(site, site.browser(who), *([] if who else public)):
            seen.setdefault((form.method, form.action.partition("?")[0], form.kinds), (who, form))
    return list(seen.values())


def hrefs(page: Any) -> list[str]:
    names = ("href", "src", "action", "formaction", "data")
    return [each.get(name) for each in page.iter() for name in names if isinstance(each.tag, str) and each.get(name)]


def check(browser: Browser, form: Found, typed: dict[str, Any]) -> None:
    """Fail if what comes back would run or lead where somebody typed; status and headers are looked at elsewhere."""
    response = form.send(browser, **typed)
    if response.mimetype != "text/html" or not response.data:
        return
    page = parsed(response.text)
    scripts = [each for each in page.iter("script") if not (each.get("src") or "").startswith("/static/")]
    assert scripts == [], form
    assert [name for each in page.iter() for name in each.attrib if str(name).startswith("on")] == [], form
    assert [each for each in hrefs(page) if not LEADS.match(each)] == [], form


def strings(payload: Any) -> list[str]:
    if isinstance(payload, dict):
        return [text for each in payload.values() for text in strings(each)]
    if isinstance(payload, list | tuple):
        return [text for each in payload for text in strings(each)]
    return [payload] if isinstance(payload, str) else []


def check_kept(site: Site) -> None:
    """Fail if a service took what nobody sees, or more than a field has room for."""
    kept = [(kind, text) for kind, payload in site.done for text in strings(payload)]
    assert [kind for kind, text in kept if LETTERS in text] == []
    hidden = [(kind, text) for kind, text in kept if has_hidden(text) or any(map(is_control, text.replace("\n", "")))]
    assert [each for each in hidden if each[0] is not CastSlip] == []  # an answer is never shown as anything but text


@pytest.mark.parametrize("typed", TYPED)
def test_whatever_is_typed_into_all_fields_of_a_form_runs_nowhere_and_breaks_nothing(
    site: Site, found: list[tuple[str, Found]], typed: str
) -> None:
    for who, form in found:
        check(site.browser(who), form, dict.fromkeys(form.names, TYPED[typed]))
    check_kept(site)


@pytest.mark.parametrize("typed", ["ten thousand letters", "markup", "turns of direction"])
def test_whatever_is_typed_into_one_field_is_shown_again_as_text_or_refused(
    site: Site, found: list[tuple[str, Found]], typed: str
) -> None:
    for who, form in found:
        browser = site.browser(who)
        for name in form.typed:
            check(browser, form, {name: TYPED[typed]})
    check_kept(site)


def test_what_people_are_called_and_write_is_text_on_every_page(site: Site) -> None:
    shown = 0
    for who in WHO:
        browser = site.browser(who)
        for route in [each for each in site.pages if each.method == "GET"]:
            for path in site.paths(route):
                html = browser.get(path).text
                if html.startswith("<!"):
                    shown += "<script>alert" in "".join(parsed(html).itertext())
                    assert "<script>alert" not in html, path
    assert shown > 20


def test_every_form_of_every_page_was_walked(site: Site, found: list[tuple[str, Found]]) -> None:
    walked = {form.action.partition("?")[0] for _, form in found if form.method == "POST"}
    missing = []
    for route in [each for each in site.pages if each.method == "POST"]:
        shape = re.sub(r"\\{\w+\\}", r"[\\w-]+", re.escape(route.template))
        if not any(re.fullmatch(shape, each) for each in walked):
            missing.append(route.template)
    assert missing == []


def test_fields_are_found(found: list[tuple[str, Found]]) -> None:
    """So that the silence above proves something."""
    assert len(found) > 40
    assert sum(len(form.typed) for _, form in found) > 25
