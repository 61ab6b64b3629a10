"""The generated pages are fresh, whole and true."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from operations import docs
from pratique.event import Event
from pratique.events.evaluation import CountBand, SurveyClosed
from pratique.examples import example
from pratique.schemas import json_schema
from pratique.subscribe import PUBLIC

TEXT = docs.asyncapi()
DOCUMENT = json.loads(TEXT)
COMMITTED = docs.GENERATED / "asyncapi.json"
EVENTS = docs.all_events()
PUBLIC_EVENTS = [event for event in EVENTS if not event.is_private]
each_public = pytest.mark.parametrize("event", PUBLIC_EVENTS, ids=lambda event: event.__name__)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def resolved(pointer: str) -> Any:
    node = DOCUMENT
    for step in pointer.removeprefix("#/").split("/"):
        node = node[step]
    return node


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    whole = {**schema, "components": DOCUMENT["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def message(event: type[Event]) -> Any:
    return resolved(f"#/components/messages/{event.routing_key}")


def test_what_is_committed_is_what_the_code_says() -> None:
    assert docs.stale() == [], "run `make docs` and commit what it writes"


def test_pages_are_the_same_each_time() -> None:
    for text in docs.PAGES.values():
        first, second = text(), text()
        assert first == second
        assert first.endswith("\n")


def test_a_stale_or_missing_page_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docs, "GENERATED", tmp_path / "generated")
    assert docs.main(["--check"]) == 1
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    (tmp_path / "generated" / "events.md").write_text("old", encoding="utf-8")
    assert docs.main(["--check"]) == 1
    assert docs.main(["--what"]) == 2


def test_a_missing_golden_file_is_added_and_one_that_is_there_never_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs, "GOLDENS", tmp_path)
    monkeypatch.setattr(docs, "VALUES", tmp_path / "values.json")
    docs.VALUES.write_text('{"Locale": ["la"]}', encoding="utf-8")
    kept = docs.golden_path(EVENTS[0])
    kept.write_text("a promise", encoding="utf-8")

    assert len(docs.write_goldens()) == len(EVENTS) - 1
    assert docs.write_goldens() == []
    assert kept.read_text(encoding="utf-8") == "a promise"
    assert json.loads(docs.VALUES.read_text(encoding="utf-8"))["Locale"] == ["la", "fr", "en"]


def test_it_is_asyncapi_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version", "description"} <= DOCUMENT["info"].keys()
    assert DOCUMENT.keys() <= {
        "asyncapi",
        "info",
        "defaultContentType",
        "servers",
        "channels",
        "operations",
        "components",
    }
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] == "send"
        channel = operation["channel"]["$ref"]
        assert all(each["$ref"].startswith(f"{channel}/messages/") for each in operation["messages"])


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))

    assert len(found) > len(PUBLIC_EVENTS)
    for pointer in found:
        assert resolved(pointer), pointer


def test_every_schema_is_one() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_an_integrator_learns_where_the_broker_is_and_as_whom_to_come() -> None:
    (server,) = DOCUMENT["servers"].values()

    assert server["protocol"] == "amqp"
    assert all(f"{{{name}}}" in server["host"] for name in server["variables"])
    assert resolved(server["security"][0]["$ref"])["type"] == "userPassword"


def anonymous(node: Any, at: str = "") -> Iterator[str]:
    """Where an enumeration or an object is told within another schema, so that generators must invent its name."""
    if isinstance(node, dict):
        if at.count("/") > 1 and ("enum" in node or "properties" in node):
            yield at
        for name, inner in node.items():
            if name not in ("enum", "required"):
                yield from anonymous(inner, f"{at}/{name}")
    elif isinstance(node, list):
        for inner in node:
            yield from anonymous(inner, f"{at}/[]")


def test_every_enumeration_and_object_has_a_name() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert list(anonymous(schemas)) == []
    told = {name: values for name, values in docs.known_values().items() if name in schemas}
    assert {"CountBand", "AttendanceState", "Template"} <= told.keys()
    for name, values in told.items():
        assert schemas[name]["enum"] == values
        assert "Later versions may add" in schemas[name]["description"]
    for each in DOCUMENT["components"]["messages"].values():
        assert each["payload"].keys() == each["headers"].keys() == {"$ref"}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_no_example_contradicts_itself(event: type[Event]) -> None:
    told: Any = example(event).event
    said = vars(told)

    assert told.community_ids == (said.get("community_id", told.community_ids[0]),)
    for first, last in (("starts_at", "ends_at"), ("opens_at", "closes_at"), ("wrap_up_at", "ends_at")):
        if {first, last} <= said.keys():
            assert said[first] < said[last]
    if "head_count" in said:
        assert told.head_count == sum(each.state.was_there for each in told.attendees)
        assert told.started_at < told.closed_at
    if "from_state" in said:
        assert told.from_state != told.to_state
    if event is SurveyClosed:
        answered = round(20 * (told.rate_in_meeting + told.rate_after))
        assert (told.eligible, told.responses) == (CountBand.of(20), CountBand.of(answered))
    people = [each.member_id for each in said.get("attendees", ())]
    assert len(people) == len(set(people))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_the_schema_of_an_event_stands_alone_and_fits_its_example(event: type[Event]) -> None:
    schema = json_schema(event)
    data = json.loads(example(event).to_bytes())["data"]

    Draft202012Validator.check_schema(schema)
    assert all(each.startswith("#/$defs/") for each in references(schema))
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(data)
    for broken in ({**data, "version": "1"}, {name: data[name] for name in data if name != "version"}):
        with pytest.raises(ValidationError):
            Draft202012Validator(schema).validate(broken)


def test_public_events_have_a_channel_and_private_ones_are_nowhere() -> None:
    assert DOCUMENT["channels"].keys() == {event.routing_key for event in PUBLIC_EVENTS}
    assert DOCUMENT["components"]["messages"].keys() == DOCUMENT["channels"].keys()
    for event in EVENTS:
        if event.is_private:
            assert event.__name__ not in TEXT
    assert "private exchanges and are left out" in DOCUMENT["info"]["description"]


@each_public
def test_an_integrator_learns_where_to_bind(event: type[Event]) -> None:
    channel = DOCUMENT["channels"][event.routing_key]

    assert channel["address"] == event.routing_key
    assert channel["bindings"]["amqp"]["is"] == "routingKey"
    assert channel["bindings"]["amqp"]["exchange"]["name"] == PUBLIC


@each_public
def test_the_example_fits_the_schemas_and_is_the_golden_file(event: type[Event]) -> None:
    told = message(event)
    (example,) = told["examples"]

    validator(told["payload"]).validate(example["payload"])
    validator(told["headers"]).validate(example["headers"])
    golden = json.loads(docs.golden_path(event).read_text(encoding="utf-8"))
    of_golden = {name: example["payload"]["data"][name] for name in golden["data"]}  # later fields are optional
    assert example["payload"] | {"data": of_golden} == golden
    assert example["headers"]["ce-type"] == told["name"] == event.type


@each_public
def test_the_schema_refuses_what_the_code_refuses(event: type[Event]) -> None:
    told = message(event)
    payload = told["examples"][0]["payload"]
    for name, field in event.schema.fields.items():
        broken = copy.deepcopy(payload)
        broken["data"][name] = {"odd": True}
        with pytest.raises(ValidationError):
            validator(told["payload"]).validate(broken)
        if field.required:
            del broken["data"][name]
            with pytest.raises(ValidationError):
                validator(told["payload"]).validate(broken)
    with pytest.raises(ValidationError):
        validator(told["payload"]).validate({**payload, "type": "another"})


def test_the_page_for_people_names_every_event_and_field_and_marks_the_private() -> None:
    page = docs.events_page()
    for event in EVENTS:
        section = page.split(f"\n### {event.__name__}\n")[1].split("\n### ")[0].split("\n## ")[0]
        assert event.type in section
        assert all(f"| `{name}` |" in section for name in event.schema.fields)
        (row,) = [line for line in page.splitlines() if line.startswith(f"| [{event.__name__}]")]
        assert ("*private*" in row) == event.is_private
        assert f"`{event.routing_key}`" in row
    assert "people who were there, wholly or in part; the note taker not counted" in page


def test_the_committed_page_is_plain_json() -> None:
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == DOCUMENT
