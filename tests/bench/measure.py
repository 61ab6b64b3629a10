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
    """One line of the table: rates against a peer's, or durations against a limit."""

    what: str
    unit: str
    ours: Sequence[float]
    peer: str = ""
    theirs: Sequence[float] = ()  #: empty where a limit is wanted
    wanted: float | None = None  #: a ratio of medians to reach, or a limit that ours stays under; None: for information
    at_most: bool = False  #: the ratio is to stay under ``wanted``: a cost, and not a rate
    tail: int = 0  #: the percentile that is shown in the place of the spread; there are enough values for it

    @property
    def ratio(self) -> float | None:
        """Ours against theirs, by medians, or against the limit; None where there is neither."""
        against = statistics.median(self.theirs) if self.theirs else self.wanted
        return statistics.median(self.ours) / against if against else None

    @property
    def is_missed(self) -> bool:
        """Whether the median is worse than wanted."""
        if self.wanted is None or self.ratio is None:
            return False
        if not self.theirs:
            return self.ratio >= 1
        return self.ratio > self.wanted if self.at_most else self.ratio < self.wanted

    def line(self) -> str:
        """The figure in one line, to be read while others are still measured."""
        against = f" against {_spread(self, self.theirs)} ({self.peer}): {self.ratio:.2f}" if self.theirs else ""
        if not self.theirs and self.ratio is not None:
            against = f" against a limit of {self.wanted:g} {self.unit}: {self.ratio:.2f}"
        return f"{self.what}: {_spread(self, self.ours)}{against}".replace("\n", " ")


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
                ((count_now,),) = cursor.fetchall()
                at, done = time.perf_counter(), int(count_now)
                if first is None and done >= count * FROM:
                    first = at, done
                if first and done >= count:
                    if at == first[0]:
                        raise Stuck(f"{count} are too few to measure: all arrived at once")
                    return (done - first[1]) / (at - first[0])
                if not was_alive or time.monotonic() > deadline:
                    raise Stuck(f"{done} of {count} arrived")
                time.sleep(POLL_S)
    finally:
        connection.close()


def show(figures: Sequence[Figure], setting: str, *, is_whole: bool = True) -> None:
    """Print the table, and in a last line what was missed; with ``is_whole`` false, some could not be measured."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)  # a file has room
    table = Table(title="Pratique against its peers", caption=setting)
    for column in ("what", "ours", "peer", "theirs", "ratio", "wanted", "reached?"):
        table.add_column(column, justify="left" if column in ("what", "peer") else "right")
    for figure in figures:
        table.add_row(
            figure.what,
            _spread(figure, figure.ours),
            figure.peer,
            _spread(figure, figure.theirs) if figure.theirs else "",
            f"{figure.ratio:.2f}" if figure.ratio is not None else "",
            _wanted(figure),
            "" if figure.wanted is None else "[bold red]no[/]" if figure.is_missed else "[green]yes[/]",
        )
    console.print(table)
    missed = [
        f"{figure.what} ({_wanted(figure)} {figure.peer})".replace(" )", ")") for figure in figures if figure.is_missed
    ]
    if missed:
        console.print(f"Not reached: {'; '.join(missed)}.", soft_wrap=True)
    elif figures:
        console.print("All figures are reached." if is_whole else "All that could be measured is reached.")


def _wanted(figure: Figure) -> str:
    if figure.wanted is None:
        return ""
    if not figure.theirs:
        return f"under {figure.wanted:g} {figure.unit}"
    return f"at {'most' if figure.at_most else 'least'} {figure.wanted:g} ×"


def _spread(figure: Figure, values: Sequence[float]) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    digits = 0 if middle >= 20 else 1
    shown = f"{middle:,.{digits}f} {figure.unit}"
    if figure.tail:
        return f"{shown}\n({figure.tail} %: {statistics.quantiles(values, n=100)[figure.tail - 1]:,.{digits}f})"
    return f"{shown}\n({low:,.{digits}f} to {high:,.{digits}f})" if len(values) > 1 else shown
