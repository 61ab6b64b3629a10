"""From a request to an RPC and back: versions, pages, bodies, problems."""

import json
import logging
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from gateway.app import ROUTES
from pratique import errors as domain
from pratique.request import example_id
from pratique.requests.meetings import MeetingBody
from pratique.requests.membership import CommunityBody

COMMUNITY = f"/v1/communities/{example_id('community')}"
MEETING = f"/v1/meetings/{example_id('meeting')}"
ROW = {"community_id": example_id("community"), "name": "Répit", "version": 3}


def test_a_first_put_is_201_with_its_place_and_the_same_again_200(gate):
    gate.peer.says("membership.put_community", {"row": ROW, "is_new": True})
    first = gate.ask("PUT", COMMUNITY, json=CommunityBody.example())
    assert (first.status_code, first.headers["Location"], first.headers["ETag"]) == (201, COMMUNITY, '"3"')
    gate.peer.says("membership.put_community", {"row": ROW, "is_new": False})
    again = gate.ask("PUT", COMMUNITY, json=CommunityBody.example())
    assert (again.status_code, again.json) == (200, ROW)
    assert "Location" not in again.headers


def test_the_service_gets_path_body_and_version(gate):
    gate.peer.says("membership.put_community", {"row": ROW, "is_new": False})
    body = CommunityBody.example()
    gate.ask("PUT", COMMUNITY, json=body, headers={"If-Match": '"3"'})
    sent = {"community_id": example_id("community"), **body, "if_version": 3}
    assert gate.peer.asked == [("membership.put_community", sent)]


@pytest.mark.parametrize(
    ("if_match", "status"),
    [('W/"3"', 412), ('"abc"', 412), ('"3", "4"', 412), ("3", 412), ('"0"', 412), ('"99999999999999999999"', 412)],
)
def test_an_if_match_that_names_no_version_changes_nothing(gate, if_match, status):
    response = gate.ask("PUT", COMMUNITY, json=CommunityBody.example(), headers={"If-Match": if_match})
    assert response.status_code == status
    assert gate.peer.asked == []


def test_an_if_match_of_any_version_is_zero_to_the_service(gate):
    gate.peer.says("membership.put_community", {"row": ROW, "is_new": False})
    assert gate.ask("PUT", COMMUNITY, json=CommunityBody.example(), headers={"If-Match": "*"}).status_code == 200
    assert gate.peer.asked[0][1]["if_version"] == 0


