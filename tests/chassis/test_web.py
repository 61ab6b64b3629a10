"""HTTP that no connection can end: raw sockets against the real server, in a process of its own where limits fall."""

import errno
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import eventlet
import pytest
from eventlet.event import Event as Gate
from nameko.runners import ServiceRunner
from werkzeug.wrappers import Request, Response

from chassis.http import bounds, web
from chassis.runtime import service_runner
from chassis.settings import EMBEDDED, Settings
from tests.harness.waiting import PATIENCE_S, until

HOME = Path(__file__).parent.parent.parent
SETTINGS = Settings(broker_url=EMBEDDED, store_urls={}, home=HOME, http_port=0)


SECRET_AFTER = ("/v1/rooms/", "/v1/ballots/", "/r/", "/s/", "/results/")


class Echo:
    """Answers with what it got."""

    name = "echo"
    max_workers = 3
    secret_after = SECRET_AFTER
    gate = Gate()
    is_silent = staticmethod(lambda path: path.startswith("/s/"))

    @web.http("*", "/<path:path>")
    def answer(self, request: Request, path: str) -> Response:
        """The body, or the path where there is none; ``slow`` waits for the gate."""
        if path.startswith("slow"):
            Echo.gate.wait()
        if path.startswith("fail"):
            raise RuntimeError("secret dsn postgresql://u:pw@h/db")
        return Response(request.get_data() or path.encode())

    @web.http("GET", "/")
    def read(self, request: Request) -> Response:
        """Something that can only be read."""
        return Response("read")


@pytest.fixture
def runner() -> Iterator[ServiceRunner]:
    made = service_runner.make_runner(SETTINGS, [])
    made.add_service(Echo)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def port(runner: ServiceRunner) -> int:
    return server_of(runner).port


def server_of(runner: ServiceRunner) -> web.HttpServer:
    (container,) = runner.containers
    return next(each for each in container.extensions if isinstance(each, web.HttpServer))


def connected(port: int) -> closing[socket.socket]:
    return closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))


def answer_to(port: int, sent: bytes) -> bytes:
    """All that comes back until the server closes."""
    with connected(port) as sock:
        sock.sendall(sent)
        return read_all(sock)


def read_all(sock: socket.socket) -> bytes:
    got = b""
    while piece := sock.recv(65536):
        got += piece
    return got


def get(port: int, path: str = "/hello") -> bytes:
    return answer_to(port, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())


GARBAGE = [
    b"DELETE /x",
    b"\r\n\r\n",
    b"\x00\xff\xfe" * 50 + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 50 + b"\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nA: " + b"a" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
    b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: two\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab",
    b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\nConnection: close\r\n\r\nhello",
    b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET /\xc3\xa9%ff%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"BREW /pot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
]


@pytest.mark.parametrize("sent", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_ends_its_own_connection_and_nothing_else(port: int, sent: bytes) -> None:
    with connected(port) as sock:
        try:
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            answer = read_all(sock)
        except OSError:
            answer = b""
    assert answer == b"" or answer.split(b" ", 2)[1] in (b"200", b"400", b"404", b"414", b"431", b"505")
    assert get(port).startswith(b"HTTP/1.1 200")


def test_clients_that_vanish_in_the_middle_harm_nobody(port: int) -> None:
    for sent in (b"", b"GE", b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"):
        with connected(port) as sock:
            sock.sendall(sent)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    assert get(port).startswith(b"HTTP/1.1 200")


def test_a_head_that_drips_in_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hasty:
        hasty.setattr(web, "HEADER_TIMEOUT_S", 0.3)
        with connected(port) as sock, pytest.raises(OSError), eventlet.Timeout(PATIENCE_S):
            sock.sendall(b"GET /hello HTTP/1.1\r\nHost: example.org\r\nX-Long: ")
            while True:  # a byte now and then, for as long as somebody listens
                sock.sendall(b"a")
                eventlet.sleep(0.02)
    assert get(port).startswith(b"HTTP/1.1 200")


def test_a_body_that_drips_in_takes_no_worker_and_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BODY_TIMEOUT_S", 0.5)
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) for _ in range(6)]
    for sock in slow:
        sock.sendall(head + b"a")
    assert get(port).startswith(b"HTTP/1.1 200")  # all three workers are free
    for sock in slow:
        with closing(sock):
            assert read_all(sock).startswith(b"HTTP/1.1 408")


def test_a_body_of_two_megabytes_is_413(port: int) -> None:
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
    answer = answer_to(port, head + b"a" * 2_000_000)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


def test_an_answer_that_is_not_taken_in_time_is_cut_off(runner: ServiceRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    server = server_of(runner)
    server._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)  # or the kernel would take all of it
    with monkeypatch.context() as hasty:
        hasty.setattr(web, "REQUEST_TIMEOUT_S", 2.0)
        with connected(server.port) as sock:
            sock.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 1_000_000)
            until(lambda: server._connections)
            until(lambda: not server._connections)  # it has given up
            got = len(read_all(sock))
    assert 0 < got < 1_000_000
    assert get(server.port).startswith(b"HTTP/1.1 200")


def test_who_asks_before_sending_too_much_is_told_at_once(port: int) -> None:
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n"
    assert answer_to(port, head).startswith(b"HTTP/1.1 413")


def test_a_body_of_a_megabyte_arrives_whole(port: int) -> None:
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n"
    assert answer_to(port, head + b"a" * 1_000_000).endswith(b"\r\n\r\n" + b"a" * 1_000_000)


def test_a_body_of_unknown_length_is_411_and_what_follows_is_no_request(port: int) -> None:
    sent = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"
    answer = answer_to(port, sent)
    assert answer.startswith(b"HTTP/1.1 411")
    assert answer.count(b"HTTP/1.1") == 1


