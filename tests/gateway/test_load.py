"""One laptop cannot keep the gateway busy: what is too large or too odd is refused before it costs anything."""

import json
import sys
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from chassis.http.problems import MAX_WORDS
from gateway.app import ROUTES, body_limit
from gateway.reading import MAX_BODY_BYTES, PUBLIC_BODY_BYTES, SPARE_PARTS
from gateway.schemas import most_parts
from pratique.errors import Invalid
from pratique.fields import MAX_REPORTED
from pratique.request import example_id
from pratique.requests.meetings import AttendanceBody, MeetingBody
from tests.gateway.conftest import IDENTIFIED

COMMUNITY = f"/v1/communities/{example_id('community')}"
MEETING = f"/v1/meetings/{example_id('meeting')}"
MANY = {f"unknown{number}": 1 for number in range(88_000)}
TEXT = "application/json"


@contextmanager
def counted():
    """How many functions are called within the block, Python's and C's."""
    calls = []

    def note(frame, event, argument):
        if event in ("call", "c_call"):
            calls.append(1)

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def cost(gate, method, path, body, status, **options):
    """How many functions are called to answer this body; it must be answered with this status, briefly."""
    gate.ask(method, path, data=b"{}", content_type=TEXT, **options)  # what is made once is made now
    content = json.dumps(body, separators=(",", ":")).encode()
    with counted() as calls:
        response = gate.ask(method, path, data=content, content_type=TEXT, **options)
    assert response.status_code == status, response.text
    assert len(response.data) < 20_000
    return len(calls)


def test_a_ballot_with_88000_unknown_names_costs_no_more_than_one_with_none(gate):
    anyone = {"headers": {"Authorization": None}}
    small = cost(gate, "POST", "/v1/ballots", {"unknown": 1}, 422, **anyone)
    assert cost(gate, "POST", "/v1/ballots", MANY, 413, **anyone) <= small


def test_a_token_does_not_help_to_send_88000_unknown_names(gate):
    small = cost(gate, "PUT", COMMUNITY, {"unknown": 1}, 422)
    short = {name[7:]: 1 for name in MANY}  # within a million bytes
    for shape in (short, {"name": short}, {"name": [short]}, {"name": list(short)}):
        assert cost(gate, "PUT", COMMUNITY, shape, 400) <= 3 * small


@pytest.mark.parametrize("wrong", [{}, {"member_id": 1}, {"a": 1}, 1, None])
def test_5000_faulty_entries_are_looked_at_only_until_20_are_found(gate, wrong):
    path = f"{MEETING}/attendance"
    few = cost(gate, "PUT", path, {"entries": [wrong] * MAX_REPORTED}, 422)
    many = cost(gate, "PUT", path, {"entries": [wrong] * 5000}, 422)
    assert many <= 2 * few + 50_000  # to see that the parts are not too many takes a step for each


def test_a_list_that_is_too_long_is_not_looked_at(gate):
    few = cost(gate, "PUT", f"{MEETING}/attendance", {"entries": []}, 503)
    assert cost(gate, "PUT", f"{MEETING}/attendance", {"entries": [1] * 300_000}, 422) <= 2 * few


@pytest.mark.parametrize(
    "text", [b'{"a":' + b'"' + b'\\"' * 490_000, b'{"a":' + b'"\\' * 490_000, b'{"a":"' + b"x" * 990_000]
)
def test_a_string_without_an_end_is_read_once(gate, text):
    with counted() as calls:
        assert gate.ask("PUT", COMMUNITY, data=text, content_type=TEXT).status_code == 400
    assert len(calls) < 5_000


