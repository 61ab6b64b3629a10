"""The embedded mode, killed at any moment and started again: what was acknowledged is there, and follows once.

``python -m tests.faults.embedded --kills 20 --first-seed 1 --seeds 5`` runs it longer than the tests do. A run is told
by its seed: what people do and when the process is killed, as far as a machine repeats itself.
"""

import argparse
import dataclasses
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import select, update

import demo
from chassis import settings
from chassis.messaging import inbox, outbox
from chassis.settings import SERVICES
from chassis.storage.store import Store, open_store
from demo.network import Network
from gateway.auth import create_token
from operations import composition
from pratique.events.evaluation import SurveyOpened
from pratique.events.notifications import Template
from pratique.requests.membership import PutCommunity
from services.notifications.models import Message, State, message_id
from services.notifications.service import SENDERS
from tests.harness.client import HttpClient, RetryingClient
from tests.harness.people import ZONE
from tests.harness.processes import Up
from tests.harness.quiescence import is_quiescent
from tests.harness.runtimes import migrated_stores
from tests.harness.waiting import PATIENCE_S, until
from tests.servers import HOME

CIRCLES = 4  #: communities that work side by side, so that something is always under way
PEOPLE = 6  #: in each
START_S = 2.5  #: one kill of four comes within so long after a start, most of them before it is ready
WORK_S = 1.5  #: the others come within so long after it was ready, amid its work
POINT_S = 8.0  #: who is to die at a named point and has not passed there by then is killed all the same
#: Every other life ends at one of these boundaries (chassis/crashpoint.py), where events are in memory alone, or a
#: mail is written and not yet noted. A random moment hits them too seldom.
POINTS = ["inbox.claimed", "inbox.before_commit", "inbox.committed", "relay.confirmed", "relay.before_clear"]
POINTS += ["mail.claimed", "mail.accepted"]


