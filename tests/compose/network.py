"""Client of a deployment, from outside: HTTP in, mails out of the folder where they are written."""

import email
import email.policy
import io
import json
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any
from uuid import uuid4

from tests.compose.engine import Engine

ZONE = "America/Toronto"
PATIENCE_S = 60.0


def eventually(what: str, look: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Return what ``look`` finds, as soon as it finds anything.

    Raises:
        AssertionError: it found nothing in time.
    """
    end = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < end, f"{what}: not within {patience_s:.0f} s"
        time.sleep(0.3)
    return found


class Network:
    """A community with its people, and what they do over the API."""

    def __init__(self, found: Engine, url: str, token: str) -> None:
        self._engine, self._url, self.token = found, url, token
        self.community_id = str(uuid4())
        self.member_ids: list[str] = []

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request; its status and what it says."""
        request = urllib.request.Request(
            f"{self._url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text, status = answer.read(), answer.status
        except urllib.error.HTTPError as error:
            with error:
                text, status = error.read(), error.code
        return status, json.loads(text) if text else None

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """What a request says that must succeed."""
        status, said = self.ask(method, path, body)
        assert status < 300, f"{method} {path}: {status} {said}"
        return said

    def found(self, people: int) -> None:
        """Make the community and its members."""
        words = {"name": "Cercle d’essai", "purpose": "Apprendre.", "kind": "individuals", "locale": "fr"}
        self.ok("PUT", f"/v1/communities/{self.community_id}", words | {"timezone": ZONE})
        for number in range(people):
            member_id = str(uuid4())
            card = {"name": f"Personne N{number}", "email": _address(member_id), "locale": "fr", "timezone": ZONE}
            self.ok("PUT", f"/v1/members/{member_id}", card)
            membership = f"/v1/communities/{self.community_id}/memberships/{member_id}"
            self.ok("PUT", membership, {"capacity": "individual"})
            self.member_ids.append(member_id)

    def meet(self, in_room: int) -> str:
        """Hold a meeting at which all are, and some answer in the room; its id. It is not closed yet."""
        meeting_id, path = self._begin()
        self.ok("POST", f"{path}/wrap-up")
        code = eventually("the survey opens in the room", lambda: self._code(meeting_id))
        for member_id in self.member_ids[:in_room]:
            eventually("the room knows who is there", partial(self.answer, room_code=code, member_id=member_id))
        return meeting_id

    def _begin(self) -> tuple[str, str]:
        meeting_id, now = str(uuid4()), datetime.now(UTC)
        times = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=1)).isoformat(), "timezone": ZONE}
        plan = {"community_ids": [self.community_id], "kind": "meeting", "mode": "online"}
        path = f"/v1/meetings/{meeting_id}"
        self.ok("PUT", path, plan | times)
        eventually("the meeting knows its members", lambda: self._can_take_attendance(path))
        return meeting_id, path

    def meet_and_close(self) -> str:
        """Hold a meeting at which all are and nobody answers in the room, and close it; its id."""
        meeting_id, _ = self._begin()
        self.close(meeting_id)
        return meeting_id

    def _can_take_attendance(self, path: str) -> bool:
        """Whether attendance could be taken: meetings may not have heard of its members yet."""
        self.ok("POST", f"{path}/start")
        entries = [{"member_id": each, "state": "attended"} for each in self.member_ids]
        status, said = self.ask("PUT", f"{path}/attendance", {"entries": entries})
        assert status < 300 or status in (409, 422, 503), said
        return status < 300

    def _code(self, meeting_id: str) -> str:
        status, survey = self.ask("GET", f"/v1/meetings/{meeting_id}/survey")
        return str(survey["room_code"] or "") if status == 200 else ""

    def close(self, meeting_id: str) -> None:
        """Close the meeting."""
        self.ok("POST", f"/v1/meetings/{meeting_id}/close")

    def answer(self, **who: str) -> bool:
        """Ask for a ballot and send its answers; False while the survey does not know this person."""
        status, ballot = self.ask("POST", "/v1/ballots", {"locale": "fr"} | who)
        if status != 201 and status != 200:
            assert status == 404, ballot
            return False
        values = {"scale1_5": 4, "yes_no": True}
        given = [{"question": q["key"], "value": values[q["type"]]} for q in ballot["questions"] if q["type"] in values]
        self.ok("POST", "/v1/answers", {"ballot_id": ballot["ballot_id"], "answers": given})
        return True

    def mails(self) -> Sequence[EmailMessage]:
        """All mails in the folder of the container that sends them."""
        archive = self._engine.bytes_of(["docker", "compose", "cp", "notifications:/var/lib/pratique/mail", "-"])
        found = []
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar.getmembers():
                file = tar.extractfile(member) if member.isfile() and member.name.endswith(".eml") else None
                if file is not None:
                    parsed = email.message_from_bytes(file.read(), policy=email.policy.default)
                    assert isinstance(parsed, EmailMessage)
                    found.append(parsed)
        return found

    def asked(self) -> dict[str, str]:
        """Of each mail that leads to a survey its Message-ID, and the end of its link."""
        return {str(mail["Message-ID"]): link for mail in self.mails() if (link := _link(mail))}


def _address(member_id: str) -> str:
    return f"{member_id[:8]}@example.org"


def _link(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert text is not None
    found = [word for word in text.get_content().split() if "/s/" in word]
    return found[0].rpartition("/s/")[2].strip(".>") if found else ""
