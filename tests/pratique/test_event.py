"""What is on the wire is read as it was written, and nothing hostile does more than be refused."""

import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from types import SimpleNamespace, UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError

import pratique.events  # noqa: F401  (fills the registry)
from pratique.event import MAX_BODY_BYTES, REGISTRY, Envelope, Event, Undecodable, Value
from pratique.events.evaluation import SurveyClosed
from pratique.events.meetings import MeetingClosed, MeetingDescribed, Mode
from pratique.testing import AT, envelope, sample
from pratique.value import freeze

EVENTS = sorted(REGISTRY.values(), key=lambda event: event.type)
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=OFFSETS)  # noqa: DTZ001  (bounds are naive)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    UUID: st.uuids(),
    datetime: INSTANTS,
    str: st.text(st.characters(exclude_categories=["Cs"])),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
}
NASTY = [
    float("nan"),
    float("inf"),
    10**400,
    1.5,
    "\ud800",
    "",
    "NaN",
    "2026-03-12",
    "2026-03-12T14:00:00",
    "2026-03-12T14:00:00Z",
    "2026-W11-4T14:00:00+00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "{6f0a4f1e-0b3a-4b7e-9a53-3f6f0d9a1b12}",
    "urn:uuid:6f0a4f1e-0b3a-4b7e-9a53-3f6f0d9a1b12",
    "attended",
    "true",
    "7",
]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(NASTY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Whatever fits an annotation."""
    if get_origin(hint) is UnionType:
        return st.none() | values(get_args(hint)[0])
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    if issubclass(hint, Value):
        return structs(hint)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return PLAIN[hint]


def structs(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{name: values(hint) for name, hint in hints(kind).items()})


def hints(kind: type[Any]) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(kind).items() if name in kind.schema.fields}


EVENT = st.sampled_from(EVENTS).flatmap(structs)


def steps(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to each value in a JSON document, the whole document included."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [at, *(path for key, each in inner for path in steps(each, (*at, key)))]


@st.composite
def mutated(draw: st.DrawFn, document: dict[str, Any]) -> Any:
    """The document with one to three of its values replaced or taken away."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(steps(document)))
        if not path:
            return draw(ANY_JSON)
        node: Any = document
        for key in path[:-1]:
            node = node[key]
        if isinstance(node, dict) and draw(st.integers(0, 4)) == 0:
            del node[path[-1]]
        else:
            node[path[-1]] = draw(ANY_JSON)
    return document


def by_the_schema(kind: type[Event], raw: Any) -> Event | None:
    """What marshmallow alone makes of the data; None if it refuses."""
    try:
        loaded = kind.schema.load(raw)
    except ValidationError:
        return None
    return kind(**{name: freeze(value, hints(kind)[name]) for name, value in loaded.items()})


def by_the_reader(kind: type[Event], raw: Any) -> Event | None:
    try:
        return kind.read(raw)
    except ValidationError:
        return None


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.type)
def test_what_is_written_is_read_again(kind: type[Event]) -> None:
    sealed = envelope(sample(kind), causation_id=UUID(int=7))

    assert Envelope.from_bytes(sealed.to_bytes()) == sealed


@given(EVENT)
def test_whatever_an_event_holds_comes_back(event: Event) -> None:
    try:
        body = envelope(event).to_bytes()
    except UnicodeEncodeError:
        return  # half a surrogate pair, which the test below refuses

    assert Envelope.from_bytes(body).event == event


@given(EVENT)
def test_the_writer_writes_what_the_schema_writes(event: Event) -> None:
    kind = type(event)

    assert by_the_schema(kind, json.loads(json.dumps(event.dump()))) == event
    assert by_the_reader(kind, json.loads(json.dumps(kind.schema.dump(event)))) == event
    assert event.dump().keys() == kind.schema.dump(event).keys()


@given(st.data())
def test_the_reader_and_the_schema_agree_on_everything(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(EVENTS))
    raw = json.loads(json.dumps(data.draw(mutated(sample(kind).dump()))))

    assert by_the_reader(kind, raw) == by_the_schema(kind, raw)


