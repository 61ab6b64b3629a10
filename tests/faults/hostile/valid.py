"""A running network, and one valid request to each route that its API describes: what mutations start from."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.faults.hostile.gateway_process import GatewayProcess
from tests.harness.mails import MailFolder, asks, link_in
from tests.harness.waiting import until

FORM = "application/x-www-form-urlencoded"


@dataclass
class Request:
    """One request, in the parts that can be changed one by one."""

    method: str
    path: str
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    document: Any = None  #: of a JSON body
    body: bytes | None = None

    def raw(self) -> bytes:
        """As it is sent; the length of the body is right unless a header says otherwise."""
        body = self.body if self.body is not None else b""
        if self.body is None and self.document is not None:
            body = json.dumps(self.document).encode()
        head = self.method.encode() + b" " + self.path.encode("utf-8", "surrogatepass") + b" HTTP/1.1\r\n"
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in self.headers)
        return head + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Network:
    """A community with members, and a meeting to come, one whose room answers, one closed with its mails."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._gateway = gateway
        self._client = gateway.client
        community, members = str(uuid4()), [str(uuid4()) for _ in range(4)]
        self._client.put_community(community)
        self._client.put_members(community, members)
        gateway.stores.settle()
        coming, wrapped_up, closed = (self._schedule(community, days) for days in (7, 0, 0))
        for meeting in (wrapped_up, closed):
            self._client.start(meeting)
            self._client.record_attendance(meeting, dict.fromkeys(members, "attended"))
            gateway.stores.settle()
        self._client.wrap_up(wrapped_up)
        self._client.close(closed)
        gateway.stores.settle()
        survey = self._client.survey(wrapped_up)
        self.name, self.link = self._mail()
        self.room = survey["room_code"]
        ballot = self._client.ballot(room_code=self.room, member_id=members[0])
        self.ids = {
            "community_id": community,
            "member_id": members[1],
            "facilitator_id": members[1],
            "note_taker_id": members[2],
            "organization_id": str(uuid4()),
            "meeting_id": coming,
            "survey_id": survey["id"],
            "room_code": self.room,
            "ballot_id": ballot["ballot_id"],
            "token": self.link,
            "role": "facilitator",
            "name": self.name,
            "type": "org.pratique.meetings.MeetingScheduled.v1.json",
        }

    def requests(self) -> list[Request]:
        """One to each route of /openapi.json."""
        described = self._client.ok("GET", "/openapi.json")
        return [
            self._request(method.upper(), path, operation)
            for path, operations in described["paths"].items()
            for method, operation in operations.items()
        ]

    def _request(self, method: str, path: str, operation: Any) -> Request:
        filled = re.sub(r"\{(\w+)\}", lambda found: self.ids[found[1]], path)
        headers = [(b"Host", b"127.0.0.1"), (b"Authorization", f"Bearer {self._gateway.token}".encode())]
        if path.startswith(("/s/", "/r/")) and method == "POST":
            form = {"member": self.ids["member_id"], "step": "answer", "q.satisfaction": "4", "q.comment": "Bien."}
            return Request(method, filled, [*headers, (b"Content-Type", FORM.encode())], body=urlencode(form).encode())
        if "requestBody" not in operation:
            return Request(method, filled, headers)
        example = operation["requestBody"]["content"]["application/json"]["example"]
        return Request(method, filled, [*headers, (b"Content-Type", b"application/json")], self._with_ids(example))

    def _with_ids(self, example: Any, key: str = "") -> Any:
        if isinstance(example, dict):
            return {name: self._with_ids(value, name) for name, value in example.items()}
        if isinstance(example, list):
            return [self._with_ids(each, key.removesuffix("s")) for each in example]
        return self.ids[key] if key.endswith("_id") or key in ("community_id", "token") else example

    def _schedule(self, community: str, days: int) -> str:
        meeting = str(uuid4())
        self._client.put_meeting(meeting, community, starts_at=datetime.now(UTC) + timedelta(days=days, minutes=1))
        return meeting

    def _mail(self) -> tuple[str, str]:
        """Return the name of a mail that asks for answers, and the end of the link in it."""
        folder = MailFolder(self._gateway.mails)

        def found() -> tuple[str, str] | None:
            mails = zip(folder.paths(), folder.mails(), strict=False)
            return next(((path.name, link_in(mail)) for path, mail in mails if asks(mail)), None)

        name, link = until(found, 20, 0.1, "a mail that asks for answers") or ("", "")
        return name, link
