"""`pratique up`, killed at any moment and started again."""

from pathlib import Path

from tests.faults.embedded import suffer


def test_what_was_acknowledged_before_a_kill_is_there_and_follows_once(tmp_path: Path) -> None:
    found = suffer(tmp_path, seed=2, kills=4)
    assert found.violations == ()
    assert found.meetings > 1
