"""What an answer must be, whatever was sent: whole HTTP, no fault of ours, no word from inside."""

import json
import re
from dataclasses import dataclass

#: What no body of an error may hold: exception classes, stack traces, paths of files, names of tables and libraries.
INSIDE = re.compile(
    rb"Traceback|File \"|line \d+, in |[a-z](?:Error|Exception)\b|site-packages|\.py\b|sqlalchemy|sqlite|psycopg"
    rb"|werkzeug|marshmallow|eventlet|nameko|kombu|event_log|outbox|api_token|SELECT |INSERT ",
)
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [ -~]*")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\x80-\xff]*)")


class Wrong(AssertionError):
    """An answer is not what it must be."""


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int
    headers: dict[str, str]  #: names in lower case
    body: bytes

    @property
    def is_refusal(self) -> bool:
        """Whether it says that nothing was done."""
        return self.status >= 400


def read_responses(stream: bytes, is_head: bool = False) -> list[Response]:
    """The answers that came on one connection, read strictly; those of 1xx left out.

    Raises:
        Wrong: it is no sequence of whole HTTP/1.1 responses.
    """
    found: list[Response] = []
    while stream:
        head, separator, stream = stream.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(first)
        if not separator or not status:
            raise Wrong(f"no status line: {first[:100]!r}")
        fields = [_FIELD.fullmatch(line) for line in lines]
        if not all(fields):
            raise Wrong(f"no header: {lines!r}")
        headers = {each[1].decode().lower(): each[2].decode("latin1") for each in fields if each}
        code = int(status[1])
        if code < 200:
            continue
        size = int(headers.get("content-length", "0"))
        if code in (204, 304) or (is_head and not found):
            size = 0
        elif "content-length" not in headers:
            raise Wrong(f"no length: {head!r}")
        if len(stream) < size:
            raise Wrong(f"cut short at {len(stream)} of {size} bytes: {head!r}")
        found.append(Response(code, headers, stream[:size]))
        stream = stream[size:]
    return found


def judge(response: Response, is_head: bool = False) -> None:
    """Let an answer pass that a stranger may get.

    Raises:
        Wrong: it owns up to a fault, tells of the inside, or is an error that is no problem by RFC 9457 and no page.
    """
    if response.status >= 500 and response.status != 505:
        raise Wrong(f"{response.status}: {response.body[:500]!r}")
    if not response.is_refusal:
        return
    if found := INSIDE.search(response.body):
        raise Wrong(f"a word from inside, {found[0]!r}: {response.body[:500]!r}")
    kind = response.headers.get("content-type", "")
    if is_head or kind.startswith("text/html"):
        return
    if kind != "application/problem+json":
        raise Wrong(f"{response.status} is no problem by RFC 9457: {kind} {response.body[:200]!r}")
    told = json.loads(response.body)
    if told["status"] != response.status or not told["type"].startswith("urn:") or not told["title"]:
        raise Wrong(f"a problem that does not fit its status {response.status}: {told}")
