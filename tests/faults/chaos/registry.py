"""Every fault by its name. A new one is a function in a module of ``kinds``, and nothing else has to know of it."""

import pkgutil
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.chaos.system import System

Act = Callable[["System", random.Random], Iterator[str]]


class CannotBe(Exception):
    """This machine cannot have this fault; the message says why. The run goes on without it and says so."""


@dataclass(frozen=True)
class Fault:
    """One way in which things break, and how they are mended."""

    name: str
    lasts_s: tuple[float, float]  #: between breaking and mending, in seconds, drawn by the seed
    is_telling: bool  #: among the few of the run of a minute
    inflict: Callable[["System", random.Random], AbstractContextManager[str]]


FAULTS: dict[str, Fault] = {}


def fault(name: str, *, lasts_s: tuple[float, float] = (0, 0), is_telling: bool = False) -> Callable[[Act], Act]:
    """Register a generator: it breaks something, yields words on what exactly, and after that mends it.

    All that is random comes from the ``Random`` it is given, so that a seed can be run again.
    """

    def register(act: Act) -> Act:
        FAULTS[name] = Fault(name, lasts_s, is_telling, contextmanager(act))
        return act

    return register


def load() -> dict[str, Fault]:
    """Every fault of every module in ``kinds``."""
    kinds = import_module("tests.faults.chaos.kinds")
    for module in pkgutil.iter_modules(kinds.__path__):
        import_module(f"{kinds.__name__}.{module.name}")
    return FAULTS


def schedule(faults: list[Fault], chance: random.Random) -> Iterator[tuple[Fault, float, float]]:
    """Without end: a fault, the seconds before it, and how long it lasts; each of them once before any comes again."""
    while True:
        for one in chance.sample(faults, len(faults)):
            yield one, chance.uniform(0.3, 2.0), chance.uniform(*one.lasts_s)
