"""What a closed survey leaves in the database's files: nothing that says who answered, or what."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from chassis import clock
from chassis.runtime.tables import create_all
from chassis.storage.store import Store
from services.evaluation import traces
from services.evaluation.models import Base, Sheet, SurveyKey
from tests.evaluation.fixture import Fixture, attendee

PEOPLE = [uuid4() for _ in range(6)]


@pytest.fixture
def played(meeting: Fixture, tmp_path: Path) -> Iterator[Fixture]:
    """The fixture, on a file."""
    opened = Store("evaluation", f"sqlite:///{tmp_path}/e.sqlite", settings=meeting.store.settings)
    create_all(opened, Base.metadata)
    yield Fixture(opened)
    opened.close()


def hold_and_answer(played: Fixture) -> list[bytes]:
    """One more meeting that six people answer; the boxes that lie in the store for it."""
    played.meeting_id, played.version = uuid4(), 0
    played.deliver(played.closed([attendee(each) for each in PEOPLE]))
    played.answer_by_link(PEOPLE)
    return [bytes(row.box) for table in (Sheet, SurveyKey) for row in played.read(table.__table__.select())]


def close(played: Fixture) -> None:
    clock.move(timedelta(days=8))
    played.run_due()


def found(folder: Path, boxes: list[bytes]) -> int:
    """How many of these lie in some file: the database, or its log."""
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    return sum(box[:40] in held for box in boxes)


def test_boxes_of_a_closed_survey_are_in_no_file(played: Fixture, tmp_path: Path) -> None:
    rewrite = traces.loop(played.store.settings, played.store)  # type: ignore[arg-type]  # it was opened with some
    boxes = hold_and_answer(played)
    assert found(tmp_path, boxes) == len(boxes) == 7
    close(played)

    rewrite()

    assert found(tmp_path, boxes) == 0


def test_files_are_rewritten_once_a_minute_at_most(
    played: Fixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    rewrite = traces.loop(played.store.settings, played.store)  # type: ignore[arg-type]
    first = hold_and_answer(played)
    close(played)
    rewrite()
    second = hold_and_answer(played)
    close(played)
    assert found(tmp_path, first) == 0

    now[0] += 59
    rewrite()
    assert found(tmp_path, second) > 0

    now[0] += 1
    rewrite()
    assert found(tmp_path, second) == 0
