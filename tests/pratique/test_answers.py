"""Rows leave as the schema of their answer has them, however they are written."""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from types import SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pratique.requests.evaluation
import pratique.requests.meetings
import pratique.requests.membership
import pratique.requests.notifications  # noqa: F401  (so that all answers are there)
from pratique.request import Answer

_TEXT = st.text(max_size=8)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    UUID: st.uuids(),
    datetime: st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  (bounds are naive)
    str: _TEXT,
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    int | bool | str: st.integers() | st.booleans() | _TEXT,
    Mapping[str, int]: st.dictionaries(_TEXT, st.integers(), max_size=3),
    Mapping[str, str]: st.dictionaries(_TEXT, _TEXT, max_size=3),
}


def _all_answers() -> list[type[Answer]]:
    found, left = [], [Answer]
    while left:
        found += (below := left.pop().__subclasses__())
        left += below
    return sorted(set(found), key=lambda each: (each.__module__, each.__name__))


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if hint in _PLAIN:
        return _PLAIN[hint]
    if get_origin(hint) in (Union, UnionType):
        return st.one_of(*[st.none() if each is type(None) else _values(each) for each in get_args(hint)])
    if get_origin(hint) is tuple:
        return st.lists(_values(get_args(hint)[0]), max_size=3)
    return st.sampled_from(hint) if issubclass(hint, Enum) else _rows(hint)


def _rows(kind: Any) -> st.SearchStrategy[SimpleNamespace]:
    hints = get_type_hints(kind)
    return st.builds(SimpleNamespace, **{each.name: _values(hints[each.name]) for each in dataclasses.fields(kind)})


@pytest.mark.parametrize("kind", _all_answers(), ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_row_leaves_as_the_schema_dumps_it(kind: type[Answer], data: st.DataObject) -> None:
    row = data.draw(_rows(kind))

    by_the_schema = kind.schema.dump(row)

    assert kind.dump_of(row) == {
        name: each for name, each in by_the_schema.items() if each is not None or name in kind.always()
    }
