"""``pratique`` as a process of its own: one folder of data in which it is started, ended and started again."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.harness.client import HttpClient
from tests.harness.waiting import PATIENCE_S, PROGRAM_S, until
from tests.servers import HOME
from tests.servers.process import free_port

PRATIQUE = [sys.executable, "-W", "ignore", "-P", "-c", "from operations import main; main()"]
IS_UP = "Pratique is up."


def environ_of(**variables: str) -> dict[str, str]:
    """Return the environment of a process of ours: this one's, with no settings but these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PRATIQUE_")}
    return inherited | {"PYTHONPATH": str(HOME), "PRATIQUE_HOME": str(HOME)} | variables


class Up:
    """``pratique up`` on a folder of data, again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.port = folder, folder / "data", free_port()
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.data.mkdir(parents=True, exist_ok=True)

    @property
    def output(self) -> str:
        """Everything that the present or last run has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def _log(self) -> Path:
        return self.folder / f"run{self.starts}.log"

    def start(self, **variables: str) -> None:
        """Start it, as ``make run`` does, with these variables added to its environment."""
        self.starts += 1
        environ = environ_of(PRATIQUE_HTTP_PORT=str(self.port), COLUMNS="200", **variables)
        with self._log.open("wb") as log:
            command = [*PRATIQUE, "--data", str(self.data), "up"]
            self._process = subprocess.Popen(command, env=environ, cwd=self.folder, stdout=log, stderr=log)

    def wait_until_up(self, timeout_s: float = PROGRAM_S) -> None:
        """Return when it says that everything is up."""

        def is_up() -> bool:
            is_said = IS_UP in self.output
            assert is_said or self._running.poll() is None, self.output
            return is_said

        until(is_up, timeout_s, every_s=0.05, what="pratique up")

    def wait_for_the_end(self, at_most_s: float) -> None:
        """Return when it has ended by itself, or after so long."""
        with suppress(subprocess.TimeoutExpired):
            self._running.wait(at_most_s)

    def end(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = PATIENCE_S) -> int:
        """Send a signal and return the exit code."""
        self._running.send_signal(number)
        return self._running.wait(timeout_s)

    def kill(self) -> None:
        """End it with kill -9, wherever it is; harmless if it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process

    @property
    def client(self) -> HttpClient:
        """A client with the token that is kept beside the stores."""
        return HttpClient(self.port, (self.data / "token").read_text())
