"""Batches of examples, each run from a seed."""

import logging
import time
import traceback
import warnings
from typing import Any

from hypothesis import HealthCheck, Phase, __version__, reproduce_failure, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.model import steps as model_steps
from tests.faults.model.machine import Model

EXAMPLES, STEPS = 20, 100  #: of a batch, and of an example


def run_batch(seeded: int, examples: int, steps: int, is_bare: bool = False) -> dict[str, Any]:
    """One batch; what was seen in it, and under ``error`` how it failed, if it did."""
    quiet()
    model_steps.TALLY = model_steps.Tally()
    began = time.process_time()
    error = ""
    try:
        run_state_machine_as_test(seed(seeded)(Model), settings=limits(examples, steps, is_bare))
        model_steps.TALLY.linkage.check()
    except Exception as found:  # noqa: BLE001  (whatever it is, it is told with its seed)
        notes = "\n".join(getattr(found, "__notes__", ()))
        where = traceback.extract_tb(found.__traceback__)[-1]
        words = str(found) or f"{where.filename}:{where.lineno}: {where.line}"
        error = f"{type(found).__name__}: {words}\n{notes}"
    tally = model_steps.TALLY
    seen = {"seed": seeded, "error": error, "cpu_s": time.process_time() - began, "linkage": tally.linkage}
    return seen | {"examples": tally.examples, "steps": tally.steps, "rests": tally.rests, "counts": tally.counts}


def limits(examples: int, steps: int, is_bare: bool = False) -> settings:
    """Return how much is run; ``is_bare`` neither looks for a shorter example nor explains it."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate] if is_bare else [Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def quiet() -> None:
    """Failures that are made on purpose are not logged."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def replay(blob: str, steps: int) -> None:
    """Run the one example again; it fails as it failed."""
    quiet()
    again = reproduce_failure(__version__, blob.encode())(Model)
    run_state_machine_as_test(again, settings=limits(1, steps, True))
