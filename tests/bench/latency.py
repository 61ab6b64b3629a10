"""From the commit of a closing to the last of its 15 mails, on an idle system; and within one process."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis.settings import SERVICES
from tests.bench.closings import ATTENDEES
from tests.bench.measure import Stuck
from tests.bench.side import HOME, OURS, PRATIQUE, running
from tests.bench.sink import sink
from tests.bench.stage import Stage, query
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
        until(lambda: len(self.accepted) >= count, ARRIVE_S, lambda: f"{len(self.accepted)} of {count} mails came")
        return self.accepted[count - 1]

    def rest(self) -> None:
        """Return when nothing has come for a while, and forget what came."""
        seen, since = len(self.accepted), time.monotonic()
        while time.monotonic() < since + QUIET_S:
            time.sleep(0.05)
            if len(self.accepted) != seen:
                seen, since = len(self.accepted), time.monotonic()
        self.accepted.clear()


class Gateway:
    """A client of the HTTP API with every scope."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        """Send one request.

        Raises:
            Stuck: the answer is an error; the message holds the problem.
        """
        encoded = json.dumps(body).encode() if body is not None else b""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/v1{path}", encoded, headers, method=method)
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            raise Stuck(f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:500]}") from error


def real(stage: Stage, count: int) -> list[float]:
    """Milliseconds of ``count`` closings, all services and the gateway as processes of their own.

    Taken from the instant that MeetingClosed was written with, just before its commit, to the instant at which the
    SMTP server has accepted the last mail.
    """
    fresh, mails = stage.empty(), Mails()
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
        gateway = Gateway(f"http://127.0.0.1:{port}", token(environ))
        community_id, members = _network(gateway)
        mails.rest()  # the other services hear of them meanwhile
        return [_closing(gateway, mails, meetings, (community_id, members)) for _ in range(count)]


def _closing(gateway: Gateway, mails: Mails, meetings: Any, who: tuple[UUID, list[UUID]]) -> float:
    """Hold a meeting, wait until all is quiet, close it, and wait for the mails."""
    community_id, members = who
    meeting_id, starts_at = uuid4(), datetime.now(UTC) + timedelta(minutes=5)
    scheduled = {
        "community_ids": [str(community_id)],
        "kind": "meeting",
        "mode": "online",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "timezone": "America/Toronto",
    }
    gateway.send("PUT", f"/meetings/{meeting_id}", scheduled)
    gateway.send("POST", f"/meetings/{meeting_id}/start")
    entries = [{"member_id": str(each), "state": "attended"} for each in members]
    gateway.send("PUT", f"/meetings/{meeting_id}/attendance", {"entries": entries})
    mails.rest()
    gateway.send("POST", f"/meetings/{meeting_id}/close")
    last = mails.wait_for(ATTENDEES)
    meetings.execute(COMMITTED, (str(meeting_id),))
    (committed,) = meetings.fetchone()
    return float((last - committed) / timedelta(milliseconds=1))


def _network(gateway: Gateway) -> tuple[UUID, list[UUID]]:
    """A community of 15 people."""
    community_id, members = uuid4(), [uuid4() for _ in range(ATTENDEES)]
    community = {
        "name": "Bench",
        "purpose": "To be timed.",
        "kind": "individuals",
        "locale": "en",
        "timezone": "America/Toronto",
    }
    gateway.send("PUT", f"/communities/{community_id}", community)
    for number, member_id in enumerate(members):
        mail = {"name": f"Member {number}", "email": f"member{number}@example.org"}
        gateway.send("PUT", f"/members/{member_id}", mail | {"locale": "en", "timezone": "America/Toronto"})
        gateway.send("PUT", f"/communities/{community_id}/memberships/{member_id}", {"capacity": "individual"})
    return community_id, members


def token(environ: Mapping[str, str]) -> str:
    """A token for everything, of the gateway with these settings."""
    command = (PRATIQUE, "token", "create", "bench", "--scope", "*")
    made = subprocess.run(command, env=dict(environ), cwd=HOME, capture_output=True, text=True, check=True, timeout=30)
    return made.stdout.strip()


def ready(ports: Sequence[int]) -> None:
    """Return when each of these answers that it is ready."""
    for each in ports:
        until(lambda: _is_ready(each), 60, lambda: "a process did not get ready")  # noqa: B023  (asked at once)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(is_so: Callable[[], bool], timeout_s: float, otherwise: Callable[[], str]) -> None:
    """Wait for it.

    Raises:
        Stuck: it is not so in time; ``otherwise`` says it in words.
    """
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise Stuck(otherwise())
        time.sleep(0.005)


def embedded(count: int) -> list[float]:
    """Milliseconds from the commit of MeetingClosed to the commit of evaluation's reaction, all in one process."""
    with running((sys.executable, "-m", "tests.bench.embedded"), {"BENCH_COUNT": str(count)}) as side:
        return side.results()[-count:]
