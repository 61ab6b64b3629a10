"""What a closing and a page cost when much is stored already, measured on the same stores in turn."""

import http.client
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from chassis import settings
from chassis.runtime import topology
from operations import composition
from pratique.event import Envelope
from tests.bench import evening
from tests.bench.closings import ATTENDEES
from tests.bench.environment import Environment, publish, query
from tests.bench.filling import COMMUNITY, MEETING, SURVEY, fill
from tests.bench.latency import ready, token
from tests.bench.measure import Stuck
from tests.bench.side import OURS, running
from tests.servers import Fresh
from tests.servers.process import free_port

READERS = ("meetings", "evaluation")  #: the services that pages are read from


def filled(environment: Environment, sizes: Sequence[int], envelopes: Sequence[Envelope[Any]]) -> dict[int, Fresh]:
    """Stores for each number of meetings, which know whom these closings speak of; nothing else is in those of 0."""
    made: dict[int, Fresh] = {}
    for meetings in sizes:
        made[meetings] = environment.empty()
        if meetings:
            fill(environment, made[meetings], meetings)
        topology.declare(settings.load(made[meetings].environ()), composition.service_classes(settings.SERVICES))
        evening.filled(made[meetings].store_urls["notifications"], envelopes)
    return made


def closing_ms(
    environment: Environment, fresh: Fresh, made: Sequence[Envelope[Any]], smtp_url: str, arrivals: evening.Arrivals
) -> float:
    """Milliseconds that each of these closings costs, from the queue to the last of its mails."""
    count = len(made)
    environment.checkpoint()
    arrivals.at.clear()
    for name in evening.OURS_ARE:
        publish(fresh.broker_url, name, [envelope.to_bytes() for envelope in made])
    with evening.serving(fresh, evening.OURS_ARE, {"PRATIQUE_SMTP_URL": smtp_url}) as sides:
        arrivals.wait_for(count * ATTENDEES, sides)
    return ATTENDEES * 1000 / arrivals.per_second(count * ATTENDEES)


@contextmanager
def reader(fresh: Fresh) -> Iterator["Reader"]:
    """The gateway and the services behind it, ready to be read from."""
    with gateway(fresh, READERS) as (port, token):
        yield Reader(port, {"Authorization": f"Bearer {token}"})


@contextmanager
def gateway(fresh: Fresh, names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The gateway and these services, each a process of its own and ready: the gateway's port, and a token for all."""
    port = free_port()
    environ = fresh.environ() | {"PRATIQUE_HTTP_PORT": str(port)}
    with ExitStack() as processes:
        ports = [port]
        for name in names:
            ports.append(free_port())
            environ_of = environ | {"PRATIQUE_HEALTH_PORT": str(ports[-1])}
            processes.enter_context(running((*OURS, name), environ_of))
        processes.enter_context(running((*OURS, "gateway"), environ))
        ready(ports)
        yield port, token(environ)


class Reader:
    """A program that reads pages over one connection, one after the other."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._headers = headers

    def read_ms(self, path: str) -> float:
        """Milliseconds from the request to the end of its answer.

        Raises:
            Stuck: the answer is no page.
        """
        started = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status not in (200, 303):
            raise Stuck(f"GET {path}: {answer.status} {body[:300].decode(errors='replace')}")
        return (time.perf_counter() - started) * 1000


def pages(fresh: Fresh, meetings: int, count: int) -> Mapping[str, list[str]]:
    """The addresses to read, ``count`` of each kind, over all that is stored."""
    with query(fresh.store_urls["meetings"]) as cursor:
        cursor.execute(
            f"select {MEETING}::text, {SURVEY}::text, {COMMUNITY}::text from generate_series(1, %(count)s) n"
            " cross join lateral (select 1 + n * 7919 %% %(meetings)s m) chosen"
            " cross join lateral (select (m - 1) / 100 + 1 c) communities",
            {"count": count, "meetings": meetings},
        )
        ids = cursor.fetchall()
    return {
        "a survey's results": [f"/v1/surveys/{survey}/results" for _, survey, _ in ids],
        "a meeting with its attendance": [f"/v1/meetings/{meeting}" for meeting, _, _ in ids],
        "a community's last ten meetings": [f"/v1/communities/{each}/meetings?limit=10" for _, _, each in ids],
    }
