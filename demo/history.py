"""Two years in the life of the sample network, in the order in which things happened."""

import heapq
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import clock
from demo.network import Network, id_of
from demo.people import COMMENTS, COMMUNITIES, FIRST_NAMES, LAST_NAMES, ORGANIZATIONS, PLACES, Plan
from pratique.requests.evaluation import CastSlip, ConfirmBallot, GetSurvey, OpenBallot, TakeBallot
from pratique.requests.meetings import (
    CloseMeeting,
    PutMeeting,
    RecordAttendance,
    RegisterMember,
    StartMeeting,
    WrapUpMeeting,
)
from pratique.requests.membership import (
    PutCommunity,
    PutCommunitySet,
    PutMember,
    PutMembership,
    PutNetworkRole,
    PutOrganization,
    PutRole,
    PutSetRole,
)

ZONE = "America/Toronto"
PEOPLE = 120
#: Employees with a role over the whole network, and no membership.
STAFF = {"coordinator": ("Solange", "Vaillancourt"), "network_admin": ("Édouard", "Beaulieu")}
#: Communities that somebody coordinates as a whole, and who: an employee without a membership, too.
REGION, IN_REGION = "Estrie et Centre-du-Québec", ("code", "cercle", "climate")
REGIONAL_COORDINATOR = ("Hector", "Quintal")
_AHEAD = timedelta(days=21)  #: how long before a meeting it is scheduled


