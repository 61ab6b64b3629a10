"""Asking several services side by side: as long as the slowest takes, and no longer."""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any


def one_by_one(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what these return, one after the other."""
    return [act() for act in acts]


def side_by_side(spawn: Callable[..., Any], acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what these return, in their order, each in a thread that ``spawn`` begins and that acts as we do.

    Raises:
        Exception: that of the first of them that raised one, when all have ended.
    """
    threads = [spawn(copy_context().run, _outcome, act) for act in acts]
    outcomes = [thread.wait() for thread in threads]
    for _, error in outcomes:
        if error is not None:
            raise error
    return [answer for answer, _ in outcomes]


def _outcome(act: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return act(), None
    except Exception as error:  # noqa: BLE001  (raised again by whoever waits)
        return None, error
