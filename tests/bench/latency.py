"""From the commit of a closing to the last of its 15 mails, on an idle system; and within one process."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from chassis.settings import SERVICES
from tests.bench.closings import ATTENDEES
from tests.bench.environment import Environment, query
from tests.bench.measure import Stuck
from tests.bench.side import HOME, OURS, PRATIQUE, running
from tests.bench.sink import sink
from tests.harness.client import HttpClient
from tests.harness.people import Community
from tests.harness.waiting import PATIENCE_S, is_ready, until
from tests.servers.process import free_port

ARRIVE_S = 30  #: a closing whose mails take longer ends the measurement
QUIET_S = 0.5  #: an idle system sends nothing for so long
COMMITTED = "select at from event_log where subject = %s and type like '%%MeetingClosed%%'"


class Mails:
    """When each mail was accepted, and how to wait for them."""

    def __init__(self) -> None:
        self.accepted: list[datetime] = []

    def wait_for(self, count: int) -> datetime:
        """When the last of the next ``count`` mails was accepted.

        Raises:
            Stuck: they did not come.
        """
        wait_until(lambda: len(self.accepted) >= count, ARRIVE_S, f"{count} mails")
        return self.accepted[count - 1]

    def wait_for_quiet(self) -> None:
        """Return when nothing has come for a while, and forget what came."""
        seen, since = len(self.accepted), time.monotonic()
        while time.monotonic() < since + QUIET_S:
            time.sleep(0.05)
            if len(self.accepted) != seen:
                seen, since = len(self.accepted), time.monotonic()
        self.accepted.clear()


def real(environment: Environment, count: int) -> list[float]:
    """Milliseconds of ``count`` closings, all services and the gateway as processes of their own.

    Taken from the instant that MeetingClosed was written with, just before its commit, to the instant at which the
    SMTP server has accepted the last mail.
    """
    fresh, mails = environment.empty(), Mails()
    with (
        sink(mails.accepted.append) as smtp_url,
        query(fresh.store_urls["meetings"]) as meetings,
        ExitStack() as processes,
    ):
        port = free_port()
        environ = fresh.environ() | {"PRATIQUE_SMTP_URL": smtp_url, "PRATIQUE_HTTP_PORT": str(port)}
        ports = [port]
        for name in SERVICES:
            ports.append(free_port())
            health = {"PRATIQUE_HEALTH_PORT": str(ports[-1])}
            processes.enter_context(running((*OURS, name), environ | health))
        processes.enter_context(running((*OURS, "gateway"), environ))
        ready(ports)
        gateway = HttpClient(port, token(environ), timeout_s=10)
        community = Community(str(uuid4()), [str(uuid4()) for _ in range(ATTENDEES)])
        gateway.put_community(community.id, locale="en")
        gateway.put_members(community.id, community.member_ids, locale="en")
        mails.wait_for_quiet()  # the other services hear of them meanwhile
        return [_closing(gateway, mails, meetings, community) for _ in range(count)]


def _closing(gateway: HttpClient, mails: Mails, meetings: Any, community: Community) -> float:
    """Hold a meeting, wait until all is quiet, close it, and wait for the mails."""
    meeting_id = uuid4()
    gateway.put_meeting(meeting_id, community.id, starts_at=datetime.now(UTC) + timedelta(minutes=5))
    gateway.start(meeting_id)
    gateway.record_attendance(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    mails.wait_for_quiet()
    gateway.close(meeting_id)
    last = mails.wait_for(ATTENDEES)
    meetings.execute(COMMITTED, (str(meeting_id),))
    (committed,) = meetings.fetchone()
    return float((last - committed) / timedelta(milliseconds=1))


def token(environ: Mapping[str, str]) -> str:
    """A token for everything, of the gateway with these settings."""
    command = (PRATIQUE, "token", "create", "bench", "--scope", "*")
    made = subprocess.run(command, env=dict(environ), cwd=HOME, capture_output=True, text=True, check=True, timeout=30)
    return made.stdout.strip()


def ready(ports: Sequence[int]) -> None:
    """Return when each of these answers that it is ready."""
    for each in ports:
        wait_until(partial(is_ready, each), PATIENCE_S, "every process ready")


def wait_until(is_so: Callable[[], object], timeout_s: float, what: str) -> None:
    """Wait until it is so.

    Raises:
        Stuck: it is not so in time; ``what`` was waited for.
    """
    try:
        until(is_so, timeout_s, 0.005, what)
    except TimeoutError as error:
        raise Stuck(str(error)) from error


def embedded(count: int) -> list[float]:
    """Milliseconds from the commit of MeetingClosed to the commit of evaluation's reaction, all in one process."""
    with running((sys.executable, "-m", "tests.bench.embedded"), {"BENCH_COUNT": str(count)}) as side:
        return side.results()[-count:]
