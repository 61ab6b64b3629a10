"""A fresh scene for each test."""

from collections.abc import Iterator

import pytest

from tests.evaluation import scene


@pytest.fixture
def meeting() -> Iterator[scene.Scene]:
    with scene.scene() as played:
        yield played
