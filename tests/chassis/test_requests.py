"""What crosses RPC becomes the request that a handler takes, or is refused field by field."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow.validate import Length, Range

from chassis.rpc.requests import dump, read
from chassis.storage.rows import Page, Saved
from chassis.testing import crossed
from pratique.errors import Invalid
from pratique.fields import ABSENT, Zone
from pratique.permissions import Rule
from pratique.request import Answer, Body, Command
from pratique.testing import AT


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Entry(Body):
    member_id: UUID
    mood: Mood
    note: str | None = None


class Result(Answer):
    at: datetime
    mood: Mood
    entries: tuple[Entry, ...]
    counts: Annotated[Mapping[str, int] | None, ABSENT] = None


class Plan(Command, answer=Result, needs=Rule.ANYONE):
    """Something that people ask for."""

    meeting_id: UUID
    at: datetime
    mood: Mood
    entries: Annotated[tuple[Entry, ...], Length(0, 3)] = ()
    place: Annotated[str, Length(0, 10)] = ""
    capacity: Annotated[int | None, Range(1, 100)] = None
    zone: Annotated[str, Zone()] = "UTC"
    is_open: bool = False
    is_asked: Annotated[bool | None, ABSENT] = None


KEY = UUID(int=1)
LEAST = {"meeting_id": str(KEY), "at": AT.isoformat(), "mood": "good"}


def pointers(payload: dict[str, Any]) -> set[str]:
    with pytest.raises(Invalid) as caught:
        read(Plan, payload)
    assert caught.value.message
    return set(caught.value.fields)


def test_fields_come_as_the_types_that_the_request_has() -> None:
    entries = [{"member_id": str(KEY), "mood": "bad", "note": None}, {"member_id": str(KEY), "mood": "good"}]
    plan = read(Plan, {**LEAST, "entries": entries, "place": "Ici", "capacity": 7, "is_open": True})

    assert plan == Plan(
        meeting_id=KEY,
        at=AT,
        mood=Mood.GOOD,
        entries=(Entry(member_id=KEY, mood=Mood.BAD), Entry(member_id=KEY, mood=Mood.GOOD)),
        place="Ici",
        capacity=7,
        is_open=True,
    )


def test_a_request_is_the_same_after_it_has_crossed() -> None:
    plan = Plan(meeting_id=KEY, at=AT, mood=Mood.BAD, entries=(Entry(member_id=KEY, mood=Mood.GOOD),), is_asked=False)

    assert crossed(plan) == plan
    assert plan.payload().keys() == {"meeting_id", "at", "mood", "entries", "is_asked"}, "defaults need not be sent"


def test_everything_wrong_is_told_at_once_each_at_its_place() -> None:
    entries = [{"member_id": str(KEY), "mood": "good"}, {"member_id": "x", "mood": "odd", "more": 1}]

    assert pointers({"meeting_id": 7, "mood": "so-so", "entries": entries, "extra": 1, "zone": "Mars/Olympus"}) == {
        "/meeting_id",
        "/at",
        "/mood",
        "/entries/1/member_id",
        "/entries/1/mood",
        "/entries/1/more",
        "/extra",
        "/zone",
    }


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"place": "x" * 11}, "/place"),
        ({"place": "a\x00b"}, "/place"),
        ({"place": "a\nb"}, "/place"),
        ({"place": 7}, "/place"),
        ({"capacity": 0}, "/capacity"),
        ({"capacity": 101}, "/capacity"),
        ({"capacity": "7"}, "/capacity"),
        ({"capacity": True}, "/capacity"),
        ({"is_open": "yes"}, "/is_open"),
        ({"is_asked": None}, "/is_asked"),
        ({"entries": [{"member_id": str(KEY), "mood": "good"}] * 4}, "/entries"),
    ],
)
def test_a_limit_that_stands_in_an_annotation_is_kept(sent: dict[str, Any], pointer: str) -> None:
    assert pointers({**LEAST, **sent}) == {pointer}


@pytest.mark.parametrize("at", ["2026-03-12T14:00:00", "2026-03-12", "yesterday", 1773324000, None, ""])
def test_an_instant_without_its_offset_is_refused(at: Any) -> None:
    assert pointers({**LEAST, "at": at}) == {"/at"}


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1026-03-12T00:00:00Z"])
def test_an_instant_in_no_sane_year_is_refused(at: str) -> None:
    assert pointers({**LEAST, "at": at}) == {"/at"}


def test_null_is_refused_where_the_request_does_not_take_it() -> None:
    assert pointers({**LEAST, "place": None, "entries": None, "is_open": None}) == {"/place", "/entries", "/is_open"}


def test_a_pointer_to_an_odd_name_is_escaped() -> None:
    assert pointers({**LEAST, "a/b~c": 1}) == {"/a~1b~0c"}


@pytest.mark.parametrize("zone", ["", "../etc/passwd", "/etc/localtime", "America", "x" * 150, "zone.tab"])
def test_an_unknown_zone_is_told_at_its_field(zone: str) -> None:
    assert pointers({**LEAST, "zone": zone}) == {"/zone"}


def test_rows_are_dumped_in_the_shape_of_the_answer_alone() -> None:
    row = SimpleNamespace(at=AT, mood=Mood.BAD, entries=[], secret="x", counts=None)
    shown = {"at": "2026-03-12T14:00:00+00:00", "mood": "bad", "entries": []}

    assert dump(row, Result) == shown
    assert dump({"at": AT, "mood": "bad", "entries": [], "secret": "x"}, Result) == shown
    assert dump([row], Result) == [shown]
    assert dump(Saved(row, True), Result) == {"row": shown, "is_new": True}
    assert dump(Page([row], "next"), Result) == {"rows": [shown], "after": "next"}
    assert dump(row, None) is None


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*LEAST, "entries", "place", "capacity", "is_open"]), ANY_JSON))
def test_whatever_is_sent_is_read_or_refused(payload: dict[str, Any]) -> None:
    try:
        plan = read(Plan, {**LEAST, **json.loads(json.dumps(payload))})
    except Invalid:
        return
    assert isinstance(plan.entries, tuple)
    assert plan.at.tzinfo is not None
