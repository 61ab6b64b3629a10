"""The embedded mode, killed at any moment and started again: what was acknowledged is there, and follows once.

``python -m tests.faults.embedded --kills 20 --first-seed 1 --seeds 5`` runs it longer than the tests do. A run is told
by its seed: what people do and when the process is killed, as far as a machine repeats itself.
"""

import argparse
import dataclasses
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select, update

import demo
from chassis import settings
from chassis.messaging import inbox, outbox
from chassis.settings import SERVICES, STORES
from chassis.storage.migrate import migrate
from chassis.storage.store import Store, open_store
from demo.network import Network
from gateway.auth import create_token
from operations import composition
from pratique.events.evaluation import SurveyOpened
from pratique.events.notifications import Template
from pratique.requests.membership import PutCommunity
from services.notifications.models import Message, State, message_id
from services.notifications.service import SENDERS
from tests.journeys.rest import is_at_rest
from tests.servers.process import free_port

HOME = Path(__file__).parents[2]
UP = [sys.executable, "-W", "ignore", "-c", "from operations import main; main()", "--data"]
CIRCLES = 4  #: communities that work side by side, so that something is always under way
PEOPLE = 6  #: in each
ZONE = "America/Toronto"
WORDS = {"name": "Familles", "purpose": "Aider", "kind": "individuals", "locale": "fr", "timezone": ZONE}
START_S = 2.5  #: one kill of four comes within so long after a start, most of them before it is ready
WORK_S = 1.5  #: the others come within so long after it was ready, amid its work
POINT_S = 8.0  #: who is to die at a named point and has not passed there by then is killed all the same
#: Every other life ends at one of these boundaries (chassis/crashpoint.py), where events are in memory alone, or a
#: mail is written and not yet noted. A random moment hits them too seldom.
POINTS = ["inbox.claimed", "inbox.before_commit", "inbox.committed", "relay.confirmed", "relay.before_clear"]
POINTS += ["mail.claimed", "mail.accepted"]
PATIENCE_S = 300.0  #: for one command to be taken through all kills, and for everything to come to rest


class Away(Exception):
    """Nobody answered; whether the command was taken is unknown, so it is given again."""


