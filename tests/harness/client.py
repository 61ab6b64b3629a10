"""HTTP clients of a gateway on this machine: one that sends a request once, one that retries until acknowledged."""

import json
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

from werkzeug.datastructures import Headers

from tests.harness.people import People
from tests.harness.waiting import PATIENCE_S


class NotAccepted(OSError):
    """Nothing listens on the port, so the request was not sent; send it again."""


class NotAcknowledged(Exception):
    """A request was refused as it cannot be, or never answered; what it was to do may have happened."""


@dataclass(frozen=True)
class Response:
    """Answer of the gateway; status 0 where none came."""

    status: int
    headers: Headers = field(default_factory=Headers)  #: by name, in any case
    text: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is empty."""
        return json.loads(self.text) if self.text else None


@dataclass(frozen=True)
class HttpClient(People):
    """Client with a token, each request on a connection of its own."""

    port: int
    token: str
    timeout_s: float = 60.0

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send one request, its body as JSON unless it is bytes or text, and return the answer, whatever its status.

        Raises:
            NotAccepted: nothing listens.
            OSError, HTTPException: the connection ended before there was an answer.
        """
        connection = HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise NotAccepted(str(error)) from error
            given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Connection": "close"}
            payload = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
            connection.request(method, path, payload, given | dict(headers or {}))
            response = connection.getresponse()
            return Response(response.status, Headers(response.getheaders()), response.read().decode())
        finally:
            connection.close()

    def ok(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request that must succeed, and return the body of its answer."""
        answer = self.request(method, path, body, headers)
        assert answer.is_ok, f"{method} {path}: {answer.status} {answer.text}"
        return answer.json


class RetryingClient(People):
    """Client that sends a request again until it is acknowledged, as one does that cannot know whether it was taken."""

    def __init__(
        self,
        client: Callable[[], HttpClient],
        patience_s: float = PATIENCE_S,
        passing: Container[int] = (),
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """``passing`` are refusals that pass, as of what has not arrived yet; ``meanwhile`` is done before each try."""
        self._client, self._patience_s, self._passing, self._meanwhile = client, patience_s, passing, meanwhile

    def attempt(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send it once."""
        try:
            return self._client().request(method, path, body, headers)
        except (OSError, HTTPException):
            return Response(0)

    def ok(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request until it succeeds, and return the body of its answer.

        Raises:
            NotAcknowledged: it never did, or it was refused as it cannot be.
        """
        end, pause_s = time.monotonic() + self._patience_s, 0.05
        while True:
            self._meanwhile()
            answer = self.attempt(method, path, body, headers)
            if answer.is_ok:
                return answer.json
            if time.monotonic() > end or (400 <= answer.status < 500 and answer.status not in self._passing):
                raise NotAcknowledged(f"{method} {path}: {answer.status} {answer.text}")
            time.sleep(pause_s)
            pause_s = min(0.5, pause_s * 2)
