"""Closes meetings over HTTP at a steady rate, notes what was acknowledged, and asks again, as it was, for the rest."""

import queue
import random
import threading
import time
from collections.abc import Container, Mapping, Sequence
from http.client import HTTPException
from typing import Any

from tests.faults.chaos.record import Meeting, Record, fresh_id
from tests.harness.client import HttpClient, NotAccepted, NotAcknowledged, Response, RetryingClient
from tests.harness.people import Community, filled
from tests.harness.waiting import PROGRAM_S

CLIENTS = 24  #: at once; so many closings wait when nothing answers, and no more
TIMEOUT_S = 20.0
PATIENCE_S = PROGRAM_S  #: whoever is not answered for so long has found a fault that was not mended


class Api(RetryingClient):
    """One client's way to any of the gateways; the record counts how each request was answered."""

    def __init__(
        self, ports: Sequence[int], token: str, record: Record, chance: random.Random, passing: Container[int] = ()
    ) -> None:
        super().__init__(lambda: HttpClient(chance.choice(ports), token, TIMEOUT_S), PATIENCE_S, passing)
        self.record = record
        self._fields = ports, token, record, chance

    def tolerating(self, *passing: int) -> "Api":
        """Return the same client, for which these refusals pass, since what is needed may not be there yet."""
        return Api(*self._fields, passing)

    def attempt(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send it once, and count what came."""
        client = self._client()
        try:
            answer = client.request(method, path, body, headers)
        except NotAccepted:
            self.record.count("not accepted")
            return Response(0)
        except (OSError, HTTPException) as error:
            with self.record.lock:
                self.record.answers["cut"] += 1
                self.record.cut.append((time.monotonic(), client.port, f"{method} {path}: {error!r}"))
            return Response(0)
        self.record.count(str(answer.status))
        if 400 <= answer.status < 500 and answer.status not in self._passing:
            self.record.wrong.append(f"{method} {path}: {answer.status} {answer.text}")
        return answer


class Driver:
    """As many clients as ``CLIENTS``, fed at ``rate`` meetings per second, which a fault may change."""

    def __init__(self, ports: Sequence[int], token: str, record: Record, rate: float, seed: int) -> None:
        self.rate, self.record = rate, record
        self._ports, self._token, self._seed = ports, token, seed
        self._waiting: queue.Queue[Meeting | None] = queue.Queue(CLIENTS)
        self._threads: list[threading.Thread] = []
        self.failures: list[str] = []
        self._is_stopped = threading.Event()

    def found(self, circles: int, members: int, seed: int) -> list[Community]:
        """Communities with members, all acknowledged; they take a moment to be known everywhere."""
        chance = random.Random(seed)
        made = [Community(fresh_id(chance), [fresh_id(chance) for _ in range(members)]) for _ in range(circles)]
        api = self._api(0)
        for circle in made:
            api.put_community(circle.id)
            for number, member_id in enumerate(circle.member_ids):
                api.put_member(member_id, f"Personne N{number}", email=address_of(member_id))
                api.add_to_community(circle.id, member_id)
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
            except NotAcknowledged as error:
                self.failures.append(str(error))


def hold_and_close(api: Api, meeting: Meeting) -> None:
    """Hold one meeting, each step until it is acknowledged."""
    patient = api.tolerating(422)  # the community or a member has not arrived yet
    patient.ok("PUT", f"/v1/meetings/{meeting.id}", meeting.body())
    api.start(meeting.id)
    patient.record_attendance(meeting.id, meeting.states)
    if meeting.answers_in_room:
        api.wrap_up(meeting.id)
        _answer(api, meeting.id, meeting.answers_in_room)
    meeting.is_close_attempted = True
    meeting.was_retried = api.attempt("POST", f"/v1/meetings/{meeting.id}/close").status != 200
    if meeting.was_retried:
        api.close(meeting.id)
    meeting.is_closed = True
    if meeting.corrected:
        api.record_attendance(meeting.id, {meeting.corrected: "attended"})
    meeting.is_done = True


def _answer(api: Api, meeting_id: str, member_id: str) -> None:
    """Answer in the room: ask for a ballot, and send it until it is known that its answers are kept.

    Raises:
        NotAcknowledged: they never were, or were refused as they cannot be.
    """
    survey = api.tolerating(404).survey(meeting_id)  # evaluation has not heard of the wrap-up yet
    patient = api.tolerating(404, 429)  # the attendance has not arrived yet, or there are too many of those
    while True:
        ballot = patient.ballot(room_code=survey["room_code"], member_id=member_id)
        status = _send(api.tolerating(*range(400, 500)), filled(ballot, 4))
        if status != 404:  # the clock has jumped, and the ballot is too old
            return


def _send(api: Api, ballot: dict[str, Any]) -> int:
    """Return the status that says what became of it: kept now (204) or before (410), or the ballot is too old (404)."""
    end = time.monotonic() + PATIENCE_S
    while (status := api.attempt("POST", "/v1/answers", ballot).status) not in (204, 404, 410):
        time.sleep(0.5)
        if time.monotonic() > end:
            raise NotAcknowledged(f"a ballot was not taken: {status}")
    return status


def address_of(member_id: str) -> str:
    """Where a member's mail goes."""
    return f"{member_id.replace('-', '')}@example.org"
