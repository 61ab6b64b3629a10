"""A whole network to live in: four services and the gateway, reached only as people and programs reach them.

Three ways of running it, behind one face: in process on the embedded bus; on a real RabbitMQ, PostgreSQL and SMTP
server; and without any broker, where every event is delivered twice and in shuffled order.
"""

import email
import email.policy
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import eventlet
from werkzeug.test import Client

from chassis import clock
from chassis.messaging import in_memory, inbox, outbox
from chassis.messaging.pump import pump
from chassis.rpc.requests import handle
from chassis.scheduling import due
from chassis.settings import SERVICES, STORES, Settings
from chassis.storage.migrate import migrate
from chassis.storage.store import Store, open_store
from chassis.testing import SEAL_KEY
from gateway.app import App
from gateway.auth import create_token
from operations import composition
from services.notifications import delivery
from services.notifications.commands import MAIL_LOOP
from tests.journeys.rest import is_at_rest, next_try
from tests.running import Running, running, until
from tests.servers.process import free_port

AT = datetime(2026, 3, 12, 14, 0, tzinfo=UTC)
ZONE = "America/Toronto"
RPC_TIMEOUT_S = 30.0  #: no journey is about slowness, and a busy machine says nothing about the code


class Answer:
    """What the gateway answered."""

    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


class Life:
    """One network, from outside: HTTP in, mail out, and the clock."""

    def __init__(self, settings: Settings, stores: Mapping[str, Store], maildir: Path) -> None:
        self.settings, self.stores, self._maildir = settings, stores, maildir
        self._reactions = {name: composition.reactions_of(name) for name in SERVICES}
        self._read: dict[Path, EmailMessage] = {}
        with self.stores["gateway"].begin() as session:
            self._token = create_token(session, "journey", ["*"])

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One HTTP request, with a token for everything."""
        raise NotImplementedError  # each way of running says how

    def settle(self) -> None:
        """Return when nothing is under way any more; the clock moves on to what is tried again in some minutes."""
        while True:
            self.come_to_rest()
            if at := next_try(self.services):
                clock.move(max(at - clock.now(), timedelta()))
            elif is_at_rest(self.services, self._reactions):
                return

    def come_to_rest(self) -> None:
        """Return when everything that can happen at this instant has happened."""
        raise NotImplementedError  # each way of running says how

    @property
    def services(self) -> dict[str, Store]:
        """The stores between which events are carried."""
        return {name: self.stores[name] for name in SERVICES}

    def deliver_everything_again(self) -> None:
        """Offer every event that was ever published once more, in all services."""
        for name in SERVICES:
            with self.stores[name].begin() as session:
                outbox.offer_again(session, AT - timedelta(days=400))
        self.settle()

    def ok(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The body of an answer that must be a success."""
        answer = self.ask(method, path, body, headers)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.text}"
        return answer.json if answer.text else None

    def later(self, **span: float) -> None:
        """Move the clock, and let what is due happen."""
        clock.move(timedelta(**span))
        self.settle()

    def mails(self, to: str | None = None, about: str | None = None) -> list[EmailMessage]:
        """The mails that have left, oldest first: to whom, and with which words in the subject."""
        found = []
        files = [path for path in self._maildir.rglob("*") if path.is_file() and path.parent.name != "tmp"]
        for path in sorted(files, key=lambda each: (each.stat().st_mtime_ns, each.name)):
            if path not in self._read:
                parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                assert isinstance(parsed, EmailMessage)
                self._read[path] = parsed
            mail = self._read[path]
            if (to is None or to in str(mail["To"])) and (about is None or about in str(mail["Subject"])):
                found.append(mail)
        return found

    # What networks do, as clients of the API do it.

    def found_community(self, members: int, locale: str = "fr", kind: str = "individuals") -> "Community":
        """A community and its members, everyone in their own name."""
        community_id = str(uuid4())
        words = {"name": "Cercle d’essai", "purpose": "Apprendre.", "kind": kind, "locale": locale, "timezone": ZONE}
        self.ok("PUT", f"/v1/communities/{community_id}", words)
        member_ids = [self.join(community_id, f"Personne N{number}", locale) for number in range(members)]
        self.settle()
        return Community(community_id, member_ids)

    def join(self, community_id: str, name: str, locale: str = "fr", member_id: str | None = None) -> str:
        """A person, recorded and a member."""
        member_id = member_id or str(uuid4())
        card = {"name": name, "email": f"{member_id[:8]}@example.org", "locale": locale, "timezone": ZONE}
        self.ok("PUT", f"/v1/members/{member_id}", card)
        self.ok("PUT", f"/v1/communities/{community_id}/memberships/{member_id}", {"capacity": "individual"})
        return member_id

    def schedule(self, *community_ids: str, **fields: Any) -> str:
        """A meeting in a week."""
        meeting_id, starts_at = str(uuid4()), clock.now() + timedelta(days=7)
        body = {
            "community_ids": list(community_ids),
            "kind": "meeting",
            "mode": "online",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
            "timezone": ZONE,
        }
        self.ok("PUT", f"/v1/meetings/{meeting_id}", body | fields)
        self.settle()
        return meeting_id

    def hold(self, meeting_id: str, states: Mapping[str, str]) -> None:
        """Go to the meeting's hour, start it, and take attendance."""
        self.later(days=7)
        self.ok("POST", f"/v1/meetings/{meeting_id}/start")
        entries = [{"member_id": member_id, "state": state} for member_id, state in states.items()]
        self.ok("PUT", f"/v1/meetings/{meeting_id}/attendance", {"entries": entries})
        self.settle()

    def survey(self, meeting_id: str) -> Any:
        """The state of the meeting's survey."""
        return self.ok("GET", f"/v1/meetings/{meeting_id}/survey")

    def answer(self, value: int = 4, **who: str) -> None:
        """Ask for a ballot and send its answers."""
        ballot = self.ok("POST", "/v1/ballots", {"locale": "fr"} | who)
        self.ok("POST", "/v1/answers", filled(ballot, value))

    def link_in(self, mail: EmailMessage) -> str:
        """The token of the survey link in a mail."""
        text = mail.get_body(("plain",))
        assert text is not None
        found = [word for word in text.get_content().split() if f"{self.settings.public_url}/s/" in word]
        return found[0].rpartition("/s/")[2].strip(".>")

    def address_of(self, member_id: str) -> str:
        """Where their mail goes."""
        return f"{member_id[:8]}@example.org"


