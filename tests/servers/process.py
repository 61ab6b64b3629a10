"""A server of our own: started in its own process group, ended by that group's id, even if the tests are killed."""

import contextlib
import fcntl
import functools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

#: Ends the server when our end of the pipe closes, however we end. $1 signal, $2 process and group, $3 folder.
_GUARD = 'cat >/dev/null; kill -"$1" "$2"; sleep 1; kill -KILL -"$2"; rm -rf "$3"; rmdir "$(dirname "$3")"'


_PORTS = range(15_000, 32_000)  #: below those that outgoing connections take
_AT_ONCE = 500  #: ports that one process has for itself


def free_port() -> int:
    """A loopback port on which nothing listens, and that no other process of these tests is given meanwhile."""
    mine, start = _own_ports(os.getpid())
    while True:
        port = start + next(mine) % _AT_ONCE
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@functools.cache
def _own_ports(pid: int) -> tuple[Iterator[int], int]:
    """Claim a block of ports for this process as long as it lives; count through it, and say where it begins."""
    folder = Path(tempfile.gettempdir()) / f"pratique-ports-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    blocks = list(_PORTS[::_AT_ONCE])
    random.SystemRandom().shuffle(blocks)
    for start in blocks:
        claim = os.open(folder / str(start), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(claim)
        else:
            return count(), start  # the claim ends with the process
    raise RuntimeError(f"{len(blocks)} other processes have all ports from {_PORTS.start} to {_PORTS.stop}")


def unprivileged() -> dict[str, object]:
    """Arguments of subprocess that give up root, for programs that refuse it; empty if we are not root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Process:
    """One program with its children. Its output goes to a file in its folder."""

    def __init__(self, folder: Path, name: str, ends_by: signal.Signals = signal.SIGKILL) -> None:
        self.folder, self.name, self.ends_by = folder, name, ends_by
        self.log = folder / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """The number of the running program."""
        assert self._child is not None
        return self._child.pid

    def start(self, command: list[str], env: Mapping[str, str], **options: object) -> None:
        """Start it; it may need a while before it answers (``wait_for_port``)."""
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(  # type: ignore[call-overload]  # options are those of unprivileged()
                command,
                env=dict(env),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **options,
            )
        group, sign = str(self._child.pid), self.ends_by.name.removeprefix("SIG")
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", sign, group, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_for_port(self, port: int, timeout_s: float = 600) -> None:
        """Return when something answers on the port.

        Raises:
            RuntimeError: the program ended, or the time is over; with the end of its output.
        """
        end = time.monotonic() + timeout_s
        while self.is_running and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program and all its children."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)

    def pause(self, timeout_s: float = 120) -> None:
        """Stop the program and all its children where they are (SIGSTOP), and return when every thread has stopped.

        On a busy machine a thread may run on for a while after the signal was sent, and answer.
        """
        self.send(signal.SIGSTOP)
        end = time.monotonic() + timeout_s
        while _running_threads(self.pid):
            assert time.monotonic() < end, f"{self.name} does not pause"
            time.sleep(0.005)

    def stop(self, number: signal.Signals | None = None, timeout_s: float = 10) -> None:
        """End it, and nothing else; harmless if it has ended."""
        if self._child is None:
            return
        if self.is_running:
            self.send(signal.SIGCONT)
            self._child.send_signal(number or self.ends_by)  # the program tells its children itself
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout_s)
        self.send(signal.SIGKILL)  # what it left behind; nothing, usually
        self._child.wait()
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.kill()
            self._guard.wait()
            self._guard.stdin.close()
        self._child = self._guard = None

    def discard(self) -> None:
        """End it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _running_threads(group: int) -> list[Path]:
    """The threads of a process group that are not stopped; none where there is no /proc to tell."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if (told := _state_and_group(stat)) and told[1] == group:
            threads = stat.parent.glob("task/*/stat")
            found += [each for each in threads if (_state_and_group(each) or ("Z",))[0] not in "TtZX"]
    return found


def _state_and_group(stat: Path) -> tuple[str, int] | None:
    """The state of a process or thread and its process group, by proc(5); None if it has ended."""
    try:
        state, _, group = stat.read_text().rpartition(") ")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return state, int(group)
