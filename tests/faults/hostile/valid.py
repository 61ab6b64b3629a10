"""A network that lives, and one valid request to each route that its API describes: what mutations start from."""

import email
import email.policy
import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.faults.hostile.living import Living

ZONE = "America/Toronto"
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

    def __init__(self, living: Living) -> None:
        self._living = living
        community, members = str(uuid4()), [str(uuid4()) for _ in range(4)]
        words = {"name": "Cercle", "purpose": "Apprendre.", "kind": "individuals", "locale": "fr", "timezone": ZONE}
        self._ok("PUT", f"/v1/communities/{community}", words)
        for number, member in enumerate(members):
            card = {"name": f"Personne {number}", "email": f"n{number}@example.org", "locale": "fr", "timezone": ZONE}
            self._ok("PUT", f"/v1/members/{member}", card)
            self._ok("PUT", f"/v1/communities/{community}/memberships/{member}", {"capacity": "individual"})
        living.stores.settle()
        coming = self._schedule(community, days=7)
        for meeting, verb in ((self._schedule(community), "wrap-up"), (self._schedule(community), "close")):
            self._ok("POST", f"/v1/meetings/{meeting}/start")
            entries = [{"member_id": member, "state": "attended"} for member in members]
            self._ok("PUT", f"/v1/meetings/{meeting}/attendance", {"entries": entries})
            living.stores.settle()
            self._ok("POST", f"/v1/meetings/{meeting}/{verb}")
            living.stores.settle()
            if verb == "wrap-up":
                survey = self._ok("GET", f"/v1/meetings/{meeting}/survey")
        self.name, self.link = self._mail()
        self.room = survey["room_code"]
        ballot = self._ok("POST", "/v1/ballots", {"room_code": self.room, "member_id": members[0]})
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
        described = self._ok("GET", "/openapi.json")
        return [
            self._request(method.upper(), path, operation)
            for path, operations in described["paths"].items()
            for method, operation in operations.items()
        ]

    def _request(self, method: str, path: str, operation: Any) -> Request:
        filled = re.sub(r"\{(\w+)\}", lambda found: self.ids[found[1]], path)
        headers = [(b"Host", b"127.0.0.1"), (b"Authorization", f"Bearer {self._living.token}".encode())]
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

    def _schedule(self, community: str, days: int = 0) -> str:
        meeting, starts_at = str(uuid4()), datetime.now(UTC) + timedelta(days=days, minutes=1)
        body = {
            "community_ids": [community],
            "kind": "meeting",
            "mode": "online",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
            "timezone": ZONE,
        }
        self._ok("PUT", f"/v1/meetings/{meeting}", body)
        return meeting

    def _mail(self) -> tuple[str, str]:
        """The name of a mail that asks for answers, and the end of the link in it."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for path in self._living.mails.glob("*.eml"):
                mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                text = mail.get_body(("plain",))  # type: ignore[attr-defined]  # the policy makes it an EmailMessage
                if text is not None and (found := re.search(r"/s/([\w-]+)", text.get_content())):
                    return path.name, found[1]
            time.sleep(0.1)
        raise AssertionError("no mail asks for answers")

    def _ok(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self._living.ask(method, path, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer
