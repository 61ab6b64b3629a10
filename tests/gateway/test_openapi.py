"""The description fits what is served: references resolve, examples fit, every route is there."""

import re

import jsonschema
import pytest
from jsonschema.validators import Draft202012Validator

from gateway.app import routes_of
from gateway.auth import SCOPES
from tests.gateway.conftest import make_gate

NEEDED = """
PUT /v1/organizations/{organization_id}
PUT /v1/communities/{community_id}
PUT /v1/members/{member_id}
PUT /v1/communities/{community_id}/memberships/{member_id}
PUT /v1/communities/{community_id}/roles/{member_id}/{role}
DELETE /v1/communities/{community_id}/roles/{member_id}/{role}
PUT /v1/meetings/{meeting_id}
POST /v1/meetings/{meeting_id}/start
POST /v1/meetings/{meeting_id}/wrap-up
POST /v1/meetings/{meeting_id}/close
POST /v1/meetings/{meeting_id}/cancel
PUT /v1/meetings/{meeting_id}/registrations/{member_id}
PUT /v1/meetings/{meeting_id}/attendance
GET /v1/meetings/{meeting_id}
GET /v1/communities/{community_id}/meetings
GET /v1/communities/{community_id}
GET /v1/communities
GET /v1/members/{member_id}
GET /v1/meetings/{meeting_id}/survey
GET /v1/rooms/{room_code}
POST /v1/ballots
POST /v1/answers
GET /v1/surveys/{survey_id}/results
POST /v1/meetings/{meeting_id}/survey/room-code
POST /v1/meetings/{meeting_id}/survey/void-room
GET /v1/members/{member_id}/messages
GET /healthz
GET /readyz
GET /metrics
GET /openapi.json
"""


@pytest.fixture
def document(gate):
    response = gate.ask("GET", "/openapi.json", headers={"Authorization": None})
    assert response.status_code == 200
    return response.json


