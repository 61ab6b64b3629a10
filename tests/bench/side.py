"""Runs one side as a process of its own, as its operator would."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.bench.measure import Stuck

HOME = Path(__file__).parents[2]
PRATIQUE = str(Path(sys.executable).with_name("pratique"))
OURS = (PRATIQUE, "run")  #: followed by the names of services
_NUMBER = re.compile(r"\d+\.\d+(e-?\d+)?")
STOP_S = 15  #: a service drains within 12 s


def peer(name: str) -> tuple[str, ...]:
    """The command line of a program in ``peers/``."""
    return (sys.executable, "-m", f"tests.bench.peers.{name}")


@dataclass(frozen=True)
class Side:
    """A running process and what it has printed."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def told(self) -> str:
        """All that it has printed so far."""
        return Path(self.output.name).read_text(errors="replace")

    def results(self, timeout_s: float = 120) -> list[float]:
        """The numbers that it prints, one to a line, when it has ended by itself.

        Raises:
            Stuck: it failed, or did not end in time.
        """
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise Stuck(f"no end after {timeout_s} s") from error
        if code:
            raise Stuck(f"it ended with {code}")
        return [float(line) for line in self.told().splitlines() if _NUMBER.fullmatch(line)]


@contextmanager
def running(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Side]:
    """Start it and, at the end, stop it by SIGTERM; whoever does not stop in 15 s is killed."""
    with tempfile.NamedTemporaryFile(prefix="bench-", suffix=".log") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environ}, cwd=HOME, stdout=output, stderr=subprocess.STDOUT
        )
        side = Side(process, output)
        try:
            yield side
        except Stuck as error:
            raise Stuck(f"{' '.join(command)}: {error}\n{side.told()[-3000:]}") from error
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
