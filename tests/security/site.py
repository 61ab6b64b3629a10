"""Site under attack: real services, stores and gateway; nothing that is done stays, and all that is done is known."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from werkzeug.test import Client, TestResponse

from gateway.app import App, routes_of
from gateway.forgery import FIELD
from gateway.routes import Media, Route
from operations import composition
from pratique.events.membership import Role
from pratique.request import Command
from pratique.requests.meetings import INVITATION_LINK
from tests.harness.network import AT
from tests.journeys.authority import World, three_communities

HOST = "http://localhost"
NO_SECRET = "A" * 43  #: stands where a secret should
#: What stands on pages of the own community alone, and would run wherever it is taken for markup.
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
PLACE = f"Salle des secrets {HOSTILE}"


class Site:
    """A network in which people of three communities, and others, open pages and send forms."""

    def __init__(self, world: World) -> None:
        self.world, self.own = world, world.own
        self.done: list[tuple[type[Command], Mapping[str, Any]]] = []
        self.app = App(self._call, world.network.stores["gateway"], world.network.settings, lambda: {"all": True})
        self.routes = routes_of(world.network.settings)
        self.pages = [route for route in self.routes if route.media is Media.HTML]
        self.meetings = self._hold_meetings()
        self.people = self._let_people_come()
        self.room_code = world.network.survey(self.own.meeting_id)["room_code"]

    def _call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        kind, _ = composition.service_class(service).handlers[method]
        answer = self.world.call(service, method, payload)
        if issubclass(kind, Command):
            self.done.append((kind, payload))
        return answer

    def _hold_meetings(self) -> dict[str, str]:
        """Return a meeting of the own community in each state, by its name."""
        network, own = self.world.network, self.own.community_id
        running, closed = str(uuid4()), str(uuid4())
        words = {"place": PLACE, "themes": [f"Thème {HOSTILE}"], "mode": "in_person"}
        network.put_community(
            own, name=f"Cercle {HOSTILE}", purpose=f"But {HOSTILE}", kind="open", headers={"If-Match": "*"}
        )
        network.put_member(self.own.member_id, f"Personne {HOSTILE}", headers={"If-Match": "*"})
        network.put_meeting(
            self.own.scheduled_id, own, starts_at=AT + timedelta(days=7), **words, headers={"If-Match": "*"}
        )
        for meeting_id in (running, closed):
            network.put_meeting(meeting_id, own, starts_at=AT, **words)
            network.start(meeting_id)
            network.record_attendance(meeting_id, {self.own.member_id: "attended"})
        network.close(closed)
        network.settle()
        return {"scheduled": self.own.scheduled_id, "running": running, "last": self.own.meeting_id, "closed": closed}

    def _let_people_come(self) -> dict[str, str]:
        """Return who attacks, and who may do what they do, by what they are."""
        network, own, sibling = self.world.network, self.own.community_id, self.world.sibling.community_id
        people = {"member": network.join(own, "Maude Membre"), "former member": network.join(own, "Léa Partie")}
        network.ok("DELETE", f"/v1/communities/{own}/memberships/{people['former member']}")
        for name, community_id, role in (
            ("facilitator", own, Role.FACILITATOR),
            ("coordinator", own, Role.COORDINATOR),
            ("sibling's facilitator", sibling, Role.FACILITATOR),
            ("sibling's coordinator", sibling, Role.COORDINATOR),
            ("former facilitator", own, Role.FACILITATOR),
        ):
            people[name] = str(uuid4())
            network.put_member(people[name], f"Personne {len(people)}")
            network.put_role(community_id, people[name], role.value)
        network.ok("DELETE", f"/v1/communities/{own}/roles/{people['former facilitator']}/facilitator")
        people["admin"] = str(uuid4())
        network.put_member(people["admin"], "Personne Administratrice")
        network.ok("PUT", f"/v1/roles/{people['admin']}/network_admin")
        for of in (f"/v1/communities/{own}", f"/v1/community-sets/{self.own.set_id}", "/v1"):
            network.ok("PUT", f"{of}/roles/{self.own.member_id}/note_taker")
        network.settle()
        return people

    def browser(self, who: str = "") -> "Browser":
        """Return a browser in which this person is signed in; nobody, if none is named."""
        return Browser(self, self.people[who] if who else "")

    def paths(self, route: Route) -> list[str]:
        """Return addresses of the own community that a route matches: for meetings, one in each state."""
        known = vars(self.own) | {"token": NO_SECRET, "name": "app.css", "room_code": self.room_code}
        known |= {"session_id": "0" * 12, "token_id": "0" * 12, "role": "note_taker"}
        meetings = list(self.meetings.values()) if "{meeting_id}" in route.template else [""]
        return [route.template.format_map(known | {"meeting_id": each}) for each in meetings]

    def links(self, until: datetime) -> dict[str, str]:
        """Return what opens each page with a secret in its address, for one person, by the route's template."""
        settings, member_id = self.world.network.settings, UUID(self.own.member_id)
        seal, survey = settings.seal, UUID(self.own.survey_id)
        return {
            "/s/{token}": seal.links("survey link", survey, [member_id])[0],
            "/i/{token}": seal.lasting_link(INVITATION_LINK, until, UUID(self.own.meeting_id), member_id),
            "/results/{token}": seal.link("results", survey),
            "/sign-in/{token}": self.app.sessions.create_link(member_id)[0],
            "/sign-in/as/{token}": seal.link("sign-in", member_id),
            "/calendar/{token}.ics": self.app.calendars.renew(member_id),
        }


