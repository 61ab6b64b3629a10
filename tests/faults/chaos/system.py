"""What is broken: two replicas of each service and two gateways, their servers, and whoever watches them."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from psycopg2 import sql

import chassis.runtime.tables  # noqa: F401  (completes CHASSIS_TABLES)
from chassis import clock
from chassis.settings import SERVICES, STORES
from chassis.testing import open_at
from gateway.auth import create_token
from services.notifications.delivery import MANY
from tests.faults.chaos.bystander import Bystander
from tests.faults.chaos.driver import Driver
from tests.faults.chaos.record import Record
from tests.faults.chaos.replica import Replica, Supervisor
from tests.harness.processes import PRATIQUE
from tests.harness.waiting import PATIENCE_S, PROGRAM_S, is_listening, until
from tests.servers import HOME, Fresh, Servers
from tests.servers.process import free_port, unprivileged

REPLICAS = 2
FURTHEST = timedelta(hours=27)  #: faults move the clock no further; coming to rest may take ten hours more
SMALL_DISK_MB = 400
SENDERS = 2  #: loops of one notifications process that each may be cut between the mail server's yes and its record


class System:
    """Everything of one seed. Faults break it by its parts, and say in ``expected`` what honest effects they have."""

    def __init__(self, servers: Servers, fresh: Fresh, folder: Path, rate: float, seed: int) -> None:
        self.servers, self.fresh, self.folder, self.home = servers, fresh, folder, HOME
        self.smtp_port, self.mails = free_port(), folder / "mails.jsonl"
        self._clock_file = folder / "clock"
        self._clock_file.write_text("0")
        self.off = timedelta()  #: by how much every clock is off
        self.replicas = [self._replica(name, number) for name in STORES for number in range(1, REPLICAS + 1)]
        self.record = Record()
        self.stores = {name: open_at(name, url, pool_size=3) for name, url in fresh.store_urls.items()}
        self.rate, self.seed = rate, seed
        self.copies_allowed = 0  #: mails that may have been handed over twice with the same Message-ID
        self.dead_expected: dict[str, str] = {}  #: ids that must be dead letters in the end, and of which service
        self.made_to_fail: set[str] = set()  #: meetings whose survey cannot be written, for a while or for good
        self.held: set[UUID] = set()  #: events that are kept from a service until later
        self.complaints: list[str] = []  #: what a fault saw that must not be
        self.remarks: list[str] = []  #: figures that a fault took, for whoever reads the report
        self.repairs: list[str] = []  #: what an operator did by command
        self.when_at_rest: list[Callable[[], None]] = []  #: what an operator does when all else is done
        self.points_passed: Counter[str] = Counter()  #: at which a process ended
        self.drains: list[float] = []  #: seconds from SIGTERM to the end
        self.small_disk: Path | None = None

    def environ(self) -> dict[str, str]:
        """The settings of every process."""
        return (
            self.fresh.environ()
            | self.fresh.own_users()
            | {
                "PRATIQUE_SMTP_URL": f"smtp://127.0.0.1:{self.smtp_port}",
                "PRATIQUE_PUBLIC_URL": "http://127.0.0.1:1",
                "FAULTS_CLOCK": str(self._clock_file),
                "PYTHONWARNINGS": "ignore",
                "PRATIQUE_LOG_FORMAT": "text",
            }
        )

    def _replica(self, name: str, number: int) -> Replica:
        port = "PRATIQUE_HTTP_PORT" if name == "gateway" else "PRATIQUE_HEALTH_PORT"
        return Replica(name, number, self.environ() | {port: str(free_port())}, self.home, self.folder)

    def of(self, *services: str) -> list[Replica]:
        """The replicas of these services."""
        return [replica for replica in self.replicas if replica.service in services]

    def operator(self, *arguments: str, home: Path | None = None) -> str:
        """What ``pratique …`` prints for an operator.

        Raises:
            RuntimeError: it failed; with what it printed.
        """
        where = str(home or self.home)
        environ = {"PATH": os.environ["PATH"], **self.environ(), "PRATIQUE_HOME": where, "PYTHONPATH": where}
        done = subprocess.run(
            [*PRATIQUE, *arguments],
            env=environ,
            cwd=where,
            capture_output=True,
            text=True,
            timeout=PROGRAM_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pratique {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    @contextmanager
    def running(self) -> Iterator[None]:
        """Everything is migrated, started and ready for the length of the block."""
        postbox = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.chaos.postbox", str(self.smtp_port), str(self.mails)], cwd=HOME
        )
        supervisor = None
        try:
            self.small_disk = self._mount()
            self.operator("migrate")
            self.bystander = Bystander(self.fresh.broker_url)
            for replica in self.replicas:
                replica.start()
            with self.stores["gateway"].begin() as session:
                self.token = create_token(session, "driver", ["*"])
            supervisor = self.supervisor = Supervisor(self.replicas)
            until(lambda: is_listening(self.smtp_port), every_s=0.1, what="the mail server")
            self.wait_until_ready()
            self.driver = Driver(
                [each.port for each in self.of("gateway")], self.token, self.record, self.rate, self.seed
            )
            yield
        finally:
            if supervisor is not None:
                supervisor.stop()
                self.bystander.stop()
            self._end(postbox)

    def _mount(self) -> Path | None:
        """Put the data of two stores on a small file system; None where that is not allowed."""
        disk, user = self.servers.folder / f"disk-{self.seed}", unprivileged()
        disk.mkdir()
        size = f"size={SMALL_DISK_MB}m,uid={user.get('user', 0)},gid={user.get('group', 0)}"
        command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)]
        if not user or subprocess.run(command, capture_output=True, check=False).returncode:
            return None
        (disk / "data").mkdir()
        shutil.chown(disk / "data", user["user"], user["group"])  # type: ignore[call-overload]
        with self.servers.database.admin() as execute:
            name = sql.Identifier(f"small_{self.seed}")
            execute("create tablespace {} location {}", name, sql.Literal(str(disk / "data")))
            for store in ("evaluation", "notifications"):
                database = sql.Identifier(self.fresh.store_urls[store].rpartition("/")[2])
                execute("alter database {} set tablespace {}", database, name)
        return disk

    def unmount(self) -> None:
        """Take the small file system away, when its databases are gone."""
        if self.small_disk is not None:
            with self.servers.database.admin() as execute:
                execute("drop tablespace {}", sql.Identifier(f"small_{self.seed}"))
            subprocess.run(["umount", str(self.small_disk)], check=True)

    def _end(self, postbox: "subprocess.Popen[bytes]") -> None:
        for replica in self.replicas:
            if replica.is_running:
                replica.kill()
        postbox.terminate()
        postbox.wait(PATIENCE_S)
        for opened in self.stores.values():
            opened.close()
        clock.move(-self.off)

    def wait_until_ready(self, *replicas: Replica, timeout_s: float = PROGRAM_S) -> None:
        """Return when these, or all, say that they do their work."""
        for replica in replicas or self.replicas:
            until(replica.is_ready, timeout_s, 0.1, f"{replica} to be ready")

    def move_clock(self, by: timedelta) -> None:
        """Let every process, and whoever checks them, read another time from now on."""
        self.off += by
        clock.move(by)
        self._clock_file.write_text(str(self.off.total_seconds()))
        for replica in self.replicas:
            replica.notice_clock()

    def may_move(self, by: timedelta) -> bool:
        """Whether the clock can be moved on without reaching the day of reminders, coming to rest included."""
        return self.off + by <= FURTHEST

    def allow_copies_by_clock(self) -> None:
        """Whatever is being sent while the clock jumps is taken for interrupted, and handed over by another too."""
        self.allow_copies(REPLICAS * SENDERS * MANY)

    def allow_copies(self, senders: int, seconds: float = 0.0) -> None:
        """Some mails may come twice: one for each sender that was cut, and what was recorded in the last seconds."""
        self.copies_allowed += senders + int(seconds * self.rate * 6)


@contextmanager
def built(servers: Servers, folder: Path, rate: float, seed: int) -> Iterator[System]:
    """A system on empty stores and an empty broker, not started; its databases are gone afterwards."""
    fresh = servers.fresh(is_migrated=False)
    system = System(servers, fresh, folder, rate, seed)
    try:
        yield system
    finally:
        with contextlib.suppress(RuntimeError):  # a broker that a failing run left behind is gone anyway in a moment
            servers.rabbitmqctl("delete_vhost", fresh.vhost)
        fresh.discard()
        system.unmount()


__all__ = ["REPLICAS", "SENDERS", "SERVICES", "System", "built"]