class Community:
    """A community's id and its members' ids."""

    def __init__(self, id: str, member_ids: Sequence[str]) -> None:
        self.id, self.member_ids = id, list(member_ids)


def answers_to(questions: Sequence[Mapping[str, Any]], value: int) -> list[dict[str, Any]]:
    """An answer to every scale and yes-or-no question."""
    by_type = {"scale1_5": value, "yes_no": True}
    return [{"question": q["key"], "value": by_type[q["type"]]} for q in questions if q["type"] in by_type]


def filled(ballot: Mapping[str, Any], value: int) -> dict[str, Any]:
    """What is sent of this ballot: itself, and an answer to every scale and yes-or-no question."""
    return {"ballot_id": ballot["ballot_id"], "answers": answers_to(ballot["questions"], value)}


class OnABus(Life):
    """Real containers in this process, and real HTTP."""

    def __init__(self, settings: Settings, network: Running, maildir: Path) -> None:
        stores = {name: network.store(name) for name in SERVICES}
        stores["gateway"] = open_store(settings, "gateway")
        super().__init__(settings, stores, maildir)

    def close(self) -> None:
        """Close what is not the services' own."""
        self.stores["gateway"].close()

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One HTTP request over a socket."""
        from http.client import HTTPConnection

        connection = HTTPConnection("127.0.0.1", self.settings.http_port, timeout=60)
        given = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"} | dict(headers or {})
        payload = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
        connection.request(method, path, payload, given)
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.getheaders()), response.read().decode())
        connection.close()
        return answer

    def come_to_rest(self) -> None:
        """Wake everyone, for the clock may have moved, and wait."""
        for opened in self.services.values():
            with opened.begin() as session:
                for loop in (due.LOOP, MAIL_LOOP, inbox.LOOP):
                    session.wake(loop)
        eventlet.sleep(0)  # SQLite gives way to nobody: those who were woken would never have a turn
        until(lambda: is_at_rest(self.services, self._reactions), every_s=0.05)

    def deliver_everything_again(self) -> None:
        """Offer everything again, and wait until it was taken, which no store shows."""
        super().deliver_everything_again()
        eventlet.sleep(0.2)
        self.settle()


class Shuffled(Life):
    """No broker: events are carried by hand, each at least twice, in any order."""

    def __init__(self, settings: Settings, stores: Mapping[str, Store], maildir: Path, seed: int) -> None:
        super().__init__(settings, stores, maildir)
        self._chance = random.Random(seed)
        self._client = Client(App(self._call, stores["gateway"], settings, lambda: {"all": True}))
        self._send_mail = delivery.loop(settings, stores["notifications"])

    def _call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        """What RPC would carry: plain JSON in, plain JSON out."""
        asked = json.loads(json.dumps(payload))
        kind, handler = composition.service_class(service).handlers[method]
        with self.stores[service].begin() as session:
            return handle(session, kind, handler, asked)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One HTTP request, without a socket."""
        given = {"Authorization": f"Bearer {self._token}"} | dict(headers or {})
        if isinstance(body, bytes | str):
            response = self._client.open(path, method=method, data=body, headers=given)
        else:
            response = self._client.open(path, method=method, json=body, headers=given)
        return Answer(response.status_code, dict(response.headers), response.get_data(as_text=True))

    def come_to_rest(self) -> None:
        """Carry everything, twice and shuffled, until nothing is left."""
        while True:
            moved = pump(self.services, self._reactions, self._arrange)
            for name in SERVICES:
                handlers = composition.handlers_of(name)
                while due.run_next(self.stores[name], handlers):
                    moved += 1
                while inbox.retry_next(self.stores[name], self._reactions[name]):
                    moved += 1
            while self._send_mail():
                moved += 1
            if not moved:
                return

    def _arrange(self, bodies: list[bytes]) -> list[bytes]:
        twice = bodies * 2
        self._chance.shuffle(twice)
        return twice


