"""A page asks each service at most once, and side by side: counted where requests leave the gateway.

But for who somebody is and what communities are called, which all pages share and which are known for a moment.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import Client, TestResponse

from chassis import clock
from gateway.app import ROUTES, App
from gateway.routes import Media
from gateway.together import one_by_one
from tests.harness.network import AT
from tests.harness.pages import with_role
from tests.harness.people import ZONE
from tests.harness.runtimes import Shuffled, shuffled_network
from tests.harness.scene import Page, Scene, set_scene
from tests.journeys.authority import undone

#: Pages that ask a second time, of a service that they have not asked yet: the first answer names whom.
IN_TURN = {
    "/home": "which meetings there are results of",
    "/meetings/{meeting_id}": "which communities meet",
    "/meetings/{meeting_id}/prepare": "which communities meet",
    "/meetings/{meeting_id}/corrections": "which communities meet",
    "/meetings/{meeting_id}/attendance/{member_id}": "which communities meet",
    "/admin/audit": "who has acted",
}
#: What asks one service several times, one after the other, and why.
_APART = "a person and their answers are never asked about together (docs/decisions/0005)"
_BEFORE = "which survey it is about is asked before a ballot is, alike for links that are spent (docs/decisions/0005)"
REPEATING = {
    ("GET", "/s/{token}"): _BEFORE,
    ("GET", "/r/{room_code}"): _BEFORE,
    ("POST", "/s/{token}"): _APART,
    ("POST", "/r/{room_code}"): _APART,
    ("POST", "/sets/{set_id}/edit"): "the communities that the form does not offer are kept",
    ("POST", "/meetings/{meeting_id}/prepare"): "what is sent is compared with what stands there, and then kept",
}
_COMMUNITY = {"name": "Cercle", "purpose": "Apprendre.", "kind": "open", "locale": "fr", "timezone": ZONE}
_HOURS = {"starts_at.day": "2026-05-04", "starts_at.hour": "14:00", "ends_at.hour": "15:00"}
_MEETING = {"kind": "meeting", "mode": "online", **_HOURS}
TYPED: Mapping[str, Mapping[str, str]] = {
    "/r/": {"code": "K7MQ2PXY"},
    "/i/{token}": {"partstat": "accepted"},
    "/sign-in": {"email": "anne@example.org"},
    "/home/answers/{meeting_id}": {"partstat": "accepted"},
    "/communities/new": _COMMUNITY,
    "/communities/{community_id}/edit": {**_COMMUNITY, "version": "1"},
    "/communities/{community_id}/people/new": {
        "name": "Zoé Roy",
        "email": "zoe@example.org",
        "part": "representative",
        "organization": "Centre des aînés",
        "role": "facilitator",
    },
    "/communities/{community_id}/people/{member_id}/roles": {"role": "note_taker"},
    "/communities/{community_id}/people/{member_id}/end": {"reason": "left"},
    "/sets/new": {"name": "Estrie"},
    "/sets/{set_id}/roles": {"email": "mia@example.org", "name": "Mia Roy", "role": "facilitator"},
    "/network/roles": {"email": "lea@example.org", "name": "Léa Roy", "role": "facilitator"},
    "/admin/tokens": {"name": "Intranet", "role": "facilitator"},
    "/meetings/new": _MEETING,
    "/meetings/{meeting_id}/cancel": {"reason": "La salle est inondée."},
    "/meetings/{meeting_id}/attendance/{member_id}": {"state": "excused"},
}


class Counted:
    """The gateway of a network, which notes what it asks: turns that follow one another, each of questions together.

    Nothing that a page changes in a service stays, so that none depends on another.
    """

    def __init__(self, network: Shuffled) -> None:
        self._network, self._is_together = network, False
        self.turns: list[list[str]] = []
        store = network.stores["gateway"]
        self.app = App(self._call, store, network.settings, lambda: {"all": True}, together=self._together)

    def _call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        if not self._is_together:
            self.turns.append([])
        self.turns[-1].append(service)
        return undone(self._network, service, method, payload)

    def _together(self, acts: Sequence[Callable[[], Any]]) -> list[Any]:
        self.turns.append([])
        self._is_together = True
        try:
            return one_by_one(acts)
        finally:
            self._is_together = False

    @property
    def most_asked(self) -> int:
        """How often the service was asked that was asked most."""
        return max(Counter([service for turn in self.turns for service in turn]).values(), default=0)

    def open(self, page: Page, **typed: str) -> TestResponse:
        """Open a page, or send its form, as who has looked at another page just before."""
        client, headers = Client(self.app), {"Accept": "text/html,*/*;q=0.5", "Sec-Fetch-Site": "same-origin"}
        if page.member_id:
            sessions = self.app.sessions
            client.set_cookie(self.app.visitors.cookie, sessions.begin(UUID(page.member_id), "test"))
        before = client.get("/home" if page.member_id else "/")
        if page.route.method == "POST":
            typed |= dict(re.findall(r'name="(form_token)" value="([^"]+)"', before.text)[:1])
        self.app.communities.all()
        self.turns.clear()
        return client.open(page.path, method=page.route.method, data=typed or None, headers=headers)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Counted, Scene]]:
    with clock.fixed(AT), shuffled_network(tmp_path_factory.mktemp("network"), seed=1) as network:
        community = network.create_community(members=8, kind="open")
        people = {role: with_role(network, role).member_id for role in ("network_admin", "coordinator")}
        people |= {"facilitator": with_role(network, "facilitator", community).member_id}
        people |= {"member": community.member_ids[0]}
        network.put_role(community.id, people["member"], "note_taker")
        released_id = network.schedule(community.id)
        network.hold(released_id, dict.fromkeys(community.member_ids, "attended"))
        network.close(released_id)
        network.advance(days=8)

        def settled(found: Callable[[], Any]) -> Any:
            network.settle()
            return found()

        store = network.stores["gateway"]
        yield (
            Counted(network),
            set_scene(
                network, network.settings, store, people, community.id, community.member_ids, released_id, settled
            ),
        )


def page_of(scene: Scene, method: str, template: str) -> Page:
    (page,) = [each for each in scene.pages(ROUTES) if (each.route.method, each.route.template) == (method, template)]
    return page


def templates(method: str) -> list[str]:
    pages = [each.template for each in ROUTES if each.method == method and each.media is Media.HTML]
    return [each for each in pages if (method, each) not in REPEATING]


@pytest.mark.parametrize("template", templates("GET"))
def test_a_page_asks_each_service_once_and_all_side_by_side(seen: tuple[Counted, Scene], template: str) -> None:
    counted, scene = seen
    answer = counted.open(page_of(scene, "GET", template))
    assert answer.status_code == (303 if template.startswith("/R/") else 200), answer.text
    assert counted.most_asked <= 1, counted.turns
    assert len(counted.turns) <= (2 if template in IN_TURN else 1), counted.turns


@pytest.mark.parametrize("template", templates("POST"))
def test_a_form_that_is_taken_asks_each_service_once(seen: tuple[Counted, Scene], template: str) -> None:
    counted, scene = seen
    typed = dict(TYPED.get(template, {}))
    if template == "/meetings/new":
        typed |= {"community_ids": scene.community_id, "meeting_id": str(uuid4())}
    answer = counted.open(page_of(scene, "POST", template), **typed)
    is_gone = template.startswith(("/sign-in/", "/admin/tokens/"))  # by the other page of the same; asks nobody anyway
    assert answer.status_code in ((303, 404) if is_gone else (200, 303)), f"{answer.status_code} {answer.text}"
    assert counted.most_asked <= 1, counted.turns
