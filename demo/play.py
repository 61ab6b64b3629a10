"""The main job, once, over HTTP as a client would do it: a meeting is held, closed, and asked about."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

from chassis import clock, green
from demo.network import id_of

PRESENT = 12  #: people marked as attending
IN_ROOM = 7  #: of them, how many answer before the meeting closes
PATIENCE_S = 300.0  #: for an answer, on a machine that does much else
Say = Callable[[str], None]


def play(url: str, token: str, say: Say) -> None:
    """Hold a meeting of the sample's first community now; what follows is told by whoever watches the bus."""
    api = _Api(url, token)
    community_id, meeting_id, now = str(id_of("community", "familles")), str(uuid4()), clock.now()
    member_ids = _attendees(api, community_id)
    say("\n[bold]The main job, once.[/bold] A meeting is scheduled; its community is invited.")
    api.put(
        f"/v1/meetings/{meeting_id}",
        community_ids=[community_id],
        kind="meeting",
        mode="online",
        starts_at=(now + timedelta(minutes=5)).isoformat(),
        ends_at=(now + timedelta(minutes=65)).isoformat(),
        timezone="America/Toronto",
        link="https://meet.example.org/familles",
        themes=["Rejoindre les pères"],
    )
    green.sleep(1.5)
    say(f"It begins; {len(member_ids)} people are there.")
    api.post(f"/v1/meetings/{meeting_id}/start")
    entries = [{"member_id": each, "state": "attended"} for each in member_ids]
    api.put(f"/v1/meetings/{meeting_id}/attendance", entries=entries)
    say("The last five minutes: the survey opens, with a code for the room.")
    api.post(f"/v1/meetings/{meeting_id}/wrap-up")
    survey = _survey_with_code(api, meeting_id)
    say(f"The room's code is [bold]{survey['room_code']}[/bold]; {IN_ROOM} people answer.")
    for member_id in member_ids[:IN_ROOM]:
        _answer(api, survey["room_code"], member_id)
    say(f"The meeting closes: the {len(member_ids) - IN_ROOM} who have not answered are asked by mail, once.")
    api.post(f"/v1/meetings/{meeting_id}/close")
    green.sleep(1.5)
    say("They are reminded once after 48 hours; after 7 days the survey closes and results come out, or are withheld.")


def _attendees(api: "_Api", community_id: str) -> list[str]:
    """The people who came to the community's last meetings."""
    seen: dict[str, None] = {}
    for meeting in api.get(f"/v1/communities/{community_id}/meetings")["items"]:
        if meeting["state"] == "closed" and len(seen) < PRESENT:
            whole = api.get(f"/v1/meetings/{meeting['meeting_id']}")
            seen |= {each["member_id"]: None for each in whole["attendance"] if each["role"] == "participant"}
    return list(seen)[:PRESENT]


def _survey_with_code(api: "_Api", meeting_id: str) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found: dict[str, Any] | None = api.find(f"/v1/meetings/{meeting_id}/survey")
        if found and found["room_code"]:
            return found
        green.sleep(0.05)
    raise TimeoutError(f"the survey did not open within {PATIENCE_S:.0f} s")


def _answer(api: "_Api", room_code: str, member_id: str) -> None:
    ballot = api.post("/v1/ballots", room_code=room_code, member_id=member_id, locale="fr")
    values: dict[str, object] = {"scale1_5": 4, "yes_no": True}
    answers = [
        {"question": each["key"], "value": values[each["type"]]}
        for each in ballot["questions"]
        if each["type"] in values
    ]
    with suppress(_Gone):  # kept before, though nobody said so in time
        api.post("/v1/answers", ballot_id=ballot["ballot_id"], answers=answers)


class _Gone(Exception):
    """What was asked for is over, or was done before."""


class _Api:
    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def find(self, path: str) -> Any:
        try:
            return self.get(path)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None

    def post(self, path: str, **body: Any) -> Any:
        return self._ask("POST", path, body)

    def put(self, path: str, **body: Any) -> Any:
        return self._ask("PUT", path, body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(  # noqa: S310  (our own gateway's http address)
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310  (as above)
                    text = answer.read()
                return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                if error.code == 410:
                    raise _Gone from error
                if error.code != 503 or time.monotonic() > end:
                    raise
            green.sleep(1)  # a service was too busy to answer in time; each request may come again
