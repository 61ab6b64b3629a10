"""Runtimes of a network in this process: on the embedded bus, on real servers, or carried by hand and shuffled."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from chassis import clock
from chassis.messaging import in_memory, inbox
from chassis.messaging.in_process import deliver_all
from chassis.rpc.requests import handle
from chassis.scheduling import due
from chassis.settings import SERVICES, STORES, Settings
from chassis.storage.store import Store, open_store
from chassis.testing import SEAL_KEY
from gateway.app import App
from operations import composition
from services.notifications import delivery
from services.notifications.commands import MAIL_LOOP
from tests.harness.client import HttpClient, Response
from tests.harness.containers import Running, running
from tests.harness.mails import mail_server
from tests.harness.migrations import migrate_all
from tests.harness.network import AT, Network
from tests.harness.quiescence import next_retry
from tests.harness.waiting import until
from tests.servers import Fresh
from tests.servers.process import free_port

RPC_TIMEOUT_S = 30.0  #: no test of a whole network is about slowness, and a busy machine says nothing about the code
EVERYTHING = (*SERVICES, "gateway")


class OnABus(Network):
    """Containers in this process that meet on a bus, reached over real HTTP."""

    def __init__(self, settings: Settings, containers: Running, maildir: Path) -> None:
        stores = {name: containers.store(name) for name in SERVICES}
        stores["gateway"] = open_store(settings, "gateway")
        super().__init__(settings, stores, maildir)

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send one HTTP request over a socket."""
        return HttpClient(self.settings.http_port, self.token).request(method, path, body, headers)

    def settle_now(self) -> None:
        """Wake everyone, for the clock may have moved, and wait."""
        for opened in self.services.values():
            with opened.begin() as session:
                for loop in (due.LOOP, MAIL_LOOP, inbox.LOOP):
                    session.wake(loop)
        time.sleep(0)  # SQLite gives way to nobody: those who were woken would never have a turn
        until(self.is_quiescent, every_s=0.05, what="nothing under way")

    def redeliver_everything(self) -> None:
        """Offer everything again, and wait until it was taken, which no store shows."""
        super().redeliver_everything()
        time.sleep(0.2)
        self.settle()


class Shuffled(Network):
    """No bus: events are carried by hand, each at least twice, in any order that a seed decides."""

    def __init__(self, settings: Settings, stores: Mapping[str, Store], maildir: Path, seed: int) -> None:
        super().__init__(settings, stores, maildir)
        self._chance = random.Random(seed)
        self._reactions = {name: composition.reactions_of(name) for name in SERVICES}
        self.app = App(self.call, stores["gateway"], settings, lambda: {"all": True})
        self._client = Client(self.app, use_cookies=False)
        self._send_mail = delivery.loop(settings, stores["notifications"])

    def call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        """Return what RPC would carry: plain JSON in, plain JSON out."""
        asked = json.loads(json.dumps(payload))
        kind, handler = composition.service_class(service).handlers[method]
        with self.stores[service].begin() as session:
            return handle(session, kind, handler, asked)

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send one HTTP request, without a socket."""
        given = {"Authorization": f"Bearer {self.token}"} | dict(headers or {})
        content = {"data": body} if isinstance(body, bytes | str) else {"json": body}
        answer = self._client.open(path, method=method, headers=given, **content)
        return Response(answer.status_code, answer.headers, answer.get_data(as_text=True))

    def settle_now(self) -> None:
        """Carry everything, twice and shuffled, until nothing is left."""
        moved = 1
        while moved:
            moved = deliver_all(self.services, self._reactions, self._arrange)
            for name, opened in self.services.items():
                handlers = composition.handlers_of(name)
                while due.run_next(opened, handlers) or inbox.retry_next(opened, self._reactions[name]):
                    moved += 1
            while self._send_mail():
                moved += 1

    def settle(self) -> None:
        """Return when nothing is under way any more; what will never be handled was lost."""
        self.settle_now()
        while at := next_retry(self.services):
            clock.move(max(at - clock.now(), timedelta()))
            self.settle_now()
        assert self.is_quiescent(), "something was lost on its way"

    def _arrange(self, bodies: list[bytes]) -> list[bytes]:
        twice = bodies * 2
        self._chance.shuffle(twice)
        return twice


def embedded_settings(folder: Path, **changes: Any) -> Settings:
    """Return settings of a network on SQLite and the embedded bus, which writes its mails into the folder."""
    urls = {name: f"sqlite:///{folder / name}.sqlite" for name in STORES}
    fields = {"broker_url": "embedded://", "store_urls": urls, "home": Path(), "mail_dir": folder / "mail"}
    return Settings(**{**fields, "seal_key": SEAL_KEY, **changes})


@contextmanager
def migrated_stores(settings: Settings) -> Iterator[dict[str, Store]]:
    """Stores of all services and of the gateway, with their tables, for the length of a ``with`` block."""
    migrate_all(settings)
    stores = {name: open_store(settings, name) for name in STORES}
    try:
        yield stores
    finally:
        for opened in stores.values():
            opened.close()


@contextmanager
def shuffled_network(folder: Path, seed: int, **changes: Any) -> Iterator[Shuffled]:
    """A network on SQLite where every event comes twice and in any order; with other settings, if any are said."""
    settings = embedded_settings(folder, **changes)
    with migrated_stores(settings) as stores:
        yield Shuffled(settings, stores, settings.mail_dir, seed)


@contextmanager
def embedded_network(folder: Path) -> Iterator[Network]:
    """A network as ``make run`` starts it."""
    port = free_port()
    at = {"http_port": port, "public_url": f"http://127.0.0.1:{port}"}
    settings = embedded_settings(folder, **at, rpc_timeout_s=RPC_TIMEOUT_S)
    migrate_all(settings)
    try:
        with running(settings, composition.service_classes(EVERYTHING)) as containers:
            network = OnABus(settings, containers, settings.mail_dir)
            with closing(network.stores["gateway"]):
                yield network
    finally:
        in_memory.reset()


@contextmanager
def real_network(fresh: Fresh, folder: Path) -> Iterator[Network]:
    """A network on RabbitMQ with quorum queues, PostgreSQL with a database per service, and SMTP.

    Each service reaches the broker as its own user, who may do what it needs and no more.
    """
    port, smtp_port = free_port(), free_port()
    at = {"http_port": port, "public_url": f"http://127.0.0.1:{port}", "smtp_url": f"smtp://127.0.0.1:{smtp_port}"}
    settings = fresh.guarded(**at, rpc_timeout_s=RPC_TIMEOUT_S)
    with (
        mail_server(smtp_port, folder / "maildir") as maildir,
        running(settings, composition.service_classes(EVERYTHING)) as containers,
    ):
        network = OnABus(settings, containers, maildir)
        with closing(network.stores["gateway"]):
            yield network


@contextmanager
def network_on(runtime: str, folder: Path, fresh: Callable[[], Fresh]) -> Iterator[Network]:
    """A network at ``AT``, on the runtime of this name: ``embedded``, ``real`` or ``shuffled-<seed>``."""
    with ExitStack() as held:
        held.enter_context(clock.fixed(AT))
        if runtime == "real":
            servers = fresh()
            held.callback(servers.discard)
            yield held.enter_context(real_network(servers, folder))
        elif runtime == "embedded":
            yield held.enter_context(embedded_network(folder))
        else:
            yield held.enter_context(shuffled_network(folder, int(runtime.removeprefix("shuffled-"))))
