"""A network in which anything may happen, in any order, keeps its promises: the short form of the model."""

from hypothesis.stateful import run_state_machine_as_test

from tests.faults.model.batches import limits
from tests.faults.model.machine import Model


def test_whatever_happens_everyone_who_was_there_is_asked_once_and_nobody_else() -> None:
    run_state_machine_as_test(Model, settings=limits(examples=12, steps=50))
