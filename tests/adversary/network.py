"""A whole network in one process, and whatever anybody could overhear of it.

The four services and the gateway are the real ones, as is the code that writes to the wire and reads from it. The
simulator takes the place of the broker, the mail server, the proxy and the disk, and so hears what each of them hears.
"""

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import structlog
from prometheus_client import REGISTRY, generate_latest
from werkzeug.test import Client

from chassis import clock, log
from chassis.messaging import inbox
from chassis.messaging.publisher import Outgoing
from chassis.rpc.client import Services
from chassis.rpc.server import Rpc, RpcServer
from chassis.runtime import store_metrics
from chassis.runtime.container import Container, ServiceRuntime
from chassis.scheduling import due
from chassis.settings import SERVICES, STORES
from chassis.storage.store import Store
from gateway.app import App
from gateway.auth import create_token
from gateway.service import Site
from operations import composition
from services.notifications import delivery
from tests.harness.memory import InMemory, Remembered, kept
from tests.harness.runtimes import embedded_settings

HOME = "198.51.100."  #: where people answer mails from, each from an address of their own
ROOM = "203.0.113.7"  #: of everybody in the room: one Wi-Fi
LOOPS_AT_MOST = 2000


@dataclass(frozen=True)
class Message:
    """What the broker carried."""

    at: datetime
    exchange: str
    routing_key: str
    properties: Mapping[str, Any]  #: headers too
    body: bytes


@dataclass(frozen=True)
class Hit:
    """A line of a proxy's log."""

    at: datetime
    address: str
    method: str
    path: str
    status: int
    size: int


@dataclass(frozen=True)
class Letter:
    """A mail that left."""

    at: datetime
    recipient: str
    content: str


@dataclass(frozen=True)
class Copy:
    """A copy of all stores: as SQL reads them, and byte by byte, with what was deleted and not yet overwritten."""

    at: datetime
    tables: Mapping[str, list[dict[str, Any]]]  #: rows in the order in which they lie, by ``service.table``
    raw: Mapping[str, bytes]  #: by service


_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message"}