class History:
    """An agenda of what was done when, played with the clock set to each moment."""

    def __init__(self, network: Network, begin: datetime, end: datetime) -> None:
        self._network, self._begin, self._end = network, begin, end
        self._chance = random.Random(2026)  # noqa: S311  (a sample that is the same each time)
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._members: dict[str, list[int]] = {}

    def play(self, progress: Callable[[int, int], None]) -> None:
        """Do everything, in order, and what follows from it. The clock must stand at the beginning."""
        self._found_network()
        for plan in COMMUNITIES:
            for number, starts_at in enumerate(self._dates(plan)):
                self._at(starts_at - _AHEAD, partial(self._schedule, plan, number, starts_at))
        total = done = 0
        while self._agenda:
            at, _, act = heapq.heappop(self._agenda)
            if at > self._end:
                continue
            self._go_to(at)
            act()
            self._network.settle()
            done += 1
            total = max(total, done + len(self._agenda))
            progress(done, total)
        self._go_to(self._end)

    def _at(self, at: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (max(at, self._begin), next(self._order), act))

    def _go_to(self, at: datetime) -> None:
        """Move the clock, stopping wherever something is due on the way."""
        while (due_at := self._network.next_due()) is not None and due_at <= at:
            clock.move(due_at - clock.now())
            self._network.settle()
        clock.move(max(at - clock.now(), timedelta(0)))

    def _found_network(self) -> None:
        organizations = self._found_organizations()
        names = self._chance.sample(list(itertools.product(FIRST_NAMES, LAST_NAMES)), PEOPLE)
        english = {number for number in range(PEOPLE) if number % 3 == 0}
        for number, (first, last) in enumerate(names):
            self._network.do(
                PutMember,
                member_id=str(_member(number)),
                name=f"{first} {last}",
                email=f"person{number:03}@example.org",
                locale="en" if number in english else "fr",
                timezone=ZONE,
            )
        for plan in COMMUNITIES:
            self._found_community(plan, organizations)
        self._employ_staff()
        self._found_region()
        self._network.settle()

    def _employ_staff(self) -> None:
        """Employ those who look after the whole network and belong to no community."""
        for role, name in STAFF.items():
            self._network.do(PutNetworkRole, member_id=self._employ(role, name), role=role)

    def _found_region(self) -> None:
        """Let a named set of communities be looked after by somebody who sees no others."""
        set_id = str(id_of("set", "region"))
        communities = [str(id_of("community", key)) for key in IN_REGION]
        self._network.do(PutCommunitySet, set_id=set_id, name=REGION, community_ids=communities)
        member_id = self._employ("regional_coordinator", REGIONAL_COORDINATOR)
        self._network.do(PutSetRole, set_id=set_id, member_id=member_id, role="coordinator")

    def _employ(self, post: str, name: tuple[str, str]) -> str:
        """Record somebody who belongs to no community; returns their id."""
        id, email = str(staff_id(post)), f"{post.replace('_', '-')}@example.org"
        self._network.do(PutMember, member_id=id, name=" ".join(name), email=email, locale="fr", timezone=ZONE)
        return id

    def _found_organizations(self) -> Sequence[UUID]:
        found = []
        for number, ((pattern, sector), place) in enumerate(itertools.product(ORGANIZATIONS, PLACES)):
            organization_id = id_of("organization", number)
            name = pattern.format(place)
            payload = {"name": name, "sector": sector, "region": "Québec", "size_band": "1-9"}
            self._network.do(PutOrganization, organization_id=str(organization_id), **payload)
            found.append(organization_id)
        return found

    def _found_community(self, plan: Plan, organizations: Sequence[UUID]) -> None:
        community_id = str(id_of("community", plan.key))
        words = {"name": plan.name, "purpose": plan.purpose, "kind": plan.kind, "locale": plan.locale}
        self._network.do(PutCommunity, community_id=community_id, timezone=ZONE, **words)
        members = sorted(self._chance.sample(range(PEOPLE), plan.members))
        self._members[plan.key] = members
        for number in members:
            payload: dict[str, Any] = {"capacity": "individual"}
            if plan.kind != "individuals":
                organization_id = organizations[number % len(organizations)]
                payload = {"capacity": "representative", "organization_id": str(organization_id)}
            ids = {"community_id": community_id, "member_id": str(_member(number))}
            self._network.do(PutMembership, **ids, **payload)
        facilitator = str(_member(members[0]))
        self._network.do(PutRole, community_id=community_id, member_id=facilitator, role="facilitator")
        coordinator = str(_member(members[1]))
        self._network.do(PutRole, community_id=community_id, member_id=coordinator, role="coordinator")

    def _dates(self, plan: Plan) -> Iterator[datetime]:
        """Return the dates at which the community met, at its usual hour, and will meet next."""
        step = timedelta(days=365 / plan.meetings_a_year)
        day = self._begin + _AHEAD + timedelta(days=self._chance.randrange(5, 40))
        while day < self._end + _AHEAD:
            local = day.astimezone(ZoneInfo(ZONE))
            local += timedelta(days=(plan.weekday - local.weekday()) % 7)
            yield datetime.combine(local.date(), plan.at, ZoneInfo(ZONE))
            day += step * self._chance.uniform(0.85, 1.15)

    def _schedule(self, plan: Plan, number: int, starts_at: datetime) -> None:
        meeting_id = id_of("meeting", f"{plan.key}/{number}")
        ends_at = starts_at + timedelta(minutes=plan.minutes)
        members = self._members[plan.key]
        note_taker = next(each for each in range(PEOPLE) if each not in members)
        self._network.do(
            PutMeeting,
            meeting_id=str(meeting_id),
            community_ids=[str(id_of("community", plan.key))],
            kind="meeting",
            mode=plan.mode,
            starts_at=starts_at.isoformat(),
            ends_at=ends_at.isoformat(),
            timezone=ZONE,
            place="" if plan.mode == "online" else f"Salle {number + 1}, 100, rue {PLACES[number % len(PLACES)]}",
            link="" if plan.mode == "in_person" else f"https://meet.example.org/{plan.key}-{number}",
            themes=[plan.themes[number % len(plan.themes)]] if plan.themes else [],
            facilitator_id=str(_member(members[0])),
            note_taker_id=str(_member(note_taker)),
        )
        for each in self._chance.sample(members, len(members) // 4):
            word = self._chance.choice(["accepted", "accepted", "declined", "tentative"])
            ids = {"meeting_id": str(meeting_id), "member_id": str(_member(each))}
            self._network.do(RegisterMember, **ids, partstat=word)
        if ends_at <= self._end:
            self._at(starts_at, partial(self._hold, plan, meeting_id, ends_at))

    def _hold(self, plan: Plan, meeting_id: UUID, ends_at: datetime) -> None:
        network, id = self._network, str(meeting_id)
        network.do(StartMeeting, meeting_id=id)
        members = self._members[plan.key]
        present = self._chance.sample(members[1:], min(self._chance.randint(*plan.present), len(members) - 1))
        absent = [each for each in members[1:] if each not in present][:2]
        states = {members[0]: "attended"} | dict.fromkeys(present, "attended")
        states |= {present[-1]: "attended_partly"} | dict(zip(absent, ("excused", "no_show"), strict=False))
        entries = [{"member_id": str(_member(each)), "state": state} for each, state in states.items()]
        network.do(RecordAttendance, meeting_id=id, entries=entries)
        self._at(ends_at - timedelta(minutes=5), partial(self._wrap_up, plan, meeting_id, present))
        self._at(ends_at, partial(self._close, plan, meeting_id))

    def _wrap_up(self, plan: Plan, meeting_id: UUID, present: Sequence[int]) -> None:
        self._network.do(WrapUpMeeting, meeting_id=str(meeting_id))
        self._network.settle()
        survey = self._network.do(GetSurvey, meeting_id=str(meeting_id))
        for each in present:
            if self._chance.random() < plan.in_room:
                self._answer(plan, room_code=survey.room_code, member_id=str(_member(each)))

    def _close(self, plan: Plan, meeting_id: UUID) -> None:
        self._network.do(CloseMeeting, meeting_id=str(meeting_id))
        self._network.settle()
        survey = self._network.do(GetSurvey, meeting_id=str(meeting_id))
        for token in self._network.links_of(survey.id).values():
            if self._chance.random() < plan.later:
                after = timedelta(hours=self._chance.randrange(3, 140))
                self._at(clock.now() + after, partial(self._answer, plan, token=token))

    def _answer(self, plan: Plan, **who: str) -> None:
        ballot = self._network.do(OpenBallot, locale=plan.locale, **who)
        answers: list[dict[str, object]] = []
        for question in ballot.questions:
            if question.type == "scale1_5":
                value: object = self._chance.choices([2, 3, 4, 5], [1, 2, 5, 4])[0]
            elif question.type == "yes_no":
                value = self._chance.random() < 0.85
            elif self._chance.random() < 0.3:
                value = self._chance.choice(COMMENTS[plan.locale])
            else:
                continue
            answers.append({"question": question.key, "value": value})
        slip = self._network.do(TakeBallot, ballot_id=ballot.ballot_id).slip
        self._network.do(CastSlip, slip=slip, answers=answers)
        self._network.do(ConfirmBallot, ballot_id=ballot.ballot_id)


def staff_id(role: str) -> UUID:
    """Return the id of the employee who has this role over the whole network, or this post."""
    return id_of("staff", role)


def _member(number: int) -> UUID:
    return id_of("member", number)
