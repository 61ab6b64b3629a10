"""Services as processes of their own, started again whenever they have ended, as a supervisor would."""

import os
import signal
from collections.abc import Sequence

from eventlet.patcher import original

from chassis.runtime import service_runner
from chassis.settings import Settings
from operations import composition
from tests.faults.points.ending import fork

_os = original("os")


class Supervised:
    """One process of these services after the other; each but the last ends at the next of the points."""

    def __init__(self, settings: Settings, names: Sequence[str], ends: Sequence[str]) -> None:
        self._settings, self._names = settings, names
        self.left = list(ends)
        self._start()

    def _start(self) -> None:
        self._point = self.left[0] if self.left else ""
        classes = composition.service_classes(self._names)
        self._pid = fork(lambda: service_runner.run(self._settings, classes), self._point)

    def keep(self) -> None:
        """Start it again if it has ended, which it may at its point alone."""
        pid, status = _os.waitpid(self._pid, os.WNOHANG)
        if not pid:
            return
        code = os.waitstatus_to_exitcode(status)
        assert (code, self._point) == (-signal.SIGKILL, self.left[:1] and self.left[0]), f"it ended with {code}"
        self.left.pop(0)
        self._start()

    def stop(self) -> None:
        """End it."""
        os.kill(self._pid, signal.SIGKILL)
        _os.waitpid(self._pid, 0)
