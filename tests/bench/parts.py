"""The parts of ``make bench``: each yields its figures one by one."""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.bench import evening, growth, latency, pages, reactions, reads, relay, replicas, resting
from tests.bench.closings import ATTENDEES, closings
from tests.bench.environment import Environment
from tests.bench.measure import Figure
from tests.bench.sink import sink
from tests.servers import Fresh

PAGE_MS, TAP_MS = 100, 200  #: at the server, by the median
RUNS = 3  #: of each side, taken in turn, so that what else the machine does meets all of them


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    closings: int
    messages: int
    confirms: int  #: messages of the side that waits for each; it is slow enough to be timed by fewer
    mails: int  #: closings whose mails are timed
    runs: int
    evening: int  #: meetings that close at once
    evening_in_turn: int  #: of them for ours and the peers in turn; the rate does not depend on it
    stored: tuple[int, ...]  #: meetings in the stores that costs are compared in, 10 answers to each
    grown: int  #: closings that are timed in each of them
    grown_runs: int  #: how often; what is looked for is less than two single runs differ
    pages: int  #: of each kind that are read in each of them
    visits: int  #: of each page of the route table, and taps
    reads: int  #: of meetings over 16 connections; a quarter of them over one
    events: int  #: between the first and the last look at memory
    idle_s: float
    replicas: tuple[int, ...]


FULL = Size(
    closings=2000,
    messages=20_000,
    confirms=5000,
    mails=20,
    runs=RUNS,
    evening=1000,
    evening_in_turn=300,
    stored=(10, 1000, 100_000),
    grown=150,
    grown_runs=5,
    pages=300,
    visits=200,
    reads=2000,
    events=100_000,
    idle_s=30,
    replicas=(1, 2, 4),
)
QUICK = Size(
    closings=300,
    messages=2000,
    confirms=500,
    mails=3,
    runs=1,
    evening=30,
    evening_in_turn=20,
    stored=(10, 1000),
    grown=10,
    grown_runs=1,
    pages=20,
    visits=10,
    reads=200,
    events=1500,
    idle_s=3,
    replicas=(1, 2),
)


def measure_reactions(environment: Environment, size: Size) -> Iterator[Figure]:
    """Reactions per second, against FastStream and against the same SQL without a bus."""
    made = [envelope.to_bytes() for envelope in closings(size.closings, datetime.now(UTC))]
    with _lines(made) as path:
        sides = (
            lambda: reactions.ours(environment, made),
            lambda: reactions.ours(environment, made, relays=True),
            lambda: reactions.faststream(environment, made),
            lambda: reactions.plain_loop(environment, path),
        )
        timed = [partial(_per_second, start, size.closings) for start in sides]
        ours, relaying, faststream, plain = _in_turn(size.runs, *timed)
    what = f"closings of {ATTENDEES} to committed rows"
    yield Figure(what, "/s", ours, "FastStream + SQLAlchemy asyncio", faststream, 5)
    yield Figure(what, "/s", ours, "the same SQL without a bus", plain, 0.65)
    yield Figure(
        f"{what}, relay at work in the same process", "/s", relaying, "FastStream, sending nothing", faststream
    )


def _per_second(start: Callable[[], AbstractContextManager[reactions.Writing]], count: int) -> float:
    return reactions.per_second(start(), count)


def measure_relay(environment: Environment, size: Size) -> Iterator[Figure]:
    """Messages per second, confirmed by a quorum queue, against nameko's publisher."""
    waiting = list(closings(size.messages, datetime.now(UTC)))
    with _lines([envelope.to_bytes() for envelope in waiting[: size.confirms]]) as path:
        ours, nameko = _in_turn(
            size.runs, lambda: relay.ours(environment, waiting), lambda: relay.nameko(environment, path)
        )
    yield Figure("outbox rows to confirmed messages", "/s", ours, "nameko's Publisher, from memory", nameko, 4)


def measure_latency(environment: Environment, size: Size) -> Iterator[Figure]:
    """Milliseconds of single closings on an idle system."""
    mails = latency.real(environment, size.mails)
    yield Figure(f"commit of a closing to the last of {ATTENDEES} mails", "ms", mails, wanted=150)
    yield Figure("embedded: commit to reaction", "ms", latency.embedded(size.mails), wanted=20)


