"""A running network, and one valid request to each route that its API describes: what mutations start from."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from gateway.app import ROUTES
from tests.faults.hostile.gateway_process import GatewayProcess
from tests.harness.mails import MailFolder, asks, link_in, text_of
from tests.harness.waiting import until

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


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


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in."""

    cookie: str
    form_token: str  #: that each form of theirs carries


class Network:
    """A community with members, two signed in; meetings to come, with a room that answers, closed with mails."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._gateway = gateway
        self._client = gateway.client
        community, region, members = str(uuid4()), str(uuid4()), [str(uuid4()) for _ in range(4)]
        self._client.put_community(community)
        self._client.ok("PUT", f"/v1/community-sets/{region}", {"name": "Région", "community_ids": [community]})
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
        self.invitation = self._link(r"/i/([A-Za-z0-9_-]{20,})")
        self.room = survey["room_code"]
        ballot = self._client.ballot(room_code=self.room, member_id=members[0])
        self._client.ok("PUT", f"/v1/roles/{members[1]}/network_admin")
        self.visitor = self._sign_in(members[1])
        self.leaving = self._sign_in(members[2])  #: whose sessions are ended; the other's must last
        account = self._client.request("GET", "/account", headers={"Cookie": self.leaving.cookie}).text
        #: Fields that pages read.
        self.form = {"member": members[1], "step": "answer", "q.satisfaction": "4", "q.comment": "Bien."}
        self.form |= {"code": self.room, "partstat": "accepted", "state": "attended", "reason": "Grippe"}
        self.form |= {"email": self._client.address_of(members[1]), "name": "Cercle", "role": "facilitator"}
        self.form |= {"scope": "community", "part": "individual", "kind": "individuals", "locale": "fr"}
        self.ids = {
            "community_id": community,
            "set_id": region,
            "member_id": members[1],
            "facilitator_id": members[1],
            "note_taker_id": members[2],
            "organization_id": str(uuid4()),
            "meeting_id": coming,
            "survey_id": survey["id"],
            "room_code": self.room,
            "ballot_id": ballot["ballot_id"],
            "token": self.link,
            "token_id": "0" * 12,  # of nobody: the one in use must last
            "session_id": re.findall(r"/account/sessions/([^/]+)/end", account)[0],
            "role": "facilitator",
            "name": self.name,
            "type": "org.pratique.meetings.MeetingScheduled.v1.json",
        }

    def requests(self) -> list[Request]:
        """One to each route of /openapi.json, and to each page of people, which are for no program."""
        described = self._client.ok("GET", "/openapi.json")
        of_programs = [
            self._request(method.upper(), path, operation)
            for path, operations in described["paths"].items()
            for method, operation in operations.items()
        ]
        return of_programs + [self._page(route.method, route.template) for route in ROUTES if route.visitor]

    def _page(self, method: str, path: str) -> Request:
        """As a browser sends it in which somebody is signed in."""
        who = self.leaving if path.startswith("/account") else self.visitor
        headers = [(b"Host", b"127.0.0.1"), (b"Cookie", who.cookie.encode())]
        filled = path.format_map(self.ids)
        if method == "GET":
            return Request(method, filled, headers)
        headers += [(name.encode(), value.encode()) for name, value in FORM.items()]
        body = urlencode(self.form | {"form_token": who.form_token}).encode()
        return Request(method, filled, headers, body=body)

    def _request(self, method: str, path: str, operation: Any) -> Request:
        ids = self.ids | ({"token": self.invitation} if path.startswith("/i/") else {})
        filled = re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)
        headers = [(b"Host", b"127.0.0.1"), (b"Authorization", f"Bearer {self._gateway.token}".encode())]
        if "requestBody" not in operation:
            return Request(method, filled, headers)
        ((kind, content),) = operation["requestBody"]["content"].items()
        headers.append((b"Content-Type", kind.encode()))
        if kind in FORM.values():
            return Request(method, filled, headers, body=urlencode(self.form).encode())
        return Request(method, filled, headers, self._with_ids(content["example"]))

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

    def _sign_in(self, member_id: str) -> Visitor:
        """Let somebody sign in by the link in their mail."""
        address = self._client.address_of(member_id)
        assert self._client.request("POST", "/sign-in", urlencode({"email": address}), FORM).status == 200
        link = self._link(r"/sign-in/([A-Za-z0-9_-]{20,})", to=address)
        signed_in = self._client.request("POST", f"/sign-in/{link}", "", FORM)
        cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
        home = self._client.request("GET", "/home", headers={"Cookie": cookie}).text
        return Visitor(cookie, re.findall(r'name="form_token" value="([^"]+)"', home)[0])

    def _link(self, pattern: str, to: str = "") -> str:
        """Return the end of the first link in a mail that looks so."""
        folder = MailFolder(self._gateway.mails)

        def found() -> str | None:
            texts = [text_of(mail) for mail in folder.mails() if to in str(mail["To"])]
            return next((link[1] for text in texts if (link := re.search(pattern, text))), None)

        return until(found, every_s=0.1, what=f"a mail with a link like {pattern}") or ""

    def _mail(self) -> tuple[str, str]:
        """Return the name of a mail that asks for answers, and the end of the link in it."""
        folder = MailFolder(self._gateway.mails)

        def found() -> tuple[str, str] | None:
            mails = zip(folder.paths(), folder.mails(), strict=False)
            return next(((path.name, link_in(mail)) for path, mail in mails if asks(mail)), None)

        name, link = until(found, every_s=0.1, what="a mail that asks for answers") or ("", "")
        return name, link
