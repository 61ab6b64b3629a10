"""How figures are taken and told: a slope from the outside, the median of interleaved runs, one table."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg2
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

POLL_S = 0.02
FROM = 0.1  #: the first tenth is start-up, for every side


class Stuck(Exception):
    """A side made no progress for a long while; the message says which and shows the end of its log."""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    unit: str
    ours: Sequence[float]
    peer: str
    theirs: Sequence[float]  #: empty where the wanted figure is absolute
    wanted: float  #: a ratio ours / theirs to reach, or the most that ours may be

    @property
    def ratio(self) -> float | None:
        """Ours against theirs, medians; None where there is no peer."""
        return statistics.median(self.ours) / statistics.median(self.theirs) if self.theirs else None

    @property
    def is_reached(self) -> bool:
        """Whether the median is as good as wanted."""
        return self.ratio >= self.wanted if self.ratio is not None else statistics.median(self.ours) < self.wanted


def rate(store_url: str, counting: str, count: int, is_alive: Callable[[], bool], timeout_s: float = 120) -> float:
    """Events per second between the first tenth and the last, as another connection sees them committed.

    ``counting`` is a query that returns a growing number; it is asked each 20 ms.

    Raises:
        Stuck: not all arrived in ``timeout_s``, or the side ended before.
    """
    connection = psycopg2.connect(make_url(store_url).set(drivername="postgresql").render_as_string(False))
    connection.autocommit = True
    deadline = time.monotonic() + timeout_s
    first: tuple[float, int] | None = None
    try:
        with connection.cursor() as cursor:
            while True:
                was_alive = is_alive()
                cursor.execute(counting)
                at, done = time.perf_counter(), int(cursor.fetchone()[0])
                if first is None and done >= count * FROM:
                    first = at, done
                if first and done >= count:
                    return (done - first[1]) / (at - first[0])
                if not was_alive or time.monotonic() > deadline:
                    raise Stuck(f"{done} of {count} arrived")
                time.sleep(POLL_S)
    finally:
        connection.close()


def show(figures: Sequence[Figure], setting: str) -> None:
    """Print the table, and in a last line what was missed."""
    console = Console()
    table = Table(title="Pratique against its peers", caption=setting, caption_justify="left")
    for column in ("what", "ours", "peer", "ratio", "wanted", "reached?"):
        table.add_column(column, justify="left" if column in ("what", "peer") else "right")
    for figure in figures:
        theirs = f"{figure.peer}: {_spread(figure.theirs, figure.unit)}" if figure.theirs else "-"
        ratio = figure.ratio
        wanted = f">= {figure.wanted:g} x" if ratio is not None else f"< {figure.wanted:g} {figure.unit}"
        table.add_row(
            figure.what,
            _spread(figure.ours, figure.unit),
            theirs,
            "-" if ratio is None else f"{ratio:.2f} x",
            wanted,
            "[green]yes[/]" if figure.is_reached else "[bold red]no[/]",
        )
    console.print(table)
    missed = [figure.what for figure in figures if not figure.is_reached]
    console.print(f"Not reached: {'; '.join(missed)}." if missed else "All figures are reached.")


def _spread(values: Sequence[float], unit: str) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.0f} {unit} ({low:,.0f} to {high:,.0f})"
