"""``python -m tests.faults``: close meetings while things break, seed by seed, and print what was lost: nothing."""

import sys
import time
from collections.abc import Sequence
from functools import partial

import click
from rich.console import Console
from rich.table import Table

from tests import servers
from tests.faults.chaos.oracle import shorten
from tests.faults.chaos.registry import FAULTS, Fault, load
from tests.faults.chaos.run import Outcome, run_seed

RATE = 12.0  #: meetings a second; two cores carry it beside the servers and what is restarted
QUICK = 300  #: closings of the run of a minute
PLAIN = "plain nameko (commit, then dispatch) under such faults lost 2.5 to 16.4 % of closings"
console = Console(width=None if sys.stdout.isatty() else 140)


def chosen(only: Sequence[str], quick: bool) -> list[Fault]:
    """The faults of this run."""
    every = load()
    if only:
        return [every[name] for name in only]
    return [each for each in every.values() if each.is_telling or not quick]


@click.command()
@click.option("--seeds", default=10, show_default=True, help="How many runs.")
@click.option("--first-seed", default=1, show_default=True, help="The seed of the first; the others count on.")
@click.option("--closings", default=1000, show_default=True, help="Meetings that each run closes.")
@click.option("--rate", default=RATE, show_default=True, help="Meetings a second.")
@click.option(
    "--only", multiple=True, metavar="FAULT", help="This fault alone, by its name; may be said several times."
)
@click.option("--quick", is_flag=True, help="One seed of about a minute, with the most telling faults.")
@click.option("--list", "is_listing", is_flag=True, help="Name the faults and end.")
def main(
    seeds: int, first_seed: int, closings: int, rate: float, only: tuple[str, ...], quick: bool, is_listing: bool
) -> None:
    """Break everything that can break while meetings are closed, and compare with what the API acknowledged.

    The exit code is 1 if anything was lost or happened twice; the seed that failed is named, with how to run it again.
    """
    if unknown := set(only) - load().keys():
        raise click.UsageError(f"There is no fault {', '.join(sorted(unknown))}; --list names them.")
    faults = chosen(only, quick)
    if is_listing:
        for each in FAULTS.values():
            print(f"{each.name}{' (telling)' if each.is_telling else ''}")
        return
    if words := servers.why_skipped():
        console.print(words)
        sys.exit(1 if servers.is_compulsory() else 0)
    if quick:
        seeds, closings = 1, min(closings, QUICK)
    outcomes, began = [], time.monotonic()
    with servers.started() as running:
        for seed in range(first_seed, first_seed + seeds):
            tell = partial(print, flush=True)
            outcomes.append(run_seed(running, seed, closings, rate, faults, tell, has_week=not quick))
            _tell(outcomes[-1], closings, only)
    _show(outcomes, time.monotonic() - began)
    sys.exit(int(any(outcome.verdict.failures for outcome in outcomes)))


def _tell(outcome: Outcome, closings: int, only: Sequence[str]) -> None:
    verdict = outcome.verdict
    answers = ", ".join(f"{count} × {name}" for name, count in sorted(outcome.answers.items()))
    print(f"seed {outcome.seed}: {outcome.seconds:.0f} s, {outcome.restarts} restarts; answers: {answers}")
    if outcome.week_s:
        print(f"seed {outcome.seed}: a week after it was judged took {outcome.week_s:.0f} s")
    for name, why in outcome.cannot.items():
        print(f"seed {outcome.seed}: left out: {name}: {why}")
    for remark in outcome.remarks:
        print(f"seed {outcome.seed}: {remark}")
    for words in shorten(verdict.failures):
        print(f"seed {outcome.seed}: NOT TRUE: {words}")
    if verdict.failures:
        again = f"python -m tests.faults --seeds 1 --first-seed {outcome.seed} --closings {closings}"
        again += "".join(f" --only {name!r}" for name in only)
        print(f"seed {outcome.seed}: logs are in {outcome.logs}; again: {again}")
    sys.stdout.flush()


def _show(outcomes: list[Outcome], seconds: float) -> None:
    names = ("attempted", "acknowledged", "found", "lost", "duplicated", "recovered", "mails", "copies")
    table = Table("seed", "faults", *names, "s")
    for each in outcomes:
        figures = [str(getattr(each.verdict, name)) for name in names]
        table.add_row(str(each.seed), str(sum(each.faults.values())), *figures, f"{each.seconds:.0f}")
    totals = {name: sum(getattr(each.verdict, name) for each in outcomes) for name in names}
    faults = sum(sum(each.faults.values()) for each in outcomes)
    table.add_row("all", str(faults), *map(str, totals.values()), f"{seconds:.0f}", style="bold")
    console.print(table)
    share = 100 * totals["lost"] / max(1, totals["acknowledged"])
    print(f"lost {totals['lost']} of {totals['acknowledged']} closings ({share:.2g} %); {PLAIN}.")
    print(
        "copies: mails handed over twice with the same Message-ID, where a sender was cut before it could note the yes."
    )


if __name__ == "__main__":
    main()
