"""In whatever order and number events arrive, and whenever people answer: the right people are asked, each once."""

import dataclasses
from contextlib import suppress
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pratique.errors import Conflict, NotFound
from pratique.event import Event
from pratique.events.evaluation import InvitationRevoked, SurveyInvitationsIssued, SurveyOpened
from pratique.events.meetings import AttendanceState, MeetingRole
from tests.evaluation.fixture import Fixture, attendee, fixture

PEOPLE = [UUID(int=number) for number in range(1, 6)]
FACILITATOR = UUID(int=9)
_STATES = st.sampled_from([AttendanceState.ATTENDED, *AttendanceState])
_WHO = st.sampled_from([*PEOPLE, FACILITATOR])


def role_of(member_id: UUID) -> MeetingRole:
    return MeetingRole.FACILITATOR if member_id == FACILITATOR else MeetingRole.PARTICIPANT


@dataclasses.dataclass
class History:
    """What meetings published of one meeting, in its order, and the newest attendance in the end."""

    events: list[Event]
    newest: dict[UUID, AttendanceState]

    def eligible(self) -> set[UUID]:
        return {each for each in PEOPLE if each in self.newest and self.newest[each].was_there}


@dataclasses.dataclass(frozen=True)
class Plan:
    """One meeting's life, and how the broker and the people behave."""

    records: list[dict[UUID, AttendanceState]]
    has_wrap_up: bool
    corrections: list[tuple[UUID, AttendanceState]]
    delays: list[int]  # by how many places each event comes late; short of it, the first again
    repeats: list[int]  # after how many deliveries something seen before comes again
    takers: list[tuple[UUID, bool]]  # who tries for a ballot after each delivery, and whether by their link


PLANS = st.builds(
    Plan,
    records=st.lists(st.dictionaries(_WHO, _STATES, min_size=3), min_size=1, max_size=3),
    has_wrap_up=st.sampled_from([True, True, False]),
    corrections=st.lists(st.tuples(_WHO, _STATES), max_size=5),
    delays=st.lists(st.sampled_from([0, 0, 0, 1, 2, 4, 8]), min_size=1, max_size=9),
    repeats=st.lists(st.integers(0, 9), max_size=4),
    takers=st.lists(st.tuples(st.sampled_from(PEOPLE), st.booleans()), min_size=9, max_size=14),
)


def live(meeting: Fixture, plan: Plan) -> History:
    """Let meetings tell the whole life."""
    newest: dict[UUID, AttendanceState] = {}
    events: list[Event] = []
    for changed in plan.records:
        newest |= changed
        events.append(meeting.recorded(attendee(each, state, role_of(each)) for each, state in changed.items()))
    if plan.has_wrap_up:
        events.append(meeting.wrap_up())
    events.append(meeting.closed(attendee(each, state, role_of(each)) for each, state in newest.items()))
    for member_id, state in plan.corrections:
        newest[member_id] = state
        events.append(meeting.corrected(member_id, state, role=role_of(member_id)))
    return History(events, newest)


def take_ballot(meeting: Fixture, member_id: UUID, by_link: bool) -> bool:
    """Whether the person got a ballot."""
    try:
        if by_link:
            ballot_id = meeting.ballot_by_link(meeting.tokens().get(member_id, ""))
        else:
            ballot_id = meeting.ballot_in_room(member_id) if meeting.survey().room_code else ""
        if ballot_id:
            meeting.send(ballot_id)
    except (NotFound, Conflict):
        return False
    return bool(ballot_id)


def as_delivered(events: list[Event], plan: Plan) -> list[Event]:
    """Every event at least once, some late, some again."""
    late = [index + plan.delays[index % len(plan.delays)] for index in range(len(events))]
    order = [events[index] for index in sorted(range(len(events)), key=lambda index: late[index])]
    for place in plan.repeats:
        order.insert(min(len(order), place + 2), order[place % len(order)])
    return order


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLANS)
def test_whoever_was_there_and_has_not_answered_is_asked_and_nobody_else(plan: Plan) -> None:
    with fixture() as meeting:
        history = live(meeting, plan)
        people = list(plan.takers)
        unasked_takers, asked_takers = set[UUID](), set[UUID]()
        for event in as_delivered(history.events, plan):
            meeting.deliver(event)
            if people:
                member_id, by_link = people.pop()
                was_asked = member_id in meeting.asked()
                if take_ballot(meeting, member_id, by_link):
                    (asked_takers if was_asked else unasked_takers).add(member_id)
        standing = stands(meeting)
        assert FACILITATOR not in meeting.asked()
        assert len(meeting.published(SurveyOpened)) == 1
        assert set(meeting.asked()).isdisjoint(unasked_takers)
        assert standing - asked_takers == history.eligible() - unasked_takers - asked_takers
        assert standing <= set(meeting.asked())
        assert may_still_answer(meeting) == standing - asked_takers
        versions = [event.version for event in meeting.published(SurveyInvitationsIssued)]
        assert versions == sorted(set(versions))

        meeting.forget_inbox()
        meeting.deliver(*history.events)
        assert stands(meeting) - asked_takers == standing - asked_takers


def stands(meeting: Fixture) -> set[UUID]:
    """Who is asked in the end, as notifications takes it: the newest event about each person counts."""
    newest: dict[UUID, tuple[int, bool]] = {}
    for event in meeting.published(SurveyInvitationsIssued):
        for each in event.invitations:
            newest[each.member_id] = max(newest.get(each.member_id, (0, False)), (event.version, True))
    for revoked in meeting.published(InvitationRevoked):
        for member_id in revoked.member_ids:
            newest[member_id] = max(newest.get(member_id, (0, False)), (revoked.version, False))
    return {member_id for member_id, (_, is_asked) in newest.items() if is_asked}


def may_still_answer(meeting: Fixture) -> set[UUID]:
    """Whose link opens the questions."""
    found = set()
    for member_id, token in meeting.tokens().items():
        with suppress(NotFound, Conflict):
            meeting.ballot_by_link(token)
            found.add(member_id)
    return found
