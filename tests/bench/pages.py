"""Every page of the route table on the sample network, as the right person, and a tap of attendance."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import demo
from chassis.settings import SERVICES, Settings
from chassis.storage.store import Store, open_store
from demo.history import staff_id
from gateway.app import ROUTES
from gateway.routes import Media
from pratique.events.evaluation import SurveyState
from pratique.events.meetings import MeetingState
from pratique.events.membership import Role
from tests.bench import growth
from tests.bench.environment import Environment
from tests.bench.latency import ARRIVE_S
from tests.bench.measure import Stuck
from tests.bench.side import HOME, PRATIQUE
from tests.harness.client import HttpClient
from tests.harness.cockpit import Cockpit, cookie_of
from tests.harness.scene import Scene, set_scene
from tests.harness.waiting import until

LARGEST = "familles"  #: the sample's community with the most people
LOAD_S = 600
WARMING = 10  #: of each kind that are not timed


@dataclass(frozen=True)
class Site:
    """The sample network with a meeting in each step, and its gateway."""

    settings: Settings  #: of the gateway
    store: Store  #: the gateway's
    scene: Scene
    participants: Sequence[str]

    def pages_ms(self, count: int) -> Iterator[tuple[str, list[float]]]:
        """Yield each page's template, and the milliseconds that it takes, ``count`` times."""
        for page in self.scene.pages(ROUTES):
            if page.route.method == "GET" and page.route.media is Media.HTML:
                cookie = cookie_of(self.settings, self.store, page.member_id) if page.member_id else ""
                reader = growth.Reader(self.settings.http_port, {"Accept": "text/html", "Cookie": cookie})
                yield page.route.template, [reader.read_ms(page.path) for _ in range(WARMING + count)][WARMING:]

    def taps_ms(self, count: int) -> list[float]:
        """Milliseconds until each tap is saved."""
        people, meetings = self.scene.people, self.scene.meetings
        phone = Cockpit(self.settings, self.store, people["facilitator"], meetings[MeetingState.WRAP_UP])
        taken = []
        for number in range(WARMING + count):
            began = perf_counter()
            status = phone.tap(
                "gone" if number % 2 else "there", self.participants[number // 2 % len(self.participants)]
            )
            taken.append((perf_counter() - began) * 1000)
            if status != 200:
                raise Stuck(f"a tap was answered by {status}")
        return taken[WARMING:]


@contextmanager
def site(environment: Environment) -> Iterator[Site]:
    """The sample network, each of its services and the gateway a process of its own, for the length of the block."""
    fresh = environment.empty()
    command = (PRATIQUE, "sample", "load")
    environ = {**os.environ, **fresh.environ()}
    subprocess.run(command, env=environ, cwd=HOME, capture_output=True, check=True, timeout=LOAD_S)
    with growth.gateway(fresh, SERVICES) as (port, token):
        made = fresh.settings(http_port=port)
        client, of = HttpClient(port, token, timeout_s=30), f"/v1/communities/{demo.community_id(LARGEST)}"
        roles = client.ok("GET", f"{of}/roles?limit=500")["items"]
        people = {each["role"]: each["member_id"] for each in roles}
        people |= {role: str(staff_id(role)) for role in (Role.NETWORK_ADMIN,)}
        members = [each["member_id"] for each in client.ok("GET", f"{of}/memberships?limit=500")["items"]]
        participants = [each for each in members if each not in {row["member_id"] for row in roles}]
        people["member"] = participants[0]
        with closing(open_store(made, "gateway")) as store:
            scene = set_scene(
                client,
                made,
                store,
                people,
                str(demo.community_id(LARGEST)),
                participants,
                _released(client, of),
                _waited,
            )
            yield Site(made, store, scene, participants)


def _released(client: HttpClient, of: str) -> str:
    """Return a meeting of a community whose results are out."""
    for each in client.ok("GET", f"{of}/meetings?limit=500")["items"]:
        survey = client.request("GET", f"/v1/meetings/{each['meeting_id']}/survey")
        if survey.is_ok and survey.json["state"] == SurveyState.RELEASED:
            return str(each["meeting_id"])
    raise Stuck("the sample has no results in its largest community")


def _waited(found: Callable[[], Any]) -> Any:
    return until(found, ARRIVE_S, what="a survey")