@pytest.mark.parametrize("rate", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_rate_that_is_no_number_is_refused(rate: str) -> None:
    body = envelope(sample(SurveyClosed, rate_after=0.25)).to_bytes().replace(b":0.25", f":{rate}".encode())

    with pytest.raises(Undecodable, match="does not fit its schema"):
        Envelope.from_bytes(body)


def test_a_newer_publisher_may_add_what_this_code_does_not_know() -> None:
    raw = json.loads(envelope(sample(MeetingClosed)).to_bytes())
    raw["partitionkey"] = "new"
    raw["data"]["new"] = {"deep": [1]}
    raw["data"]["attendees"][0]["new"] = 1

    assert Envelope.from_bytes(json.dumps(raw).encode()).event == sample(MeetingClosed)


BODY = envelope(sample(MeetingClosed), id=UUID(int=1), correlation_id=UUID(int=1)).to_bytes()
RAW = json.loads(BODY)


def told(**changes: Any) -> bytes:
    return json.dumps({**RAW, **changes}).encode()


def with_data(**changes: Any) -> bytes:
    return told(data={**RAW["data"], **changes})


HOSTILE = {
    "nothing": b"",
    "no JSON": b"\x80\x04pickle.",
    "no UTF-8": BODY.decode().encode("utf-16"),
    "a surrogate in UTF-8's clothes": BODY.replace(b"America", b"\xed\xa0\x80"),
    "half a surrogate pair": BODY.replace(b"America", b"\\uD800"),
    "half a surrogate pair in a key": told(**{"\ud800": 1}),
    "too deep": b"[" * 200_000 + b"]" * 200_000,
    "too deep in the data": BODY[:-1] + b',"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "too long": b" " * (MAX_BODY_BYTES + 1),
    "a number of 5,000 digits": with_data(head_count=0).replace(b'"head_count": 0', b'"head_count": ' + b"9" * 5000),
    "a list": b"[]",
    "null": b"null",
    "no CloudEvent": b"{}",
    "another CloudEvents version": told(specversion="2.0"),
    "no data": told(data=None),
    "data that is a list": told(data=[RAW["data"]]),
    "data that is a text": told(data="version"),
    "an unknown type": told(type="org.pratique.meetings.MeetingExploded.v1"),
    "a type that is no text": told(type=["org.pratique.meetings.MeetingClosed.v1"]),
    "a naive instant": with_data(closed_at="2026-03-12T14:00:00"),
    "a day": with_data(closed_at="2026-03-12"),
    "an instant before time": with_data(closed_at="0001-01-01T00:00:00+14:00"),
    "a naive time": told(time="2026-03-12T14:00:00"),
    "a time after time": told(time="9999-12-31T23:59:59-14:00"),
    "an id that is none": told(id="42"),
    "an id that is a number": told(id=42),
    "a cause that is a list": told(causationid=[1]),
    "a state that is no text": with_data(kind=5),
    "attendees that are none": with_data(attendees="everyone"),
    "an attendee that is none": with_data(attendees=[None]),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_undecodable_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(Undecodable):
        Envelope.from_bytes(body)


@pytest.mark.parametrize("attendee", [{}, {"unknown_later": 1}])
def test_a_value_that_a_later_version_has_added_is_read_as_text(attendee: dict[str, Any]) -> None:
    """Fast, and by marshmallow, which reads an instant written with Z."""
    seen = RAW["data"]["attendees"][0] | attendee | {"state": "hologram"}
    for instant in ("2026-03-12T14:00:00+00:00", "2026-03-12T14:00:00Z"):
        body = with_data(kind="party", closed_at=instant, attendees=[seen])
        event: Any = Envelope.from_bytes(body).event

        assert (event.kind, event.mode, event.attendees[0].state) == ("party", Mode.IN_PERSON, "hologram")
        assert json.loads(envelope(event).to_bytes())["data"]["kind"] == "party"


def test_an_unknown_version_is_told_with_those_that_are_known() -> None:
    with pytest.raises(Undecodable, match=r"unknown version .*MeetingClosed\.v7.* reads .*MeetingClosed\.v1"):
        Envelope.from_bytes(told(type="org.pratique.meetings.MeetingClosed.v7"))


def read_or_refused(body: bytes) -> None:
    """Either it is refused, or it is an event that can be written and read again, as parking needs."""
    try:
        envelope = Envelope.from_bytes(body)
    except Undecodable:
        return
    assert Envelope.from_bytes(envelope.to_bytes()) == envelope


@given(st.sampled_from(EVENTS).flatmap(lambda kind: mutated(json.loads(envelope(sample(kind)).to_bytes()))))
@example({**RAW, "time": "0001-01-01T00:00:00+14:00"})
@example({**RAW, "data": {**RAW["data"], "timezone": "\ud800"}})
def test_a_mutated_event_is_refused_or_can_be_kept(raw: Any) -> None:
    read_or_refused(json.dumps(raw).encode())


@given(st.lists(st.tuples(st.integers(0, len(BODY) - 1), st.binary(max_size=3)), min_size=1, max_size=4))
def test_mutated_bytes_are_refused_or_can_be_kept(cuts: list[tuple[int, bytes]]) -> None:
    body = BODY
    for at, inserted in cuts:
        body = body[:at] + inserted + body[at + 1 :]
    read_or_refused(body)


def test_what_no_reader_could_take_is_not_written() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        envelope(sample(MeetingDescribed, place="\ud800")).to_bytes()
    with pytest.raises(ValueError, match="JSON"):
        envelope(sample(SurveyClosed, rate_after=float("nan"))).to_bytes()


def test_what_follows_from_an_event_shares_its_correlation() -> None:
    first = Envelope.seal(sample(MeetingClosed), AT)
    second = Envelope.seal(sample(SurveyClosed), AT, first)

    assert (first.correlation_id, first.causation_id) == (first.id, None)
    assert (second.correlation_id, second.causation_id) == (first.id, first.id)
    assert second.id != first.id


def test_the_attributes_are_those_of_cloudevents() -> None:
    event = sample(MeetingClosed)
    raw = json.loads(envelope(event, time=AT.astimezone(timezone(timedelta(hours=-5)))).to_bytes())

    assert raw["type"] == "org.pratique.meetings.MeetingClosed.v1"
    assert raw["subject"] == str(event.meeting_id)
    assert raw["source"] == "/pratique/meetings"
    assert raw["sequence"] == "0000000001"
    assert raw["dataschema"] == "https://pratique.example.org/schemas/org.pratique.meetings.MeetingClosed.v1.json"
    assert datetime.fromisoformat(raw["time"]).tzinfo == UTC
    assert (event.exchange(), MeetingDescribed.exchange()) == ("meetings.events", "meetings.private")


def test_an_event_is_made_of_a_row_by_the_names_of_its_fields() -> None:
    row = SimpleNamespace(**vars(sample(MeetingDescribed)) | {"themes": ["un", "deux"], "secret": "x"})
    told = MeetingDescribed.of(row, link="https://example.org")

    assert told == sample(MeetingDescribed, themes=("un", "deux"), link="https://example.org")
    with pytest.raises(AttributeError):
        MeetingDescribed.of(SimpleNamespace(meeting_id=UUID(int=1)))
