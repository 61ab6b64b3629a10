"""Sixty people who answer in one room and thirty taps of attendance, while the service that keeps them is killed."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import html5lib
import pytest
from sqlalchemy import func, select

from chassis import clock, green
from chassis.settings import SERVICES, Settings
from chassis.storage.store import Store, open_store
from demo.network import Network
from operations import composition
from pratique.events.meetings import AttendanceState
from pratique.events.membership import Capacity, CommunityKind, Locale, Role
from pratique.requests.meetings import PutMeeting, StartMeeting
from pratique.requests.membership import PutCommunity, PutMember, PutMembership, PutRole
from services.evaluation.models import Marker, Survey, ballots
from services.evaluation.queries import count_eligible
from services.meetings.models import Attendance
from tests.faults.chaos.replica import Replica
from tests.harness.cockpit import Cockpit
from tests.harness.containers import running
from tests.harness.pages import standing
from tests.harness.people import ZONE, meeting_body
from tests.harness.waiting import PATIENCE_S, is_ready, until
from tests.servers import HOME, Fresh
from tests.servers.process import free_port

pytestmark = pytest.mark.real
PEOPLE, EARLY = 60, 20  #: in the room; of them, how many have answered before the service is killed
TAPS, EARLY_TAPS = 30, 10
STEP_S = 0.2  #: between two tries; the page's script waits longer, and a person too
KILLED = ("meetings", "evaluation")


@dataclass
class Fault:
    """A service that is killed when enough was kept, and started again when somebody was told that nothing is saved."""

    replica: Replica
    early: int
    kept: int = 0
    refused: int = 0
    has_struck: bool = False

    def strike(self) -> None:
        """Kill the service, and start it again."""
        until(lambda: self.kept >= self.early, what="what is kept before")
        self.replica.kill()
        self.has_struck = True
        until(lambda: self.refused > 0, what="somebody who is told")
        self.replica.start()

    def keep(self, number: int, save: Callable[[], bool]) -> None:
        """Save again and again until it is saved; those who are not early begin when the service was killed."""
        until(lambda: number < self.early or self.has_struck, what="the fault")
        while not save():
            self.refused += 1
            green.sleep(STEP_S)
        self.kept += 1


@dataclass(frozen=True)
class Room:
    """A meeting that is under way, with everybody there, and whoever leads it."""

    settings: Settings
    stores: dict[str, Store]
    replicas: dict[str, Replica]
    meeting_id: str
    facilitator: str
    members: list[str]


@pytest.fixture
def room(fresh: Fresh, tmp_path: Path) -> Iterator[Room]:
    port = free_port()
    at = {"http_port": port, "public_url": f"http://127.0.0.1:{port}", "mail_dir": tmp_path / "mail"}
    settings = fresh.guarded(**at, rpc_timeout_s=3.0)
    meeting_id, facilitator, members = gather(settings)
    environ = fresh.environ() | fresh.own_users()
    replicas = {
        name: Replica(
            name,
            1,
            environ | {"PRATIQUE_HEALTH_PORT": str(free_port()), "FAULTS_CLOCK": str(tmp_path / "clock")},
            HOME,
            tmp_path,
        )
        for name in KILLED
    }
    (tmp_path / "clock").write_text("0")
    with ExitStack() as held:
        for replica in replicas.values():
            replica.start()
            held.callback(replica.kill)
        held.enter_context(running(settings, composition.service_classes(("membership", "gateway"))))
        stores = {name: held.enter_context(closing(open_store(settings, name))) for name in (*KILLED, "gateway")}
        until(lambda: all(is_ready(each.port) for each in replicas.values()), what="services")
        yield Room(settings, stores, replicas, meeting_id, facilitator, members)


def gather(settings: Settings) -> tuple[str, str, list[str]]:
    """Let a meeting begin: its id, whoever facilitates it, and the people of its community."""
    community_id, meeting_id, facilitator, *members = (str(uuid4()) for _ in range(PEOPLE + 3))
    with Network(settings, composition.service_classes(SERVICES)) as network:
        network.do(
            PutCommunity,
            community_id=community_id,
            name="Cercle",
            purpose="Apprendre.",
            kind=CommunityKind.INDIVIDUALS,
            locale=Locale.FR,
            timezone=ZONE,
        )
        for number, member_id in enumerate((facilitator, *members)):
            card = {"name": f"Personne N{number}", "email": f"n{number}@example.org", "locale": "fr", "timezone": ZONE}
            network.do(PutMember, member_id=member_id, **card)
        for member_id in members:
            network.do(PutMembership, community_id=community_id, member_id=member_id, capacity=Capacity.INDIVIDUAL)
        network.do(PutRole, community_id=community_id, member_id=facilitator, role=Role.FACILITATOR)
        network.settle()
        starts_at = clock.now() + timedelta(minutes=5)
        network.do(PutMeeting, meeting_id=meeting_id, **meeting_body(community_id, starts_at=starts_at))
        network.do(StartMeeting, meeting_id=meeting_id)
        network.settle()
    return meeting_id, facilitator, members


class Phone:
    """A person's phone in the room, whose page keeps what was typed until it is told that it has arrived."""

    def __init__(self, port: int, room_code: str, member_id: str) -> None:
        self._port, self._path = port, f"/r/{room_code}?lang=en"
        self._form: dict[str, Any] = {"member": member_id}

    def open(self) -> None:
        """Choose one's name, until the questions are there."""
        until(lambda: self._send() == 200, every_s=STEP_S, what="the questions")

    def answer(self, value: int) -> bool:
        """Send the answer, or what the page has kept of it; return whether it has arrived."""
        self._form.setdefault("q.satisfaction", str(value))
        status = self._send()
        if status in (200, 410):  # 410: it had arrived before, and nobody was told
            return True
        assert (status, self._form.get("q.satisfaction")) == (503, str(value)), "told, and kept"
        return False

    def _send(self) -> int:
        """Send the form; what stands on the page that comes back is what is sent next."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        headers = {"Accept": "text/html", "Connection": "close", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", self._path, urlencode(self._form), headers)
        response = connection.getresponse()
        page = html5lib.HTMLParser(namespaceHTMLElements=False).parse(response.read().decode())
        connection.close()
        forms = [standing(each) for each in page.iter("form") if each.get("id") == "survey"]
        if forms or "ballot" in self._form:  # where the questions were there, a page must not lose what was typed
            self._form = forms[0] if forms else {}
        return response.status


def strike(fault: Fault, saves: Sequence[Callable[[], bool]]) -> None:
    """Save all of these side by side, while the fault strikes."""
    side_by_side([fault.strike, *[partial(fault.keep, number, save) for number, save in enumerate(saves)]])


def side_by_side(acts: Sequence[Callable[[], None]]) -> None:
    with green.Timeout(2 * PATIENCE_S):
        for each in [green.spawn(act) for act in acts]:
            each.wait()


def test_no_answer_and_no_tap_is_lost_or_doubled_when_their_service_is_killed_meanwhile(room: Room) -> None:
    cockpit = Cockpit(room.settings, room.stores["gateway"], room.facilitator, room.meeting_id)
    there, undone = room.members[:TAPS], room.members[: EARLY_TAPS // 2]

    def tap(how: str, member_id: str) -> bool:
        status = cockpit.tap(how, member_id)
        assert status in (200, 503)
        return status == 200

    strike(Fault(room.replicas["meetings"], EARLY_TAPS), [partial(tap, "there", each) for each in there])
    until(lambda: all(tap("gone", each) for each in undone), every_s=STEP_S)
    with room.stores["meetings"].begin() as transaction:
        attended = transaction.scalars(select(Attendance.member_id).where(Attendance.state == AttendanceState.ATTENDED))
        assert sorted(map(str, attended)) == sorted({*there} - {*undone})

    until(lambda: cockpit.tap("there", *room.members) == 200, every_s=STEP_S)
    until(lambda: cockpit.press("wrap-up") == 303, every_s=STEP_S)
    [(survey_id, room_code)] = until(lambda: opened(room.stores["evaluation"]))
    phones = [Phone(room.settings.http_port, room_code, each) for each in room.members]
    side_by_side([each.open for each in phones])
    values = [number % 5 + 1 for number in range(PEOPLE)]
    fault = Fault(room.replicas["evaluation"], EARLY)
    strike(fault, [partial(each.answer, value) for each, value in zip(phones, values, strict=True)])
    with room.stores["evaluation"].begin() as transaction:
        sheets = ballots.read_sheets(transaction, survey_id)
        taken = transaction.scalar(select(func.count()).select_from(Marker))
    assert Counter(each.answers["satisfaction"] for each in sheets) == Counter(values)
    assert taken == PEOPLE


def opened(evaluation: Store) -> list[tuple[UUID, str]]:
    """Return the survey and the code of the room, as soon as everybody may answer there."""
    with evaluation.begin() as transaction:
        surveys = transaction.scalars(select(Survey)).all()
        return [
            (each.id, each.room_code)
            for each in surveys
            if each.room_code and count_eligible(transaction, each.meeting_id) == PEOPLE
        ]