class Embedded(Up):
    """``pratique up`` on a folder with the least that counts as a loaded sample."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.settings = dataclasses.replace(settings.embedded(HOME, self.data), http_port=self.port)
        with migrated_stores(self.settings) as stores, stores["gateway"].begin() as session:
            self.token = create_token(session, "faults", ["*"])
        words = {"purpose": "Aider", "kind": "individuals", "locale": "fr", "timezone": ZONE}
        with Network(self.settings, composition.service_classes(SERVICES)) as network:
            id = str(demo.community_id("familles"))
            network.do(PutCommunity, community_id=id, name="Familles", **words)

    @contextmanager
    def stores(self, *names: str) -> Iterator[dict[str, Store]]:
        """These stores, read beside the process."""
        opened = {name: open_store(self.settings, name) for name in names}
        try:
            yield opened
        finally:
            for each in opened.values():
                each.close()

    def patient(self) -> RetryingClient:
        """Return a client that gives a command until it is acknowledged."""
        return RetryingClient(lambda: self.http, PATIENCE_S, passing=range(400, 500))

    @property
    def http(self) -> HttpClient:
        """A client that takes each answer as it comes."""
        return HttpClient(self.port, self.token)


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
    """People who have a community and meet, again and again, whatever happens to the program meanwhile."""

    def __init__(self, embedded: Embedded, seed: int, number: int) -> None:
        self._client, self._chance, self.diary = embedded.patient(), random.Random(f"{seed}/{number}"), Diary()
        self._space = uuid5(UUID(int=seed), str(number))
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._is_over = threading.Event()

    def start(self) -> None:
        """Begin to meet, beside the others."""
        self._thread.start()

    def finish(self) -> Diary:
        """Meet once more, and return what was acknowledged."""
        self._is_over.set()
        self._thread.join()
        if self._error:
            raise self._error
        return self.diary

    def _run(self) -> None:
        try:
            self._gather()
            while not self._is_over.is_set():
                self._meet()
            self._meet()
        except BaseException as error:  # noqa: BLE001  (told by ``finish``)
            self._error = error

    def _gather(self) -> None:
        self._community_id = str(uuid5(self._space, "community"))
        self.diary.member_ids = [str(uuid5(self._space, f"member {number}")) for number in range(PEOPLE)]
        self._client.put_community(self._community_id)
        self._client.put_members(self._community_id, self.diary.member_ids)
        self.diary.commands += 1 + 2 * PEOPLE

    def _meet(self) -> None:
        client, meeting_id = self._client, str(uuid5(self._space, f"meeting {len(self.diary.attendance)}"))
        states = {
            id: self._chance.choice(["attended", "attended", "attended_partly", "no_show"])
            for id in self.diary.member_ids
        }
        client.put_meeting(meeting_id, self._community_id, starts_at=datetime.now(UTC) - timedelta(minutes=30))
        client.start(meeting_id)
        client.record_attendance(meeting_id, states)
        if self._chance.random() < 0.3:
            client.wrap_up(meeting_id)
            self.diary.commands += 1
        client.close(meeting_id)
        self.diary.commands += 4
        self.diary.attendance[meeting_id] = states


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
            embedded.start(**_point(chance) if number % 2 == 0 and number + 1 < kills else {})
        diary = Diary.of([circle.finish() for circle in circles])
        embedded.kill()
        hours_pass(embedded)
        embedded.start()
        settle(embedded)
        found = judge(embedded, diary)
        assert embedded.end() == 0, embedded.output
        return found
    finally:
        embedded.kill()


def _point(chance: random.Random) -> dict[str, str]:
    return {"PRATIQUE_CRASH_AT": chance.choice(POINTS)}


def _end(embedded: Embedded, chance: random.Random, has_point: bool) -> None:
    """Let this life end: where it was told to, in the midst of its work, or before it is ready."""
    if has_point:
        embedded.wait_for_the_end(POINT_S)
    elif chance.random() < 0.25:
        time.sleep(chance.uniform(0.1, START_S))
    else:
        embedded.patient().ok("GET", "/readyz")
        time.sleep(chance.uniform(0, WORK_S))
    embedded.kill()


def hours_pass(embedded: Embedded) -> None:
    """Let what waits for its next try, or for the lease of a sender that is dead, have waited long enough."""
    with embedded.stores(*SERVICES) as stores:
        for name, opened in stores.items():
            with opened.begin() as session:
                now = datetime.now(UTC)
                waiting = inbox.PARKED.c.state == "waiting"
                session.execute(update(inbox.PARKED).where(waiting).values(next_attempt_at=now))
                if name == "notifications":
                    session.execute(update(Message).where(Message.state == State.SENDING).values(lease_until=now))
                    session.execute(update(Message).where(Message.state == State.QUEUED).values(due_at=now))


def settle(embedded: Embedded) -> None:
    """Return when nothing is under way any more."""
    embedded.patient().ok("GET", "/readyz")
    with embedded.stores(*SERVICES) as stores:
        until(lambda: is_quiescent(stores), every_s=0.2, what="nothing under way")


def judge(embedded: Embedded, diary: Diary) -> Verdict:
    """Compare what was acknowledged with what is there, and what should have followed with what did."""
    client = embedded.http
    gone = [id for id in diary.member_ids if client.request("GET", f"/v1/members/{id}").status != 200]
    wrong = [f"member {id} is gone" for id in gone]
    invited: set[str] = set()
    for meeting_id, states in diary.attendance.items():
        meeting = client.request("GET", f"/v1/meetings/{meeting_id}").json
        there = {each["member_id"]: each["state"] for each in meeting["attendance"]}
        if (meeting["state"], there) != ("closed", states):
            wrong.append(f"meeting {meeting_id} is not as it was acknowledged")
        survey = client.request("GET", f"/v1/meetings/{meeting_id}/survey")
        if survey.status != 200:
            wrong.append(f"meeting {meeting_id} has no survey")
            continue
        keys = (embedded.settings.seal, Template.SURVEY_INVITATION, UUID(survey.json["id"]))
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
        for name, opened in stores.items():
            with opened.begin() as session:
                if count := outbox.backlog(session)[0]:
                    wrong.append(f"{count} events wait in {name}")
                if parked := session.execute(select(inbox.PARKED.c.type, inbox.PARKED.c.error)).all():
                    wrong.append(f"{name} has parked {parked}")
                if name == "evaluation":
                    log = outbox.EVENT_LOG.c
                    opened_for = session.scalars(select(log.subject).where(log.type == SurveyOpened.type)).all()
                    if not len(opened_for) == len(set(opened_for)) == meetings:
                        wrong.append(f"{len(opened_for)} surveys were opened for {meetings} meetings")
    return wrong


def _survey_mails(embedded: Embedded) -> set[str]:
    with embedded.stores("notifications") as stores, stores["notifications"].begin() as session:
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
