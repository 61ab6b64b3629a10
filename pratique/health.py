"""A tiny HTTP server beside a service: is it alive, is it ready, and its metrics. For operators, not for the public."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import eventlet
import eventlet.wsgi
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Readiness = Callable[[], Mapping[str, bool]]  #: what must hold for the service to do its work, by name


class Health:
    """Serves /healthz, /readyz and /metrics until it is closed; ``port`` 0 takes a free one."""

    def __init__(self, host: str, port: int, readiness: Readiness) -> None:
        self._readiness = readiness
        self._listener = eventlet.listen((host, port))
        self.port: int = self._listener.getsockname()[1]
        self._server = eventlet.spawn(
            eventlet.wsgi.server, self._listener, self._answer, log_output=False, debug=False, socket_timeout=10
        )

    def close(self) -> None:
        """Stop answering."""
        self._server.kill()
        self._listener.close()

    def _answer(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, content_type, body = self._page(environ["PATH_INFO"])
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    def _page(self, path: str) -> tuple[str, str, bytes]:
        if path == "/healthz":
            return "200 OK", "application/json", b'{"alive": true}'
        if path == "/readyz":
            facts = dict(self._readiness())
            return _status(all(facts.values())), "application/json", json.dumps(facts).encode()
        if path == "/metrics":
            return "200 OK", CONTENT_TYPE_LATEST, generate_latest()
        return "404 Not Found", "text/plain", b"Ask for /healthz, /readyz or /metrics.\n"


def _status(is_ready: bool) -> str:
    return "200 OK" if is_ready else "503 Service Unavailable"
