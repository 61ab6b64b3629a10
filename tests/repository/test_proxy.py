"""The example of a reverse proxy keeps out of its logs what lets one into a survey, and says truly who asks."""

import fnmatch
import json
import os
import re
import shutil
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway.app import ROUTES
from tests.harness.waiting import PATIENCE_S
from tests.repository.compose import HOME
from tests.servers.process import Process, free_port

EXAMPLE = (HOME / "deploy/caddy/Caddyfile").read_text()
#: What anyone may fetch, and nothing in it is of one person.
OPEN = {"/healthz", "/readyz", "/openapi.json", "/schemas/{type}", "/static/{name}"}
SECRET = "k7Qm2Zx9pRt4Vw8yBn3cLd"


def covers(path: str) -> bool:
    """Whether the example skips requests for this path, by its own patterns."""
    (name, patterns) = re.findall(r"^\t(@\w+) path (/s/\* .+)$", EXAMPLE, re.MULTILINE)[0]
    assert f"\tlog_skip {name}\n" in EXAMPLE
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns.split())


def test_whatever_opens_without_a_token_leaves_no_line() -> None:
    public = {route.template for route in ROUTES if route.scope is None and not route.visitor} - OPEN
    assert {"/s/{token}", "/r/{room_code}", "/v1/rooms/{room_code}", "/v1/ballots", "/sign-in/{token}"} <= public
    assert [path for path in sorted(public) if not covers(re.sub(r"{\w+}", SECRET, path))] == []
    assert covers(f"/results/{SECRET}")
    assert not covers("/v1/meetings")


class Upstream(BaseHTTPRequestHandler):
    """In place of the gateway: answers with what the proxy says of the caller."""

    def do_GET(self) -> None:
        body = str(self.headers["X-Forwarded-For"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@pytest.fixture
def upstream() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Proxy:
    """Caddy with the example as it stands, but for ports, its name, and certificates of its own making."""

    def __init__(self, folder: Path, upstream_port: int) -> None:
        self.port, self.plain_port = free_port(), free_port()
        ours = (
            f"admin off\n\thttp_port {self.plain_port}\n\thttps_port {self.port}\n\tlocal_certs\n\tskip_install_trust"
        )
        text = EXAMPLE.replace("admin off", ours).replace("pratique.example.org", "localhost")
        file = folder / "Caddyfile"
        file.write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{upstream_port}"))
        self.process = Process(folder, "caddy")
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder / "data")}
        command = [str(shutil.which("caddy")), "run", "--config", str(file), "--adapter", "caddyfile"]
        self.process.start(command, environ)
        self.process.wait_for_port(self.port)

    def ask(
        self, path: str, body: bytes | None = None, is_plain: bool = False, headers: Mapping[str, str] | None = None
    ) -> str:
        """What comes back, whatever the status."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        url = f"http://localhost:{self.plain_port}{path}" if is_plain else f"https://localhost:{self.port}{path}"
        request = urllib.request.Request(url, data=body, headers=dict(headers or {}))
        https = urllib.request.HTTPSHandler(context=context)
        opener = urllib.request.build_opener(https, _Still())
        try:
            with opener.open(request, timeout=PATIENCE_S) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return str(error.read().decode())

    def log(self) -> str:
        """All that it has said."""
        return self.process.log.read_text()


class _Still(urllib.request.HTTPRedirectHandler):
    """Follows nothing."""

    def redirect_request(self, *_: Any) -> None:
        return None


@pytest.fixture
def proxy(tmp_path: Path, upstream: HTTPServer) -> Iterator[Proxy]:
    if shutil.which("caddy") is None:
        pytest.skip("Caddy is not installed; the example was checked by its own patterns")
    made = Proxy(tmp_path, upstream.server_port)
    yield made
    made.process.discard()


def _visit(proxy: Proxy) -> None:
    """Come by every kind of path that carries a secret, and once by a page that led from there."""
    for path in ("/s/", "/r/", "/results/", "/v1/rooms/", "/S/", "/%73/", "//s/"):
        proxy.ask(path + SECRET)
        proxy.ask(path + SECRET, is_plain=True)
    proxy.ask("/v1/answers", json.dumps({"ballot_id": SECRET}).encode())
    proxy.ask("/v1/meetings", headers={"Referer": f"https://localhost/s/{SECRET}", "Authorization": f"Bearer {SECRET}"})


def test_a_real_caddy_logs_no_secret_whether_the_gateway_answers_or_not(proxy: Proxy, upstream: HTTPServer) -> None:
    _visit(proxy)
    assert "/v1/meetings" in proxy.log(), "it does log the rest"
    upstream.shutdown()
    upstream.server_close()
    assert "Please try again" in proxy.ask(f"/s/{SECRET}")
    _visit(proxy)
    assert SECRET not in proxy.log()
    assert "v1/answers" not in proxy.log()


def test_a_real_caddy_tells_the_callers_own_address_and_nothing_else(proxy: Proxy) -> None:
    assert proxy.ask("/v1/meetings", headers={"X-Forwarded-For": "203.0.113.9"}) in ("127.0.0.1", "::1")
    assert "127.0.0.1" not in proxy.ask("/metrics")
