"""What meetings makes of membership's events, whatever the order and the number of their deliveries."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from chassis import clock
from chassis.messaging import inbox
from chassis.testing import memory_store
from pratique.event import Event
from pratique.events.membership import (
    CommunityChanged,
    CommunityFounded,
    CommunityKind,
    MembershipActivated,
    MembershipEnded,
    Role,
    RoleAssigned,
    RoleEnded,
)
from pratique.testing import AT, envelope, sample
from services.meetings.models import Base, Community, FacilitatorRole, Membership
from services.meetings.reactions import REACTIONS

COMMUNITIES = [UUID(int=1), UUID(int=2)]
ORGANIZATIONS = [UUID(int=0x0F), UUID(int=0x1F), UUID(int=0x2F)]
EVENTS: list[Event] = [
    *(sample(CommunityFounded, community_id=each, timezone="America/Toronto", version=1) for each in COMMUNITIES),
    sample(CommunityChanged, community_id=COMMUNITIES[0], timezone="Europe/Paris", version=2),
    sample(CommunityChanged, community_id=COMMUNITIES[0], kind=CommunityKind.COHORT, timezone="UTC", version=4),
    *(
        sample(MembershipActivated, membership_id=UUID(int=9), organization_id=organization_id, version=version)
        for version, organization_id in enumerate(ORGANIZATIONS, start=1)
    ),
    sample(MembershipActivated, membership_id=UUID(int=8), organization_id=None, version=1),
    sample(MembershipEnded, membership_id=UUID(int=8), version=2),
    sample(RoleAssigned, assignment_id=UUID(int=7), role=Role.FACILITATOR, version=1),
    sample(RoleEnded, assignment_id=UUID(int=7), role=Role.FACILITATOR, version=2),
    sample(RoleAssigned, assignment_id=UUID(int=7), role=Role.FACILITATOR, version=3),
    sample(RoleAssigned, assignment_id=UUID(int=6), role=Role.FACILITATOR, version=1),
    sample(RoleEnded, assignment_id=UUID(int=6), role=Role.FACILITATOR, version=2),
    sample(RoleAssigned, assignment_id=UUID(int=5), role=Role.COORDINATOR, version=1),
]


@settings(max_examples=30, deadline=None)
@given(
    order=st.permutations(range(len(EVENTS))),
    repeats=st.lists(st.integers(0, len(EVENTS) - 1), max_size=8),
    batch=st.integers(1, 20),
    same_delivery=st.booleans(),
)
def test_any_order_and_any_repetition_leave_the_same_rows(
    order: list[int], repeats: list[int], batch: int, same_delivery: bool
) -> None:
    """A repeat is the same delivery again, or the same fact in another envelope: what a replay after a year sends."""
    once = [envelope(event) for event in EVENTS]
    deliveries = [once[each] for each in order]
    deliveries += [once[each] if same_delivery else envelope(EVENTS[each]) for each in repeats]
    bodies = [delivery.to_bytes() for delivery in deliveries]
    with clock.fixed(AT), memory_store("meetings", Base.metadata) as opened:
        for begin in range(0, len(bodies), batch):
            inbox.receive(opened, REACTIONS, bodies[begin : begin + batch])

        with opened.begin() as session:
            communities = session.execute(
                select(Community.community_id, Community.kind, Community.timezone, Community.version)
            ).all()
            memberships = session.execute(
                select(Membership.membership_id, Membership.organization_id, Membership.is_active, Membership.version)
            ).all()
            facilitators = session.execute(
                select(FacilitatorRole.assignment_id, FacilitatorRole.is_active, FacilitatorRole.version)
            ).all()
            assert session.scalars(select(inbox.PARKED.c.error)).all() == []
    assert set(communities) == {
        (COMMUNITIES[0], CommunityKind.COHORT, "UTC", 4),
        (COMMUNITIES[1], CommunityKind.OPEN, "America/Toronto", 1),
    }
    assert set(memberships) == {(UUID(int=9), ORGANIZATIONS[-1], True, 3), (UUID(int=8), None, False, 2)}
    assert set(facilitators) == {(UUID(int=7), True, 3), (UUID(int=6), False, 2)}
