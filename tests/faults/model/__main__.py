"""``python -m tests.faults.model``: a hundred thousand steps, in batches, each with a seed by which it runs again.

``--seed 7 --batches 1`` runs one batch again, ``--replay BLOB`` the very example that failed.
"""

import random
import sys
import time
from functools import partial
from multiprocessing import get_context
from typing import Any

import click

from tests.faults.model.batches import EXAMPLES, STEPS, replay, run_batch


@click.command()
@click.option("--steps", default=100_000, help="Steps in all, at least.")
@click.option("--seed", "first", type=int, help="Of the first batch; the others follow by one. Random if left out.")
@click.option("--batches", type=int, help="As many, however many steps that are.")
@click.option("--jobs", default=2, help="Processes at once.")
@click.option("--replay", "blob", help="What a failure printed; nothing else is done.")
def main(steps: int, first: int | None, batches: int | None, jobs: int, blob: str | None) -> None:
    """Run so many steps and say what was seen; exit with 1 if anything was not as it must be."""
    if blob:
        replay(blob, STEPS)
        return
    first = random.randrange(10**9) if first is None else first
    seeds = range(first, first + (batches or -(-steps // STEPS)))  # more than enough: each runs many examples
    print(f"seeds from {first} on, {EXAMPLES} examples of {STEPS} steps each", flush=True)
    began, seen, failed, so_far = time.monotonic(), list[dict[str, Any]](), 0, 0
    with get_context("spawn").Pool(jobs, maxtasksperchild=10) as pool:
        for batch in pool.imap_unordered(partial(run_batch, examples=EXAMPLES, steps=STEPS), seeds):
            seen.append(batch)
            so_far = sum(each["steps"] for each in seen)
            what = f"seed {batch['seed']}: {batch['steps']} steps, {batch['cpu_s']:.0f} s of processor"
            print(f"{what}; {so_far} in {time.monotonic() - began:.0f} s", flush=True)
            if batch["error"]:
                failed += 1
                again = f"python -m tests.faults.model --seed {batch['seed']} --batches 1"
                print(f"\n{batch['error']}\n\nagain: {again}\n", flush=True)
            if not batches and so_far >= steps:
                break
    _sum_up(seen)
    sys.exit(1 if failed else 0)


def _sum_up(seen: list[dict[str, Any]]) -> None:
    counts: dict[str, int] = {}
    for batch in seen:
        for what, count in batch["counts"].items():
            counts[what] = counts.get(what, 0) + count
    examples, steps, rests = (sum(each[key] for each in seen) for key in ("examples", "steps", "rests"))
    cpu_s = sum(each["cpu_s"] for each in seen)
    print(f"{steps} steps in {examples} examples, at rest and checked {rests} times, {cpu_s:.0f} s of processor")
    print(", ".join(f"{what} {count}" for what, count in sorted(counts.items())))
    surveys = sum(each["linkage"].surveys for each in seen)
    together = sum(each["linkage"].together for each in seen)
    if surveys:
        print(
            f"n-th marker and n-th answer of one person: {together} times in {surveys} surveys (by chance: {surveys})"
        )


if __name__ == "__main__":
    main()