class Browser:
    """A browser: it keeps cookies, says where a form comes from, and looks at the headers of all that it is given."""

    def __init__(self, site: Site, member_id: str = "") -> None:
        self.site, self.client, self.form_token = site, Client(site.app), ""
        if member_id:
            cookie = site.app.sessions.begin(UUID(member_id), "test")
            session = site.app.sessions.find(cookie)
            assert session is not None
            self.client.set_cookie(site.app.visitors.cookie, cookie)
            self.form_token = site.app.visitors.tokens.of(session.session_id)

    def get(self, path: str) -> TestResponse:
        """Look at a page."""
        return self.open("GET", path)

    def post(self, path: str, form: Mapping[str, Any] | None = None, site: str = "same-origin") -> TestResponse:
        """Send a form with the token of this session's forms, as a page of ours or of another site would."""
        return self.open(
            "POST", path, data={FIELD: self.form_token} | dict(form or {}), headers={"Sec-Fetch-Site": site}
        )

    def open(self, method: str, path: str, **options: Any) -> TestResponse:
        """Ask for one page, and follow nothing."""
        headers = {"Accept": "text/html,*/*;q=0.5", **options.pop("headers", {})}
        place = {"REMOTE_ADDR": "127.0.0.1"}
        response = self.client.open(path, HOST, method=method, headers=headers, environ_base=place, **options)
        look_at(response, path)
        return response


def look_at(response: TestResponse, path: str) -> None:
    """Fail unless an answer, whatever it is, has the headers that keep it from doing harm."""
    headers = response.headers
    assert response.status_code < 500, f"{path}: {response.status_code} {response.text[-500:]}"
    assert headers["X-Content-Type-Options"] == "nosniff", path
    if response.mimetype == "text/html" and response.data:
        policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'", path
        assert policy["frame-ancestors"] in ("'none'", "'self'"), path
        assert policy["form-action"] == "'self'", path
        assert policy["base-uri"] == "'none'", path
        assert policy.get("script-src", "'none'") in ("'none'", "'self'"), path
        assert headers["Cache-Control"] == "no-store", path
        assert headers["Referrer-Policy"] == "no-referrer", path
    if "Location" in headers:
        assert re.match(r"[?/](?!/)|$", headers["Location"]), f"{path} leads out, to {headers['Location']}"
    for cookie in headers.getlist("Set-Cookie"):
        assert {"HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}, path


@contextmanager
def site_in(folder: Path) -> Iterator[Site]:
    """A site, for the length of a ``with`` block."""
    with three_communities(folder) as world:
        yield Site(world)
