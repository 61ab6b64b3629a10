"""Closes meetings over HTTP at a steady rate, notes what was acknowledged, and asks again, as it was, for the rest."""

import http.client
import json
import queue
import random
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.faults.chaos.record import Circle, Meeting, Record, fresh_id

CLIENTS = 24  #: at once; so many closings wait when nothing answers, and no more
TIMEOUT_S = 20.0
PATIENCE_S = 240.0  #: whoever is not answered for so long has found a fault that was not mended


class Stuck(Exception):
    """The API did not acknowledge for ``PATIENCE_S``."""


class Api:
    """One client's way to any of the gateways, each request on a connection of its own."""

    def __init__(self, ports: Sequence[int], token: str, record: Record, chance: random.Random) -> None:
        self._ports, self._token, self.record, self._chance = ports, token, record, chance

    def once(self, method: str, path: str, body: Any = None, if_version: int | None = None) -> tuple[int, Any]:
        """Status and body; status 0 where there was no answer, which the record then counts."""
        port = self._chance.choice(self._ports)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        try:
            connection.connect()
        except OSError:
            self.record.count("not accepted")
            connection.close()
            return 0, None
        try:
            headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
            if if_version is not None:
                headers["If-Match"] = f'"{if_version}"'
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {**headers, "Connection": "close"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            with self.record.lock:
                self.record.answers["cut"] += 1
                self.record.cut.append((time.monotonic(), port, f"{method} {path}: {error!r}"))
            return 0, None
        finally:
            connection.close()
        self.record.count(str(answer.status))
        return answer.status, json.loads(text) if text.startswith(b"{") else None

    def ask(self, method: str, path: str, body: Any = None, *, also: Mapping[int, str] | None = None) -> Any:
        """Ask until it is acknowledged; ``also`` names refusals that pass, since what is needed may not be there yet.

        Raises:
            Stuck: it never was, or it was refused as it cannot be.
        """
        end, pause_s = time.monotonic() + PATIENCE_S, 0.1
        while time.monotonic() < end:
            status, answer = self.once(method, path, body)
            if 200 <= status < 300:
                return answer
            if status and status < 500 and status not in (also or {}):
                words = f"{method} {path}: {status} {answer}"
                self.record.wrong.append(words)
                raise Stuck(words)
            time.sleep(pause_s * self._chance.uniform(0.5, 1))
            pause_s = min(1.0, pause_s * 2)
        raise Stuck(f"{method} {path} was not acknowledged within {PATIENCE_S:g} s")


class Driver:
    """As many clients as ``CLIENTS``, fed at ``rate`` meetings per second, which a fault may change."""

    def __init__(self, ports: Sequence[int], token: str, record: Record, rate: float, seed: int) -> None:
        self.rate, self.record = rate, record
        self._ports, self._token, self._seed = ports, token, seed
        self._waiting: queue.Queue[Meeting | None] = queue.Queue(CLIENTS)
        self._threads: list[threading.Thread] = []
        self.failures: list[str] = []
        self._is_stopped = threading.Event()

    def found(self, circles: int, members: int, seed: int) -> list[Circle]:
        """Communities with members, all acknowledged; they take a moment to be known everywhere."""
        chance = random.Random(seed)
        made = [Circle(fresh_id(chance), [fresh_id(chance) for _ in range(members)]) for _ in range(circles)]
        api = self._api(0)
        for circle in made:
            words = {"name": "Cercle d’essai", "purpose": "Apprendre.", "kind": "individuals"}
            where = {"locale": "fr", "timezone": "America/Toronto"}
            api.ask("PUT", f"/v1/communities/{circle.id}", words | where)
            for number, member_id in enumerate(circle.member_ids):
                card = {"name": f"Personne N{number}", "email": address_of(member_id), **where}
                api.ask("PUT", f"/v1/members/{member_id}", card)
                path = f"/v1/communities/{circle.id}/memberships/{member_id}"
                api.ask("PUT", path, {"capacity": "individual"})
        self.record.circles += made
        return made

    def start(self, meetings: Sequence[Meeting]) -> None:
        """Begin to hold and close these; ``is_done`` says when all are."""
        self.record.meetings |= {meeting.id: meeting for meeting in meetings}
        feed = threading.Thread(target=self._feed, args=[meetings], daemon=True)
        clients = [threading.Thread(target=self._serve, args=[number], daemon=True) for number in range(CLIENTS)]
        self._threads = [feed, *clients]
        for thread in self._threads:
            thread.start()

    @property
    def is_done(self) -> bool:
        """Whether every meeting is closed, or given up."""
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Begin no more meetings."""
        self._is_stopped.set()

    def _feed(self, meetings: Sequence[Meeting]) -> None:
        at = time.monotonic()
        for meeting in meetings:
            if self._is_stopped.is_set():
                break
            at = max(at + 1 / self.rate, time.monotonic() - 1)  # what a broken second held up is not made up for
            time.sleep(max(0.0, at - time.monotonic()))
            self._waiting.put(meeting)
        for _ in range(CLIENTS):
            self._waiting.put(None)

    def _api(self, number: int) -> Api:
        return Api(self._ports, self._token, self.record, random.Random(self._seed * 1000 + number))

    def _serve(self, number: int) -> None:
        api = self._api(number)
        while meeting := self._waiting.get():
            try:
                hold_and_close(api, meeting)
            except Stuck as error:
                self.failures.append(str(error))


def hold_and_close(api: Api, meeting: Meeting) -> None:
    """One meeting's life, each step until it is acknowledged."""
    path, not_known_yet = f"/v1/meetings/{meeting.id}", {422: "the community or a member has not arrived yet"}
    api.ask("PUT", path, meeting.body(), also=not_known_yet)
    api.ask("POST", f"{path}/start")
    entries = [{"member_id": member_id, "state": state} for member_id, state in meeting.states.items()]
    api.ask("PUT", f"{path}/attendance", {"entries": entries}, also=not_known_yet)
    if meeting.answers_in_room:
        api.ask("POST", f"{path}/wrap-up")
        _answer(api, path, meeting.answers_in_room)
    meeting.is_close_attempted = True
    status, _ = api.once("POST", f"{path}/close")
    meeting.was_retried = status != 200
    if meeting.was_retried:
        api.ask("POST", f"{path}/close")
    meeting.is_closed = True
    if meeting.corrected:
        entries = [{"member_id": meeting.corrected, "state": "attended"}]
        api.ask("PUT", f"{path}/attendance", {"entries": entries})
    meeting.is_done = True


def _answer(api: Api, path: str, member_id: str) -> None:
    """Answer in the room: ask for a ballot, and send it until it is known that its answers are kept.

    Raises:
        Stuck: they never were, or were refused as they cannot be.
    """
    survey = api.ask("GET", f"{path}/survey", also={404: "evaluation has not heard of the wrap-up yet"})
    want = {"room_code": survey["room_code"], "member_id": member_id, "locale": "fr"}
    not_known_yet = {404: "the attendance has not arrived yet", 429: "too many of those"}
    while True:
        ballot = api.ask("POST", "/v1/ballots", want, also=not_known_yet)
        numbers = [each for each in ballot["questions"] if each["type"] == "scale1_5"]
        answers = [{"question": each["key"], "value": 4} for each in numbers]
        status = _send(api, {"ballot_id": ballot["ballot_id"], "answers": answers})
        if status != 404:  # the clock has jumped, and the ballot is too old
            return


def _send(api: Api, filled: dict[str, Any]) -> int:
    """The status that says what became of it: kept now (204) or before (410), or the ballot is too old (404)."""
    end = time.monotonic() + PATIENCE_S
    while (status := api.once("POST", "/v1/answers", filled)[0]) not in (204, 404, 410):
        time.sleep(0.5)
        if time.monotonic() > end:
            raise Stuck(f"a ballot was not taken: {status}")
    return status


def address_of(member_id: str) -> str:
    """Where a member's mail goes."""
    return f"{member_id.replace('-', '')}@example.org"


def accepts(port: int) -> bool:
    """Whether something listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
