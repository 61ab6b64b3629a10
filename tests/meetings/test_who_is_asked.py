"""Whether those who were there are asked: a rule, which whoever ends the meeting may overrule."""

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from pratique.errors import Conflict
from pratique.events.meetings import MeetingClosed, MeetingKind, MeetingWrapUpStarted
from pratique.requests.meetings import CloseMeeting, WrapUpMeeting

World = Any  # of conftest.py, which tests do not import
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "late", "wrap_up", "close", "expected"),
    [
        ({}, 0 * DAY, None, None, (True, True)),
        ({}, 3 * DAY, None, None, (True, True)),
        ({}, 3 * DAY + timedelta(seconds=1), None, None, (False, False)),
        ({}, 500 * DAY, None, None, (False, False)),
        ({}, 500 * DAY, True, None, (True, True)),
        ({}, 500 * DAY, None, True, (False, True)),
        ({}, 0 * DAY, False, None, (False, False)),
        ({}, 0 * DAY, False, True, (False, True)),
        ({}, 0 * DAY, None, False, (True, False)),
        ({"kind": MeetingKind.PREPARATORY}, 0 * DAY, None, None, (False, False)),
        ({"kind": MeetingKind.PREPARATORY}, 500 * DAY, None, False, (False, False)),
        ({"kind": MeetingKind.TRAINING}, 0 * DAY, None, None, (True, True)),
    ],
)
def test_those_who_were_there_are_asked_by_rule_or_by_word(
    world: World,
    said: dict[str, Any],
    late: timedelta,
    wrap_up: bool | None,
    close: bool | None,
    expected: tuple[bool, bool],
) -> None:
    world.schedule(**said)
    clock.move(timedelta(hours=2) + late)
    world.do("start")
    world.ask(WrapUpMeeting, meeting_id=world.MEETING, with_survey=wrap_up)
    world.ask(CloseMeeting, meeting_id=world.MEETING, with_survey=close)

    (wrapped_up,), (closed,) = world.heard(MeetingWrapUpStarted), world.heard(MeetingClosed)
    assert (wrapped_up.with_survey, closed.with_survey) == expected


def test_after_a_preparatory_meeting_nobody_can_be_asked(world: World) -> None:
    world.schedule(kind=MeetingKind.PREPARATORY)
    world.do("start")
    for command in (WrapUpMeeting, CloseMeeting):
        with pytest.raises(Conflict, match="preparatory"):
            world.ask(command, meeting_id=world.MEETING, with_survey=True)

    assert world.meeting().state.value == "in_progress"
