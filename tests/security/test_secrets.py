"""Secrets in addresses, cookies and bodies: each opens its own door, and none that is altered, foreign or over does.

Doors are the routes with a secret in their address, from the route table. What does not open is told like a secret that
was never made, so that trying tells nothing.
"""

import dataclasses
import re
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest

from chassis import clock
from gateway.app import routes_of
from pratique.requests.evaluation import PASSES
from pratique.requests.meetings import INVITATION_LINK
from tests.harness.network import AT
from tests.security.site import NO_SECRET, Site

UNTIL = AT + timedelta(days=1)
OTHER_KEY = "0d" * 32


@pytest.fixture(scope="module")
def links(site: Site) -> Mapping[str, str]:
    """One person's secret for each door."""
    return site.links(UNTIL)


@pytest.fixture(scope="module")
def secrets(site: Site, links: Mapping[str, str]) -> Mapping[str, str]:
    """All secrets that one person, or a program, may hold at a time."""
    seal, member_id = site.world.network.settings.seal, UUID(site.own.member_id)
    cookie = site.app.sessions.begin(member_id, "test")
    given = {"room_code": site.room_code, "member_id": site.own.member_id}
    return {
        **links,
        "a session": cookie,
        "a form's token": site.app.visitors.tokens.of(cookie.split("_")[1]),
        "a token of programs": site.world.token(None, scopes=("*",)),
        "a pass": seal.lasting_link(PASSES, UNTIL, UUID(site.own.meeting_id), member_id),
        "a ballot": site.world.ask("", "POST", "/v1/ballots", given).json["ballot_id"],
        "a room's code": site.room_code,
    }


def told(site: Site, template: str, secret: str) -> tuple[int, str]:
    """What a door says to this secret, but for the address itself and whose turn it is."""
    answer = site.browser().get(template.replace("{token}", secret))
    return answer.status_code, re.sub(r"[\w-]{32,}", "SECRET", answer.text.replace(secret, "SECRET"))


def test_every_door_with_a_secret_has_one(site: Site, links: Mapping[str, str]) -> None:
    doors = {route.template for route in routes_of(site.world.network.settings) if "{token}" in route.template}
    assert links.keys() == doors
    for door, link in links.items():
        assert told(site, door, link)[0] in (200, 303), door


def test_no_secret_opens_the_door_of_another(site: Site, links: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    wrong = []
    for door in links:
        unknown = told(site, door, NO_SECRET)
        assert unknown[0] in (404, 410), door
        wrong += [(door, name) for name, each in secrets.items() if name != door and told(site, door, each) != unknown]

    assert wrong == []


def test_a_secret_that_was_altered_anywhere_or_made_by_another_network_is_as_one_that_was_never_made(
    site: Site, links: Mapping[str, str]
) -> None:
    settings = site.world.network.settings
    foreign = dataclasses.replace(settings, seal_key=OTHER_KEY).seal
    survey, member_id, meeting = UUID(site.own.survey_id), UUID(site.own.member_id), UUID(site.own.meeting_id)
    others = {
        "/s/{token}": foreign.links("survey link", survey, [member_id])[0],
        "/i/{token}": foreign.lasting_link(INVITATION_LINK, UNTIL, meeting, member_id),
        "/results/{token}": foreign.link("results", survey),
        "/sign-in/as/{token}": foreign.link("sign-in", member_id),
    }
    wrong = []
    for door, link in links.items():
        places = range(0, len(link), 7)
        altered = [link[:at] + ("A" if link[at] != "A" else "B") + link[at + 1 :] for at in places]
        altered += [link[:-1], link[1:], link.swapcase(), link * 2, *filter(None, [others.get(door)])]
        unknown = told(site, door, NO_SECRET)
        wrong += [(door, each) for each in altered if told(site, door, each) != unknown]

    assert wrong == []


def test_what_is_over_opens_nothing(site: Site, links: Mapping[str, str]) -> None:
    session, held = site.app.sessions.begin(UUID(site.own.member_id), "test"), site.browser()
    held.client.set_cookie(site.app.visitors.cookie, session)
    with clock.fixed(AT + timedelta(days=31)):
        assert told(site, "/sign-in/{token}", links["/sign-in/{token}"]) == told(site, "/sign-in/{token}", NO_SECRET)
        assert held.get("/home").status_code == 303
        assert told(site, "/i/{token}", links["/i/{token}"])[0] == 410
        assert told(site, "/s/{token}", links["/s/{token}"])[0] == 410


@pytest.mark.parametrize("field", ["token", "room_pass", "ballot_id"])
def test_no_secret_of_another_kind_gives_a_ballot_or_sends_answers(
    site: Site, secrets: Mapping[str, str], field: str
) -> None:
    own = {"token": "/s/{token}", "room_pass": "a pass", "ballot_id": "a ballot"}[field]
    client = site.world.client
    for name, secret in secrets.items():
        if name == own:
            continue
        body = {"token": secret} if field == "token" else {"room_code": site.room_code, "room_pass": secret}
        if field == "ballot_id":
            body = {"ballot_id": secret, "answers": []}
        answer = client.post("/v1/answers" if field == "ballot_id" else "/v1/ballots", json=body)
        assert answer.status_code in (404, 422), (name, answer.text)


def test_no_secret_of_another_kind_is_a_session_or_a_token_of_programs(site: Site, secrets: Mapping[str, str]) -> None:
    for name, secret in secrets.items():
        browser = site.browser()
        browser.client.set_cookie(site.app.visitors.cookie, secret)
        assert (browser.get("/home").status_code == 200) is (name == "a session"), name
        answer = site.world.ask(secret, "GET", "/v1/communities")
        assert (answer.status_code == 200) is (name == "a token of programs"), name
