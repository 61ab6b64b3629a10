"""Each thing that cannot be is answered by a problem (RFC 9457) that says what to mend, and leaves no trace."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from gateway.auth import create_token
from gateway.limits import WRONG_TOLD
from gateway.reading import MAX_BODY_BYTES
from tests.harness import stored_rows
from tests.harness.network import Network
from tests.harness.people import ZONE, attendance_body, meeting_body

GUESS = "23456789"
JSON = {"Content-Type": "application/json"}


def on(ballot_id: str, **answer: Any) -> dict[str, Any]:
    """An answer on this ballot, as it is sent."""
    return {"ballot_id": ballot_id, "answers": [{"question": "satisfaction", "value": 5} | answer]}


class Refused(NamedTuple):
    """A request that cannot be, and how it is answered."""

    why: str
    status: int
    method: str
    path: str
    body: Any = None
    pointer: str | None = None
    headers: dict[str, str] = {}  # noqa: RUF012  (never changed)


class Scenario:
    """Four meetings: one whose survey is over, one with a spent link, one in its wrap-up, and one ahead."""

    def __init__(self, network: Network) -> None:
        self.community = network.create_community(members=5)
        self.ids = ids = self.community.member_ids
        self.stranger = str(uuid4())
        over = self._closed(network)
        self.dead_token = network.survey_links(ids[0])[-1]
        self.dead_ballot = network.ballot(token=network.survey_links(ids[1])[-1])["ballot_id"]
        network.advance(days=8)
        assert network.survey(over)["state"] == "withheld"
        self.running = network.schedule(self.community.id, note_taker_id=ids[4])
        self.closed = self._closed(network)
        self.spent_token = network.survey_links(ids[0])[-1]
        self.spent_ballot, self.other_ballot = (network.ballot(token=self.spent_token)["ballot_id"] for _ in range(2))
        network.ok("POST", "/v1/answers", on(self.spent_ballot))
        self.ballot = network.ballot(token=network.survey_links(ids[1])[-1])["ballot_id"]
        network.start(self.running)
        network.record_attendance(self.running, {ids[0]: "attended"})
        network.wrap_up(self.running)
        network.settle()
        self.room_code = network.survey(self.running)["room_code"]
        times = {name: self.plan()[name] for name in ("starts_at", "ends_at")}
        self.ahead = network.schedule(self.community.id, **times)
        with network.stores["gateway"].begin() as session:
            self.reader = create_token(session, "reader", ["meetings:read"])

    def _closed(self, network: Network) -> str:
        meeting_id = network.schedule(self.community.id)
        network.hold(meeting_id, dict.fromkeys(self.ids[:4], "attended"))
        network.close(meeting_id)
        network.settle()
        return meeting_id

    def plan(self, **changes: Any) -> dict[str, Any]:
        """Return what a meeting is scheduled with."""
        return meeting_body(self.community.id, starts_at=datetime(2026, 6, 1, 10, tzinfo=ZoneInfo(ZONE))) | changes


@pytest.fixture(scope="module")
def scenario(shared_network: Network) -> Scenario:
    return Scenario(shared_network)


def refusals(scenario: Scenario) -> Iterator[Refused]:
    yield from of_meetings(scenario)
    yield from of_answers(scenario)
    yield from of_requests(scenario)


def attended(*member_ids: str) -> dict[str, Any]:
    """Return what is said of attendance: these people were there."""
    return attendance_body(dict.fromkeys(member_ids, "attended"))


def of_meetings(scenario: Scenario) -> Iterator[Refused]:
    nowhere, new = f"/v1/meetings/{uuid4()}", f"/v1/meetings/{uuid4()}"
    yield Refused("unknown meeting read", 404, "GET", nowhere)
    yield Refused("unknown meeting closed", 404, "POST", f"{nowhere}/close")
    yield Refused("attendance at an unknown one", 404, "PUT", f"{nowhere}/attendance", attended(scenario.ids[0]))
    yield Refused("survey of an unknown one", 404, "GET", f"{nowhere}/survey")
    yield Refused("results of an unknown survey", 404, "GET", f"/v1/surveys/{uuid4()}/results")
    early = scenario.plan(ends_at="2026-06-01T09:00:00-04:00")
    yield Refused("end before start", 422, "PUT", new, early, "/ends_at")
    yield Refused("naive datetime", 422, "PUT", new, scenario.plan(starts_at="2026-06-01T10:00:00"), "/starts_at")
    yield Refused("no such zone", 422, "PUT", new, scenario.plan(timezone="Mars/Olympus"), "/timezone")
    yield Refused("unknown field", 422, "PUT", new, scenario.plan(colour="red"), "/colour")
    yield Refused("no such mode", 422, "PUT", new, scenario.plan(mode="by_post"), "/mode")
    for verb in ("wrap-up", "close"):
        yield Refused(f"{verb} before start", 409, "POST", f"/v1/meetings/{scenario.ahead}/{verb}")
    late = {"reason": "Trop tard."}
    yield Refused("cancel after close", 409, "POST", f"/v1/meetings/{scenario.closed}/cancel", late)
    for meeting_id in (scenario.running, scenario.closed):
        path, entries = f"/v1/meetings/{meeting_id}/attendance", attended(scenario.ids[0], scenario.stranger)
        yield Refused("stranger's attendance", 422, "PUT", path, entries, "/entries/1/member_id")
    entries = attended(scenario.ids[4])
    path = f"/v1/meetings/{scenario.running}/attendance"
    yield Refused("note taker's attendance", 422, "PUT", path, entries, "/entries/0/member_id")
    changed = scenario.plan(place="Ailleurs")
    yield Refused("change without If-Match", 428, "PUT", f"/v1/meetings/{scenario.ahead}", changed)
    stale = {"If-Match": '"99"'}
    yield Refused("change of what changed", 412, "PUT", f"/v1/meetings/{scenario.ahead}", changed, None, stale)


def of_answers(scenario: Scenario) -> Iterator[Refused]:
    yield Refused("link of a closed survey", 410, "POST", "/v1/ballots", {"token": scenario.dead_token})
    yield Refused("ballot of a closed survey", 410, "POST", "/v1/answers", on(scenario.dead_ballot))
    yield Refused("spent link", 409, "POST", "/v1/ballots", {"token": scenario.spent_token})
    yield Refused("spent ballot", 410, "POST", "/v1/answers", on(scenario.spent_ballot))
    yield Refused("another ballot of the same person", 409, "POST", "/v1/answers", on(scenario.other_ballot))
    yield Refused("no ballot", 404, "POST", "/v1/answers", on("A" * 64))
    survey, _, box = scenario.ballot.partition(".")
    yield Refused("guessed ballot", 404, "POST", "/v1/answers", on(f"{survey}.{'A' * len(box)}"))
    yield Refused("ballot of no survey", 404, "POST", "/v1/answers", on(f"{uuid4().hex}.{box}"))
    yield Refused("guessed link", 404, "POST", "/v1/ballots", {"token": "A" * 64})
    yield Refused("guessed room", 404, "GET", f"/v1/rooms/{GUESS}")
    absent = {"room_code": scenario.room_code, "member_id": scenario.ids[3]}
    yield Refused("absent from the room", 404, "POST", "/v1/ballots", absent)
    both = {"token": scenario.dead_token, "room_code": scenario.room_code}
    yield Refused("two ways at once", 422, "POST", "/v1/ballots", both)
    too_much = on(scenario.ballot, value=6)
    yield Refused("six of five", 422, "POST", "/v1/answers", too_much, "/answers/0/value")
    unknown = on(scenario.ballot, question="salary", value=1)
    yield Refused("no such question", 422, "POST", "/v1/answers", unknown, "/answers/0/question")
    yield Refused("answers without a ballot", 422, "POST", "/v1/answers", {"answers": []}, "/ballot_id")


def of_requests(scenario: Scenario) -> Iterator[Refused]:
    path = f"/v1/meetings/{uuid4()}"
    yield Refused("no JSON", 400, "PUT", path, '{"kind": ', None, JSON)
    yield Refused("a list", 422, "PUT", path, "[]", "/", JSON)
    yield Refused("too large", 413, "PUT", path, b" " * (MAX_BODY_BYTES + 1), None, JSON)
    yield Refused("not called JSON", 415, "PUT", path, "kind=meeting", None, {"Content-Type": "text/plain"})
    yield Refused("no token", 401, "PUT", path, scenario.plan(), None, {"Authorization": ""})
    wrong = {"Authorization": "Bearer prt_nobody_nothing"}
    yield Refused("wrong token", 401, "PUT", path, scenario.plan(), None, wrong)
    reader = {"Authorization": f"Bearer {scenario.reader}"}
    yield Refused("scope missing", 403, "PUT", path, scenario.plan(), None, reader)
    yield Refused("no such path", 404, "GET", "/v1/nothing")
    yield Refused("no such method", 405, "DELETE", path)


def stored(network: Network) -> dict[str, list[str]]:
    """All that the services hold, in an order of its own."""
    return {table: sorted(map(repr, rows)) for table, rows in stored_rows.all_rows(network.services).items()}


class Guesses:
    """Somebody who knows the room's code looks often; somebody who does not guesses, and waits a minute."""

    def __init__(self, network: Network, scenario: Scenario) -> None:
        room = f"/v1/rooms/{scenario.room_code}"
        self.known = [network.request("GET", room) for _ in range(WRONG_TOLD + 2)]
        before = stored(network)
        self.wrong = [network.request("GET", f"/v1/rooms/{int(GUESS) + number}") for number in range(WRONG_TOLD)]
        self.slowed = network.request("GET", f"/v1/rooms/{GUESS}")
        self.beside = network.request("GET", room)
        network.advance(minutes=1, seconds=1)
        self.later = network.request("GET", f"/v1/rooms/{GUESS}")
        self.changes_nothing = stored(network) == before


