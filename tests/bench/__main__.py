"""``python -m tests.bench``: measure Pratique against its peers on private servers, and print one table."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from tests import servers
from tests.bench import latency, reactions, relay
from tests.bench.closings import ATTENDEES, closings
from tests.bench.measure import Figure, Stuck, show
from tests.bench.stage import Stage, staged

RUNS = 3  #: of each side, taken in turn, so that what else the machine does meets all of them
NAMES = ("reactions", "relay", "latency")
console = Console()


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    closings: int
    messages: int
    confirms: int  #: messages of the side that waits for each; it is slow enough to be timed by fewer
    mails: int  #: closings whose mails are timed
    runs: int


FULL = Size(closings=2000, messages=20_000, confirms=5000, mails=20, runs=RUNS)
QUICK = Size(closings=300, messages=2000, confirms=500, mails=3, runs=1)


def measure_reactions(stage: Stage, size: Size) -> Iterator[Figure]:
    """Reactions per second, against FastStream and against the same SQL without a bus."""
    made = [envelope.to_bytes() for envelope in closings(size.closings, datetime.now(UTC))]
    with _lines(made) as path:
        sides = (
            lambda: reactions.ours(stage, made),
            lambda: reactions.ours(stage, made, relays=True),
            lambda: reactions.faststream(stage, made),
            lambda: reactions.plain_loop(stage, path),
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


def measure_relay(stage: Stage, size: Size) -> Iterator[Figure]:
    """Messages per second, confirmed by a quorum queue, against nameko's publisher."""
    waiting = list(closings(size.messages, datetime.now(UTC)))
    with _lines([envelope.to_bytes() for envelope in waiting[: size.confirms]]) as path:
        ours, nameko = _in_turn(size.runs, lambda: relay.ours(stage, waiting), lambda: relay.nameko(stage, path))
    yield Figure("outbox rows to confirmed messages", "/s", ours, "nameko's Publisher, from memory", nameko, 4)


def measure_latency(stage: Stage, size: Size) -> Iterator[Figure]:
    """Milliseconds of single closings on an idle system."""
    mails = latency.real(stage, size.mails)
    yield Figure(f"commit of a closing to the last of {ATTENDEES} mails", "ms", mails, wanted=150)
    yield Figure("embedded: commit to reaction", "ms", latency.embedded(size.mails), wanted=20)


MEASURES = dict(zip(NAMES, (measure_reactions, measure_relay, measure_latency), strict=True))


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


@click.command()
@click.option("--only", type=click.Choice(NAMES), help="Measure one of them only.")
@click.option("--quick", is_flag=True, help="Small numbers, one run: shows that all works, and no figure.")
def main(only: str | None, quick: bool) -> None:
    """Measure against peers on private servers, and print a table of ratios.

    The exit code is 0 also where a figure is missed; the table and its last line say so. It is 1 where a side failed.
    """
    if words := servers.why_skipped():
        console.print(words)
        sys.exit(1 if servers.is_compulsory() else 0)
    figures: list[Figure] = []
    has_failed = False
    with console.status("starting RabbitMQ and PostgreSQL") as status, staged() as stage:
        setting = stage.versions(stage.empty())
        for name in [only] if only else NAMES:
            status.update(f"measuring {name}")
            try:
                figures += MEASURES[name](stage, QUICK if quick else FULL)
            except Stuck as error:
                has_failed = True
                console.print(f"[red]{name} could not be measured[/]")
                console.print(str(error), markup=False)
    show(figures, setting)
    sys.exit(int(has_failed))


if __name__ == "__main__":
    main()
