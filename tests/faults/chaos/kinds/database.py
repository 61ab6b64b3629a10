"""The database: killed, restarted, cut off, slow, in a deadlock, full."""

import contextlib
import random
import signal
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
from psycopg2 import sql

from chassis.settings import SERVICES
from tests.bench.environment import query
from tests.faults.chaos.registry import CannotBe, fault
from tests.faults.chaos.system import SENDERS, System

#: One table of each service on the way of a closing; whoever holds it holds up the service.
ON_THE_WAY = {"meetings": "meeting", "evaluation": "survey", "notifications": "message", "membership": "member"}
KERNEL = ("outbox", "inbox", "event_log", "parked")
UNFLUSHED_S = 1.0  #: commits that do not wait for the disk are lost by a crash for as long as three turns of the writer


@fault("database killed", is_telling=True)
def kill_database(system: System, chance: random.Random) -> Iterator[str]:
    """Kill -9 of PostgreSQL, and its recovery."""
    system.allow_copies(2 * SENDERS, UNFLUSHED_S)
    began = time.monotonic()
    system.servers.database.restart(signal.SIGKILL)
    yield f"kill -9, back after {time.monotonic() - began:.1f} s"


@fault("database restarted")
def restart_database(system: System, chance: random.Random) -> Iterator[str]:
    """As an upgrade would: whoever is connected is cut off."""
    system.allow_copies(2 * SENDERS)
    system.servers.database.restart(signal.SIGINT)
    yield "fast shutdown"


@fault("database connections cut")
def cut_connections(system: System, chance: random.Random) -> Iterator[str]:
    """All that are open to the store of one service, or to all."""
    services = chance.choice([(name,) for name in SERVICES] + [SERVICES])
    system.allow_copies(2 * SENDERS if "notifications" in services else 0)
    with system.servers.database.admin() as execute:
        for name in services:
            database = sql.Literal(_database(system, name))
            execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = {}", database)
    yield ", ".join(services)


@fault("a lock held", lasts_s=(1, 8))
def hold_a_lock(system: System, chance: random.Random) -> Iterator[str]:
    """A table of a service is locked, as by a migration that hangs, now and then for longer than statements wait."""
    service = chance.choice(SERVICES)
    table = chance.choice([ON_THE_WAY[service], *KERNEL])
    system.allow_copies(2 * SENDERS if service == "notifications" else 0)
    with _transaction(system, service) as cursor:
        try:
            cursor.execute(sql.SQL("set local lock_timeout = '20s'; lock table {}").format(sql.Identifier(table)))
        except psycopg2.OperationalError as error:
            raise CannotBe(f"{table} was never free ({error.pgcode})") from error
        yield f"{table} of {service}"


@fault("deadlock")
def deadlock(system: System, chance: random.Random) -> Iterator[str]:
    """Another transaction takes what a reaction needs next, and then wants what it has."""
    service, second = chance.choice([("evaluation", "survey"), ("notifications", "message")])
    system.allow_copies(2 * SENDERS if service == "notifications" else 0)
    before, was_ours = _deadlocks(system, service), 0
    for _ in range(3):
        try:
            with _transaction(system, service) as cursor:
                cursor.execute(sql.SQL("lock table {} in share row exclusive mode").format(sql.Identifier(second)))
                time.sleep(0.3)
                cursor.execute("lock table inbox in share row exclusive mode")
        except psycopg2.Error:
            was_ours += 1
    time.sleep(0.6)  # until the figure below is told
    yield f"{service}: {_deadlocks(system, service) - before}, of which {was_ours} ended our own transaction"


@fault("disk full", lasts_s=(2, 6))
def fill_the_disk(system: System, chance: random.Random) -> Iterator[str]:
    """The file system on which the data of evaluation and notifications lie has no byte left."""
    if system.small_disk is None:
        raise CannotBe("a small file system can be mounted by root only")
    system.allow_copies(2 * SENDERS)
    path = system.small_disk / "filler"
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as filler:
        while True:
            filler.write(b"\0" * 65536)
    yield f"{path.stat().st_size >> 20} MB of filler"
    path.unlink()


def _database(system: System, service: str) -> str:
    return system.fresh.store_urls[service].rpartition("/")[2]


@contextlib.contextmanager
def _transaction(system: System, service: str) -> Iterator[Any]:
    """A transaction of its own, taken back at the end."""
    with query(system.fresh.store_urls[service]) as cursor:
        cursor.connection.autocommit = False
        try:
            yield cursor
        finally:
            with contextlib.suppress(psycopg2.Error):
                cursor.connection.rollback()


def _deadlocks(system: System, service: str) -> int:
    with system.servers.database.admin() as execute:
        name = sql.Literal(_database(system, service))
        return int(execute("select deadlocks from pg_stat_database where datname = {}", name)[0][0])
