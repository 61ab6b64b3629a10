"""Every event's ``dataschema`` leads to a JSON Schema that its data fits."""

import json

import pytest
from jsonschema import Draft202012Validator, FormatChecker

import pratique.events
from operations.docs import all_events, golden_path
from pratique.testing import envelope, sample

assert pratique.events
EVENTS = all_events()
PUBLIC = [event for event in EVENTS if not event.is_private]
each_public = pytest.mark.parametrize("event", PUBLIC, ids=lambda event: event.__name__)


def read(gate, path):
    return gate.ask("GET", path, headers={"Authorization": None})


@each_public
def test_what_the_golden_file_holds_fits_what_is_served(gate, event):
    response = read(gate, f"/schemas/{event.type}.json")
    assert (response.status_code, response.content_type) == (200, "application/json")
    Draft202012Validator.check_schema(response.json)
    golden = json.loads(golden_path(event).read_text(encoding="utf-8"))
    Draft202012Validator(response.json, format_checker=FormatChecker()).validate(golden["data"])
    with pytest.raises(Exception, match="required"):
        Draft202012Validator(response.json).validate({})


@each_public
def test_an_event_names_the_address_of_its_schema(gate, event):
    url = envelope(sample(event)).attributes()["dataschema"]
    path = "/schemas/" + url.rpartition("/schemas/")[2]
    assert read(gate, path).status_code == 200
    assert read(gate, path).json["$id"].endswith(path)


def test_it_is_cached_and_not_sent_again(gate):
    path = f"/schemas/{PUBLIC[0].type}.json"
    fresh = read(gate, path)
    assert "public" in fresh.headers["Cache-Control"]
    same = gate.ask("GET", path, headers={"If-None-Match": fresh.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")


@pytest.mark.parametrize(
    "name",
    [event.type + ".json" for event in EVENTS if event.is_private]
    + [PUBLIC[0].type, PUBLIC[0].type + ".xml", "org.pratique.nothing.v1.json", ".json", "..%2Fevent.json"],
)
def test_private_and_unknown_events_have_none(gate, name):
    response = read(gate, f"/schemas/{name}")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")
