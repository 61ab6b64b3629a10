"""Health checks of a process over HTTP: liveness, readiness and metrics. For operators, not for the public."""

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis import green

_UNAUTHORIZED = "401 Unauthorized"
Readiness = Callable[[], Mapping[str, bool]]  #: what must hold for the service to do its work, by name


class Health:
    """A server of /healthz, /readyz and /metrics; ``port`` 0 takes a free one.

    Metrics need ``metrics_token`` as bearer token: counters that are read often tell what one person did.
    """

    def __init__(self, host: str, port: int, readiness: Readiness, metrics_token: str = "") -> None:
        self._readiness, self._metrics_token = readiness, metrics_token
        self._listener = green.listen((host, port))
        self.port: int = self._listener.getsockname()[1]
        self._server = green.spawn(
            green.wsgi.server, self._listener, self._answer, log_output=False, debug=False, socket_timeout=10
        )

    def close(self) -> None:
        """Stop answering."""
        self._server.kill()
        self._listener.close()

    def _answer(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, content_type, body = self._page(environ["PATH_INFO"], environ.get("HTTP_AUTHORIZATION", ""))
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        start_response(status, [*headers, ("WWW-Authenticate", "Bearer")] if status == _UNAUTHORIZED else headers)
        return [body]

    def _page(self, path: str, authorization: str) -> tuple[str, str, bytes]:
        if path == "/healthz":
            return "200 OK", "application/json", b'{"alive": true}'
        if path == "/readyz":
            checks = dict(self._readiness())
            return _status(all(checks.values())), "application/json", json.dumps(checks).encode()
        if path == "/metrics":
            if not self._metrics_token:
                return _UNAUTHORIZED, "text/plain", b"Set PRATIQUE_METRICS_TOKEN to let Prometheus read metrics here.\n"
            expected = f"Bearer {self._metrics_token}"
            if not hmac.compare_digest(authorization.encode("latin-1"), expected.encode("utf-8")):
                return _UNAUTHORIZED, "text/plain", b"Send PRATIQUE_METRICS_TOKEN as bearer token.\n"
            return "200 OK", CONTENT_TYPE_LATEST, generate_latest()
        return "404 Not Found", "text/plain", b"Ask for /healthz, /readyz or /metrics.\n"


def _status(is_ready: bool) -> str:
    return "200 OK" if is_ready else "503 Service Unavailable"
