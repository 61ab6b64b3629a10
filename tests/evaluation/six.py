"""Six people at a meeting, and its survey opened in the room or by links."""

from pratique.events.meetings import Attendee
from tests.evaluation import fixture
from tests.evaluation.fixture import Fixture, attendee

PEOPLE = fixture.PEOPLE[:6]
SAD = {"satisfaction": 1}


def present() -> list[Attendee]:
    return fixture.present(PEOPLE)


def open_in_room(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up())


def open_by_link(meeting: Fixture) -> str:
    """Open it, and return the token of the first person's link."""
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    return meeting.tokens()[PEOPLE[0]]