class Ears(logging.Handler):
    """Everything that is logged, as the log writes it: the words, what is bound around them, and what they carry."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[tuple[datetime, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take one line."""
        fields = structlog.contextvars.get_contextvars()
        fields |= {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        words = f"{record.levelname} {record.name} {log.masked(record.getMessage())} {log.masked(fields)}"
        self.lines.append((clock.now(), words))


class _Letterbox:
    """What the gateway or a service holds of the broker: a channel that hands each message on at once."""

    def __init__(self, network: "Network") -> None:
        self._network = network
        self.connection = self
        self.client = self

    def prepare_message(
        self, body: bytes, priority: Any, content_type: str, encoding: str, headers: Any, properties: Any
    ) -> Any:
        """As amqp's channel does."""
        return body, dict(headers or {}), dict(properties or {})

    def basic_publish(self, message: Any, exchange: str = "", routing_key: str = "", **rest: Any) -> None:
        """As amqp's channel does."""
        body, headers, properties = message
        self._network.carry(exchange, routing_key, body, headers, properties)


class _Delivered:
    """A message as its consumer holds it."""

    def __init__(self, routing_key: str, body: bytes, headers: Any, properties: Any, channel: Any) -> None:
        self.body, self.headers, self.properties, self.channel = body, headers, properties, channel
        self.delivery_info = {"routing_key": routing_key}
        self.content_type, self.content_encoding = "application/json", "utf-8"

    def ack(self) -> None:
        """Done."""

    def reject(self, *rest: Any) -> None:
        """Refused."""


class Network(InMemory):
    """Network seen from all sides; made once, and put back to a remembered state as often as one likes."""

    def __init__(self) -> None:
        self._mails = Path(tempfile.mkdtemp(prefix="adversary-"))
        self.settings = embedded_settings(
            self._mails,
            broker_url="amqp://simulated.invalid//",
            store_urls=dict.fromkeys(STORES, "sqlite://"),
            mail_dir=self._mails,
            public_url="https://pratique.example",
        )
        self.ears = Ears()
        self.messages: list[Message] = []
        self.hits: list[Hit] = []
        self.letters: list[Letter] = []
        self.scraped: list[tuple[datetime, str]] = []
        self.is_scraped = False  #: whether metrics are read after each request
        self._queues: dict[str, list[bytes]] = {name: [] for name in SERVICES}
        self._containers = {name: self._container(name) for name in (*SERVICES, "gateway")}
        self._site = self._extension("gateway", Site)
        stores = {name: self._extension(name, ServiceRuntime).store for name in SERVICES}
        super().__init__(stores | {"gateway": self._site.store})
        self._wire()
        self._send_mail = delivery.loop(self.settings, self.stores["notifications"])

    def _container(self, name: str) -> Any:
        made = Container(composition.service_class(name), {"settings": self.settings, "max_workers": 10})
        for extension in made.extensions:
            if isinstance(extension, ServiceRuntime):
                extension._factories = {}  # the sender of mails, which wants a store that is migrated already
            if isinstance(extension, RpcServer | Rpc | ServiceRuntime | Services):
                extension.setup()
        for extension in made.extensions:
            if isinstance(extension, Site):
                extension.setup()
        return made

    def _extension(self, name: str, kind: type[Any]) -> Any:
        return next(each for each in self._containers[name].extensions if isinstance(each, kind))

    def _wire(self) -> None:
        """Put this object where the broker would be."""
        channel = _Letterbox(self)
        for name in SERVICES:
            self._extension(name, RpcServer).listener.writer.channel = channel
            self._extension(name, ServiceRuntime).relay._publisher = self
            store_metrics.STORES.forget(self.stores[name])  # what asks all stores takes most of the time
        replies = self._extension("gateway", Services).listener
        replies.address, replies.is_consuming, replies.writer.channel = str(uuid4()), True, channel
        self._client = Client(self._site.app, use_cookies=False)

    # In the broker's place.

    def carry(self, exchange: str, routing_key: str, body: bytes, headers: Any, properties: Any) -> None:
        """Take a request or an answer of RPC, and hand it to whom it is for."""
        seen = {**properties, "headers": headers}
        self.messages.append(Message(clock.now(), exchange, routing_key, seen, bytes(body)))
        replies = self._extension("gateway", Services).listener
        message = _Delivered(routing_key, body, headers, properties, replies.writer.channel)
        if routing_key == replies.address:
            replies._on_reply(message)
        else:
            self._extension(routing_key.partition(".")[0], RpcServer)._take(message)

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Take events."""
        for each in messages:
            seen = {"headers": dict(each.headers), "message_id": each.message_id}
            self.messages.append(Message(clock.now(), each.exchange, each.routing_key, seen, each.body))
            for name in self.bindings.get((each.exchange, each.routing_key), ()):
                self._queues[name].append(each.body)

    def settle(self) -> None:
        """Return when everything that can happen at this instant has happened."""
        for _ in range(LOOPS_AT_MOST):
            moved = sum(
                self._extension(name, ServiceRuntime).relay.send_window()
                for name in SERVICES
                if self.has(name, "outbox")
            )
            for name, queue in self._queues.items():
                batch, queue[:] = list(queue), []
                if batch:
                    inbox.receive(self.stores[name], self.reactions[name], batch)
                    moved += len(batch)
                while self.is_due(name):
                    moved += due.run_next(self.stores[name], self.handlers[name])
                    moved += inbox.retry_next(self.stores[name], self.reactions[name])
            while self.has("notifications", "message where state = 'queued' and due_at <= ?", kept(clock.now())):
                moved += self._send_mail()
                self._fetch_mails()
            if not moved:
                return
        raise AssertionError("the network never comes to rest")

    def _fetch_mails(self) -> None:
        for path in sorted(self._mails.glob("*.eml")):
            content = path.read_text("utf-8")
            recipient = content.partition("\nTo: ")[2].splitlines()[0]
            self.letters.append(Letter(clock.now(), recipient.rpartition("<")[2].strip("<> "), content))
            path.unlink()

    def next_due(self) -> datetime | None:
        """Return when the next thing is due, in any service."""
        return self.first(*((name, "select min(due_at) from due where state = 'waiting'") for name in SERVICES))

    # In the place of the proxy and of whoever calls.

    def token(self, name: str, *scopes: str) -> str:
        """A token with these scopes."""
        with self.stores["gateway"].begin() as session:
            return create_token(session, name, scopes)

    def sign_in(self, member: UUID) -> str:
        """The cookie of a browser in which this person is signed in."""
        app = self._site.app
        return f"{app.visitors.cookie}={app.sessions.begin(member, 'Firefox, Linux')}"

    def ask(self, method: str, path: str, address: str = ROOM, token: str = "", **options: Any) -> Any:
        """One request, and its line in the proxy's log."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        response = self._client.open(
            path, method=method, headers=headers, environ_overrides={"REMOTE_ADDR": address}, **options
        )
        size = len(response.get_data())
        self.hits.append(Hit(clock.now(), address, method, path, response.status_code, size))
        if self.is_scraped:
            self.scraped.append((clock.now(), generate_latest(REGISTRY).decode()))
        return response

    def take(self, address: str, **who: str) -> Any:
        """Ask for a ballot from this address, by a token, or by the code of a room and a person."""
        return self.ask("POST", "/v1/ballots", address, json=who)

    def send(self, address: str, ballot_id: str, answers: Sequence[Mapping[str, Any]]) -> Any:
        """Send the answers on a ballot from this address."""
        return self.ask("POST", "/v1/answers", address, json={"ballot_id": ballot_id, "answers": list(answers)})

    # In the place of the disk.

    def put_back(self, remembered: Remembered) -> None:
        """Let all stores be as they were, and nothing be overheard yet."""
        super().put_back(remembered)
        app = self._site.app  # what it remembers of wrong codes is of another time
        self._client = Client(App(app.call, app.store, app.settings, app.readiness), use_cookies=False)
        for each in (self.messages, self.hits, self.letters, self.scraped, self.ears.lines):
            each.clear()

    def copy(self) -> Copy:
        """A copy of all stores, as whoever has the disk or a backup has it."""
        return Copy(
            clock.now(),
            {f"{name}.{table}": rows for name in STORES for table, rows in self._tables(name)},
            {name: self.raw[name].serialize() for name in STORES},
        )

    def _tables(self, name: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        for (table,) in self.rows(name, "select name from sqlite_master where type = 'table'"):
            cursor = self.raw[name].execute(f'select * from "{table}"')
            names = [column[0] for column in cursor.description]
            yield table, [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def close(self) -> None:
        """Close all stores."""
        for name in SERVICES:
            store_metrics.STORES.watch(self.stores[name])  # which the bus forgets again
            self._extension(name, ServiceRuntime)._close()
        self.stores["gateway"].close()


@contextmanager
def overheard(network: Network) -> Iterator[Network]:
    """The network with all that is logged meanwhile in its ears."""
    root = logging.getLogger()
    level = root.level
    root.addHandler(network.ears)
    root.setLevel(logging.INFO)
    try:
        yield network
    finally:
        root.removeHandler(network.ears)
        root.setLevel(level)


def known_bodies(messages: Sequence[Message], exchange: str) -> list[tuple[Message, Any]]:
    """The messages of an exchange whose body is JSON, and what it says."""
    return [(each, json.loads(each.body)) for each in messages if each.exchange == exchange]


__all__ = ["HOME", "ROOM", "UUID", "Copy", "Hit", "Letter", "Message", "Network", "Store", "known_bodies", "overheard"]
