"""A private PostgreSQL: a role per store, and databases that only their own role may open."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from tests.servers.find import find
from tests.servers.process import Process, free_port, unprivileged

ADMIN = "pratique_admin"
_USUAL = ("fsync=off", "full_page_writes=off", "max_connections=300", "shared_buffers=128MB", "jit=off")


class Database:
    """PostgreSQL with a role for each of ``stores``. ``options`` are settings, such as ``fsync=on``."""

    def __init__(self, folder: Path, stores: Sequence[str], options: Sequence[str] = ()) -> None:
        folder.mkdir()
        self.folder, self.stores, self.port = folder, tuple(stores), free_port()
        self.password = secrets.token_hex(8)
        self._options = [*_USUAL, "listen_addresses=127.0.0.1", "unix_socket_directories=", *options]
        self._made = 0
        self._templates: set[str] = set()
        self.server = Process(folder, "postgresql", ends_by=signal.SIGINT)

    def launch(self) -> None:
        """Make the cluster and begin to start; ``wait`` returns when it answers."""
        (self.folder / "password").write_text(self.password)
        if user := unprivileged():
            for path in (self.folder, self.folder / "password"):
                os.chown(path, int(str(user["user"])), int(str(user["group"])))
        command = [find("initdb"), "--pgdata", "data", "--username", ADMIN, "--pwfile", "password", "--no-sync"]
        command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"]
        done = subprocess.run(  # type: ignore[call-overload]
            command, cwd=self.folder, env=_env(), capture_output=True, text=True, check=False, **user
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")
        self._start()

    def _start(self) -> None:
        command = [str(find("postgres")), "-D", "data", "-p", str(self.port)]
        for option in self._options:
            command += ["-c", option]
        self.server.start(command, _env(), **unprivileged())

    def wait(self) -> None:
        """Return when clients can connect and every store has its role."""
        self.server.wait_for_port(self.port)
        end = time.monotonic() + 600
        while not self._answers() and time.monotonic() < end:
            time.sleep(0.05)
        with self.admin() as execute:
            known = {name for (name,) in execute("select rolname from pg_roles")}
            for store in set(self.stores) - known:
                execute("create role {} login password {}", sql.Identifier(store), sql.Literal(self.password))

    def _answers(self) -> bool:
        """Whether it has recovered from the last crash, if there was one."""
        try:
            with self.admin():
                return True
        except psycopg2.OperationalError:
            return False

    def url(self, role: str, database: str) -> str:
        """The SQLAlchemy URL of one database for one role."""
        return f"postgresql+psycopg2://{role}:{self.password}@127.0.0.1:{self.port}/{database}"

    def fresh(self, prepare: Callable[[str, str], None] | None = None) -> dict[str, str]:
        """New databases, one for each store, as URLs by store.

        ``prepare(store, url)`` is called once for each store; what it leaves there is in all that follow.
        """
        self._made += 1
        urls = {}
        for store in self.stores:
            template = "template1"
            if prepare is not None:
                template = f"template_{store}"
                if store not in self._templates:
                    self._create(template, store, "template1")
                    prepare(store, self.url(store, template))
                    self._templates.add(store)
            name = f"t{self._made}_{store}"
            self._create(name, store, template)
            urls[store] = self.url(store, name)
        return urls

    def drop(self, urls: Mapping[str, str]) -> None:
        """Remove databases that ``fresh`` made, whoever is still connected; each takes some MB of disk."""
        with self.admin() as execute:
            for url in urls.values():
                execute("drop database if exists {} with (force)", sql.Identifier(url.rpartition("/")[2]))

    def _create(self, name: str, owner: str, template: str) -> None:
        with self.admin() as execute:
            database = sql.Identifier(name)
            execute(
                "create database {} owner {} template {}", database, sql.Identifier(owner), sql.Identifier(template)
            )
            execute("revoke all on database {} from public", database)

    @contextmanager
    def admin(self) -> Iterator[Callable[..., list[Any]]]:
        """Call ``execute(sql, *parts)`` as the superuser, each statement committed by itself."""
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user=ADMIN, password=self.password, dbname="postgres", connect_timeout=10
        )
        connection.autocommit = True

        def execute(statement: str, *parts: sql.Composable) -> list[Any]:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL(statement).format(*parts))
                return cursor.fetchall() if cursor.description else []

        try:
            yield execute
        finally:
            connection.close()

    def restart(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """End it, by default as a crash would, and start it again on the same port with the same data."""
        self.server.stop(number)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        self._start()
        try:
            self.wait()
        except RuntimeError:  # a backend that was killed with it still held its shared memory
            time.sleep(1)
            self.server.stop()
            self._start()
            self.wait()

    def pause(self) -> None:
        """Let it hang: connections stay open and nothing answers, until ``resume``."""
        self.server.pause()

    def resume(self) -> None:
        """Let it go on."""
        self.server.send(signal.SIGCONT)

    def discard(self) -> None:
        """End it and remove its data."""
        self.server.discard()


def _env() -> dict[str, str]:
    path = f"{Path(str(find('initdb'))).parent}:{os.environ.get('PATH', os.defpath)}"
    return {"PATH": path, "LC_ALL": "C", "HOME": "/", "SHELL": shutil.which("sh") or "/bin/sh"}
