"""A fresh meeting for each test."""

from collections.abc import Iterator

import pytest

from tests.evaluation.fixture import Fixture, fixture


@pytest.fixture
def meeting() -> Iterator[Fixture]:
    with fixture() as made:
        yield made