def operations(document):
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def nodes(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def test_it_says_which_openapi_it_is(document):
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Pratique"


def test_every_fixed_route_is_described(document):
    assert set(NEEDED.strip().splitlines()) <= set(operations(document))


def test_what_is_described_is_what_is_served_but_for_pages_of_people_who_are_signed_in(gate, document):
    served = {f"{route.method} {route.template}" for route in routes_of(gate.app.settings) if not route.visitor}
    assert set(operations(document)) == served


def test_operation_ids_are_there_and_differ(document):
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert all(ids)
    assert len(set(ids)) == len(ids)


def test_every_reference_leads_somewhere(document):
    references = [node["$ref"] for node in nodes(document) if isinstance(node, dict) and "$ref" in node]
    assert references
    for reference in references:
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_every_schema_is_json_schema_and_describes_its_fields(document):
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        for field, shown in schema.get("properties", {}).items():
            assert {"description", "$ref", "type"} & shown.keys(), f"{name}.{field}"


def test_every_example_fits_its_schema(document):
    shown = [node for node in nodes(document) if isinstance(node, dict) and {"example", "schema"} <= node.keys()]
    assert len(shown) > 60
    for each in shown:
        schema = {**each["schema"], "components": document["components"]}
        jsonschema.validate(each["example"], schema, Draft202012Validator, format_checker=jsonschema.FormatChecker())
    for schema in document["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            for example in field.get("examples", []):
                jsonschema.validate(example, {**field, "components": document["components"]}, Draft202012Validator)


def test_an_example_body_is_taken_by_the_route_that_shows_it(document, gate):
    taken = 0
    for name, operation in operations(document).items():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body:
            method, path = name.split(" ")
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    kind = parameter["schema"]
                    text = "00000000-0000-4000-8000-000000000001" if kind.get("format") == "uuid" else "x"
                    path = path.replace("{" + parameter["name"] + "}", kind.get("enum", [text])[0])
            response = gate.ask(method, path, json=body["example"])
            assert response.status_code == 503, response.text  # it went as far as the service, which is not there
            taken += 1
    assert taken >= 10


def test_scopes_and_problems_are_told(document):
    close = operations(document)["POST /v1/meetings/{meeting_id}/close"]
    assert close["security"] == [{"token": ["meetings:write"]}]
    assert {"200", "401", "403", "404", "409", "503"} <= close["responses"].keys()
    assert operations(document)["POST /v1/ballots"]["security"] == []
    assert all(scope in document["info"]["description"] for scope in SCOPES)


def test_every_path_variable_is_a_parameter(document):
    for name, operation in operations(document).items():
        variables = set(re.findall(r"{(\w+)}", name))
        assert variables == {each["name"] for each in operation["parameters"] if each["in"] == "path"}


def test_it_is_not_sent_again_to_who_has_it(gate):
    etag = gate.ask("GET", "/openapi.json").headers["ETag"]
    assert gate.ask("GET", "/openapi.json", headers={"If-None-Match": etag}).status_code == 304


def test_every_pattern_is_one_in_javascript_too(document):
    """ajv compiles patterns as ECMAScript with the flag u, which knows no ends of text and no groups as Python has."""
    patterns = [node["pattern"] for node in nodes(document) if isinstance(node, dict) and "pattern" in node]
    assert patterns
    for pattern in patterns:
        assert not re.search(r"\\[AZzGQE]|\(\?[P<#imsx]|[*+?]\+", pattern), pattern


def answers(document):
    return {
        node["schema"]["$ref"].rpartition("/")[2]
        for operation in operations(document).values()
        for status, told in operation["responses"].items()
        if status.startswith("2")
        for node in nodes(told)
        if isinstance(node, dict) and "$ref" in node.get("schema", {})
    }


def test_a_field_of_an_answer_is_required_where_it_always_comes(document):
    schemas = document["components"]["schemas"]
    names = answers(document)
    assert {"Community", "MeetingWithAttendance", "Survey", "Ballot", "Results"} <= names
    for name in names - {"Results"}:
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"]), name
        assert "additionalProperties" not in schemas[name], name
    assert schemas["Results"]["required"] == ["survey_id", "state"]
    assert schemas["QuestionResult"]["required"] == ["question", "type", "is_withheld"]
    assert schemas["Attending"]["required"] == ["member_id", "label"]


def test_what_a_client_need_not_send_is_not_required(document):
    assert "place" not in document["components"]["schemas"]["MeetingBody"]["required"]
    assert document["components"]["schemas"]["MeetingBody"]["additionalProperties"] is False


def test_states_are_enumerations(document):
    schemas = document["components"]["schemas"]
    for name, state in (("Survey", "withheld"), ("Results", "released"), ("Message", "dropped")):
        assert state in schemas[name]["properties"]["state"]["enum"]


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("GET /v1/communities/{community_id}", {"200", "304", "401", "403", "404", "406", "421", "503"}),
        ("PUT /v1/communities/{community_id}", {"200", "201", "400", "404", "412", "413", "415", "422", "428"}),
        ("DELETE /v1/communities/{community_id}/roles/{member_id}/{role}", {"204", "404"}),
        ("DELETE /v1/communities/{community_id}/memberships/{member_id}", {"204", "404", "422"}),
        ("GET /v1/rooms/{room_code}", {"200", "404", "429", "503"}),
        ("POST /v1/ballots", {"201", "400", "404", "409", "410", "413", "415", "422", "429"}),
        ("POST /v1/meetings/{meeting_id}/close", {"200", "400", "404", "409", "413", "422"}),
        ("POST /s/{token}", {"200", "404", "409", "410", "413", "422", "503"}),
        ("POST /r/{room_code}", {"200", "404", "409", "410", "413", "422", "429", "503"}),
        ("GET /openapi.json", {"200", "304", "406", "421"}),
        ("GET /readyz", {"200", "503"}),
    ],
)
def test_the_statuses_that_can_come_are_told(document, operation, statuses):
    assert statuses <= operations(document)[operation]["responses"].keys()


def test_what_is_deleted_is_told_in_the_address_for_it_has_no_body(document):
    deletions = {name: each for name, each in operations(document).items() if name.startswith("DELETE ")}
    assert [name for name, each in deletions.items() if "requestBody" in each] == []
    ending = deletions["DELETE /v1/communities/{community_id}/memberships/{member_id}"]
    assert [each["name"] for each in ending["parameters"] if each["in"] == "query"] == ["reason"]


def test_only_the_embedded_mode_tells_of_misdirected_requests(store):
    gate = make_gate(store, broker_url="amqp://rabbitmq")
    document = gate.ask("GET", "/openapi.json").json
    assert not any("421" in operation["responses"] for operation in operations(document).values())


def test_a_link_is_never_answered_429(document):
    for operation in ("GET /s/{token}", "POST /v1/answers"):
        assert "429" not in operations(document)[operation]["responses"]
