"""The only clock. Domain code asks it for the time; tests set and move it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_offset = timedelta(0)
_fixed: datetime | None = None


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return (_fixed or datetime.now(UTC)) + _offset


def move(by: timedelta) -> None:
    """Shift the clock of this process by ``by``, forward or back; for tests and for loading samples."""
    global _offset
    _offset += by


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """Hold the clock at ``at`` (aware); ``move`` still moves it. Afterwards it runs as before."""
    global _fixed, _offset
    before = _fixed, _offset
    _fixed, _offset = at.astimezone(UTC), timedelta(0)
    try:
        yield
    finally:
        _fixed, _offset = before


def on_the_wall(at: datetime, days: int, zone: str) -> datetime:
    """The instant ``days`` days after ``at`` at the same wall time in ``zone``, whatever daylight saving did between.

    A wall time that does not exist (spring) or exists twice (autumn) is read as PEP 495 reads it with fold 0.
    """
    wall = at.astimezone(ZoneInfo(zone)) + timedelta(days=days)
    return wall.astimezone(UTC)