def test_who_has_the_row_already_gets_304(gate):
    gate.peer.says("membership.get_community", ROW)
    fresh = gate.ask("GET", COMMUNITY)
    assert fresh.headers["ETag"] == '"3"'
    same = gate.ask("GET", COMMUNITY, headers={"If-None-Match": fresh.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    other = gate.ask("GET", COMMUNITY, headers={"If-None-Match": '"2"'})
    assert (other.status_code, other.json) == (200, ROW)


def test_who_names_the_version_that_there_is_gets_304_and_nothing_is_read(gate):
    id = example_id("meeting")
    gate.peer.says("meetings.list_meeting_versions", [{"id": id, "version": 4}])
    for method, known in (("GET", '"4"'), ("GET", '"3", W/"4"'), ("GET", "*"), ("HEAD", '"4"')):
        same = gate.ask(method, MEETING, headers={"If-None-Match": known})
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", '"4"')
        assert (same.headers["Cache-Control"], same.headers["Vary"]) == ("private, no-cache", "Authorization")
        assert "Content-Type" not in same.headers
        assert "Content-Length" not in same.headers
    assert gate.peer.asked == [("meetings.list_meeting_versions", {"ids": [id]})] * 4


@pytest.mark.parametrize("versions", [[], [{"id": example_id("meeting"), "version": 5}]])
def test_who_names_another_version_gets_the_row(gate, versions):
    gate.peer.says("meetings.list_meeting_versions", versions)
    gate.peer.says("meetings.get_meeting", {"meeting_id": example_id("meeting"), "version": 5})

    other = gate.ask("GET", MEETING, headers={"If-None-Match": '"4"'})

    assert (other.status_code, other.headers["ETag"], other.json["version"]) == (200, '"5"', 5)


def test_no_version_is_told_to_who_may_not_read_and_none_of_what_is_not_there(gate):
    gate.peer.says("meetings.list_meeting_versions", [{"id": example_id("meeting"), "version": 4}])
    gate.peer.says("meetings.get_meeting", domain.NotFound("There is no meeting."))
    known = {"If-None-Match": '"4"'}

    denied = gate.ask("GET", MEETING, headers={**known, "Authorization": f"Bearer {gate.with_scopes('surveys:read')}"})
    assert (denied.status_code, gate.peer.asked) == (403, [])
    assert gate.ask("GET", f"/v1/meetings/{example_id('other')}", headers=known).status_code == 404
    stale = gate.ask("GET", MEETING, headers={**known, "If-Match": '"3"'})
    assert stale.status_code == 412


def test_a_service_that_is_away_is_503_also_to_who_has_the_row_already(gate):
    assert gate.ask("GET", MEETING, headers={"If-None-Match": '"4"'}).status_code == 503


def test_a_head_has_the_headers_of_a_get_and_no_body(gate):
    gate.peer.says("membership.get_community", ROW)
    response = gate.ask("HEAD", COMMUNITY)
    assert (response.status_code, response.headers["ETag"], response.data) == (200, '"3"', b"")


def test_a_list_links_to_its_next_page_and_the_last_one_does_not(gate):
    gate.peer.says("membership.list_communities", {"rows": [ROW], "after": "é & 1"})
    first = gate.ask("GET", "/v1/communities?limit=1")
    assert first.json == {"items": [ROW]}
    assert first.headers["Link"] == f'</v1/communities?after={quote("é")}+%26+1&limit=1>; rel="next"'
    gate.peer.says("membership.list_communities", {"rows": [], "after": None})
    last = gate.ask("GET", first.headers["Link"].partition(">")[0][1:])
    assert "Link" not in last.headers
    assert gate.peer.asked[-1] == ("membership.list_communities", {"after": "é & 1", "limit": 1})


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=ten", "limit=-1", "limit=1e9", "after=", "after=%00"])
def test_a_page_that_cannot_be_is_422_and_names_the_parameter(gate, query):
    response = gate.ask("GET", f"/v1/communities?{query}")
    assert response.status_code == 422
    assert response.json["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


def test_what_a_service_says_beyond_the_promise_stays_inside(gate):
    gate.peer.says("membership.get_member", {"member_id": example_id("member"), "name": "A", "secret": "x"})
    assert gate.ask("GET", f"/v1/members/{example_id('member')}").json.keys() == {"member_id", "name"}


def test_each_bad_field_is_pointed_at(gate):
    body = MeetingBody.example() | {
        "starts_at": "2026-03-12T14:00:00",
        "timezone": "Mars/Olympus",
        "kind": "party",
        "capacity": "12",
        "community_ids": ["x"],
        "surprise": 1,
    }
    del body["mode"]
    response = gate.ask("PUT", MEETING, json=body)
    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert response.json["type"] == "urn:pratique:problem:invalid"
    pointers = {error["pointer"] for error in response.json["errors"]}
    assert pointers == {"/starts_at", "/timezone", "/kind", "/capacity", "/community_ids/0", "/surprise", "/mode"}
    assert gate.peer.asked == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", None, 415),
        (b"{}", "application/json; charset=latin-1", 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b" " * 1_000_001, "application/json", 413),
    ],
    ids=range(12),
)
def test_a_body_that_is_no_body_is_refused(gate, body, content_type, status):
    response = gate.ask("PUT", COMMUNITY, data=body, content_type=content_type)
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert response.json["status"] == status


def test_a_step_takes_no_body_or_an_empty_one_and_no_surprise(gate):
    gate.peer.says("meetings.close_meeting", {"meeting_id": example_id("meeting"), "version": 5})
    assert gate.ask("POST", f"{MEETING}/close").status_code == 200
    assert gate.ask("POST", f"{MEETING}/close", json={}).status_code == 200
    assert gate.ask("POST", f"{MEETING}/close", json={"at": "now"}).status_code == 422


@pytest.mark.parametrize("name", ["Zoë Ødegård-O'Brien", "李小龍", "Amina 👩🏽‍🏫", "<script>alert(1)</script>"])
def test_names_of_all_the_world_arrive_as_they_were_sent(gate, name):
    gate.peer.says("membership.put_community", {"row": ROW | {"name": name}, "is_new": True})
    response = gate.ask("PUT", COMMUNITY, json=CommunityBody.example() | {"name": name})
    assert gate.peer.asked[0][1]["name"] == name
    assert json.loads(response.data)["name"] == name


@pytest.mark.parametrize("name", ["a\x00b", "a\nb", "\ud800", "", "x" * 201])
def test_a_name_that_no_store_or_mail_could_carry_is_refused(gate, name):
    body = json.dumps(CommunityBody.example() | {"name": name})
    response = gate.ask("PUT", COMMUNITY, data=body, content_type="application/json")
    assert response.json["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize(
    ("email", "is_fine"),
    [("a+b@example.org", True), ("jo@exämple.org", True), ("no", False), ("a b@c", False), ("a@b\nBcc: c@d", False)],
)
def test_an_address_is_one_address(gate, email, is_fine):
    gate.peer.says("membership.put_member", {"row": {"version": 1}, "is_new": True})
    body = {"name": "A", "email": email, "locale": "fr", "timezone": "America/Toronto"}
    response = gate.ask("PUT", f"/v1/members/{example_id('member')}", json=body)
    assert response.status_code == (201 if is_fine else 422)


def test_a_wrong_method_is_405_with_those_allowed(gate):
    response = gate.ask("PATCH", COMMUNITY)
    assert (response.status_code, response.content_type) == (405, "application/problem+json")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, PUT"
    options = gate.ask("OPTIONS", COMMUNITY)
    assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, PUT")


@pytest.mark.parametrize("path", ["/nothing", "/v1/communities/", "//v1/communities", "/v1/members/7", "/v1/rooms/%00"])
def test_an_unknown_path_is_a_404_problem(gate, path):
    response = gate.ask("GET", path)
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_what_is_not_json_cannot_be_asked_for(gate):
    assert gate.ask("GET", COMMUNITY, headers={"Accept": "application/xml"}).status_code == 406
    gate.peer.says("membership.get_community", ROW)
    for accept in ("application/json", "*/*", "application/*;q=0.5"):
        assert gate.ask("GET", COMMUNITY, headers={"Accept": accept}).status_code == 200


ERRORS = [
    (domain.NotFound, 404, {}),
    (domain.Invalid, 422, {}),
    (domain.Conflict, 409, {}),
    (domain.Stale, 412, {}),
    (domain.PreconditionRequired, 428, {}),
    (domain.Unauthenticated, 401, {"WWW-Authenticate": 'Bearer realm="pratique"'}),
    (domain.Forbidden, 403, {}),
    (domain.Gone, 410, {}),
    (domain.TooManyTries, 429, {"Retry-After": "60"}),
    (domain.QuotaSpent, 429, {"Retry-After": "3600"}),
    (domain.Unavailable, 503, {"Retry-After": "5"}),
    (domain.NotYet, 503, {"Retry-After": "2"}),
]


@pytest.mark.parametrize(("error", "status", "headers"), ERRORS, ids=lambda value: getattr(value, "__name__", ""))
def test_each_error_of_a_service_is_told_as_its_problem(gate, error, status, headers):
    gate.peer.says("meetings.close_meeting", error("The meeting has not started.", {"/state": "scheduled"}))
    response = gate.ask("POST", f"{MEETING}/close")
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert response.json["detail"] == "The meeting has not started."
    assert response.json["errors"] == [{"pointer": "/state", "detail": "scheduled"}]
    assert {name: response.headers[name] for name in headers} == headers


def test_every_error_of_the_kernel_has_its_problem():
    ours = {each for each in vars(domain).values() if isinstance(each, type) and issubclass(each, domain.DomainError)}
    assert ours - {domain.DomainError} == {error for error, _, _ in ERRORS}


def test_an_error_that_has_no_row_is_told_as_a_fault(gate):
    gate.peer.says("meetings.close_meeting", domain.DomainError("There is no RPC close_meeting that takes this."))
    response = gate.ask("POST", f"{MEETING}/close")
    assert response.status_code == 500
    assert "RPC" not in response.text


def test_the_text_of_an_exception_never_reaches_a_client(gate, caplog):
    secret = "dsn postgresql://u:pw@h/db"
    gate.peer.says("membership.get_community", RuntimeError(secret))
    with caplog.at_level(logging.ERROR):
        response = gate.ask("GET", COMMUNITY)
    assert response.status_code == 500
    assert "pw@h" not in str(response.headers) + response.text
    assert response.json["instance"].removeprefix("urn:uuid:") in caplog.text
    assert secret in caplog.text


def test_a_store_that_is_away_is_503(gate, monkeypatch):
    from chassis.storage.store import StoreAway

    def away():
        raise StoreAway("the store of gateway does not answer")

    monkeypatch.setattr(gate.store, "begin", away)
    response = gate.ask("GET", COMMUNITY)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    ready = gate.ask("GET", "/readyz")
    assert (ready.status_code, ready.json) == (503, {"is_ready": False, "rpc": True, "store": False})


def test_health_readiness_and_metrics_are_told(gate):
    assert gate.ask("GET", "/healthz", headers={"Authorization": None}).json == {"status": "ok"}
    assert gate.ask("GET", "/readyz").json == {"is_ready": True, "rpc": True, "store": True}
    gate.app.readiness = lambda: {"rpc": False}
    assert gate.ask("GET", "/readyz").status_code == 503
    gate.ask("GET", COMMUNITY)
    text = gate.ask("GET", "/metrics").text
    assert 'route="/v1/communities/{community_id}",status="503"' in text
    assert example_id("community") not in text


def test_the_room_code_is_for_the_facilitator(gate):
    survey = {"id": example_id("survey"), "state": "open", "room_code": "K7MQ2P"}
    gate.peer.says("evaluation.get_survey", survey)
    reader = gate.with_scopes("surveys:read")
    shown = gate.ask("GET", f"{MEETING}/survey", headers={"Authorization": f"Bearer {reader}"})
    assert shown.json == survey | {"room_code": None}
    facilitator = gate.with_scopes("surveys:read", "surveys:facilitate")
    shown = gate.ask("GET", f"{MEETING}/survey", headers={"Authorization": f"Bearer {facilitator}"})
    assert shown.json == survey


def test_a_room_is_its_first_line_and_labels_by_one_batch(gate):
    ids = [example_id("one"), example_id("two")]
    gate.peer.says(
        "evaluation.get_room",
        {"survey_id": example_id("survey"), "meeting_id": example_id("meeting"), "member_ids": ids},
    )
    labels = [{"member_id": ids[1], "label": "amina K."}, {"member_id": ids[0], "label": "Zoé T."}]
    gate.peer.says("membership.list_labels", labels)
    response = gate.ask("GET", "/v1/rooms/K7MQ2P", headers={"Authorization": None, "Accept-Language": "en-CA,en;q=0.9"})
    assert response.json["first_line"].startswith("Your answers are anonymous")
    assert [person["label"] for person in response.json["attending"]] == ["amina K.", "Zoé T."], (
        "as membership sorts them"
    )
    assert [name for name, _ in gate.peer.asked] == ["evaluation.get_room", "membership.list_labels"]
    assert response.headers["Content-Language"] == "en"


@pytest.mark.parametrize(
    "body",
    [{}, {"token": "t", "room_code": "r"}, {"room_code": "r"}, {"member_id": example_id("member")}, {"locale": "fr"}],
)
def test_a_ballot_has_one_way_in(gate, body):
    assert gate.ask("POST", "/v1/ballots", json=body).status_code == 422
    assert gate.peer.asked == []


def test_a_ballot_is_given_in_the_asked_language_and_taken_with_its_answers(gate):
    survey_id = example_id("survey")
    ballot = f"{survey_id.replace('-', '')}.box"
    gate.peer.says("evaluation.open_ballot", {"ballot_id": ballot, "survey_id": survey_id, "questions": []})
    given = gate.ask("POST", "/v1/ballots", json={"token": "t"}, headers={"Accept-Language": "en"})
    assert (given.status_code, given.json["ballot_id"], "Location" in given.headers) == (201, ballot, False)
    assert gate.peer.asked == [("evaluation.open_ballot", {"token": "t", "locale": "en"})]
    for rpc in ("check_answers", "cast_slip", "confirm_ballot"):
        gate.peer.says(f"evaluation.{rpc}", None)
    gate.peer.says("evaluation.take_ballot", {"slip": "s-1"})
    answers = [{"question": "q1", "value": 4.0}, {"question": "q2", "value": True}, {"question": "q3", "value": "a\nb"}]
    cast = gate.ask("POST", "/v1/answers", json={"ballot_id": ballot, "answers": answers})
    assert (cast.status_code, cast.data) == (204, b"")
    asked = dict(gate.peer.asked)
    assert asked["evaluation.take_ballot"] == asked["evaluation.confirm_ballot"] == {"ballot_id": ballot}
    sent = asked["evaluation.cast_slip"]["answers"]
    assert asked["evaluation.check_answers"] == {"survey_id": survey_id, "answers": sent}
    assert [(each["value"], type(each["value"])) for each in sent] == [(4, int), (True, bool), ("a\nb", str)]


LETTERS = some.characters(exclude_categories=["Cs"])  # what UTF-8 can write; to ask for that by name costs seconds
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(LETTERS),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(LETTERS, max_size=8), inner, max_size=3),
    max_leaves=8,
)
WITH_BODY = [route for route in ROUTES if route.body]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=some.sampled_from(WITH_BODY), chosen=some.data())
def test_no_body_whatever_makes_a_5xx(gate, route, chosen):
    for rpc in ("membership", "meetings", "evaluation"):
        for each in WITH_BODY:
            name = f"{each.request.service}.{each.request.method}" if each.request else f"{rpc}.{each.operation}"
            gate.peer.says(name, {"row": {}, "is_new": True, "ballot_id": "b"})
    gate.peer.says("evaluation.take_ballot", {"slip": "s"})
    for rpc in ("check_answers", "cast_slip", "confirm_ballot"):
        gate.peer.says(f"evaluation.{rpc}", None)
    names = list(route.body.schema.fields)
    body = chosen.draw(some.dictionaries(some.sampled_from(names), JSON) | JSON)
    if isinstance(body, dict) and chosen.draw(some.booleans()):
        body = route.body.example() | body
    path = route.template
    for name, kind, choices in route.variables:
        path = path.replace(f"{{{name}}}", choices[0] if choices else example_id(name) if kind == "uuid" else "x")
    response = gate.ask(route.method, path, data=json.dumps(body), content_type="application/json")
    assert response.status_code < 500, response.text
    json.loads(response.data or b"{}")
