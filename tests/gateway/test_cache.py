"""What was just looked up is believed for five seconds, is never somebody else's, and takes a bounded place."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from chassis import clock
from gateway.cache import BELIEVED_FOR, SIZE, Cache
from pratique.testing import AT


class Register:
    """What there is by key, and what was asked."""

    def __init__(self) -> None:
        self.kept: dict[int, str] = {1: "one", 2: "two"}
        self.asked: list[int] = []

    def read(self, key: int) -> str | None:
        """Return what there is under the key."""
        self.asked.append(key)
        return self.kept.get(key)


@pytest.fixture
def register() -> Iterator[Register]:
    with clock.fixed(AT):
        yield Register()


@pytest.fixture
def cache(register: Register) -> Cache[int, str]:
    return Cache(register.read)


def test_within_five_seconds_it_is_asked_once_for_each_key(cache: Cache[int, str], register: Register) -> None:
    assert [cache.get(key) for key in (1, 2, 1, 2)] == ["one", "two", "one", "two"]
    clock.move(BELIEVED_FOR - timedelta(microseconds=1))
    assert cache.get(1) == "one"
    assert register.asked == [1, 2]


def test_after_five_seconds_what_has_changed_is_seen_however_often_one_asked(
    cache: Cache[int, str], register: Register
) -> None:
    cache.get(1)
    register.kept[1] = "another"
    for _ in range(4):
        clock.move(BELIEVED_FOR / 5)
        assert cache.get(1) == "one"
    clock.move(BELIEVED_FOR / 5)
    assert cache.get(1) == "another"


def test_what_is_gone_is_gone_after_five_seconds(cache: Cache[int, str], register: Register) -> None:
    cache.get(1)
    del register.kept[1]
    clock.move(BELIEVED_FOR)
    assert cache.get(1) is None
    register.kept[1] = "back"
    assert cache.get(1) == "back"


def test_what_there_is_not_is_asked_for_each_time_so_that_what_comes_is_seen_at_once(
    cache: Cache[int, str], register: Register
) -> None:
    assert cache.get(3) is None
    register.kept[3] = "three"
    assert cache.get(3) == "three"


def test_what_is_to_be_forgotten_is_read_anew_and_the_others_are_not(
    cache: Cache[int, str], register: Register
) -> None:
    cache.get(1)
    cache.get(2)
    register.kept = {1: "another", 2: "another"}
    cache.forget(1)
    cache.forget(9)
    assert [cache.get(1), cache.get(2)] == ["another", "two"]


def test_a_failure_to_read_is_told_and_believed_for_no_moment(register: Register) -> None:
    away = True

    def read(key: int) -> str | None:
        if away:
            raise ConnectionError
        return register.read(key)

    cache = Cache(read)
    with pytest.raises(ConnectionError):
        cache.get(1)
    away = False
    assert cache.get(1) == "one"


def test_a_clock_that_goes_back_makes_nothing_last_longer(cache: Cache[int, str], register: Register) -> None:
    cache.get(1)
    register.kept[1] = "another"
    clock.move(-timedelta(days=1))
    assert cache.get(1) == "another"


def test_so_many_are_kept_and_whoever_floods_it_costs_no_more_memory() -> None:
    with clock.fixed(AT):
        asked: list[int] = []

        def read(key: int) -> int:
            asked.append(key)
            return key

        cache: Cache[int, int] = Cache(read)
        for key in range(SIZE + 1):
            cache.get(key)
        del asked[:]
        assert [cache.get(SIZE), cache.get(1), cache.get(0)] == [SIZE, 1, 0]
        assert asked == [0]


@pytest.mark.parametrize("none", [lambda key: None, {}.get])
def test_keys_that_nobody_has_take_no_place(none: Callable[[int], str | None]) -> None:
    with clock.fixed(AT):
        asked: list[int] = []

        def read(key: int) -> str | None:
            asked.append(key)
            return "kept" if key == 0 else none(key)

        cache = Cache(read)
        cache.get(0)
        for key in range(1, SIZE + 2):
            cache.get(key)
        del asked[:]
        assert (cache.get(0), asked) == ("kept", [])
