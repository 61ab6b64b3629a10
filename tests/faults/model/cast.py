"""Who takes part in the model, and what they hold: people, communities, meetings, surveys and their ballots."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import clock
from pratique.events import evaluation
from pratique.events.meetings import AttendanceState
from pratique.events.membership import Role

ENOUGH = 5  #: answers of people who were there, of fewer nothing is told
THERE = (AttendanceState.ATTENDED, AttendanceState.ATTENDED_PARTLY)


def wall(at: datetime, days: int, zone: str) -> datetime:
    """The same time of day so many days later, in this zone."""
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + timedelta(days=days)
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(at.tzinfo)


@dataclass
class Person:
    """Somebody, and what was said of them."""

    id: UUID
    name: str
    email: str
    locale: str
    version: int = 1


@dataclass
class Community:
    """A community, who belongs to it and who leads it, as people said."""

    id: UUID
    name: str
    kind: str
    locale: str
    zone: str
    version: int = 1
    members: dict[UUID, UUID | None] = field(default_factory=dict)  #: person -> the organisation they stand for
    membership_ids: dict[UUID, UUID] = field(default_factory=dict)
    membership_versions: dict[UUID, int] = field(default_factory=dict)
    roles: dict[tuple[UUID, Role], bool] = field(default_factory=dict)  #: (person, role) -> whether it lasts


@dataclass
class Cast:
    """An answer as it was given: by whom, by which way, and what."""

    member: UUID
    channel: str
    words: dict[str, Any]


@dataclass(frozen=True)
class Ballot:
    """A ballot as somebody was given it."""

    id: str
    survey: "Survey"
    member: UUID
    channel: str
    era: int
    given_at: datetime

    @property
    def is_valid(self) -> bool:
        """Whether it is one still, unless all that was answered in the room was taken back.

        One of the room for two hours, but for a quarter of an hour once the room has closed.
        """
        age = clock.now() - self.given_at.replace(microsecond=0)
        limit = timedelta(hours=2) if self.survey.is_in_room else timedelta(minutes=15)
        return self.era == self.survey.era and (self.channel != "room" or age <= limit)


@dataclass
class Taken:
    """That somebody's ballot is taken: which, and whether it was confirmed that its answers are kept."""

    ballot_id: str
    is_confirmed: bool = False


@dataclass
class Survey:
    """What was heard of a survey, and who did what about it."""

    id: UUID
    meeting: "Meeting"
    opened: evaluation.SurveyOpened
    is_in_room: bool  #: whether its room is open: from the wrap-up until the closing is heard of, or a day has passed
    era: int = 0  #: how often all that was answered in the room was taken back
    taken: dict[UUID, Taken] = field(default_factory=dict)
    casts: dict[str, Cast] = field(default_factory=dict)  #: by ballot
    asked: dict[UUID, int] = field(default_factory=dict)  #: person -> version of the newest event that asks them
    asked_early: set[UUID] | None = None  #: whom it asked because nobody had closed the meeting a day after its end
    given_back: set[UUID] = field(default_factory=set)  #: whose ballot was taken in vain, and no mail has asked since
    revoked: dict[UUID, int] = field(default_factory=dict)
    remind_at: datetime | None = None
    reminded: set[UUID] | None = None
    closed: evaluation.SurveyClosed | None = None
    eligible: int = 0  #: when it closed
    genuine: int = 0  #: of those, how many are known to have answered
    outcome: evaluation.ResultsReleased | evaluation.ResultsWithheld | None = None

    @property
    def answered(self) -> set[UUID]:
        """Whose answers are kept."""
        return {member for member, taken in self.taken.items() if taken.ballot_id in self.casts}

    @property
    def counted(self) -> set[UUID]:
        """Who counts as having answered: whoever took a ballot, unless it is certain that no answers came of it.

        Several that nobody confirmed cannot be told apart, if answers came of some of them and of others not.
        """
        unconfirmed = {member for member, taken in self.taken.items() if not taken.is_confirmed}
        return set(self.taken) - (set() if unconfirmed & self.answered else unconfirmed)

    def give_back(self, asking: set[UUID]) -> None:
        """Ballots that were taken in vain can be taken anew; these people are asked."""
        vain = set(self.taken) - self.counted
        self.given_back = (self.given_back | vain) - asking
        self.taken = {member: taken for member, taken in self.taken.items() if member not in vain}

    @property
    def standing(self) -> set[UUID]:
        """Who is asked, and was not taken back since."""
        return {each for each, version in self.asked.items() if version > self.revoked.get(each, 0)}

    @property
    def is_open(self) -> bool:
        """Whether it takes answers."""
        return self.closed is None and clock.now() < self.opened.closes_at


@dataclass
class Meeting:
    """A meeting as people held it."""

    id: UUID
    community_ids: tuple[UUID, ...]
    facilitator: UUID
    note_taker: UUID | None
    starts_at: datetime
    ends_at: datetime
    zone: str
    state: str = "scheduled"
    place: str = ""
    capacity: int | None = None
    reason: str = ""
    version: int = 1
    roll: dict[UUID, AttendanceState] = field(default_factory=dict)
    leading: set[UUID] = field(default_factory=set)  #: of those on the roll, who leads it or one of its communities
    coming: dict[UUID, str] = field(default_factory=dict)
    was_there: set[UUID] = field(default_factory=set)  #: participants whom the roll has ever shown as there
    was_welcome: set[UUID] = field(default_factory=set)  #: the same, with those who lead
    wrap_up_at: datetime | None = None
    closed_at: datetime | None = None
    survey: Survey | None = None

    @property
    def present(self) -> set[UUID]:
        """Whom there is to ask, as people see it by now."""
        return self.heads - self.leading

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in it."""
        return self.state in ("closed", "cancelled")

    @property
    def heads(self) -> set[UUID]:
        """Who was there, whoever led included."""
        return {each for each, state in self.roll.items() if state in THERE}

    @property
    def has_survey(self) -> bool:
        """Whether those who were there are asked: not about what was over for more than three days."""
        began = self.wrap_up_at or self.closed_at
        return began is not None and began <= self.ends_at + timedelta(days=3)

    @property
    def has_begun(self) -> bool:
        """Whether its attendance can be taken."""
        return self.state in ("in_progress", "wrap_up", "closed")

    def mark(self, entries: dict[UUID, AttendanceState], by_role: set[UUID]) -> bool:
        """Take the roll, or correct it; whether that changed anything. ``by_role`` are known to lead a community."""
        is_closed = self.state == "closed"
        silence = AttendanceState.UNKNOWN if is_closed else None
        changed = {each: state for each, state in entries.items() if self.roll.get(each, silence) != state}
        self.leading |= (changed.keys() - self.roll.keys()) & (by_role | {self.facilitator})
        self.roll.update(changed)
        self.version += len(changed) if is_closed else bool(changed)
        self.was_there |= self.present
        self.was_welcome |= self.heads
        return bool(changed)
