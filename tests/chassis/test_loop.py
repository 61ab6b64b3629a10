"""A loop does its work whatever goes wrong, and stops when it is told to."""

import logging
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import eventlet
import pytest

from chassis import green
from chassis.loop import Loop
from tests.harness.waiting import until


class Away(Exception):
    """An error that the loop expects."""


@pytest.fixture
def start() -> Iterator[Callable[..., Loop]]:
    """Start a loop of this unit, which is killed after the test."""
    started: list[Loop] = []

    def begin(unit: Callable[[], bool], drains: bool = False) -> Loop:
        loop = Loop("test", unit, (Away,), "waits", drains=drains)
        eventlet.spawn(loop.run)
        started.append(loop)
        until(lambda: loop.is_running)
        return loop

    yield begin
    for loop in started:
        loop.kill()
        assert not loop.is_running


def test_work_follows_work_at_once_and_then_a_wake(start: Callable[..., Loop], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.loop.POLL_S", 3600)
    waiting, done = ["a", "b", "c"], []

    def unit() -> bool:
        done.extend(waiting[:1])
        del waiting[:1]
        return bool(waiting)

    loop = start(unit)
    until(lambda: done == ["a", "b", "c"])
    waiting.append("d")
    loop.wake()
    until(lambda: done == ["a", "b", "c", "d"])


def test_a_wake_during_a_unit_is_not_lost(start: Callable[..., Loop], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.loop.POLL_S", 3600)
    gate, units = green.Event(), []

    def unit() -> bool:
        units.append(1)
        if len(units) == 1:
            gate.wait()
        return False

    loop = start(unit)
    until(lambda: len(units) == 1)
    loop.wake()
    gate.send()
    until(lambda: len(units) == 2)


def test_a_unit_that_fails_is_tried_again_after_ever_longer_pauses(
    start: Callable[..., Loop], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chassis.loop.MIN_PAUSE_S", 0.01)
    errors: list[Exception] = [Away("gone"), ValueError("odd"), Away("gone"), Away("gone")]
    began: list[float] = []

    def unit() -> bool:
        began.append(time.monotonic())
        if errors:
            raise errors.pop(0)
        return False

    start(unit)
    until(lambda: len(began) == 5)
    pauses = [after - before for before, after in pairwise(began)]
    assert [pause >= least for pause, least in zip(pauses, (0.005, 0.01, 0.02, 0.04), strict=True)] == [True] * 4
    told = [(record.levelno, record.getMessage(), bool(record.exc_info)) for record in caplog.records]
    assert told[0] == (logging.WARNING, "test: waits (Away: gone)", False)
    assert told[1] == (logging.ERROR, "test failed, and goes on", True)


def test_stopping_lets_the_unit_in_hand_end(start: Callable[..., Loop]) -> None:
    gate, done = green.Event(), []

    def unit() -> bool:
        gate.wait()
        done.append(1)
        return True

    loop = start(unit)
    stopping = eventlet.spawn(loop.stop, 60)
    until(lambda: loop.is_stopping)
    gate.send()
    stopping.wait()
    assert done == [1]
    assert not loop.is_running


def test_a_unit_that_does_not_end_is_killed(start: Callable[..., Loop]) -> None:
    loop = start(lambda: bool(green.Event().wait()))
    loop.stop(0.01)
    assert not loop.is_running


@pytest.mark.parametrize(("drains", "left"), [(True, 0), (False, 2)])
def test_a_loop_that_drains_does_what_is_left_before_it_stops(
    start: Callable[..., Loop], drains: bool, left: int
) -> None:
    gate, waiting = green.Event(), [1, 2, 3]

    def unit() -> bool:
        gate.wait()
        del waiting[:1]
        return bool(waiting)

    loop = start(unit, drains)
    loop.request_stop()
    gate.send()
    until(lambda: not loop.is_running)
    assert len(waiting) == left
