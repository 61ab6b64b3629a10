"""A meetings store in memory that knows a community and its people, and one transaction for each thing asked."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import clock
from chassis.storage.store import Store
from chassis.testing import memory_store
from pratique.event import Event
from pratique.events.meetings import AttendanceState, MeetingKind, Mode
from pratique.events.membership import (
    CommunityFounded,
    MembershipActivated,
    MembershipEnded,
    Role,
    RoleAssigned,
    RoleEnded,
)
from pratique.requests.meetings import (
    AttendanceEntry,
    CancelMeeting,
    CloseMeeting,
    GetMeeting,
    PutMeeting,
    RecordAttendance,
    StartMeeting,
    WrapUpMeeting,
)
from pratique.testing import AT, sample
from services.meetings.commands import COMMANDS
from services.meetings.models import Base, Meeting
from services.meetings.queries import QUERIES
from services.meetings.reactions import REACTIONS
from tests.harness.service import ServiceFixture

HANDLERS = {**COMMANDS, **QUERIES}
STEPS = {"start": StartMeeting, "wrap_up": WrapUpMeeting, "close": CloseMeeting, "cancel": CancelMeeting}


class Fixture(ServiceFixture):
    """Meetings, and the people of two communities."""

    MEETING, COMMUNITY, OTHER = UUID(int=0x111), UUID(int=0xC0), UUID(int=0xC1)
    FACILITATOR, NOTE_TAKER, STRANGER = UUID(int=0xFA), UUID(int=0x107E), UUID(int=0xBAD)
    AMINA, LOUIS, MEI = UUID(int=1), UUID(int=2), UUID(int=3)

    def __init__(self, opened: Store) -> None:
        super().__init__(opened, REACTIONS, requests=HANDLERS)

    def belongs(
        self, member_id: UUID, community_id: UUID, organization_id: UUID | None = None, version: int = 1
    ) -> None:
        """The person belongs to the community, as membership announces it."""
        self.deliver(_belongs(member_id, community_id, organization_id, version))

    def leaves(self, member_id: UUID, community_id: UUID, version: int = 2) -> None:
        """The person belongs to the community no longer, as membership announces it."""
        belonged = _belongs(member_id, community_id, None)
        assert isinstance(belonged, MembershipActivated)
        said = {"membership_id": belonged.membership_id, "community_id": community_id, "member_id": member_id}
        self.deliver(sample(MembershipEnded, **said, version=version))

    def facilitates(self, member_id: UUID, community_id: UUID, version: int = 1, is_ended: bool = False) -> None:
        """The person has the role of facilitator in the community, or no longer, as membership announces it."""
        said = {"assignment_id": UUID(int=member_id.int * 1000 + community_id.int), "version": version}
        said |= {"community_id": community_id, "member_id": member_id, "role": Role.FACILITATOR}
        self.deliver(sample(RoleEnded if is_ended else RoleAssigned, **said))

    def schedule(self, **said: Any) -> Meeting:
        """The usual meeting, or as said."""
        usual = {
            "meeting_id": self.MEETING,
            "community_ids": (self.COMMUNITY,),
            "kind": MeetingKind.MEETING,
            "mode": Mode.HYBRID,
            "starts_at": AT,
            "ends_at": AT + timedelta(hours=2),
            "timezone": "America/Toronto",
            "themes": ("Mesurer sans peser",),
            "facilitator_id": self.FACILITATOR,
            "note_taker_id": self.NOTE_TAKER,
        }
        saved = self.call(PutMeeting, **{**usual, **said})
        assert isinstance(saved.row, Meeting)
        return saved.row

    def do(self, *verbs: str, meeting_id: UUID = MEETING) -> None:
        """Take a meeting through these steps of its life."""
        reason = {"reason": "Tempête de neige"}
        for verb in verbs:
            said = reason if verb == "cancel" else {}
            self.call(STEPS[verb], meeting_id=meeting_id, **said)

    def mark(self, states: dict[UUID, AttendanceState], meeting_id: UUID = MEETING) -> None:
        """Take, or correct, the attendance of these people."""
        entries = tuple(AttendanceEntry(member_id=each, state=state) for each, state in states.items())
        self.call(RecordAttendance, meeting_id=meeting_id, entries=entries)

    def meeting(self) -> Any:
        """The meeting with its attendance, as it is by now."""
        return self.call(GetMeeting, meeting_id=self.MEETING)

    def roll(self) -> dict[UUID, AttendanceState]:
        """Who is marked how, by now."""
        return {row.member_id: row.state for row in self.meeting().attendance}


def _belongs(member_id: UUID, community_id: UUID, organization_id: UUID | None, version: int = 1) -> Event:
    return sample(
        MembershipActivated,
        membership_id=UUID(int=member_id.int * 1000 + community_id.int),
        community_id=community_id,
        member_id=member_id,
        organization_id=organization_id,
        version=version,
    )


@pytest.fixture(scope="session")
def new_service() -> Callable[[Store], Fixture]:
    """For property tests, which need many."""

    def make(opened: Store) -> Fixture:
        service = Fixture(opened)
        people = (Fixture.AMINA, Fixture.LOUIS, Fixture.MEI)
        service.deliver(
            *(sample(CommunityFounded, community_id=each) for each in (Fixture.COMMUNITY, Fixture.OTHER)),
            *(_belongs(each, Fixture.COMMUNITY, UUID(int=0x0F)) for each in people),
        )
        return service

    return make


@pytest.fixture
def service(new_service: Callable[[Store], Fixture]) -> Iterator[Fixture]:
    with clock.fixed(AT), memory_store("meetings", Base.metadata) as opened:
        yield new_service(opened)
