"""What the driver meant to do, and what the API acknowledged of it: all that the oracle believes."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.harness.people import Community, meeting_body

STATES = ("attended", "attended", "attended_partly", "no_show", "excused", "unknown")
THERE = ("attended", "attended_partly")


def fresh_id(chance: random.Random) -> str:
    """An id that the seed decides."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


@dataclass
class Meeting:
    """One meeting as it is to be held, and how far the API has acknowledged it."""

    id: str
    circle: Community
    states: dict[str, str]
    facilitator_id: str | None
    is_ahead: bool  #: planned for tomorrow, so that its members are invited by mail before it is held today
    starts_at: datetime  #: yesterday, unless it is ahead; what was over three days ago would ask nobody
    answers_in_room: str | None  #: answers in the wrap-up
    corrected: str | None  #: turns out, after the closing, to have been there
    is_close_attempted: bool = False
    is_closed: bool = False  #: acknowledged
    is_done: bool = False  #: everything that was meant, the correction included, is acknowledged
    was_retried: bool = False  #: its closing was not acknowledged at once

    @property
    def eligible(self) -> set[str]:
        """Who is to be invited by mail, exactly once: participants who were there and have not answered."""
        states = self.states | ({self.corrected: "attended"} if self.corrected else {})
        there = {member_id for member_id, state in states.items() if state in THERE}
        return there - {self.facilitator_id, self.answers_in_room}

    def body(self) -> dict[str, Any]:
        """What is planned, the same each time it is sent."""
        return meeting_body(self.circle.id, starts_at=self.starts_at, facilitator_id=self.facilitator_id)


def start_of(at: datetime, is_ahead: bool) -> datetime:
    """When a meeting starts that is planned at this instant."""
    return at.replace(microsecond=0) + (timedelta(days=1, hours=12) if is_ahead else timedelta(hours=-26))


def make_meetings(chance: random.Random, circles: list[Community], count: int) -> Iterator[Meeting]:
    """Meetings of all sorts: some with a wrap-up and an answer in the room, some corrected, some planned ahead."""
    planned_at = datetime.now(UTC)
    for _ in range(count):
        circle = chance.choice(circles)
        states = {member_id: chance.choice(STATES) for member_id in circle.member_ids}
        facilitator_id = chance.choice(circle.member_ids) if chance.random() < 0.5 else None
        there = [id for id, state in states.items() if state in THERE and id != facilitator_id]
        absent = [id for id, state in states.items() if state not in THERE and id != facilitator_id]
        # A day after the planned end all are asked by mail, and the clock may jump a day: plan those of the room ahead.
        answers = chance.choice(there) if there and chance.random() < 0.1 else None
        is_ahead = answers is not None or chance.random() < 0.1
        yield Meeting(
            id=fresh_id(chance),
            circle=circle,
            states=states,
            facilitator_id=facilitator_id,
            is_ahead=is_ahead,
            starts_at=start_of(planned_at, is_ahead),
            answers_in_room=answers,
            corrected=chance.choice(absent) if absent and chance.random() < 0.05 else None,
        )


@dataclass
class Record:
    """What was asked and what was answered, of one run."""

    circles: list[Community] = field(default_factory=list)
    meetings: dict[str, Meeting] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)  #: by status, or by what went wrong on the way
    cut: list[tuple[float, int, str]] = field(default_factory=list)  #: (monotonic time, gateway's port, what happened)
    wrong: list[str] = field(default_factory=list)  #: answers that cannot be, whatever was broken
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, answer: str) -> None:
        """One more of these."""
        with self.lock:
            self.answers[answer] += 1

    @property
    def attempted(self) -> list[Meeting]:
        """Meetings whose closing was sent at least once."""
        return [meeting for meeting in self.meetings.values() if meeting.is_close_attempted]

    @property
    def acknowledged(self) -> list[Meeting]:
        """Meetings whose closing was answered with 200."""
        return [meeting for meeting in self.meetings.values() if meeting.is_closed]
