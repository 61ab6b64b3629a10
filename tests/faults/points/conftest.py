"""One story, lived once without a crash for each database, and networks in which to live it again."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.settings import STORES, Settings
from chassis.storage.migrate import migrate
from chassis.storage.store import Store
from chassis.testing import SEAL_KEY, heard, open_at
from operations import composition
from tests.faults.points.interrupted import Interrupted, Row
from tests.faults.points.sameness import alike
from tests.faults.points.story import live
from tests.journeys.holdings import everything_in
from tests.journeys.life import AT, mail_server
from tests.servers.process import free_port

Network = AbstractContextManager[Interrupted]
Found = Callable[..., Network]  #: a new network; with ``by_smtp=True`` its mails go to a real mail server


@dataclass(frozen=True)
class Undisturbed:
    """What the story leaves when nothing ends."""

    rows: Counter[str]
    mails: Counter[tuple[str, str]]  #: to whom, about what
    publishing: set[Row]  #: the reactions that made something known


@pytest.fixture(scope="session")
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Makes networks in which nothing has happened yet, on one of the two databases."""

    @contextmanager
    def make(by_smtp: bool = False) -> Iterator[Interrupted]:
        folder = tmp_path_factory.mktemp("network")
        if request.param == "sqlite":
            urls = {name: f"sqlite:///{folder / name}.sqlite" for name in STORES}
            with _living(urls, folder, by_smtp) as life:
                yield life
        else:
            fresh = request.getfixturevalue("servers").fresh()
            with _living(fresh.store_urls, folder, by_smtp) as life:
                yield life
            fresh.discard()

    return make


@contextmanager
def _living(urls: dict[str, str], folder: Path, by_smtp: bool) -> Iterator[Interrupted]:
    port = free_port()
    settings = Settings(
        seal_key=SEAL_KEY,
        broker_url="embedded://",
        store_urls=urls,
        home=Path(),
        mail_dir=folder / "mail",
        smtp_url=f"smtp://127.0.0.1:{port}" if by_smtp else "",
    )
    stores = {name: open_at(name, url) for name, url in urls.items()}
    for name, opened in stores.items():
        migrate(opened, composition.migrations_of(name))
    try:
        with clock.fixed(AT):
            if by_smtp:
                with mail_server(port, folder / "maildir") as maildir:
                    yield Interrupted(settings, stores, maildir)
            else:
                yield Interrupted(settings, stores, settings.mail_dir)
    finally:
        for opened in stores.values():
            opened.close()


@pytest.fixture(scope="session")
def undisturbed(found: Found) -> Undisturbed:
    """The same story, lived in peace."""
    with found() as life:
        publishing = _noted(life)
        live(life)
        held = everything_in(life.stores)
        mails = Counter((str(mail["To"]), str(mail["Subject"])) for mail in life.mails())
    return Undisturbed(alike(held), mails, publishing)


def _noted(life: Interrupted) -> set[Row]:
    """The reactions that make something known, as they are seen to; events are delivered one by one for that."""
    publishing = set[Row]()
    receive = life._receive

    def receive_each(name: str, table: inbox.Reactions, bodies: list[bytes]) -> None:
        for body in bodies:
            before = _backlog(life.stores[name])
            receive(name, table, [body])
            if _backlog(life.stores[name]) > before:
                publishing.add((name, type(heard(body).event).__name__))

    life._receive = receive_each  # type: ignore[method-assign]
    return publishing


def _backlog(opened: Store) -> int:
    with opened.begin() as session:
        return outbox.backlog(session)[0]
