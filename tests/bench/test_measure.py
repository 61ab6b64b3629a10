"""Figures of the table: a ratio to a peer or to a limit, and whether what is wanted is reached."""

import pytest

from tests.bench.measure import Figure


@pytest.mark.parametrize(("took", "ratio", "is_missed"), [(25.0, 0.25, False), (100.0, 1.0, True)])
def test_a_duration_is_told_as_a_ratio_to_its_limit(took: float, ratio: float, is_missed: bool) -> None:
    figure = Figure("a page", "ms", [took], wanted=100)
    assert (figure.ratio, figure.is_missed) == (ratio, is_missed)
    assert f"against a limit of 100 ms: {ratio:.2f}" in figure.line()


@pytest.mark.parametrize(("wanted", "at_most", "is_missed"), [(2, False, False), (4, False, True), (2, True, True)])
def test_a_rate_is_told_as_a_ratio_to_its_peer(wanted: float, at_most: bool, is_missed: bool) -> None:
    figure = Figure("reads", "/s", [10, 20], "a peer", [5], wanted, at_most)
    assert (figure.ratio, figure.is_missed) == (3, is_missed)


def test_the_tail_is_the_percentile_that_is_asked_for() -> None:
    assert "(95 %: 96)" in Figure("a page", "ms", [float(each) for each in range(1, 101)], tail=95).line()