def measure_evening(environment: Environment, size: Size) -> Iterator[Figure]:
    """Mails per second when all meetings of an evening close at once, two processes that send on each side."""
    made = list(closings(size.evening, datetime.now(UTC), people=5 * size.evening))
    few, arrivals = made[: size.evening_in_turn], evening.Arrivals()
    with _lines([envelope.to_bytes() for envelope in few]) as path, sink(arrivals.at.append) as smtp_url:
        rated = partial(evening.per_second, smtp_url=smtp_url, arrivals=arrivals)
        whole = rated(partial(evening.ours, environment, made, replicas={"notifications": 2}), closings=len(made))
        seconds = len(made) * ATTENDEES / whole
        yield Figure(f"{len(made) * ATTENDEES:,} mails of {len(made):,} closings, all accepted", "s", [seconds])
        starts = (
            partial(evening.ours, environment, few, replicas={"notifications": 2}),
            partial(evening.ours, environment, few),
            partial(evening.faststream, environment, few),
            partial(evening.celery, environment, few, path),
        )
        ours, single, faststream, celery = _in_turn(
            size.runs, *[partial(rated, start, closings=len(few)) for start in starts]
        )
    what = "mails of an evening"
    yield Figure(f"{what}, one process of notifications", "/s", single)
    yield Figure(what, "/s", ours, "FastStream, SQLAlchemy asyncio", faststream, 3)
    yield Figure(what, "/s", ours, "Celery, a task for each recipient", celery, 5)


def measure_growth(environment: Environment, size: Size) -> Iterator[Figure]:
    """What a closing with its mails costs, and how long pages take, when much is stored already."""
    arrivals, sizes = evening.Arrivals(), (0, *size.stored)
    made = [list(closings(size.grown, datetime.now(UTC), seed=run + 1)) for run in range(size.grown_runs)]
    stores = growth.filled(environment, sizes, [envelope for each in made for envelope in each])
    with sink(arrivals.at.append) as smtp_url:
        timed = [partial(growth.closing_ms, environment, stores[each]) for each in sizes]
        costs: list[list[float]] = [[] for _ in sizes]
        for envelopes in made:
            for time_one, cost in zip(timed, costs, strict=True):
                cost.append(time_one(envelopes, smtp_url, arrivals))
    for meetings, cost in list(zip(sizes, costs, strict=True))[1:]:
        what = f"a closing and its mails, {meetings:,} meetings stored"
        yield Figure(what, "ms", cost, "the same in empty stores", costs[0], 1.2, at_most=True)
    yield from _pages(stores, size)


def _pages(stores: Mapping[int, Fresh], size: Size) -> Iterator[Figure]:
    read: dict[int, dict[str, list[float]]] = {}
    for meetings in size.stored:
        with growth.reader(stores[meetings]) as reader:
            addresses = growth.pages(stores[meetings], meetings, size.pages)
            for each in addresses.values():
                for path in each[:20]:
                    reader.read_ms(path)  # the first ones are start-up
            read[meetings] = {what: [reader.read_ms(path) for path in each] for what, each in addresses.items()}
    fewest = read[size.stored[0]]
    for meetings in size.stored[1:]:
        for what, times in read[meetings].items():
            peer = f"the same with {size.stored[0]} stored"
            told = f"{what}, {meetings:,} meetings stored"
            yield Figure(told, "ms", times, peer, fewest[what], 1.2, at_most=True, tail=99)


def measure_pages(environment: Environment, size: Size) -> Iterator[Figure]:
    """Every page on the sample network, as the right person, and a tap of attendance until it is saved."""
    with pages.site(environment) as site:
        for template, times in site.pages_ms(size.visits):
            yield Figure(f"GET {template}", "ms", times, wanted=PAGE_MS, tail=95)
        yield Figure("a tap of attendance, saved", "ms", site.taps_ms(size.visits), wanted=TAP_MS, tail=95)


