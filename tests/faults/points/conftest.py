"""Networks in which a scenario runs while processes end, and what it leaves on each database when none does."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.storage.store import Store
from chassis.testing import heard
from tests.faults.points.interrupted import Interrupted, Row
from tests.faults.points.sameness import alike
from tests.faults.points.scenario import run_scenario
from tests.harness.mails import mail_server
from tests.harness.network import AT
from tests.harness.runtimes import embedded_settings, migrated_stores
from tests.harness.stored_rows import all_rows
from tests.servers.process import free_port

#: Makes a network in which nothing has happened yet; with ``by_smtp=True`` its mails go to a real mail server.
NewNetwork = Callable[..., AbstractContextManager[Interrupted]]


@dataclass(frozen=True)
class Undisturbed:
    """What the scenario leaves when no process ends."""

    rows: Counter[str]
    mails: Counter[tuple[str, str]]  #: to whom, about what
    publishing: set[Row]  #: the reactions that made something known


@pytest.fixture(scope="session")
def new_network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewNetwork:
    """Makes networks in which nothing has happened yet, on one of the two databases."""

    @contextmanager
    def make(by_smtp: bool = False) -> Iterator[Interrupted]:
        folder = tmp_path_factory.mktemp("network")
        if request.param == "sqlite":
            with _opened(folder, by_smtp) as network:
                yield network
        else:
            fresh = request.getfixturevalue("servers").fresh()
            with _opened(folder, by_smtp, store_urls=fresh.store_urls) as network:
                yield network
            fresh.discard()

    return make


@contextmanager
def _opened(folder: Path, by_smtp: bool, **urls: dict[str, str]) -> Iterator[Interrupted]:
    port = free_port()
    settings = embedded_settings(folder, smtp_url=f"smtp://127.0.0.1:{port}" if by_smtp else "", **urls)
    with migrated_stores(settings) as stores, clock.fixed(AT):
        if by_smtp:
            with mail_server(port, folder / "maildir") as maildir:
                yield Interrupted(settings, stores, maildir)
        else:
            yield Interrupted(settings, stores, settings.mail_dir)


@pytest.fixture(scope="session")
def undisturbed(new_network: NewNetwork) -> Undisturbed:
    """The scenario once without a crash."""
    with new_network() as network:
        publishing = _noted(network)
        run_scenario(network)
        held = all_rows(network.stores)
        mails = Counter((str(mail["To"]), str(mail["Subject"])) for mail in network.mails())
    return Undisturbed(alike(held), mails, publishing)


def _noted(network: Interrupted) -> set[Row]:
    """The reactions that make something known, as they are seen to; events are delivered one by one for that."""
    publishing = set[Row]()
    receive = network._receive

    def receive_each(name: str, table: inbox.Reactions, bodies: list[bytes]) -> None:
        for body in bodies:
            before = _backlog(network.stores[name])
            receive(name, table, [body])
            if _backlog(network.stores[name]) > before:
                publishing.add((name, type(heard(body).event).__name__))

    network._receive = receive_each  # type: ignore[method-assign]
    return publishing


def _backlog(opened: Store) -> int:
    with opened.begin() as session:
        return outbox.backlog(session)[0]
