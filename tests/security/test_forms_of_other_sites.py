"""Forms of other sites: no page of ours takes one, but where the secret that lets one in stands in the address."""

from tests.harness.network import AT
from tests.security.forms import forms_for
from tests.security.site import Site

#: What takes a form from anywhere: whoever can address it holds the secret, and no cookie that counts comes along,
#: since all are SameSite=Lax.
BY_ADDRESS = {"/r/", "/r/{room_code}", "/s/{token}", "/i/{token}"}


def test_no_page_takes_a_form_of_another_site_even_with_a_token_of_the_session(site: Site) -> None:
    taken = set()
    for route in [each for each in site.routes if each.method == "POST" and each.template not in BY_ADDRESS]:
        if route.scope is None and route.media == "text/html":
            for path in site.paths(route):
                answer = site.browser("admin").post(path, site="cross-site")
                if answer.status_code != 403:
                    taken.add(path)

    assert (taken, site.done) == (set(), [])


def test_a_form_that_another_site_copied_whole_changes_nothing(site: Site) -> None:
    for form in forms_for(site, site.browser("admin")):
        if form.method == "POST" and not form.action.startswith("/r/"):
            site.browser("admin").post(form.action, form.fields, site="cross-site")

    assert site.done == []


def test_looking_at_pages_changes_nothing(site: Site) -> None:
    """So that no picture or link of another site does anything."""
    for who in ("", "member", "admin"):
        browser = site.browser(who)
        for route in [each for each in site.pages if each.method == "GET"]:
            for path in site.paths(route):
                browser.get(path)
        if not who:
            for template, link in site.links(AT.replace(year=2030)).items():
                browser.get(template.replace("{token}", link))

    assert {kind.__name__ for kind, _ in site.done} <= {"OpenBallot"}  # which leaves no trace, as its own tests say
