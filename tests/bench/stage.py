"""Where everything is measured: a broker and a database, with empty stores and queues for each run."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import amqp
import psycopg2
from kombu import Connection
from sqlalchemy.engine import make_url

from pratique import store
from pratique.event import CONTENT_TYPE
from tests.bench.peers import schema
from tests.bench.closings import EXCHANGE, ROUTING_KEY

CONFIRM_WINDOW = 500
QUORUM = {"x-queue-type": "quorum"}


@dataclass(frozen=True)
class Stage:
    """Servers that belong to this run alone, or that the caller lent."""

    broker_url: str
    admin_url: str  #: of a PostgreSQL superuser; databases named bench_… are made and dropped

    def store_url(self, name: str) -> str:
        """The SQLAlchemy URL of the store ``name``, which need not exist yet."""
        url = make_url(self.admin_url).set(drivername="postgresql+psycopg2", database=f"bench_{name}")
        return url.render_as_string(hide_password=False)

    def fresh_store(self, name: str) -> str:
        """Leave an empty store with the tables of evaluation and return its URL; what was in it is gone.

        The migrations run once; each store is then a copy of that template. A checkpoint precedes every run, so
        that none pays for the pages that another has written.
        """
        template = "bench_template"
        with self._admin() as cursor:
            cursor.execute("select 1 from pg_database where datname = %s", (template,))
            is_there = cursor.fetchone()
            if not is_there:
                cursor.execute(f'create database "{template}"')
        if not is_there:
            opened = store.Store("template", self.store_url("template"))
            schema.prepare(opened)
            opened.close()
        self.drop_store(name)
        with self._admin() as cursor:
            cursor.execute(f'create database "bench_{name}" template "{template}"')
            cursor.execute("checkpoint")
        return self.store_url(name)

    def drop_store(self, name: str) -> None:
        """Remove the store ``name``, whoever is connected to it."""
        with self._admin() as cursor:
            cursor.execute(f'drop database if exists "bench_{name}" with (force)')

    def clear(self) -> None:
        """Drop every database that the bench has made here."""
        with self._admin() as cursor:
            cursor.execute(r"select datname from pg_database where datname like 'bench\_%%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'drop database if exists "{name}" with (force)')

    def settings(self) -> str:
        """What of the servers weighs on the figures, in one line."""
        with self._admin() as cursor:
            cursor.execute("select current_setting('server_version'), current_setting('fsync'),"
                           " current_setting('synchronous_commit')")
            version, fsync, commit = cursor.fetchone()
        with self.broker() as connection:
            rabbit = connection.server_properties.get("version", "?")
        return f"PostgreSQL {version.split()[0]} (fsync {fsync}, synchronous_commit {commit}), RabbitMQ {rabbit}"

    @contextmanager
    def _admin(self) -> Iterator["psycopg2.extensions.cursor"]:
        connection = psycopg2.connect(_libpq(self.admin_url))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    @contextmanager
    def broker(self) -> Iterator[amqp.Connection]:
        """An open connection to the broker."""
        url = Connection(self.broker_url)
        connection = amqp.Connection(
            f"{url.hostname}:{url.port or 5672}", url.userid, url.password, virtual_host=url.virtual_host or "/"
        )
        connection.connect()
        try:
            yield connection
        finally:
            connection.close()

    def empty_queue(self, name: str) -> None:
        """Leave a durable quorum queue of this name, empty, bound to what meetings publishes on closing."""
        with self.broker() as connection:
            channel = connection.channel()
            channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
            channel.queue_declare(name, durable=True, auto_delete=False, arguments=QUORUM)
            channel.queue_bind(name, EXCHANGE, ROUTING_KEY)
            channel.queue_purge(name)

    def delete_queue(self, name: str) -> None:
        """Remove the queue and what is in it."""
        with self.broker() as connection:
            connection.channel().queue_delete(name)

    def count(self, queue: str) -> int:
        """How many messages wait in the queue."""
        with self.broker() as connection:
            return int(connection.channel().queue_declare(queue, passive=True).message_count)

    def publish(self, bodies: Sequence[bytes], queue: str = "") -> None:
        """Publish closings, persistent and confirmed: to all who are bound, or into one queue only.

        Raises:
            TimeoutError: the broker did not confirm within 30 s.
        """
        exchange, routing_key = ("", queue) if queue else (EXCHANGE, ROUTING_KEY)
        unconfirmed: set[int] = set()

        def on_ack(tag: int, multiple: bool) -> None:
            unconfirmed.difference_update([each for each in unconfirmed if each <= tag] if multiple else [tag])

        with self.broker() as connection:
            channel = connection.channel()
            channel.confirm_select()
            channel.events["basic_ack"].add(on_ack)
            deadline = time.monotonic() + 30
            for start in range(0, len(bodies), CONFIRM_WINDOW):
                for tag, body in enumerate(bodies[start : start + CONFIRM_WINDOW], start + 1):
                    unconfirmed.add(tag)
                    message = amqp.Message(body, content_type=CONTENT_TYPE, delivery_mode=2)
                    channel._basic_publish(message, exchange=exchange, routing_key=routing_key)
                while unconfirmed:
                    connection.drain_events(timeout=max(deadline - time.monotonic(), 0.01))


def _libpq(url: str) -> str:
    """A SQLAlchemy URL as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def staged(broker_url: str, admin_url: str) -> Iterator[Stage]:
    """The servers to measure on: private ones, started and stopped here, unless both URLs are lent."""
    if broker_url and admin_url:
        lent = Stage(broker_url, admin_url)
        try:
            yield lent
        finally:
            lent.clear()
        return
    from tests.servers import Servers

    with Servers() as servers:
        yield Stage(servers.broker_url, servers.admin_url)
