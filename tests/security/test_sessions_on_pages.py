"""Sessions as pages show them: the way to sign out is on each, and cookies are short."""

from datetime import timedelta
from urllib.parse import urlsplit

from tests.harness.network import AT
from tests.security.forms import parsed
from tests.security.site import Browser, Site

WALL = "/meetings/{meeting_id}/wall"  #: is shown to a whole room, which has no use for it


def ways_out(browser: Browser, path: str) -> bool:
    """Whether a page leads to where one signs out, or offers it."""
    response = browser.get(path)
    if response.status_code != 200 or response.mimetype != "text/html":
        return True
    page = parsed(response.text)
    leads = {urlsplit(each.get("href") or each.get("action") or "").path for each in page.iter()}
    return bool({"/account", "/account/sign-out"} & leads)


def test_every_page_of_people_leads_to_where_one_signs_out(site: Site) -> None:
    routes = [each for each in site.pages if each.visitor and each.method == "GET" and each.template != WALL]
    for who in ("member", "facilitator", "admin"):
        browser = site.browser(who)
        lost = [path for route in routes for path in site.paths(route) if not ways_out(browser, path)]
        assert lost == [], who


def test_cookies_are_short(site: Site) -> None:
    links, browser = site.links(AT + timedelta(days=1)), site.browser()
    given = [
        browser.get(f"/i/{links['/i/{token}']}").headers["Set-Cookie"],
        browser.post(f"/sign-in/{links['/sign-in/{token}']}").headers["Set-Cookie"],
    ]
    lengths = [len(each.partition(";")[0]) for each in given]
    assert all(50 < each < 300 for each in lengths)