@pytest.mark.parametrize("depth", [11, 1_000, 400_000])
def test_brackets_within_brackets_are_refused_before_they_are_parsed(gate, depth):
    for text in (b"[" * depth, b'{"a":' * (depth // 2), b'{"name":' + b"[" * depth + b"]" * depth + b"}"):
        response = gate.ask("PUT", COMMUNITY, data=text[:MAX_BODY_BYTES], content_type=TEXT)
        assert response.status_code == 400


def test_brackets_and_colons_in_words_are_words(gate):
    gate.peer.says("membership.put_community", {"row": {"version": 1}, "is_new": True})
    body = {"name": '":{[' * 40, "purpose": '[{"\\":' * 600, "kind": "open", "locale": "fr", "timezone": "UTC"}
    assert gate.ask("PUT", COMMUNITY, json=body).status_code == 201


def test_the_largest_bodies_that_may_be_sent_pass(gate):
    gate.peer.says("meetings.record_attendance", {"version": 1})
    gate.peer.says("meetings.put_meeting", {"row": {"version": 1}, "is_new": True})
    entry = {"member_id": example_id("member"), "state": "attended"}
    assert gate.ask("PUT", f"{MEETING}/attendance", json={"entries": [entry] * 5000}).status_code == 200
    meeting = MeetingBody.example() | {"themes": ["x"] * 20, "community_ids": [example_id("community")] * 50}
    assert gate.ask("PUT", MEETING, json=meeting).status_code == 201
    assert most_parts(AttendanceBody.schema) + SPARE_PARTS > 5000 * 6


def test_twenty_faults_are_told_at_most_and_none_at_length(gate):
    for number in (1, MAX_REPORTED, MAX_REPORTED + 1, 40):
        response = gate.ask("PUT", COMMUNITY, json={f"n{each}": 1 for each in range(number)})
        assert response.status_code == 422
        assert len(response.json["errors"]) <= MAX_REPORTED
    response = gate.ask("PUT", COMMUNITY, json={"x" * 500_000: 1})
    assert all(len(error["pointer"]) <= MAX_WORDS for error in response.json["errors"])
    gate.peer.says("meetings.record_attendance", Invalid("Unknown.", {f"/entries/{n}": "no" for n in range(50)}))
    response = gate.ask("PUT", f"{MEETING}/attendance", json={"entries": []})
    assert len(response.json["errors"]) == MAX_REPORTED


@pytest.mark.parametrize(
    "route", [each for each in ROUTES if each.method in ("PUT", "POST")], ids=lambda each: each.path
)
def test_what_anyone_may_call_takes_small_bodies_and_all_refuse_larger_ones_unread(gate, route):
    assert not route.max_body or route.visitor
    assert route.body_limit == (MAX_BODY_BYTES if route.scope else route.max_body or PUBLIC_BODY_BYTES)
    path = route.template
    for name, kind, choices in route.variables:
        path = path.replace(f"{{{name}}}", choices[0] if choices else example_id(name) if kind == "uuid" else "x")
    media = TEXT if route.path.startswith("/v1/") else "application/x-www-form-urlencoded"
    response = gate.ask(route.method, path, data=b" " * (route.body_limit + 1), content_type=media)
    assert response.status_code == 413
    if route.path.startswith("/v1/"):
        assert str(route.body_limit) in response.json["detail"]
    else:
        assert response.mimetype == "text/html"
    assert gate.peer.asked == []
    assert (
        body_limit(
            {
                "REQUEST_METHOD": route.method,
                "PATH_INFO": path,
                "wsgi.url_scheme": "http",
                "SERVER_NAME": "x",
                "SERVER_PORT": "80",
                "HTTP_HOST": "x",
            }
        )
        == route.body_limit
    )


@pytest.mark.parametrize("letter", ["é", "字", "😀"])
def test_a_comment_of_2000_characters_fits_however_it_is_written(gate, letter):
    question = {"key": "what", "type": "text", "text": "?", "options": [], "max_length": 2000, "about": None}
    ballot = "0" * 32 + "." + "b" * 300
    gate.peer.says("evaluation.identify_survey", IDENTIFIED)
    gate.peer.says("evaluation.read_questions", [question])
    gate.peer.says("evaluation.open_ballot", {"ballot_id": ballot, "survey_id": "s", "questions": [question]})
    gate.peer.says("evaluation.take_ballot", {"slip": "s"})
    for silent in ("check_answers", "cast_slip", "confirm_ballot"):
        gate.peer.says(f"evaluation.{silent}", None)
    form = {"q.what": letter * 2000, "step": "answer", "member": example_id("member"), "ballot": ballot}
    sent = gate.ask("POST", "/s/x", data=urlencode(form), content_type="application/x-www-form-urlencoded")
    assert sent.status_code == 200
    assert [payload["answers"] for rpc, payload in gate.peer.asked if rpc == "evaluation.cast_slip"] == [
        [{"question": "what", "value": letter * 2000}]
    ]
    body = {"ballot_id": ballot, "answers": [{"question": "what", "value": letter * 2000}]}
    assert gate.ask("POST", "/v1/answers", json=body).status_code == 204
