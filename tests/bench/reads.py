"""Reads of single meetings over HTTP, from our gateway and services and from one asyncio process on the same stores."""

import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import make_url

from tests.bench import growth
from tests.bench.environment import Environment, query
from tests.bench.filling import fill
from tests.bench.latency import wait_until
from tests.bench.measure import Stuck
from tests.bench.side import peer, running
from tests.servers import Fresh
from tests.servers.process import free_port

TIMEOUT_S = 10.0
ETAG = '"4"'  #: of every meeting that ``filling`` writes


@dataclass(frozen=True)
class Door:
    """Where one side is asked, and as whom."""

    port: int
    token: str

    def request(self, path: str, is_known: bool = False) -> bytes:
        """A request for this path; ``is_known`` if the client has read it before, and asks whether it has changed."""
        known = f"If-None-Match: {ETAG}\r\n" if is_known else ""
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
        return f"{head}Accept: application/json\r\n{known}\r\n".encode()


@contextmanager
def both(environment: Environment, meetings: int) -> Iterator[tuple[Door, Door, Sequence[str]]]:
    """Our processes and the peer's, ready on the same stores, and the paths of all that these hold."""
    fresh = environment.empty()
    fill(environment, fresh, meetings)
    with query(fresh.store_urls["meetings"]) as cursor:
        cursor.execute("select '/v1/meetings/' || meeting_id from meeting order by meeting_id")
        paths = [path for (path,) in cursor.fetchall()]
    with growth.gateway(fresh, ("meetings",)) as (port, token):
        ours, theirs = Door(port, token), Door(free_port(), token)
        with running(peer("fastapi_sqlalchemy"), _environ(fresh, theirs.port)):
            wait_until(lambda: _listens(theirs.port), 60, "the peer listening")
            yield ours, theirs, paths


def _environ(fresh: Fresh, port: int) -> Mapping[str, str]:
    stores = {"BENCH_MEETINGS_URL": fresh.store_urls["meetings"], "BENCH_TOKENS_URL": fresh.store_urls["gateway"]}
    urls = {name: make_url(url).set(drivername="postgresql+asyncpg") for name, url in stores.items()}
    shown = {name: url.render_as_string(hide_password=False) for name, url in urls.items()}
    return {**shown, "BENCH_PORT": str(port)}


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), TIMEOUT_S).close()
    except OSError:
        return False
    return True


def per_second(port: int, requests: Sequence[bytes], connections: int, status: int = 200) -> float:
    """Answers per second of so many connections, each of which asks again as soon as it is answered."""
    began = time.perf_counter()
    answered_ms(port, requests, connections, status)
    return len(requests) / (time.perf_counter() - began)


def answered_ms(port: int, requests: Sequence[bytes], connections: int = 1, status: int = 200) -> list[float]:
    """Milliseconds from each of these requests to the end of its answer.

    Raises:
        Stuck: an answer has another status, or none comes.
    """
    left, spent = iter(requests), []
    with selectors.DefaultSelector() as selector:
        for request in [next(left) for _ in range(connections)]:
            client = _Client(port)
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.ask(request)
        while selector.get_map():
            ready = selector.select(TIMEOUT_S)
            if not ready:
                raise Stuck(f"no answer within {TIMEOUT_S:g} s")
            for key, _ in ready:
                client = key.data
                if not client.is_answered(status):
                    continue
                spent.append((time.perf_counter() - client.asked_at) * 1000)
                if (request := next(left, b"")) == b"":
                    selector.unregister(client.socket)
                    client.socket.close()
                else:
                    client.ask(request)
    return spent


class _Client:
    """One connection, on bare sockets, so that the client costs little of the processors that both sides share."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked_at = 0.0
        self._got = b""

    def ask(self, request: bytes) -> None:
        """Send one request."""
        self._got, self.asked_at = b"", time.perf_counter()
        self.socket.sendall(request)

    def is_answered(self, status: int) -> bool:
        """Whether the whole answer is here, after reading what has come.

        Raises:
            Stuck: it has another status, or the connection was closed.
        """
        piece = self.socket.recv(65536)
        self._got += piece
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not piece or (end and not head.startswith(b"HTTP/1.1 %d " % status)):
            raise Stuck(f"{status} was expected, and this came: {self._got[:500].decode(errors='replace')}")
        return bool(end) and len(body) >= _length_of(head, status)


def _length_of(head: bytes, status: int) -> int:
    if status == 304:  # which has no body, whatever length it tells
        return 0
    _, _, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.split(b"\r\n", 1)[0])