@pytest.fixture(scope="module")
def guesses(shared_network: Network, scenario: Scenario) -> Guesses:
    return Guesses(shared_network, scenario)


def test_guessing_a_room_is_slowed_and_right_codes_never_count(guesses: Guesses) -> None:
    assert {answer.status for answer in guesses.known} == {200}
    assert {answer.status for answer in guesses.wrong} == {404}
    slowed = guesses.slowed
    assert (slowed.status, slowed.headers["Content-Type"]) == (429, "application/problem+json")
    assert int(slowed.headers["Retry-After"]) >= 1
    assert slowed.json["detail"].endswith(".")
    assert guesses.beside.status == 200
    assert guesses.later.status == 404
    assert guesses.changes_nothing


def test_each_refusal_is_a_problem_that_says_what_to_mend_and_changes_nothing(
    shared_network: Network, scenario: Scenario, guesses: Guesses
) -> None:
    """The guesses were made before: those among the refusals would count with them."""
    shared_network.settle()
    before, mails = stored(shared_network), len(shared_network.mails())
    for case in refusals(scenario):
        answer = shared_network.request(case.method, case.path, case.body, case.headers)
        assert (case.why, answer.status) == (case.why, case.status), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json", case.why
        problem = answer.json
        assert problem["status"] == case.status, case.why
        assert problem["type"].startswith("urn:pratique:problem:"), case.why
        assert problem["title"], case.why
        assert problem.get("detail", "Not found.").rstrip().endswith((".", "!")), (case.why, problem)
        if case.pointer is not None:
            assert case.pointer in {each["pointer"] for each in problem["errors"]}, (case.why, problem)
    shared_network.settle()
    assert stored(shared_network) == before
    assert len(shared_network.mails()) == mails
    shared_network.ok("POST", "/v1/answers", on(scenario.ballot))  # what was refused has spent nothing
