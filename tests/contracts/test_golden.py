"""What was promised to integrators is kept: each golden file is read and written by the code of today."""

import ast
import inspect
import json
import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from chassis.settings import SERVICES
from operations import docs
from pratique.event import Envelope, Event
from pratique.examples import example

EVENTS = docs.all_events()
GOLDENS = sorted(docs.GOLDENS.glob("*.json"))
LONGER = {"MemberRegisteredForMeeting", "SurveyAskedBeforeClosing"}  # the verb stands within
READERS = (*SERVICES, "integrators", "no service")
each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type.removeprefix("org.pratique."))
each_golden = pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)


def told(path: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def read(document: dict[str, Any]) -> Envelope[Any]:
    return Envelope.from_bytes(json.dumps(document).encode())


def missing_from(golden: Any, written: Any, at: str = "") -> list[str]:
    """Where the golden has something that is written differently now, or not at all."""
    if isinstance(golden, dict) and isinstance(written, dict):
        return [lost for key in golden for lost in missing_from(golden[key], written.get(key), f"{at}/{key}")]
    if isinstance(golden, list) and isinstance(written, list) and len(golden) == len(written):
        pairs = enumerate(zip(golden, written, strict=True))
        return [lost for index, pair in pairs for lost in missing_from(*pair, f"{at}/{index}")]
    return [] if golden == written and type(golden) is type(written) else [at]


def sentences(event: type[Event]) -> list[str]:
    return re.split(r"(?<=[.;:])\s+", " ".join((inspect.getdoc(event) or "").split()))


def reacting(event: type[Event]) -> set[str]:
    """The services whose reactions table names the event."""
    modules = [(name, f"services.{name}.reactions") for name in SERVICES]
    return {name for name, module in modules if find_spec(module) and event in import_module(module).REACTIONS}


@each_event
def test_every_event_has_a_golden_file(event: type[Event]) -> None:
    assert docs.golden_path(event).exists(), docs.REMEDY


def test_every_golden_file_has_its_event() -> None:
    """An event that integrators were promised is not taken away; a second version stands beside it."""
    assert set(GOLDENS) == {docs.golden_path(event) for event in EVENTS}


@each_golden
def test_a_golden_file_is_read_by_its_own_event_and_no_field_is_lost(path: Any) -> None:
    golden = told(path)
    envelope = read(golden)

    assert docs.golden_path(type(envelope.event)) == path
    assert missing_from(golden, json.loads(envelope.to_bytes())) == []


@each_golden
def test_what_is_new_since_the_golden_file_is_optional(path: Any) -> None:
    golden = told(path)
    written = json.loads(read(golden).to_bytes())

    assert {key: written["data"][key] for key in written["data"].keys() - golden["data"].keys()} == dict.fromkeys(
        written["data"].keys() - golden["data"].keys()
    )


@each_event
def test_a_sample_of_today_fits_the_golden_file(event: type[Event]) -> None:
    """The same fields with the same kinds of value: nothing was renamed, removed or given another type."""
    golden = told(docs.golden_path(event))
    sample = json.loads(example(event).to_bytes())

    assert missing_from(golden, sample) == []


def test_no_value_of_an_enum_is_taken_away_and_new_ones_are_promised() -> None:
    promised, known = told(docs.VALUES), docs.known_values()

    assert {name: set(values) - set(known.get(name, ())) for name, values in promised.items()} == {
        name: set() for name in promised
    }, "a value that integrators were promised is gone"
    assert {name: sorted(values) for name, values in known.items()} == {
        name: sorted(promised.get(name, ())) for name in known
    }, docs.REMEDY


@each_golden
def test_a_key_that_this_code_does_not_know_harms_nothing(path: Any) -> None:
    golden = told(path)
    newer = {**golden, "traceparent": "00-1-1-00", "data": {**golden["data"], "added_later": [{"deep": None}]}}

    assert read(newer) == read(golden)


@each_golden
def test_every_field_of_a_golden_file_that_must_be_there_is_missed(path: Any) -> None:
    golden = told(path)
    required = [name for name, field in read(golden).event.schema.fields.items() if field.required]
    for name in required:
        data = {key: value for key, value in golden["data"].items() if key != name}
        with pytest.raises(ValueError, match=name):
            read_or_raise({**golden, "data": data})


def read_or_raise(document: dict[str, Any]) -> Envelope[Any]:
    try:
        return read(document)
    except Exception as error:
        raise ValueError(str(error)) from error


@each_event
def test_every_event_says_when_it_is_published_and_who_reacts(event: type[Event]) -> None:
    first, *rest = sentences(event)

    assert first.startswith("Published "), "begin its docstring with: Published when …"
    assert any(reader in sentence.lower() for sentence in rest for reader in READERS), f"name who reacts: {READERS}"


@each_event
def test_an_event_names_every_service_that_reacts_to_it(event: type[Event]) -> None:
    words = " ".join(sentences(event)[1:]).lower()
    reacts = reacting(event)

    assert {name for name in reacts if name not in words} == set(), "name them in the docstring of the event"
    assert not (reacts and "no service" in words), "the docstring of the event says that no service reacts"


def test_every_event_is_named_as_a_past_fact_in_the_module_of_its_publisher() -> None:
    for event in EVENTS:
        last = re.findall(r"[A-Z][a-z]+", event.__name__)[-1]
        assert last.endswith("ed") or last in {"Withheld", "Due"} or event.__name__ in LONGER, event.__name__
        assert event.publisher in SERVICES


def test_private_events_hold_no_number_of_people_and_public_ones_no_words() -> None:
    """Free text, names, addresses and links travel privately; what is public has texts of a known form only."""
    for event in EVENTS:
        if not event.is_private:
            texts = {name for name, field in event.schema.fields.items() if type(field).__name__ == "String"}
            assert texts <= {"timezone"}, f"{event.__name__} tells {texts - {'timezone'}} on the public exchange"


def test_events_import_nothing_but_their_base() -> None:
    for name in SERVICES:
        tree = ast.parse(inspect.getsource(import_module(f"pratique.events.{name}")))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert imported <= {"datetime", "enum", "uuid", "pratique.event"}
