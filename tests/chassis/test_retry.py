"""What failed is tried again soon, then ever later."""

from datetime import timedelta

import pytest

from chassis import clock
from chassis.retry import RETRY_AFTER_S, next_attempt_at, words_of
from pratique.testing import AT


def test_the_ladder_climbs_for_some_hours() -> None:
    assert list(RETRY_AFTER_S) == sorted(set(RETRY_AFTER_S))
    assert timedelta(hours=2) < timedelta(seconds=sum(RETRY_AFTER_S)) < timedelta(hours=4)


@pytest.mark.parametrize("attempts", range(len(RETRY_AFTER_S) + 3))
def test_each_wait_is_that_of_the_ladder_give_or_take_a_fifth(attempts: int) -> None:
    wait_s = [*RETRY_AFTER_S, *[RETRY_AFTER_S[-1]] * 3][attempts]
    with clock.fixed(AT):
        waits = {(next_attempt_at(attempts) - AT).total_seconds() for _ in range(50)}

    assert 0.8 * wait_s <= min(waits) < max(waits) <= 1.2 * wait_s


def test_an_error_is_told_in_words_that_every_store_takes() -> None:
    assert words_of(ValueError("no")) == "ValueError: no"
    assert words_of("a\x00b\ud800é") == "ab?é"
    assert len(words_of("x" * 10_000)) == 4000
