"""Services as processes of their own, started again whenever they have ended, as a supervisor would."""

import http.client
import json
import os
import signal
import time
from collections.abc import Sequence
from typing import Any

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


def insist(kept: Sequence[Supervised], port: int, token: str, method: str, path: str, body: Any = None) -> Any:
    """What a client gets who asks again until it is answered, while others keep the processes alive."""
    deadline = time.monotonic() + 240
    while True:
        for each in kept:
            each.keep()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            connection.close()
            if answer.status < 300:
                return json.loads(text) if text else None
            assert answer.status == 503, f"{method} {path}: {answer.status} {text}"
        except (OSError, http.client.HTTPException):
            pass  # it has ended, or not yet begun
        assert time.monotonic() < deadline, f"{method} {path} was never answered"
        time.sleep(0.05)