def test_one_connection_serves_many_requests(port: int) -> None:
    with connected(port) as sock:
        for _ in range(3):
            sock.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
            assert sock.recv(65536).endswith(b"\r\n\r\nhi")


def test_a_failure_tells_an_id_and_not_its_text(port: int, caplog: pytest.LogCaptureFixture) -> None:
    answer = get(port, "/fail")
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"pw@h" not in answer
    incident = answer.split(b"urn:uuid:")[1][:36].decode()
    assert incident in caplog.text


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(port: int) -> None:
    answer = answer_to(port, b"PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405")
    assert b"application/problem+json" in answer
    assert b"\r\nAllow: GET, HEAD\r\n" in answer


def test_requests_in_flight_finish_when_it_stops(runner: ServiceRunner) -> None:
    port = server_of(runner).port
    with connected(port) as busy, connected(port) as idle:
        idle.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        idle.recv(65536)
        Echo.gate = Gate()
        busy.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        (container,) = runner.containers
        until(lambda: container._worker_threads)
        stopping = eventlet.spawn(runner.stop)
        until(lambda: not server_of(runner)._is_accepting)
        Echo.gate.send()
        with eventlet.Timeout(PATIENCE_S):
            stopping.wait()
        assert read_all(busy).endswith(b"\r\n\r\nslow")
        assert read_all(idle) == b""
    with pytest.raises(OSError, match="REFUSED"):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_more_connections_than_descriptors_end_nothing() -> None:
    script = textwrap.dedent(
        """
        import eventlet
        eventlet.monkey_patch()
        import resource, sys
        resource.setrlimit(resource.RLIMIT_NOFILE, (90, 90))
        from chassis.http import web
        web._connection_limit = lambda: 1000  # the descriptors must run out
        web.HEADER_TIMEOUT_S = 600.0  # before anyone leaves, however slowly they come
        sys.path.insert(0, "tests/chassis")
        from test_web import Echo, SETTINGS, server_of
        from chassis.runtime import service_runner
        made = service_runner.make_runner(SETTINGS, [])
        made.add_service(Echo)
        made.start()
        print(server_of(made).port, flush=True)
        made.wait()
        """
    )
    environ = {**os.environ, "PYTHONPATH": str(HOME), "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=HOME, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout
        assert process.stderr
        port = int(process.stdout.readline())
        slow = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) for _ in range(135)]
        for sock in slow:
            sock.sendall(b"GET /hello HT")
        assert b"cannot be accepted" in process.stderr.readline()
        assert get(port).startswith(b"HTTP/1.1 200")  # the slow ones make room
        for sock in slow:
            sock.close()
        assert get(port).startswith(b"HTTP/1.1 200")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def test_who_is_connected_when_the_server_stops_is_answered(runner: ServiceRunner) -> None:
    server, port, request = server_of(runner), server_of(runner).port, b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    late = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    until(lambda: server._connections)  # accepted, and says nothing yet
    unseen = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) for _ in range(20)]
    for sock in unseen:
        sock.sendall(request)  # into the kernel's queue: the server had no turn since

    stopping = eventlet.spawn(server.drain)
    until(lambda: not server._is_accepting)
    late.sendall(request)

    for sock in (*unseen, late):
        with closing(sock):
            assert read_all(sock).startswith(b"HTTP/1.1 200")
    stopping.wait()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_who_connects_while_the_port_is_being_closed_is_refused_and_never_cut_off(
    runner: ServiceRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = server_of(runner)
    accept, late = server._accept_who_waits, socket.socket()

    def then_one_more_comes() -> None:
        accept()
        late.setblocking(False)
        late.connect_ex(("127.0.0.1", server.port))

    monkeypatch.setattr(server, "_accept_who_waits", then_one_more_comes)
    server.drain()

    assert until(lambda: late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) == errno.ECONNREFUSED
    late.close()


def test_a_full_house_waits_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_connection_limit", lambda: 2)
    monkeypatch.setattr(web, "HEADER_TIMEOUT_S", 0.3)
    made = service_runner.make_runner(SETTINGS, [])
    made.add_service(Echo)
    made.start()
    try:
        port = server_of(made).port
        silent = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) for _ in range(4)]
        assert get(port).startswith(b"HTTP/1.1 200")
        for sock in silent:
            sock.close()
    finally:
        made.stop()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/rooms/K7MQ2P", "/v1/rooms/***"),
        ("/v1/ballots/b-1/x", "/v1/ballots/***"),
        ("/s/token", "/s/***"),
        ("/results/9s", "/results/***"),
        ("/r/K7MQ2P", "/r/***"),
        ("/R/K7MQ2P", "/r/***"),
        ("/V1/Rooms/K7MQ2P", "/v1/rooms/***"),
        ("/v1/meetings/1/close", "/v1/meetings/1/close"),
        ("/a\nb\x1b[31m", "/a?b?[31m"),
        ("/" + "a/" * 900, "/a" * 100),
        ("/x/s/9sXq2mJf0rQ-9sXq2mJf0rQ_", "/x/s/***"),
        (
            "/v1/meetings/6f0a4f1e-0b3a-4b7e-9a53-3f6f0d9a1b12/close",
            "/v1/meetings/6f0a4f1e-0b3a-4b7e-9a53-3f6f0d9a1b12/close",
        ),
    ],
)
def test_secrets_are_masked_in_logs(path: str, shown: str) -> None:
    assert bounds.masked(path, SECRET_AFTER) == shown


def test_a_success_behind_a_secret_leaves_no_line(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        get(port, "/s/tok-123")
        get(port, "/v1/meetings/7")
    assert "/v1/meetings/7 200" in caplog.text
    assert "/s/" not in caplog.text
    assert "tok-123" not in caplog.text
