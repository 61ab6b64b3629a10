"""Every page of a network by its route: its address, and as whom one comes to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis import clock
from chassis.settings import Settings
from chassis.storage.store import Store
from gateway.calendars import CalendarStore
from gateway.routes import Media, Route
from gateway.sessions import SessionStore
from pratique.events.meetings import MeetingState
from pratique.requests.meetings import INVITATION_LINK
from services.evaluation.models import tokens
from tests.harness.client import HttpClient, Response
from tests.harness.network import Network

#: The first that a template begins with says who comes there; pages of those who are signed in, and no others.
_WHO = (
    ("/admin", "network_admin"),
    ("/network/roles", "network_admin"),
    ("/network", "coordinator"),
    ("/sets", "coordinator"),
    ("/communities/new", "network_admin"),
    ("/communities", "coordinator"),
    ("/home/answers", "member"),
    ("/", "facilitator"),
)
#: The first that a template ends with says in which state the meeting is that it shows.
_STATES = (
    ("/prepare", MeetingState.SCHEDULED),
    ("/cancel", MeetingState.SCHEDULED),
    ("/start", MeetingState.SCHEDULED),
    ("/answers/{meeting_id}", MeetingState.SCHEDULED),
    ("/corrections", MeetingState.CLOSED),
    ("/results", MeetingState.CLOSED),
    ("", MeetingState.WRAP_UP),
)


@dataclass(frozen=True)
class Page:
    """One page: its route, its address, and who comes to it; None where nobody is asked who they are."""

    route: Route
    path: str
    member_id: str | None

    def __str__(self) -> str:
        """Return its method and template, by which tests and figures are called."""
        return f"{self.route.method} {self.route.template}"


@dataclass(frozen=True)
class Scene:
    """A community with a meeting in each step, and what opens the pages about it."""

    people: Mapping[str, str]  #: member id by role; "member" has none
    community_id: str
    meetings: Mapping[MeetingState, str]
    secrets: Mapping[str, str]  #: what opens a page, by how its address begins
    room_code: str
    set_id: str

    def pages(self, routes: Sequence[Route]) -> list[Page]:
        """Return the pages of these routes."""
        return [self._page(route) for route in routes if route.media in (Media.HTML, Media.CALENDAR)]

    def _page(self, route: Route) -> Page:
        template = route.template
        who = next(role for begin, role in _WHO if template.startswith(begin))
        state = next(state for end, state in _STATES if template.endswith(end))
        said = {
            "community_id": self.community_id,
            "member_id": self.people["member"],
            "meeting_id": self.meetings[state],
            "room_code": self.room_code,
            "token": next((each for begin, each in self.secrets.items() if template.startswith(begin)), ""),
            "set_id": self.set_id,
            "role": "note_taker",
            "session_id": "0123456789ab",
            "token_id": "0123456789ab",
        }
        return Page(route, template.format_map(said), self.people[who] if route.visitor else None)


def set_scene(
    network: Network | HttpClient,
    settings: Settings,
    store: Store,
    people: Mapping[str, str],
    community_id: str,
    participants: Sequence[str],
    released_id: str,
    wait_for: Callable[[Callable[[], Any]], Any],
) -> Scene:
    """Bring meetings of a community to each step, and make what opens the pages about them.

    ``store`` is the gateway's, and ``released_id`` a meeting whose results are out. ``wait_for`` returns what a
    function returns, as soon as that is true.
    """
    planned, wrapped, asked = (str(uuid4()) for _ in range(3))
    network.put_meeting(planned, community_id, starts_at=clock.now() + timedelta(days=3), themes=["Le répit"])
    for meeting_id in (asked, wrapped):
        network.put_meeting(meeting_id, community_id, starts_at=clock.now() + timedelta(minutes=5))
        network.start(meeting_id)
        network.record_attendance(meeting_id, dict.fromkeys(participants, "attended"))
        network.wrap_up(meeting_id)
    network.close(asked)

    def survey_of(meeting_id: str) -> Any:
        survey = wait_for(lambda: _found(network.request("GET", f"/v1/meetings/{meeting_id}/survey")))
        return survey.json

    member_id = UUID(people["member"])
    survey_id, released = UUID(survey_of(asked)["id"]), UUID(survey_of(released_id)["id"])
    until = clock.now() + timedelta(days=11)
    secrets = {
        "/s/": tokens.links_for(settings.seal, survey_id, [UUID(participants[0])])[0],
        "/i/": settings.seal.lasting_link(INVITATION_LINK, until, UUID(planned), member_id),
        "/results/": settings.seal.link("results", released),
        "/sign-in/": SessionStore(store).create_link(member_id)[0],
        "/calendar/": CalendarStore(store).renew(member_id),
    }
    meetings = {
        MeetingState.SCHEDULED: planned,
        MeetingState.WRAP_UP: wrapped,
        MeetingState.CLOSED: released_id,
    }
    set_id = str(uuid4())
    network.ok("PUT", f"/v1/community-sets/{set_id}", {"name": "Région", "community_ids": [community_id]})
    for of in (f"/v1/community-sets/{set_id}", "/v1", f"/v1/communities/{community_id}"):
        network.ok("PUT", f"{of}/roles/{member_id}/note_taker")
    return Scene(people, community_id, meetings, secrets, survey_of(wrapped)["room_code"], set_id)


def _found(answer: Response) -> Response | None:
    return answer if answer.is_ok else None
