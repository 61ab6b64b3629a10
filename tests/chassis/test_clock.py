"""Time is an input: tests set it, and wall time survives daylight saving."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import clock
from pratique.testing import AT

#: Zone, an instant shortly before a change of the clocks, and the change in minutes within the week that follows.
CHANGES = [
    ("America/Toronto", datetime(2026, 3, 5, 14, 0, tzinfo=UTC), 60),
    ("America/Toronto", datetime(2026, 10, 29, 14, 0, tzinfo=UTC), -60),
    ("Europe/Paris", datetime(2026, 3, 26, 9, 30, tzinfo=UTC), 60),
    ("Europe/Paris", datetime(2026, 10, 22, 9, 30, tzinfo=UTC), -60),
    ("Australia/Lord_Howe", datetime(2026, 4, 1, 3, 0, tzinfo=UTC), -30),
    ("America/St_Johns", datetime(2026, 3, 5, 14, 0, tzinfo=UTC), 60),
    ("Africa/Dakar", datetime(2026, 3, 26, 9, 30, tzinfo=UTC), 0),
]


@pytest.mark.parametrize(("zone", "at", "minutes"), CHANGES)
def test_a_week_later_is_the_same_time_on_the_wall(zone: str, at: datetime, minutes: int) -> None:
    later = clock.on_the_wall(at, 7, zone)

    assert later - at == timedelta(days=7) - timedelta(minutes=minutes)
    assert later.astimezone(ZoneInfo(zone)).time() == at.astimezone(ZoneInfo(zone)).time()
    assert later.tzinfo == UTC


def test_a_wall_time_that_spring_leaves_out_is_an_hour_later() -> None:
    at = datetime(2026, 3, 1, 2, 30, tzinfo=ZoneInfo("America/Toronto"))

    assert clock.on_the_wall(at, 7, "America/Toronto") == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)  # 3:30 on the wall


def test_a_wall_time_that_autumn_has_twice_is_the_first() -> None:
    at = datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("America/Toronto"))

    assert clock.on_the_wall(at, 7, "America/Toronto") == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  (bounds)
    st.integers(0, 60),
    st.sampled_from([zone for zone, _, _ in CHANGES]),
)
def test_on_the_wall_is_never_off_by_more_than_the_change(at: datetime, days: int, zone: str) -> None:
    off = clock.on_the_wall(at, days, zone) - at - timedelta(days=days)

    assert abs(off) <= timedelta(hours=1)


def test_the_clock_is_held_and_moved_and_runs_again_afterwards() -> None:
    with clock.fixed(AT):
        assert clock.now() == clock.now() == AT
        clock.move(timedelta(hours=49))
        assert clock.now() == AT + timedelta(hours=49)
        with clock.fixed(AT + timedelta(days=9)):
            assert clock.now() == AT + timedelta(days=9)
        assert clock.now() == AT + timedelta(hours=49)

    assert datetime.now(UTC) <= clock.now() <= datetime.now(UTC)
    assert clock.now().tzinfo == UTC