def measure_reads(environment: Environment, size: Size) -> Iterator[Figure]:
    """Meetings read over HTTP, against one FastAPI process; and what a client is spared that has them already."""
    connections, meetings = 16, 1000
    with reads.both(environment, meetings) as (ours, theirs, paths):
        chosen = [paths[number * 7919 % meetings] for number in range(size.reads)]

        def rate(door: reads.Door, is_known: bool = False) -> float:
            requests = [door.request(path, is_known) for path in chosen]
            return reads.per_second(door.port, requests, connections, 304 if is_known else 200)

        def median_ms(door: reads.Door, is_known: bool = False) -> float:
            requests = [door.request(path, is_known) for path in chosen[: size.reads // 4]]
            return statistics.median(reads.answered_ms(door.port, requests, status=304 if is_known else 200))

        for door in (ours, theirs):
            rate(door)  # the first ones are start-up
        sides = [partial(rate, ours), partial(rate, theirs), partial(rate, ours, True), partial(rate, theirs, True)]
        read, peers, known, peers_known = _in_turn(size.runs, *sides)
        alone, peers_alone, known_alone = _in_turn(
            size.runs, partial(median_ms, ours), partial(median_ms, theirs), partial(median_ms, ours, True)
        )
    what, peer = "a meeting with its attendance", "FastAPI, SQLAlchemy asyncio"
    yield Figure(f"{what}, {connections} connections", "/s", read, peer, peers, 0.8)
    yield Figure(f"{what}, one connection", "ms", alone, peer, peers_alone, 2, at_most=True)
    yield Figure("the same where the client has it already (304)", "/s", known, "ours, 200", read, 3)
    yield Figure("the same, against the peer", "/s", known, f"{peer}, 304", peers_known)
    yield Figure("the same, one connection", "ms", known_alone, "ours, 200", alone, at_most=True)


def measure_rest(environment: Environment, size: Size) -> Iterator[Figure]:
    """Memory and processor time of our processes when nothing happens, and memory after much has happened."""
    memory, used = resting.idle(environment, size.idle_s)
    yield Figure("memory of a process at rest, five of them", "MB", memory)
    yield Figure("a core's time that an idle process uses", "%", used, wanted=2)
    first, *_, last = resting.after(environment, size.events, 5)
    what = f"memory of evaluation after {size.events:,} events"
    yield Figure(what, "MB", [last], "after the first fifth of them", [first], 1.1, at_most=True)


def measure_replicas(environment: Environment, size: Size) -> Iterator[Figure]:
    """What more processes of a service gain on this machine; each thing is counted, and must be done once."""
    made = list(closings(size.closings, datetime.now(UTC)))
    few = list(closings(max(20, size.closings // 20), datetime.now(UTC)))
    for what, measure, envelopes in (
        ("closings", replicas.reactions_per_second, made),
        ("mails", replicas.mails_per_second, few),
    ):
        one = [measure(environment, envelopes, size.replicas[0])]
        for number in size.replicas[1:]:
            yield Figure(
                f"{what}, {number} replicas", "/s", [measure(environment, envelopes, number)], "one process", one
            )


MEASURES = {
    "reactions": measure_reactions,
    "relay": measure_relay,
    "latency": measure_latency,
    "evening": measure_evening,
    "growth": measure_growth,
    "pages": measure_pages,
    "reads": measure_reads,
    "rest": measure_rest,
    "replicas": measure_replicas,
}


def _in_turn(runs: int, *sides: Callable[[], float]) -> list[list[float]]:
    """What each side reached in each run; the sides take turns."""
    results: list[list[float]] = [[] for _ in sides]
    for _ in range(runs):
        for side, reached in zip(sides, results, strict=True):
            reached.append(side())
    return results


@contextmanager
def _lines(bodies: Sequence[bytes]) -> Iterator[Path]:
    """A file with one body to a line, for peers that read no queue; gone afterwards."""
    with tempfile.NamedTemporaryFile(prefix="bench-", suffix=".jsonl") as file:
        file.write(b"\n".join(bodies))
        file.flush()
        yield Path(file.name)
