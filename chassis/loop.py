"""The supervised loop: a unit of work, repeated in a green thread until it is stopped, whatever goes wrong."""

import logging
import random
import time
from collections.abc import Callable
from typing import Any

from chassis import green

log = logging.getLogger(__name__)

POLL_S = 1.0  #: how long a loop without work waits to be woken before it looks by itself
MIN_PAUSE_S, MAX_PAUSE_S = 0.1, 2.0  #: after a failure; doubled with each that follows it
KILL_S = 1.0  #: how long a unit that was killed may take to clean up


class Loop:
    """One unit of work after another, with a back-off after failures.

    A unit returns whether there was work. If so, the next follows at once; if not, when the loop is woken, or after
    ``POLL_S``. After one that fails, the next follows after a pause, jittered so that many do not come back in step.
    One that ``drains`` goes on as long as there is work when it is stopped.
    """

    def __init__(
        self,
        name: str,
        unit: Callable[[], bool],
        expected: tuple[type[Exception], ...],
        consequence: str,
        *,
        drains: bool = False,
    ) -> None:
        """Log ``expected`` errors in one line, with their ``consequence``, and all others with their traceback."""
        self.name, self._unit, self._drains = name, unit, drains
        self._expected, self._consequence = expected, consequence
        self._thread: Any = None
        self._woken, self._stopping, self._ended = green.Event(), green.Event(), green.Event()

    @property
    def is_stopping(self) -> bool:
        """True once it was asked to stop; a long unit looks at this from time to time."""
        return bool(self._stopping.ready())

    @property
    def is_running(self) -> bool:
        """True from the first unit on until the loop has ended."""
        return self._thread is not None and not self._ended.ready()

    def wake(self) -> None:
        """Let the next unit begin now if the loop waits for work, or right after the unit in hand."""
        if not self._woken.ready():
            self._woken.send()

    def run(self) -> None:
        """Repeat the unit until stopped."""
        self._thread = green.getcurrent()
        pause_s = 0.0
        try:
            while not self.is_stopping:
                began = time.monotonic()
                had_work = self._attempt()
                if had_work is None:
                    lasted_s = time.monotonic() - began  # one that went well for long has failed for the first time
                    pause_s = min(MAX_PAUSE_S, pause_s * 2) if pause_s and lasted_s < MAX_PAUSE_S else MIN_PAUSE_S
                    self._pause(pause_s * random.uniform(0.5, 1))  # noqa: S311  (no secret)
                    continue
                pause_s = 0.0
                if had_work:
                    green.sleep(0)
                else:
                    self._wait_for_work()
            while self._drains and self._attempt():
                pass
        finally:
            self._ended.send()

    def _attempt(self) -> bool | None:
        """Do one unit; returns whether there was work, and None if it failed."""
        try:
            return self._unit()
        except self._expected as error:
            log.warning("%s: %s (%s: %s)", self.name, self._consequence, type(error).__name__, str(error)[:200])
        except Exception:
            log.exception("%s failed, and goes on", self.name)
        return None

    def _pause(self, pause_s: float) -> None:
        with green.Timeout(pause_s, False):
            self._stopping.wait()

    def _wait_for_work(self) -> None:
        with green.Timeout(POLL_S, False):
            self._woken.wait()
        if not self.is_stopping:
            self._woken = green.Event()

    def request_stop(self) -> None:
        """Let the unit in hand be the last, and return at once."""
        if not self.is_stopping:
            self._stopping.send()
        self.wake()

    def stop(self, timeout_s: float) -> None:
        """Let the unit in hand end within ``timeout_s``, and kill it then. Returns when the loop has ended."""
        self.request_stop()
        if self.is_running:
            with green.Timeout(timeout_s, False):
                self._ended.wait()
        self.kill()

    def kill(self) -> None:
        """End now, within ``KILL_S``; the unit in hand is cut short."""
        self.request_stop()
        if self.is_running:
            self._thread.kill()
            with green.Timeout(KILL_S, False):
                self._ended.wait()
