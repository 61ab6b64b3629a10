"""What crosses RPC becomes the types that a command takes, or is refused field by field."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rpc import arguments
from pratique.errors import Invalid
from pratique.event import Value
from pratique.testing import AT


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Entry(Value):
    member_id: UUID
    mood: Mood
    note: str | None


def command(
    session: object,
    *,
    meeting_id: UUID,
    at: datetime,
    mood: Mood,
    entries: tuple[Entry, ...] = (),
    place: str = "",
    capacity: int | None = None,
    is_open: bool = False,
) -> None:
    """Something that people ask for."""


KEY = UUID(int=1)
LEAST = {"meeting_id": str(KEY), "at": AT.isoformat(), "mood": "good"}


def pointers(payload: dict[str, Any]) -> set[str]:
    with pytest.raises(Invalid) as caught:
        arguments.load(command, payload)
    assert caught.value.message
    return set(caught.value.fields)


def test_arguments_come_as_the_types_that_the_command_takes() -> None:
    entries = [{"member_id": str(KEY), "mood": "bad", "note": None}, {"member_id": str(KEY), "mood": "good"}]
    loaded = arguments.load(command, {**LEAST, "entries": entries, "place": "Ici", "capacity": 7, "is_open": True})

    assert loaded == {
        "meeting_id": KEY,
        "at": AT,
        "mood": Mood.GOOD,
        "entries": (Entry(member_id=KEY, mood=Mood.BAD, note=None), Entry(member_id=KEY, mood=Mood.GOOD, note=None)),
        "place": "Ici",
        "capacity": 7,
        "is_open": True,
    }


def test_what_is_left_out_has_the_default_of_the_command() -> None:
    loaded = arguments.load(command, LEAST)

    assert loaded == {
        "meeting_id": KEY,
        "at": AT,
        "mood": Mood.GOOD,
        "entries": (),
        "place": "",
        "capacity": None,
        "is_open": False,
    }


def test_everything_wrong_is_told_at_once_each_at_its_place() -> None:
    entries = [{"member_id": str(KEY), "mood": "good"}, {"member_id": "x", "mood": "odd"}]

    assert pointers({"meeting_id": 7, "mood": "so-so", "entries": entries, "extra": 1}) == {
        "/meeting_id",
        "/at",
        "/mood",
        "/entries/1/member_id",
        "/entries/1/mood",
        "/extra",
    }


@pytest.mark.parametrize("at", ["2026-03-12T14:00:00", "2026-03-12", "yesterday", 1773324000, None, ""])
def test_an_instant_without_its_offset_is_refused(at: Any) -> None:
    assert pointers({**LEAST, "at": at}) == {"/at"}


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_that_no_store_holds_is_refused(at: str) -> None:
    assert pointers({**LEAST, "at": at}) == {"/at"}


def test_null_is_refused_where_the_command_does_not_take_it() -> None:
    assert pointers({**LEAST, "place": None, "entries": None, "is_open": None}) == {"/place", "/entries", "/is_open"}


def test_a_pointer_to_an_odd_name_is_escaped() -> None:
    assert pointers({**LEAST, "a/b~c": 1}) == {"/a~1b~0c"}


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*LEAST, "entries", "place", "capacity", "is_open"]), ANY_JSON))
def test_whatever_is_sent_is_loaded_or_refused(payload: dict[str, Any]) -> None:
    try:
        loaded = arguments.load(command, {**LEAST, **json.loads(json.dumps(payload))})
    except Invalid:
        return
    assert isinstance(loaded["entries"], tuple)
    assert loaded["at"].tzinfo is not None
