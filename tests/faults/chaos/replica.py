"""One process of a service or of the gateway, and who starts it again when it ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.harness.waiting import PATIENCE_S, is_ready

LAUNCH = Path(__file__).with_name("launch.py")
RESTART_S = 0.2  #: how long a supervisor waits before it starts again what has ended


class Replica:
    """``pratique run <service>``, again and again."""

    def __init__(self, service: str, number: int, environ: Mapping[str, str], home: Path, folder: Path) -> None:
        self.service, self.number, self.home = service, number, home
        self._environ = dict(environ)
        self.log = folder / f"{service}-{number}.log"
        self.is_wanted = False  #: whether the supervisor starts it again
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()

    def __str__(self) -> str:
        return f"{self.service} {self.number}"

    @property
    def port(self) -> int:
        """Where it answers for its health; the gateway's is its own."""
        name = "PRATIQUE_HTTP_PORT" if self.service == "gateway" else "PRATIQUE_HEALTH_PORT"
        return int(self._environ[name])

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self.process is not None and self.process.poll() is None

    def start(self, **more: str) -> None:
        """Start it, with these variables added to its environment."""
        with self._lock:
            self.is_wanted, self.starts = True, self.starts + 1
            environ = {**self._environ, "PRATIQUE_HOME": str(self.home), "PYTHONPATH": str(self.home), **more}
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", str(LAUNCH), "run", self.service],
                    env={"PATH": os.environ["PATH"], **environ},
                    cwd=self.home,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )

    def kill(self) -> None:
        """End it as kill -9 does; the supervisor starts it again."""
        with self._lock:
            if self.process is not None:
                self.process.kill()
                self.process.wait()

    def restart(self, **more: str) -> None:
        """Kill it and start it at once, with these variables."""
        with self._lock:
            self.kill()
            self.start(**more)

    def terminate(self) -> tuple[int, float]:
        """Send SIGTERM and wait; its exit code (-9 if it had to be killed) and the seconds that it took."""
        with self._lock:
            self.is_wanted, began = False, time.monotonic()
            assert self.process is not None
            self.process.terminate()
            try:
                code = self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                code = self.process.wait()
            return code, time.monotonic() - began

    def is_ready(self) -> bool:
        """Whether it says so itself."""
        return is_ready(self.port)

    def notice_clock(self) -> None:
        """Let it read by how much the clock is off."""
        if self.is_running and self.process is not None:
            self.process.send_signal(signal.SIGWINCH)

    def revive(self) -> bool:
        """Start it again if it has ended and is wanted; whether that was so."""
        with self._lock:
            if not self.is_wanted or self.is_running:
                return False
            self.start()
            return True


class Supervisor:
    """Starts again whatever ends, as an operator's does; ``restarts`` counts."""

    def __init__(self, replicas: Sequence[Replica]) -> None:
        self._replicas, self.restarts, self._is_over = replicas, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._is_over.wait(RESTART_S):
            self.restarts += sum(replica.revive() for replica in self._replicas)

    def stop(self) -> None:
        """Start nothing any more."""
        self._is_over.set()
        self._thread.join()