class Embedded:
    """One folder in which ``pratique up`` is started, killed and started again, and reached over HTTP alone."""

    def __init__(self, folder: Path) -> None:
        self.settings = dataclasses.replace(settings.embedded(HOME, folder), http_port=free_port())
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "log"
        classes = composition.service_classes(SERVICES)
        with Network(self._migrated(), classes) as network:  # the least that counts as a loaded sample
            network.do(PutCommunity, community_id=str(demo.community_id("familles")), **WORDS)
        with self.stores("gateway") as (opened,), opened.begin() as session:
            self._token = create_token(session, "faults", ["*"])

    def _migrated(self) -> settings.Settings:
        for name in STORES:
            with self.stores(name) as (opened,):
                migrate(opened, composition.migrations_of(name))
        return self.settings

    @contextmanager
    def stores(self, *names: str) -> Iterator[list[Store]]:
        """These stores, read beside the process."""
        opened = [open_store(self.settings, name) for name in names]
        try:
            yield opened
        finally:
            for each in opened:
                each.close()

    def start(self, crash_at: str = "") -> None:
        """Start it as ``make run`` does; perhaps to die at a named point."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PRATIQUE_")}
        here = {"PRATIQUE_HTTP_PORT": str(self.settings.http_port), "PRATIQUE_HOME": str(HOME), "PYTHONPATH": str(HOME)}
        if crash_at:
            here["PRATIQUE_CRASH_AT"] = crash_at
        with self._log.open("ab") as log:
            command = [*UP, str(self.settings.data_dir), "up"]
            self._process = subprocess.Popen(command, env=inherited | here, cwd=HOME, stdout=log, stderr=log)
        self.starts += 1

    def kill(self) -> None:
        """End it with kill -9, wherever it is."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)

    def wait_for_the_end(self, at_most_s: float) -> None:
        """Return when it has ended by itself, or after so long."""
        with suppress(subprocess.TimeoutExpired):
            assert self._process is not None
            self._process.wait(at_most_s)

    def stop(self) -> None:
        """Tell it to stop; it must do so by itself."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(60) == 0, self.said()

    def said(self) -> str:
        """What it has said, in all its lives."""
        return self._log.read_text(errors="replace")[-4000:]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request.

        Raises:
            Away: no answer came.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.http_port, timeout=15)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Away(str(error)) from error
        finally:
            connection.close()
        return response.status, json.loads(text) if text else None

    def insist(self, method: str, path: str, body: Any = None) -> Any:
        """Give a command until it is acknowledged, as a client does that does not know whether it was taken."""
        end, answer = time.monotonic() + PATIENCE_S, (0, None)
        while time.monotonic() < end:
            try:
                answer = self.ask(method, path, body)
            except Away:
                answer = 0, None
            if 200 <= answer[0] < 300:
                return answer[1]
            time.sleep(0.05)
        raise AssertionError(f"{method} {path}: {answer} for {PATIENCE_S:.0f} s\n{self.said()}")


@dataclasses.dataclass
class Diary:
    """What was acknowledged."""

    member_ids: list[str] = dataclasses.field(default_factory=list)
    attendance: dict[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)  #: of each closed meeting
    commands: int = 0

    @classmethod
    def of(cls, diaries: Sequence["Diary"]) -> "Diary":
        """All of these in one."""
        whole = cls()
        for each in diaries:
            whole.member_ids += each.member_ids
            whole.attendance |= each.attendance
            whole.commands += each.commands
        return whole

    def eligible(self, meeting_id: str) -> list[str]:
        """Who was there, wholly or in part."""
        states = self.attendance[meeting_id]
        return sorted(id for id, state in states.items() if state in ("attended", "attended_partly"))


class Circle:
    """People who found a community and meet, again and again, whatever happens to the program meanwhile."""

    def __init__(self, embedded: Embedded, seed: int, number: int) -> None:
        self._embedded, self._chance, self.diary = embedded, random.Random(f"{seed}/{number}"), Diary()
        self._space, self._number = uuid5(UUID(int=seed), str(number)), number
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._live)
        self._is_over = threading.Event()

    def start(self) -> None:
        """Begin to live, beside the others."""
        self._thread.start()

    def finish(self) -> Diary:
        """Meet once more, and tell what was acknowledged."""
        self._is_over.set()
        self._thread.join()
        if self._error:
            raise self._error
        return self.diary

    def _live(self) -> None:
        try:
            self._found()
            while not self._is_over.is_set():
                self._meet()
            self._meet()
        except BaseException as error:  # noqa: BLE001  (told by ``finish``)
            self._error = error

    def _found(self) -> None:
        self._community_id = str(uuid5(self._space, "community"))
        self._do("PUT", f"/v1/communities/{self._community_id}", WORDS)
        for number in range(PEOPLE):
            id = str(uuid5(self._space, f"member {number}"))
            email = f"n{number}.c{self._number}@example.org"  # each person has an address of their own
            card = {"name": f"Personne N{number}", "email": email, "locale": "fr", "timezone": ZONE}
            self._do("PUT", f"/v1/members/{id}", card)
            self._do("PUT", f"/v1/communities/{self._community_id}/memberships/{id}", {"capacity": "individual"})
            self.diary.member_ids.append(id)

    def _meet(self) -> None:
        meeting_id = str(uuid5(self._space, f"meeting {len(self.diary.attendance)}"))
        at = datetime.now(UTC) - timedelta(minutes=30)
        body = {"community_ids": [self._community_id], "kind": "meeting", "mode": "online", "timezone": ZONE}
        times = {"starts_at": at.isoformat(), "ends_at": (at + timedelta(hours=1)).isoformat()}  # the same in each try
        states = {
            id: self._chance.choice(["attended", "attended", "attended_partly", "no_show"])
            for id in self.diary.member_ids
        }
        entries = [{"member_id": id, "state": state} for id, state in states.items()]
        self._do("PUT", f"/v1/meetings/{meeting_id}", body | times)
        self._do("POST", f"/v1/meetings/{meeting_id}/start")
        self._do("PUT", f"/v1/meetings/{meeting_id}/attendance", {"entries": entries})
        if self._chance.random() < 0.3:
            self._do("POST", f"/v1/meetings/{meeting_id}/wrap-up")
        self._do("POST", f"/v1/meetings/{meeting_id}/close")
        self.diary.attendance[meeting_id] = states

    def _do(self, method: str, path: str, body: Any = None) -> None:
        self._embedded.insist(method, path, body)
        self.diary.commands += 1


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the oracle found."""

    commands: int
    meetings: int
    mails: int
    copies: int  #: mails that came once more, with the same Message-ID
    violations: tuple[str, ...]

    def __str__(self) -> str:
        counted = f"{self.commands} commands, {self.meetings} closings, {self.mails} invitations, {self.copies} copies"
        return f"{counted}: {'; '.join(self.violations) or 'nothing lost, nothing twice'}"


def suffer(folder: Path, seed: int, kills: int) -> Verdict:
    """Live through so many kills at moments that the seed says, come to rest, and judge."""
    embedded, chance = Embedded(folder), random.Random(f"kills {seed}")
    circles = [Circle(embedded, seed, number) for number in range(CIRCLES)]
    embedded.start()
    try:
        for circle in circles:
            circle.start()
        for number in range(kills):
            _end(embedded, chance, has_point=number % 2 == 1)
            embedded.start(chance.choice(POINTS) if number % 2 == 0 and number + 1 < kills else "")
        diary = Diary.of([circle.finish() for circle in circles])
        embedded.kill()
        hours_pass(embedded)
        embedded.start()
        come_to_rest(embedded)
        found = judge(embedded, diary)
        embedded.stop()
        return found
    finally:
        embedded.kill()


def _end(embedded: Embedded, chance: random.Random, has_point: bool) -> None:
    """Let this life end: where it was told to, in the midst of its work, or before it is ready."""
    if has_point:
        embedded.wait_for_the_end(POINT_S)
    elif chance.random() < 0.25:
        time.sleep(chance.uniform(0.1, START_S))
    else:
        embedded.insist("GET", "/readyz")
        time.sleep(chance.uniform(0, WORK_S))
    embedded.kill()


