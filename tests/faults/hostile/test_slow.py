"""Clients that are slow or silent, as many as the process has descriptors: good ones are served, and all comes back."""

import contextlib
import resource
import socket
import time
from collections.abc import Iterator

import pytest

from tests.faults.hostile.gateway_process import PATIENCE_S, Canary, GatewayProcess, gateway_process
from tests.faults.hostile.verdict import Wrong, read_responses
from tests.harness.waiting import until

DESCRIPTORS = 64  #: that the process may have; half of them for connections
HEAD_S = 10.0  #: for a head (chassis/http/web.py)


@pytest.fixture(scope="module")
def gateway() -> Iterator[GatewayProcess]:
    """A gateway with few descriptors, which has room for 32 connections."""
    with gateway_process(descriptors=DESCRIPTORS) as made:
        must_answer(made)
        yield made


@contextlib.contextmanager
def clients(gateway: GatewayProcess, number: int, said: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, on each of which this was said."""
    opened: list[socket.socket] = []
    try:
        for _ in range(number):
            opened.append(gateway.connect())
            opened[-1].sendall(said)  # at once, or it would be a silent one
        yield opened
    finally:
        for each in opened:
            each.close()


def must_answer(gateway: GatewayProcess) -> None:
    """Fail unless a good client is answered now, within its patience."""
    assert gateway.client.request("GET", "/v1/communities").status == 200


@pytest.mark.parametrize(
    "said", [b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"], ids=["cut", "kept"]
)
def test_whoever_asks_nothing_gives_way_to_who_does(gateway: GatewayProcess, said: bytes) -> None:
    held = gateway.descriptors()
    with clients(gateway, 2 * DESCRIPTORS, said):
        must_answer(gateway)
        assert gateway.descriptors() <= DESCRIPTORS
    gateway.must_let_go(held)  # nobody is waited for any more


def test_heads_and_bodies_that_drip_in_are_cut_off_at_the_limit_of_descriptors(gateway: GatewayProcess) -> None:
    """The limit falls below what is open, so that accepting, and every file that would be opened, truly fails."""
    held = gateway.descriptors()
    head = b"GET /v1/communities HTTP/1.1\r\nHost: localhost\r\nA: "
    with clients(gateway, 2 * DESCRIPTORS, head) as slow:
        until(lambda: gateway.descriptors() >= held + DESCRIPTORS // 2 - 1)
        resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (gateway.descriptors(), DESCRIPTORS))
        end = time.monotonic() + HEAD_S + PATIENCE_S
        cut = set[socket.socket]()
        while len(cut) < DESCRIPTORS // 2 - 1 and time.monotonic() < end:
            for each in slow:
                if each not in cut and not _drip(each):
                    cut.add(each)
            time.sleep(0.5)
        assert len(cut) >= DESCRIPTORS // 2 - 1
    must_answer(gateway)
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    gateway.must_let_go(held)  # nobody is waited for any more


def test_bodies_that_drip_in_and_answers_not_taken_leave_places_for_others(gateway: GatewayProcess) -> None:
    held, memory_kb = gateway.descriptors(), gateway.memory_kb()
    token = gateway.token.encode()
    body = b"POST /v1/answers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n" + b"a" * 100_000
    many = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + b"\r\n\r\n"
    with (
        clients(gateway, DESCRIPTORS // 4, body),
        clients(gateway, DESCRIPTORS // 8, many * 20),
        Canary(gateway, every_s=0.1) as canary,
    ):
        time.sleep(3)
    canary.must_be_served()
    gateway.must_let_go(held)
    assert gateway.memory_kb() < memory_kb + 60_000


def test_a_big_answer_that_is_taken_slowly_arrives_whole(gateway: GatewayProcess) -> None:
    with contextlib.closing(gateway.connect()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = b""
        while piece := sock.recv(4096):
            got += piece
            time.sleep(0.01)
    (answer,) = read_responses(got)
    assert answer.status == 200


def _drip(sock: socket.socket) -> bool:
    """Send one byte more; False if the other end has had enough."""
    try:
        sock.sendall(b"a")
        sock.setblocking(False)
        got = sock.recv(1000)
        if got:
            raise Wrong(f"an answer to half a head: {got!r}")
        return False
    except BlockingIOError:
        sock.settimeout(20)
        return True
    except OSError:
        return False
