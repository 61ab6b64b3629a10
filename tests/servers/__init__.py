"""Private RabbitMQ and PostgreSQL for tests and measurements, from the installed programs.

On free loopback ports, with their data in a temporary folder. They are ended by their own process ids, also when the
tests are interrupted or killed; servers that already run on the machine are left alone.
"""

import atexit
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chassis.runtime.topology import declare
from chassis.settings import SERVICES, STORES, Settings
from chassis.storage.migrate import migrate
from chassis.storage.store import Store
from chassis.testing import SEAL_KEY
from operations import composition
from operations.management import grant_permissions
from tests.servers.broker import Broker
from tests.servers.database import Database
from tests.servers.find import is_compulsory, missing, why_skipped

__all__ = ["Fresh", "Servers", "is_compulsory", "missing", "new_folder", "started", "why_skipped"]
HOME = Path(__file__).parents[2]  #: the folder that holds services/ and gateway/


@dataclasses.dataclass(frozen=True)
class Fresh:
    """An empty virtual host and new databases, for one test."""

    servers: "Servers"
    vhost: str
    store_urls: dict[str, str]

    @property
    def broker_url(self) -> str:
        """AMQP URL of the virtual host."""
        return self.servers.broker.url(self.vhost)

    def settings(self, **changes: Any) -> Settings:
        """Settings of a process on these servers; it waits long for answers, as busy machines need."""
        fields = {"broker_url": self.broker_url, "store_urls": self.store_urls, "home": HOME, "seal_key": SEAL_KEY}
        fields |= {"broker_api_url": self.servers.broker.api_url, "rpc_timeout_s": 30.0}
        return Settings(**{**fields, **changes})

    def guarded(self, **changes: Any) -> Settings:
        """The same, where each service has a broker user of its own, with the permissions of ``pratique migrate``."""
        urls = {name: self.servers.broker.url(self.vhost, name) for name in STORES}
        made = self.settings(broker_urls=urls, **changes)
        declare(made, composition.service_classes(SERVICES))
        grant_permissions(made, {})
        return made

    def discard(self) -> None:
        """Remove the databases, whoever is still connected."""
        self.servers.database.drop(self.store_urls)

    def environ(self) -> dict[str, str]:
        """The same as environment variables, for a process of its own."""
        urls = {f"PRATIQUE_STORE_{name.upper()}": url for name, url in self.store_urls.items()}
        api = {"PRATIQUE_BROKER_API_URL": self.servers.broker.api_url}
        own = {"PRATIQUE_BROKER_URL": self.broker_url, "PRATIQUE_HOME": str(HOME), "PRATIQUE_SEAL_KEY": SEAL_KEY}
        return {**own, **api, **urls}

    def own_users(self) -> dict[str, str]:
        """What to add so that ``pratique migrate`` makes each a broker user of its own, and each comes as that user."""
        return {f"PRATIQUE_BROKER_{name.upper()}": self.servers.broker.url(self.vhost, name) for name in STORES}


def new_folder() -> Path:
    """A temporary folder for servers' data; PostgreSQL runs as another user and can reach its own folder within."""
    folder = Path(tempfile.mkdtemp(prefix="pratique-servers-"))
    folder.chmod(0o711)
    return folder


class Servers:
    """Both servers, started side by side; ``options`` are PostgreSQL settings, such as ``fsync=on``."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self.folder = new_folder()
        self.broker = Broker(self.folder / "broker")
        self.database = Database(self.folder / "database", STORES, options)

    def start(self) -> None:
        """Return when both answer; a broker needs some seconds."""
        atexit.register(self.discard)
        try:
            self.broker.launch()
            self.database.launch()
            self.database.wait()
            self.broker.wait()
        except BaseException:
            self.discard()
            raise

    def rabbitmqctl(self, *arguments: str) -> str:
        """What rabbitmqctl prints when asked this of our node."""
        return self.broker.rabbitmqctl(*arguments)

    def fresh(self, is_migrated: bool = True) -> Fresh:
        """A virtual host and databases in which nothing has happened yet, with all tables or with none."""
        return Fresh(self, self.broker.fresh_vhost(), self.database.fresh(_migrate if is_migrated else None))

    def discard(self) -> None:
        """End both and remove their data; harmless when done already."""
        self.broker.discard()
        self.database.discard()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.discard)


def _migrate(store: str, url: str) -> None:
    opened = Store(store, url)
    try:
        migrate(opened, composition.migrations_of(store))
    finally:
        opened.close()


@contextmanager
def started(options: Sequence[str] = ()) -> Iterator[Servers]:
    """Both servers for the length of a ``with`` block."""
    servers = Servers(options)
    servers.start()
    try:
        yield servers
    finally:
        servers.discard()