def hours_pass(embedded: Embedded) -> None:
    """Let what waits for its next try, or for the lease of a sender that is dead, have waited long enough."""
    with embedded.stores(*SERVICES) as stores:
        for opened in stores:
            with opened.begin() as session:
                now = datetime.now(UTC)
                waiting = inbox.PARKED.c.state == "waiting"
                session.execute(update(inbox.PARKED).where(waiting).values(next_attempt_at=now))
                if opened.name == "notifications":
                    session.execute(update(Message).where(Message.state == State.SENDING).values(lease_until=now))
                    session.execute(update(Message).where(Message.state == State.QUEUED).values(due_at=now))


def come_to_rest(embedded: Embedded) -> None:
    """Return when nothing is under way any more."""
    reactions = {name: composition.reactions_of(name) for name in SERVICES}
    embedded.insist("GET", "/readyz")
    with embedded.stores(*SERVICES) as stores:
        end = time.monotonic() + PATIENCE_S
        while not is_at_rest({each.name: each for each in stores}, reactions):
            assert time.monotonic() < end, f"it does not come to rest\n{embedded.said()}"
            time.sleep(0.2)


def judge(embedded: Embedded, diary: Diary) -> Verdict:
    """Compare what was acknowledged with what is there, and what should have followed with what did."""
    gone = [id for id in diary.member_ids if embedded.ask("GET", f"/v1/members/{id}")[0] != 200]
    wrong = [f"member {id} is gone" for id in gone]
    invited: set[str] = set()
    for meeting_id, states in diary.attendance.items():
        _, meeting = embedded.ask("GET", f"/v1/meetings/{meeting_id}")
        there = {each["member_id"]: each["state"] for each in meeting["attendance"]}
        if (meeting["state"], there) != ("closed", states):
            wrong.append(f"meeting {meeting_id} is not as it was acknowledged")
        status, survey = embedded.ask("GET", f"/v1/meetings/{meeting_id}/survey")
        if status != 200:
            wrong.append(f"meeting {meeting_id} has no survey")
            continue
        keys = (embedded.settings.seal, Template.SURVEY_INVITATION, UUID(survey["id"]))
        invited |= {str(message_id(*keys, UUID(member_id))) for member_id in diary.eligible(meeting_id)}
    wrong += _left_behind(embedded, len(diary.attendance))
    mails = Counter(_message_ids(embedded.settings.mail_dir))
    asked = {id: count for id, count in mails.items() if id in _survey_mails(embedded)}
    wrong += [f"invitation {id} was never written" for id in sorted(invited - asked.keys())]
    wrong += [f"invitation {id} should not be" for id in sorted(asked.keys() - invited)]
    copies = sum(count - 1 for count in mails.values())
    if copies > embedded.starts * SENDERS or max(mails.values(), default=0) > 2:
        wrong.append(f"{copies} copies are more than a kill can cause")
    return Verdict(diary.commands, len(diary.attendance), len(asked), copies, tuple(wrong))


def _left_behind(embedded: Embedded, meetings: int) -> list[str]:
    """What no store may hold at rest, and how many surveys there are."""
    wrong = []
    with embedded.stores(*SERVICES) as stores:
        for opened in stores:
            with opened.begin() as session:
                if count := outbox.backlog(session)[0]:
                    wrong.append(f"{count} events wait in {opened.name}")
                if parked := session.execute(select(inbox.PARKED.c.type, inbox.PARKED.c.error)).all():
                    wrong.append(f"{opened.name} has parked {parked}")
                if opened.name == "evaluation":
                    log = outbox.EVENT_LOG.c
                    opened_for = session.scalars(select(log.subject).where(log.type == SurveyOpened.type)).all()
                    if not len(opened_for) == len(set(opened_for)) == meetings:
                        wrong.append(f"{len(opened_for)} surveys were opened for {meetings} meetings")
    return wrong


def _survey_mails(embedded: Embedded) -> set[str]:
    with embedded.stores("notifications") as (opened,), opened.begin() as session:
        asked = select(Message.id).where(Message.template == Template.SURVEY_INVITATION)
        return {str(id) for id in session.scalars(asked)}


def _message_ids(folder: Path) -> Iterator[str]:
    for path in folder.glob("*.eml"):
        with path.open("rb") as file:
            yield BytesHeaderParser().parse(file)["Message-ID"][1:37]


def main() -> None:
    """Run seeds and say what was found; exit with 1 if anything was lost or came twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.embedded", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="in each run")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many runs")
    chosen = parser.parse_args()
    is_sound = True
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        with tempfile.TemporaryDirectory(prefix="pratique-faults-") as folder:
            began = time.monotonic()
            found = suffer(Path(folder), seed, chosen.kills)
            print(f"seed {seed}, {chosen.kills} kills, {time.monotonic() - began:.0f} s: {found}", flush=True)
            is_sound = is_sound and not found.violations
    sys.exit(0 if is_sound else 1)


if __name__ == "__main__":
    main()
