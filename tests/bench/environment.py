"""Bench environment: private servers, and for each run an empty broker and empty stores."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import amqp
import psycopg2
from kombu import Connection
from sqlalchemy.engine import make_url

from pratique.event import CONTENT_TYPE
from tests.servers import Fresh, Servers, started
from tests.servers.database import ADMIN

#: As in earnest: what is committed is on the disk. Room for WAL, so that no checkpoint falls into one side's run.
POSTGRESQL = (
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "max_wal_size=4GB",
    "checkpoint_timeout=30min",
)
CONFIRM_WINDOW = 500
CONFIRM_S = 30
QUORUM = {"x-queue-type": "quorum"}


class Environment:
    """Servers that belong to this measurement alone."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    def empty(self, *, is_migrated: bool = True) -> Fresh:
        """A virtual host and migrated stores in which nothing has happened, or stores without tables.

        A checkpoint comes first, so that no side pays for pages that another has written.
        """
        fresh = self._servers.fresh(is_migrated)
        self.checkpoint()
        return fresh

    def checkpoint(self) -> None:
        """Let the database write down what it holds, so that nobody's run pays for what came before."""
        with self._servers.database.admin() as execute:
            execute("checkpoint")

    def as_admin(self, store_url: str) -> str:
        """The URL of the same database for its superuser."""
        return self._servers.database.url(ADMIN, store_url.rpartition("/")[2])

    def versions(self, fresh: Fresh) -> str:
        """The servers and their settings that weigh on figures, in one line."""
        with self._servers.database.admin() as execute:
            names = "server_version", "fsync", "synchronous_commit"
            version, fsync, commit = (execute(f"show {name}")[0][0] for name in names)
        with broker(fresh.broker_url) as connection:
            rabbit = connection.server_properties["version"]
        return f"PostgreSQL {version.split()[0]} (fsync {fsync}, synchronous_commit {commit}), RabbitMQ {rabbit}"


@contextmanager
def private_environment() -> Iterator[Environment]:
    """Private servers for the length of a ``with`` block."""
    with started(POSTGRESQL) as servers:
        yield Environment(servers)


@contextmanager
def query(store_url: str) -> Iterator[Any]:
    """A cursor of its own on a store; each statement is committed by itself."""
    url = make_url(store_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


@contextmanager
def broker(url: str) -> Iterator[amqp.Connection]:
    """An open connection to the broker."""
    parts = Connection(url)
    address = f"{parts.hostname}:{parts.port or 5672}"
    connection = amqp.Connection(address, parts.userid, parts.password, virtual_host=parts.virtual_host)
    connection.connect()
    try:
        yield connection
    finally:
        connection.close()


def declare_queue(url: str, name: str, exchange: str = "", routing_key: str = "") -> None:
    """Leave a durable quorum queue of this name; bound, if an exchange is given."""
    with broker(url) as connection:
        channel = connection.channel()
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=QUORUM)
        if exchange:
            channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
            channel.queue_bind(name, exchange, routing_key)


def publish(url: str, queue: str, bodies: Sequence[bytes]) -> None:
    """Put the bodies into one queue, persistent; when this returns, all are confirmed."""
    unconfirmed: set[int] = set()

    def on_ack(tag: int, multiple: bool) -> None:
        unconfirmed.difference_update([each for each in unconfirmed if each <= tag] if multiple else [tag])

    with broker(url) as connection:
        channel = connection.channel()
        channel.confirm_select()
        channel.events["basic_ack"].add(on_ack)
        for start in range(0, len(bodies), CONFIRM_WINDOW):
            for tag, body in enumerate(bodies[start : start + CONFIRM_WINDOW], start + 1):
                unconfirmed.add(tag)
                message = amqp.Message(body, content_type=CONTENT_TYPE, delivery_mode=2)
                channel._basic_publish(message, exchange="", routing_key=queue)
            while unconfirmed:
                connection.drain_events(timeout=CONFIRM_S)
