"""The input of every side: closed meetings with their attendees, the same bytes for each."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pratique.event import Envelope
from pratique.events.meetings import AttendanceState, Attendee, MeetingClosed, MeetingKind, MeetingRole, Mode

ATTENDEES = 15
ROUTING_KEY = MeetingClosed.routing_key
EXCHANGE = MeetingClosed.exchange()


def closings(count: int, closed_at: datetime, seed: int = 1, people: int = 400) -> Iterator[Envelope[Any]]:
    """``count`` meetings closed at ``closed_at``, 15 people there; always the same for the same arguments.

    ``closed_at`` is the present in a measurement, so that no reminder falls due while it runs.
    """
    chance = random.Random(seed)

    def fresh_id() -> UUID:
        return UUID(int=chance.getrandbits(128), version=4)

    members = [fresh_id() for _ in range(people)]
    organizations = [fresh_id() for _ in range(40)]
    communities = [fresh_id() for _ in range(20)]
    for _ in range(count):
        attendees = tuple(
            Attendee(
                member_id=member_id,
                state=AttendanceState.ATTENDED,
                role=MeetingRole.PARTICIPANT,
                organization_id=chance.choice(organizations),
            )
            for member_id in chance.sample(members, ATTENDEES)
        )
        closed = MeetingClosed(
            version=4,
            meeting_id=fresh_id(),
            community_ids=(chance.choice(communities),),
            kind=MeetingKind.MEETING,
            mode=Mode.HYBRID,
            timezone="America/Toronto",
            starts_at=closed_at - timedelta(hours=2),
            ends_at=closed_at,
            started_at=closed_at - timedelta(hours=2),
            closed_at=closed_at,
            with_survey=True,
            themes_count=3,
            facilitator_id=None,
            note_taker_id=None,
            attendees=attendees,
            head_count=ATTENDEES,
        )
        event_id = fresh_id()
        yield Envelope(closed, event_id, closed_at, event_id)
