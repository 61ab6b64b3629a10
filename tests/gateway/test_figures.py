"""The gateway's metrics, read by somebody who looks before and after each request to a survey."""

import re
from typing import Any

import pytest

from pratique.errors import Conflict, Gone, NotFound, TooManyTries, Unavailable
from tests.gateway.conftest import ANNE, MEETING, QUESTIONS, SURVEY
from tests.gateway.conftest import BALLOT as SENT

ANSWERS = {"ballot_id": SENT, "answers": [{"question": "satisfaction", "value": 4}]}
BALLOT = {"room_code": "K7MQ2PXY", "member_id": ANNE}
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "opening a link": ("GET", "/s/tok", {}),
    "opening the front page": ("GET", "/", {}),
    "leaving the code out": ("GET", "/r", {}),
    "typing a code": ("POST", "/r/", {"data": {"code": "K7MQ2PXY"}}),
    "looking at a link": ("HEAD", "/s/tok", {}),
    "answering by a link": ("POST", "/s/tok", {"data": {"q.satisfaction": "4", "step": "answer"}}),
    "answering badly": ("POST", "/s/tok", {"data": {"q.satisfaction": "9", "step": "answer"}}),
    "entering a room": ("GET", "/r/K7MQ2PXY", {}),
    "an address in capitals": ("GET", "/R/K7MQ2PXY", {}),
    "choosing a name": ("POST", "/r/K7MQ2PXY", {"data": {"member": ANNE}}),
    "answering in a room": (
        "POST", "/r/K7MQ2PXY", {"data": {"member": ANNE, "step": "answer", "q.satisfaction": "4"}}
    ),
    "reading a room": ("GET", "/v1/rooms/K7MQ2PXY", {}),
    "a ballot by a link": ("POST", "/v1/ballots", {"json": {"token": "tok"}}),
    "a ballot in a room": ("POST", "/v1/ballots", {"json": BALLOT}),
    "a ballot that is none": ("POST", "/v1/ballots", {"json": {}}),
    "answers": ("POST", "/v1/answers", {"json": ANSWERS}),
    "a wrong method": ("DELETE", "/v1/ballots", {}),
    "results": ("GET", "/results/x", {}),
}  # fmt: skip
ERRORS = [
    None,
    NotFound("no"),
    Conflict("taken"),
    Gone("over"),
    TooManyTries("slow"),
    Unavailable("away"),
    ValueError(),
]


def scrape(gate):
    """Every figure of HTTP, by its whole name."""
    text = gate.ask("GET", "/metrics").text
    lines = [line for line in text.splitlines() if line.startswith("pratique_http_") and "_created" not in line]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def seen(gate, kind, error):
    """What changed between two looks around one request of this kind, but for what the looks themselves change."""
    room = {"survey_id": SURVEY, "meeting_id": MEETING, "member_ids": [ANNE]}
    answers = {
        "evaluation.read_questions": QUESTIONS,
        "evaluation.open_ballot": {"ballot_id": BALLOT, "survey_id": SURVEY, "questions": QUESTIONS},
        "evaluation.check_answers": None,
        "evaluation.take_ballot": {"slip": "s-1"},
        "evaluation.cast_slip": None,
        "evaluation.confirm_ballot": None,
        "evaluation.get_room": room,
        "membership.list_labels": [],
    }
    for name, answer in answers.items():
        gate.peer.says(name, error or answer)
    method, path, options = KINDS[kind]
    before = scrape(gate)
    gate.ask(method, path, headers={"Authorization": None}, **options)
    after = scrape(gate)
    return {name: value - before.get(name, 0) for name, value in after.items() if "/metrics" not in name}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_no_kind_of_visit_or_answer_or_refusal_can_be_told_from_another(gate, error):
    gate.ask("GET", "/s/tok", headers={"Authorization": None})
    gate.ask("GET", "/v1/communities")
    plain = seen(gate, "opening a link", None)
    assert plain['pratique_http_requests_total{method="*",route="surveys",status="*"}'] == 1
    for kind in KINDS:
        assert seen(gate, kind, error) == plain, kind


def test_of_all_other_traffic_route_method_and_status_are_told(gate):
    gate.ask("GET", "/v1/communities")
    assert any(re.search('method="GET",route="/v1/communities",status="503"', name) for name in scrape(gate))
