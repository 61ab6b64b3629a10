"""Gateway in a process of its own, seen from outside: its answers, its stores, its log, what it holds."""

import contextlib
import os
import re
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from chassis.settings import SERVICES, STORES, embedded, home
from chassis.storage.store import open_store
from tests.faults.hostile.verdict import Response, read_responses
from tests.harness.client import HttpClient
from tests.harness.processes import environ_of
from tests.harness.quiescence import is_quiescent
from tests.harness.stored_rows import all_rows
from tests.harness.waiting import until
from tests.servers.process import Process, free_port

POOLED = 4  #: connections that a pool may open while several ask at once, and then keeps
PATIENCE_S = 60.0  #: for an answer; longer than the gateway lets a silent connection be


class GatewayProcess:
    """The network as a process; ``tell`` speaks raw bytes to it, ``client`` speaks HTTP as a good client does."""

    def __init__(self, folder: Path, descriptors: int | None = None) -> None:
        self.port = free_port()
        self.process = Process(folder, "network")
        environ = environ_of(PYTHONWARNINGS="ignore")
        command = [sys.executable, "-m", "tests.faults.hostile.serve", str(folder), str(self.port)]
        if descriptors:
            command = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", *command]
        self.process.start(command, environ)
        self.process.wait_for_port(self.port)
        self.token = (folder / "token").read_text()
        self.client = HttpClient(self.port, self.token, PATIENCE_S)
        self.stores = Stores(folder)
        self.mails = folder / "mail"

    def connect(self) -> socket.socket:
        """A connection on which nothing was said yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def tell(self, sent: bytes, is_ended: bool = True) -> list[Response]:
        """All answers to these bytes; ``is_ended`` says at once that nothing follows them."""
        with contextlib.closing(self.connect()) as sock:
            with contextlib.suppress(OSError):  # it may have heard enough before the end
                sock.sendall(sent)
                if is_ended:
                    sock.shutdown(socket.SHUT_WR)
            return read_responses(read_all(sock), sent.startswith(b"HEAD "))

    def descriptors(self) -> int:
        """How many files and sockets the process holds."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def must_let_go(self, held: int) -> None:
        """What it opened since ``held`` were open is closed again, but for what a pool of connections keeps."""
        until(lambda: self.descriptors() <= held + POOLED, every_s=0.05, what="descriptors closed")

    def memory_kb(self) -> int:
        """The memory that the process holds."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found
        return int(found[1])

    def log(self) -> str:
        """Everything it has logged."""
        return self.process.log.read_text(errors="replace")

    def close(self) -> None:
        """End it."""
        self.stores.close()
        self.process.stop()


class Stores:
    """The rows of all stores, read beside the process that writes them."""

    def __init__(self, folder: Path) -> None:
        self._stores = {name: open_store(embedded(home(), folder), name) for name in STORES}
        self._services = {name: self._stores[name] for name in SERVICES}
        self._files = [sqlite3.connect(f"file:{folder / name}.sqlite?mode=ro", uri=True) for name in STORES]

    def versions(self) -> list[int]:
        """Numbers of which one changes with each commit; quick to read."""
        return [each.execute("pragma data_version").fetchone()[0] for each in self._files]

    def content(self) -> dict[str, list[str]]:
        """All rows, by store and table."""
        return {table: sorted(map(repr, rows)) for table, rows in all_rows(self._stores).items()}

    def settle(self) -> None:
        """Return when nothing is under way."""
        until(lambda: is_quiescent(self._services), what="nothing under way")

    def close(self) -> None:
        """Let go of the files."""
        for store in self._stores.values():
            store.close()
        for file in self._files:
            file.close()


class Canary:
    """A good client that asks all the time, on connections of its own; remembers how long it waited."""

    def __init__(self, gateway: GatewayProcess, every_s: float = 0.05) -> None:
        self.waits: list[float] = []
        self.failures: list[str] = []
        self._gateway, self._every_s, self._is_over = gateway, every_s, threading.Event()
        self._thread = threading.Thread(target=self._sing, daemon=True)

    def __enter__(self) -> "Canary":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop."""
        self._is_over.set()
        self._thread.join()

    def must_be_served(self, usually_s: float = 5.0, always_s: float = PATIENCE_S) -> None:
        """Fail unless every request was answered, and in time for a machine that does other things too."""
        waits = sorted(self.waits)
        assert not self.failures
        assert waits
        assert waits[len(waits) // 2] < usually_s
        assert waits[-1] < always_s

    def _sing(self) -> None:
        while not self._is_over.wait(self._every_s):
            began = time.monotonic()
            try:
                answer = self._gateway.client.request("GET", "/v1/communities?limit=1")
                if answer.status != 200:
                    self.failures.append(f"answered {answer.status}")
            except OSError as error:
                self.failures.append(repr(error))
            self.waits.append(time.monotonic() - began)


def read_all(sock: socket.socket) -> bytes:
    """All that comes until the other end closes, or breaks off."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while piece := sock.recv(65536):
            got += piece
    return got


@contextlib.contextmanager
def gateway_process(descriptors: int | None = None) -> Iterator[GatewayProcess]:
    """A gateway that lives as long as the ``with`` block, with so many descriptors at most."""
    folder = Path(tempfile.mkdtemp(prefix="pratique-hostile-"))
    made = GatewayProcess(folder, descriptors)
    try:
        yield made
    finally:
        made.close()
        made.process.discard()
