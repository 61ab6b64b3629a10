"""Sample network as ``make run`` starts it, in a process of its own, with people who have yet to answer."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

from chassis import clock, settings
from demo import community_id
from demo.history import staff_id
from gateway.app import routes_of
from gateway.routes import Media, Route
from pratique.events.evaluation import SurveyState
from pratique.events.meetings import MeetingState
from pratique.events.membership import Role
from pratique.requests.meetings import INVITATION_LINK
from services.evaluation.models import tokens
from tests.browser.window import Window
from tests.harness.mails import LINK, MailFolder, text_of
from tests.harness.processes import Up, environ_of
from tests.harness.waiting import until
from tests.servers import HOME
from tests.servers.process import Process, free_port

_INVITATION = re.compile(r"/i/([\w-]{20,})")
_text_of = cache(text_of)  #: mails are looked through again and again until one is there
FAMILIES = "familles"  #: the largest community of the sample


class Named(NamedTuple):
    """Somebody in a room, as it names them."""

    member_id: str
    label: str


class Asked(NamedTuple):
    """A meeting that people were asked about."""

    meeting_id: str
    survey_id: str
    state: str


class Site:
    """What there is to visit: a room that is open, links that nobody has used, surveys that are over."""

    def __init__(self, up: Up, alone: str) -> None:
        self.alone = alone  #: the origin of a gateway to which no service answers
        self.origin = f"http://127.0.0.1:{up.port}"
        self.client = up.client
        self.settings = settings.embedded(HOME, up.data)
        self._community_id = str(community_id(FAMILIES))
        self._meetings: dict[MeetingState, str] = {}
        self._meetings_of: dict[str, str] = {}  #: by the link that invites
        self._mailbox = MailFolder(up.data / "mail")
        self._attending = self._participants()
        self.closed_room_code, self._links = self._close_a_meeting()
        self.room_code = self._open_a_room()
        self._names = iter(self._named())
        self._invitations = self._plan_a_meeting()
        self._signing_in = iter(self._attending)
        self._asked: dict[SurveyState, Asked] = {}
        self._sessions: dict[str, str] = {}  #: by role

    def next_name(self) -> Named:
        """Return somebody in the room who has not answered."""
        return next(self._names)

    def next_link(self) -> str:
        """Return the path of a survey link that nobody has used."""
        return f"/s/{next(self._links)}"

    def next_invitation(self) -> str:
        """Return the path of an invitation to a meeting to come that nobody has answered, as its mail has it."""
        return f"/i/{next(self._invitations)}"

    def late_invitation(self) -> str:
        """Return the path of an invitation to a meeting that is over, as its mail had it."""
        return f"/i/{self._invitation_links(self._closed)[0]}"

    def room_invitations(self) -> list[str]:
        """Return the paths of the invitations of two people to the meeting whose room is open."""
        seal, meeting, until = self.settings.seal, UUID(self._wrapped_up), clock.now() + timedelta(days=1)
        return [f"/i/{seal.lasting_link(INVITATION_LINK, until, meeting, UUID(each))}" for each in self._attending[:2]]

    def results_link(self, state: SurveyState) -> str:
        """Return the path of the page about a survey in this state, as its mail has it."""
        return f"/results/{self.settings.seal.link('results', UUID(self._asked_in(state).survey_id))}"

    def late_link(self) -> str:
        """Return the path of a survey link that nobody used before the survey was over."""
        survey_id, member_id = UUID(self._asked_in(SurveyState.RELEASED).survey_id), UUID(self._attending[0])
        return f"/s/{self.settings.seal.link(tokens.LINK, survey_id, member_id)}"

    def sign_in(self, window: Window, role: str) -> None:
        """Sign in whoever has this role in the largest community or over all; "member": has none."""
        if role in self._sessions:
            window.resume(self._sessions[role])
        else:
            self.sign_in_member(window, self._holding(role))
            self._sessions[role] = window.session

    def sign_in_member(self, window: Window, member_id: str) -> None:
        """Sign in somebody."""
        window.page.goto(f"/sign-in/as/{self.settings.seal.link('sign-in', UUID(member_id))}")

    def _holding(self, role: str) -> str:
        roles = self.client.ok("GET", f"/v1/communities/{self._community_id}/roles?limit=500")["items"]
        holding = {each["role"]: each["member_id"] for each in roles} | {"member": self._attending[0]}
        return str({**holding, "network_admin": staff_id(Role.NETWORK_ADMIN)}[role])

    def meeting(self, state: MeetingState) -> str:
        """Return the path of a meeting of the largest community in this state, as whoever leads it has it."""
        if state is MeetingState.WRAP_UP:
            return f"/meetings/{self._wrapped_up}"
        if state not in self._meetings:
            self._meetings[state] = self._make_a_meeting(state)
        return f"/meetings/{self._meetings[state]}"

    def asked_meeting(self, state: SurveyState) -> str:
        """Return the path of a meeting whose survey is in this state, of the largest community if it has one."""
        return f"/meetings/{self._asked_in(state).meeting_id}"

    def _asked_in(self, state: SurveyState) -> Asked:
        if state not in self._asked:
            self._asked[state] = next(each for each in self._surveys() if each.state == state)
        return self._asked[state]

    def _surveys(self) -> Iterator[Asked]:
        communities = [each["community_id"] for each in self.client.ok("GET", "/v1/communities")["items"]]
        for each in sorted(communities, key=lambda each: each != self._community_id):
            meetings = self.client.ok("GET", f"/v1/communities/{each}/meetings?limit=500")["items"]
            for meeting_id in [each["meeting_id"] for each in meetings if each["state"] == MeetingState.CLOSED]:
                survey = self.client.request("GET", f"/v1/meetings/{meeting_id}/survey")
                if survey.is_ok:
                    yield Asked(meeting_id, survey.json["id"], survey.json["state"])

    def _make_a_meeting(self, state: MeetingState) -> str:
        meeting_id = str(uuid4())
        themes = ["Le répit", "L’entraide entre voisins"]
        starts_at = clock.now() + timedelta(days=3)
        self.client.put_meeting(meeting_id, self._community_id, starts_at=starts_at, themes=themes)
        if state is MeetingState.IN_PROGRESS:
            self.client.start(meeting_id)
            states = dict.fromkeys(self._attending[:9], "attended") | {self._attending[9]: "excused"}
            self.client.record_attendance(meeting_id, states)
        if state is MeetingState.CANCELLED:
            self.client.ok("POST", f"/v1/meetings/{meeting_id}/cancel", {"reason": "La salle est inondée."})
        if state is MeetingState.CLOSED:
            self.client.start(meeting_id)
            self.client.record_attendance(meeting_id, dict.fromkeys(self._attending[:9], "attended"))
            self.client.close(meeting_id)
        return meeting_id

    @property
    def community(self) -> str:
        """The path of the largest community."""
        return f"/communities/{self._community_id}"

    @property
    def person(self) -> str:
        """The path of somebody who belongs to it."""
        return f"{self.community}/people/{self._attending[1]}"

    @property
    def region(self) -> str:
        """The path of a set with the largest community in it, and somebody who coordinates it."""
        set_id = uuid5(UUID(self._community_id), "region")
        of = f"/v1/community-sets/{set_id}"
        self.client.ok("PUT", of, {"name": "Estrie", "community_ids": [self._community_id]})
        self.client.ok("PUT", f"{of}/roles/{self._attending[1]}/coordinator")
        return f"/sets/{set_id}"

    def role_end(self, path: str) -> str:
        """Return the path on which a role over this set, community or network is ended."""
        if path == "/network":
            return f"{path}/roles/{staff_id(Role.NETWORK_ADMIN)}/{Role.NETWORK_ADMIN}/end"
        if path.startswith("/sets"):
            return f"{path}/roles/{self._attending[1]}/coordinator/end"
        self.client.ok("PUT", f"/v1{path}/roles/{self._attending[1]}/resource_person")
        return f"{path}/people/{self._attending[1]}/roles/resource_person/end"

    def next_address(self) -> str:
        """Return the address of somebody who has not asked for a link to sign in."""
        return str(self.client.ok("GET", f"/v1/members/{next(self._signing_in)}")["email"])

    def mailed(self, kind: str, address: str) -> str:
        """Return the path of the newest link of a kind, "s", "i" or "sign-in", that was mailed to this address."""
        pattern = re.compile(rf"(/{kind}/[\w-]+(?:\.[\w-]+)*)")

        def link() -> str | None:
            to = (_text_of(mail) for mail in reversed(self._mailbox.mails()) if address in str(mail["To"]))
            return next((match[1] for text in to if (match := pattern.search(text))), None)

        return str(until(link, every_s=0.05, what=f"the mail with the link /{kind}/"))

    def _participants(self) -> list[str]:
        """Return the members who are asked about meetings: all but those who facilitate."""
        of = f"/v1/communities/{self._community_id}"
        leading = {each["member_id"] for each in self.client.ok("GET", f"{of}/roles?limit=500")["items"]}
        members = [each["member_id"] for each in self.client.ok("GET", f"{of}/memberships?limit=500")["items"]]
        return [each for each in members if each not in leading]

    def _named(self) -> list[Named]:
        attending = self.client.ok("GET", f"/v1/rooms/{self.room_code}")["attending"]
        return [Named(each["member_id"], each["label"]) for each in attending]

    def _open_a_room(self) -> str:
        meeting_id = str(uuid4())
        theme, place = ["Rejoindre les pères"], "Salle 12, 100, rue des Érables"
        self.client.put_meeting(
            meeting_id, self._community_id, starts_at=clock.now() + timedelta(minutes=5), themes=theme, place=place
        )
        self.client.start(meeting_id)
        self.client.record_attendance(meeting_id, dict.fromkeys(self._attending, "attended"))
        self.client.wrap_up(meeting_id)

        def room_code() -> str | None:
            survey = self.client.request("GET", f"/v1/meetings/{meeting_id}/survey")
            return survey.json["room_code"] if survey.is_ok else None

        self._wrapped_up = meeting_id
        return str(until(room_code, what="the code of the room"))

    def _close_a_meeting(self) -> tuple[str, Iterator[str]]:
        """Close a meeting whose people are then asked by mail; return the code of its room and the ends of links."""
        before = len(self._survey_links())
        room_code = self._open_a_room()
        self.client.close(self._wrapped_up)
        self._closed = self._wrapped_up
        asked = len(self._attending) // 2
        until(lambda: len(self._survey_links()) >= before + asked, every_s=0.1, what="the mails that ask")
        return room_code, iter(self._survey_links()[before:])

    def _plan_a_meeting(self) -> Iterator[str]:
        """Plan a meeting, and return the ends of the links by which its people answer the invitation."""
        meeting_id = str(uuid4())
        starts_at = clock.now() + timedelta(days=3)
        self.client.put_meeting(meeting_id, self._community_id, starts_at=starts_at, themes=["Le répit"])
        asked = len(self._attending)
        until(lambda: len(self._invitation_links(meeting_id)) >= asked, every_s=0.1, what="the mails that invite")
        return iter(self._invitation_links(meeting_id))

    def _invitation_links(self, meeting_id: str) -> list[str]:
        found = [match[1] for mail in self._mailbox.mails() if (match := _INVITATION.search(_text_of(mail)))]
        return [each for each in found if self._meeting_of(each) == meeting_id]

    def _meeting_of(self, link: str) -> str:
        if link not in self._meetings_of:
            self._meetings_of[link] = str(self.settings.seal.read_lasting_link(INVITATION_LINK, link)[1][0])
        return self._meetings_of[link]

    def _survey_links(self) -> list[str]:
        return [found[1] for mail in self._mailbox.mails() if (found := LINK.search(_text_of(mail)))]

    def page_routes(self) -> list[Route]:
        """Return every route that answers with a page."""
        return [route for route in routes_of(self.settings) if route.media is Media.HTML]


@contextmanager
def alone(folder: Path) -> Iterator[str]:
    """The origin of a gateway to which no service answers, for the length of a ``with`` block."""
    process, port = Process(folder, "alone"), free_port()
    command = [sys.executable, "-m", "tests.browser.alone", str(folder), str(port)]
    process.start(command, environ_of(PYTHONWARNINGS="ignore"))
    try:
        process.wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stop()


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """A site for the length of a ``with`` block."""
    up = Up(folder)
    try:
        up.start()
        up.wait_until_up()
        (folder / "alone").mkdir()
        with alone(folder / "alone") as origin:
            yield Site(up, origin)
    finally:
        up.kill()