@contextmanager
def shuffled(tmp_path: Path, seed: int) -> Iterator[Life]:
    """A network on SQLite where every event comes twice and in any order."""
    settings = Settings(
        broker_url="embedded://",
        store_urls={name: f"sqlite:///{tmp_path / name}.sqlite" for name in STORES},
        home=Path(),
        mail_dir=tmp_path / "mail",
        seal_key=SEAL_KEY,
    )
    stores = {name: open_store(settings, name) for name in settings.store_urls}
    for name, opened in stores.items():
        migrate(opened, composition.migrations_of(name))
    try:
        yield Shuffled(settings, stores, settings.mail_dir, seed)
    finally:
        for opened in stores.values():
            opened.close()


@contextmanager
def on_the_embedded_bus(tmp_path: Path) -> Iterator[Life]:
    """A network as ``make run`` starts it."""
    port = free_port()
    settings = Settings(
        broker_url="embedded://",
        store_urls={name: f"sqlite:///{tmp_path / name}.sqlite" for name in STORES},
        home=Path(),
        http_port=port,
        public_url=f"http://127.0.0.1:{port}",
        mail_dir=tmp_path / "mail",
        seal_key=SEAL_KEY,
        rpc_timeout_s=RPC_TIMEOUT_S,
    )
    for name in STORES:
        opened = open_store(settings, name)
        migrate(opened, composition.migrations_of(name))
        opened.close()
    try:
        classes = [composition.service_class(name) for name in (*SERVICES, "gateway")]
        with running(settings, classes) as network, closing(OnABus(settings, network, settings.mail_dir)) as life:
            yield life
    finally:
        in_memory.reset()


@contextmanager
def on_real_servers(fresh: Any, tmp_path: Path) -> Iterator[Life]:
    """A network on RabbitMQ with quorum queues, PostgreSQL with a database per service, and SMTP.

    Each service reaches the broker as its own user, who may do what it needs and no more.
    """
    port, smtp_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    smtp_url = f"smtp://127.0.0.1:{smtp_port}"
    settings = fresh.guarded(http_port=port, public_url=url, smtp_url=smtp_url, rpc_timeout_s=RPC_TIMEOUT_S)
    classes = [composition.service_class(name) for name in (*SERVICES, "gateway")]
    with (
        mail_server(smtp_port, tmp_path / "maildir") as maildir,
        running(settings, classes) as network,
        closing(OnABus(settings, network, maildir)) as life,
    ):
        yield life


@contextmanager
def mail_server(port: int, maildir: Path) -> Iterator[Path]:
    """A real SMTP server in a process of its own, which keeps what it accepts in a maildir."""
    command = [sys.executable, "-W", "ignore", "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "-c", "aiosmtpd.handlers.Mailbox", str(maildir)])
    try:
        until(lambda: _accepts(port))
        yield maildir
    finally:
        process.terminate()
        process.wait(30)


def _accepts(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
