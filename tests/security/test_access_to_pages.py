"""Whoever has no business in a community sees nothing of it on any page, and no form of theirs changes anything there.

Each page of the route table, with ids of a community and of its meetings in all states; and each form that whoever may
use it is shown, filled in as it stands there, sent from the attacker's own session with the attacker's own token.
"""

from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.models import ApiToken
from tests.security.forms import Found, forms_for
from tests.security.site import Site

ATTACKERS = ("former member", "former facilitator", "sibling's facilitator", "sibling's coordinator")
each_attacker = pytest.mark.parametrize("who", ["", "member", *ATTACKERS], ids=lambda who: who or "nobody")
#: What everybody has who is signed in: it shows and changes what is their own.
PERSONAL = ("/home", "/account", "/messages", "/calendar")
OWNERS = ("facilitator", "coordinator", "admin")


@pytest.fixture(scope="module")
def forms(site: Site) -> list[Found]:
    """The forms that whoever may change something in the community is shown."""
    found = [each for who in OWNERS for each in forms_for(site, site.browser(who))]
    changing = [each for each in found if each.method == "POST" and each.action.count("/") > 1]
    return [each for each in changing if not each.action.startswith((*PERSONAL, "/r/"))]


@each_attacker
def test_no_page_of_a_community_opens_for_whoever_has_no_business_there(site: Site, who: str) -> None:
    browser, wrong = site.browser(who), []
    for route in [each for each in site.routes if each.visitor and each.method == "GET" and each.variables]:
        for path in site.paths(route):
            answer = browser.get(path)
            is_refused = answer.status_code == 403 if who else "/sign-in?" in answer.headers.get("Location", "")
            if not is_refused or any(name in answer.text for name in ("Salle des secrets", "Thème", "Personne N")):
                wrong.append(f"{path}: {answer.status_code}")

    assert wrong == []


@each_attacker
def test_no_form_of_a_community_changes_anything_for_whoever_has_no_business_there(
    site: Site, who: str, forms: list[Found]
) -> None:
    browser, before = site.browser(who), tokens(site)
    assert len(forms) > 25
    for form in forms:
        form.send(browser)

    assert [f"{kind.__name__} {payload}" for kind, payload in site.done] == []
    assert tokens(site) == before


@pytest.mark.parametrize("who", ["former member", "sibling's facilitator"])
def test_nobody_answers_an_invitation_that_is_not_theirs(site: Site, who: str) -> None:
    path = f"/home/answers/{site.own.scheduled_id}"
    site.browser(who).post(path, {"partstat": "accepted"})
    assert site.done == []
    site.browser("member").post(path, {"partstat": "accepted"})
    assert len(site.done) == 1


@pytest.mark.parametrize("who", ["member", *ATTACKERS])
def test_home_shows_nothing_of_communities_to_which_one_does_not_belong(site: Site, who: str) -> None:
    pages = [site.browser(who).get(path).text for path in PERSONAL]
    shown = [name for name, meeting_id in site.meetings.items() for page in pages if meeting_id in page]
    assert ("scheduled" in shown) is (who == "member"), shown
    assert shown == [] or who == "member"


def test_whoever_may_does_all_that_the_others_may_not(site: Site, forms: list[Found]) -> None:
    """So that the silence above proves something."""
    for form in [each for each in forms if not each.action.startswith("/admin/")]:  # tokens are no service's
        form.send(site.browser("admin"))

    assert len({kind for kind, _ in site.done}) > 8


def tokens(site: Site) -> Any:
    with site.world.network.stores["gateway"].begin() as session:
        return session.scalar(select(func.count()).select_from(ApiToken))
