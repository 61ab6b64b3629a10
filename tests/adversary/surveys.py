"""Simulated surveys: who was there, who answered what, when and by which way. Only the simulator knows.

One network is set up once, with a community whose next meeting everybody is invited to; each survey begins from that
state. People, their tempers and the hours at which they answer come from a seed; ids and secrets are by true chance.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis import clock
from tests.adversary import curious
from tests.adversary.network import HOME, ROOM, Copy, Network, overheard
from tests.harness.mails import asks, link_in, parsed, text_of
from tests.harness.network import AT
from tests.harness.people import People, attendance_body

STARTS_AT = AT + timedelta(days=7)
MEMBERS = 26  #: of the community; some of them come
PUPPETS = 4  #: people of the community who stay away, and whom a facilitator may mark as there
SCALES = ("satisfaction", "objectives_reached", "useful_for_work", "free_to_speak")
YES_NO = "would_come_again"
COUNTED = (*SCALES, YES_NO)
COMMENT, MAY_BE_SHOWN = "what_should_change", "comment_may_be_shown"

BALLOT = re.compile(r'name="ballot" value="([^"]+)"')
INVITATION = re.compile(r"/i/[\w-]+")

Sheet = dict[str, Any]  #: question -> answer


@dataclass(frozen=True)
class Person:
    """Somebody of the community."""

    id: UUID
    name: str
    locale: str
    address: str  #: where their mail goes
    comes_from: str  #: the address of their machine at home


@dataclass(frozen=True)
class Answered:
    """Ground truth of one person: what they answered. No adversary is given it."""

    sheet: Sheet
    channel: str
    at: datetime


@dataclass
class Survey:
    """One simulated survey: its ground truth, and what every role could have of it."""

    seed: int
    people: list[Person]  #: all of the community
    there: list[UUID] = field(default_factory=list)  #: who is asked: who was there when the survey closed
    answered: dict[UUID, Answered] = field(default_factory=dict)
    corrected: list[UUID] = field(default_factory=list)  #: removed and recorded again while the survey was open
    meeting_id: UUID = field(default_factory=uuid4)
    survey_id: UUID | None = None
    room_code: str = ""
    while_open: Copy | None = None
    afterwards: Copy | None = None
    heard: list[curious.Heard] = field(default_factory=list)  #: by whoever has a token
    results: dict[str, Any] = field(default_factory=dict)
    began_at: datetime = AT

    @property
    def n(self) -> int | None:
        """How many answers were released; None if they were withheld."""
        return self.results.get("n")


class Simulator(People):
    """Network, and surveys in it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.people = [_person(number) for number in range(MEMBERS + PUPPETS + 1)]
        self.facilitator = self.people[-1]
        self.puppets = self.people[MEMBERS:-1]
        self.meeting_id, self.community_id = uuid4(), uuid4()
        self.operates = network.token("operator", "*")
        self.facilitates = network.token("facilitator", "meetings:write", "surveys:facilitate", "surveys:read")
        self.integrates = network.token(
            "integrator", "surveys:read", "messages:read", "meetings:read", "membership:read"
        )
        with clock.fixed(AT):
            self._found()
        self.invitations = {each.recipient: path_in(each.content) for each in network.letters}
        self._base = network.remember()
        self.before = network.copy()  #: what anybody has who copied the stores before the meeting

    def _found(self) -> None:
        """Make a community, its members, its facilitator, and a meeting in a week to which all are invited."""
        self.put_community(self.community_id)
        for person in self.people:
            self.put_member(person.id, person.name, email=person.address, locale=person.locale)
            self.add_to_community(self.community_id, person.id)
        administrator, coordinator, member, _ = (each.id for each in self.puppets)
        self.put_role(self.community_id, self.facilitator.id)
        self.put_role(self.community_id, coordinator, "coordinator")
        self.ok("PUT", f"/v1/roles/{administrator}/network_admin", {})
        people = {"facilitator": self.facilitator.id, "coordinator": coordinator, "member": member}
        people["administrator of the network"] = administrator
        self.cookies = {role: self.network.sign_in(id) for role, id in people.items()}
        self.network.settle()
        said = {"mode": "hybrid", "place": "Salle 3", "facilitator_id": str(self.facilitator.id)}
        ends_at = (STARTS_AT + timedelta(minutes=90)).isoformat()
        self.put_meeting(self.meeting_id, self.community_id, starts_at=STARTS_AT, ends_at=ends_at, **said)
        self.network.settle()

    def ok(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, token: str = ""
    ) -> Any:
        """Send a request that must succeed, and return the body of its answer."""
        response = self.network.ask(method, path, token=token or self.operates, json=body, headers=headers or {})
        assert response.status_code < 300, f"{method} {path}: {response.status_code} {response.text}"
        return response.json if response.text else None

    def lead(self, method: str, path: str, body: Any = None) -> Any:
        """What the facilitator does by the API."""
        return self.ok(method, path, body, token=self.facilitates)

    # A survey, step by step.

    @contextmanager
    def evening(self, seed: int) -> Iterator["Evening"]:
        """A meeting that is about to start, on stores that are as before."""
        self.network.put_back(self._base)
        with clock.fixed(STARTS_AT):
            yield Evening(self, Survey(seed, self.people, meeting_id=self.meeting_id))


class Evening:
    """The meeting of one survey, and the week after it."""

    def __init__(self, simulator: Simulator, survey: Survey) -> None:
        self.simulator, self.survey, self.network = simulator, survey, simulator.network
        self.by_id = {person.id: person for person in simulator.people}
        self.passes: dict[UUID, str] = {}  #: what the phones of those hold who opened their invitation

    def begin(self, there: list[UUID], *others: UUID) -> None:
        """These people come, and these others are marked as there; the wrap-up begins and the survey is open."""
        self.survey.there = list(there)
        self._step("start")
        self.mark(dict.fromkeys((*there, *others, self.simulator.facilitator.id), "attended"))
        clock.move(timedelta(minutes=80))
        self._step("wrap-up")
        self.network.settle()
        seen = self.simulator.lead("GET", f"/v1/meetings/{self.survey.meeting_id}/survey")
        self.survey.room_code, self.survey.survey_id = seen["room_code"], UUID(seen["id"])
        self.survey.began_at = clock.now()

    def mark(self, states: Mapping[UUID, str]) -> None:
        """Take or correct attendance."""
        body = attendance_body({str(id): state for id, state in states.items()})
        self.simulator.lead("PUT", f"/v1/meetings/{self.survey.meeting_id}/attendance", body)
        self.network.settle()

    def close(self) -> None:
        """The meeting is closed, and whoever has not answered is asked by mail."""
        self._step("close")
        self.network.settle()

    def close_without_mails(self, meanwhile: Callable[[], None]) -> None:
        """As ``close``, with something that happens before anything else is delivered."""
        self._step("close")
        meanwhile()
        self.network.settle()

    def _step(self, verb: str) -> None:
        self.simulator.lead("POST", f"/v1/meetings/{self.survey.meeting_id}/{verb}")

    def answer_in_room(self, member: UUID, sheet: Sheet) -> None:
        """Someone answers with the room's code."""
        who = {"room_code": self.room_code, "member_id": str(member), "locale": self.by_id[member].locale}
        self._answer(member, sheet, "room", ROOM, **who)

    def open_invitation(self, member: UUID) -> None:
        """Someone opens their invitation on their phone, at home, which holds their pass from then on."""
        person = self.by_id[member]
        page = self.network.ask("GET", self.simulator.invitations[person.address], person.comes_from)
        assert page.status_code == 200, page.text
        self.passes[member] = page.headers["Set-Cookie"].partition(";")[0]

    def answer_with_pass(self, member: UUID, sheet: Sheet) -> None:
        """Someone answers in the room, on the page, with the phone that opened their invitation."""
        held, path = {"Cookie": self.passes[member]}, f"/r/{self.room_code}?lang={self.by_id[member].locale}"
        page = self.network.ask("GET", path, ROOM, headers=held)
        ballot = BALLOT.search(page.text)
        assert ballot, page.text
        words = {True: "true", False: "false"}
        form = {
            f"q.{key}": words.get(value, value) if isinstance(value, bool) else value for key, value in sheet.items()
        }
        said = form | {"step": "answer", "ballot": ballot[1]}
        sent = self.network.ask("POST", path, ROOM, headers=held, data=said)
        assert sent.status_code == 200, sent.text
        self.survey.answered[member] = Answered(sheet, "room", clock.now())
        self.network.settle()

    def answer_by_link(self, member: UUID, sheet: Sheet) -> bool:
        """Someone opens the link of their newest mail, on the page, and answers; False if they were never asked."""
        token = self.link_of(member)
        if token is None:
            return False
        person = self.by_id[member]
        page = self.network.ask("GET", f"/s/{token}", person.comes_from)
        assert page.status_code == 200, page.text
        self._answer(member, sheet, "message", person.comes_from, token=token, locale=person.locale)
        return True

    def _answer(self, member: UUID, sheet: Sheet, channel: str, address: str, **who: str) -> None:
        ballot = self.network.take(address, **who)
        assert ballot.status_code < 300, ballot.text
        sent = self.network.send(address, ballot.json["ballot_id"], answers_of(sheet))
        assert sent.status_code == 204, sent.text
        self.survey.answered[member] = Answered(sheet, channel, clock.now())
        self.network.settle()

    def change_address(self, member: UUID, address: str) -> None:
        """Whoever may write members gives one another address."""
        person, known = self.by_id[member], self.simulator.ok("GET", f"/v1/members/{member}")
        version = {"If-Match": f'"{known["version"]}"'}
        self.simulator.put_member(member, person.name, email=address, locale=person.locale, headers=version)

    def link_of(self, member: UUID) -> str | None:
        """The token in the newest mail that asks this person."""
        own = [each for each in self.network.letters if each.recipient == self.by_id[member].address]
        found = [link_in(mail) for mail in (parsed(each.content.encode()) for each in own) if asks(mail)]
        return found[-1] if found else None

    @property
    def room_code(self) -> str:
        """What the room was shown."""
        return self.survey.room_code

    def at(self, **since: float) -> datetime:
        """An instant, counted from the opening of the survey."""
        return self.survey.began_at + timedelta(**since)

    def go_to(self, at: datetime) -> None:
        """Let time pass, with all that is due meanwhile at its hour."""
        while (due_at := self.network.next_due()) and due_at <= at:
            clock.move(max(due_at - clock.now(), timedelta()))
            self.network.settle()
        clock.move(max(at - clock.now(), timedelta()))
        self.network.settle()

    def let_it_close(self) -> None:
        """Go to an hour after the survey has closed, and read its results."""
        self.go_to(self.survey.began_at + timedelta(days=7, hours=3))
        self.survey.results = self.simulator.lead("GET", f"/v1/surveys/{self.survey.survey_id}/results")


def play(simulator: Simulator, seed: int, **taste: Any) -> Survey:
    """One survey as it may come, and everything that anybody could have of it."""
    chance = random.Random(seed)
    with overheard(simulator.network), simulator.evening(seed) as evening:
        _play(evening, chance, **taste)
    return evening.survey


def _play(evening: Evening, chance: random.Random, size: tuple[int, int] = (6, 20)) -> None:
    simulator, survey = evening.simulator, evening.survey
    there = [each.id for each in chance.sample(simulator.people[:MEMBERS], chance.randint(*size))]
    evening.begin(there)
    mood = chance.uniform(2.5, 4.6)
    sheets = {each: sheet_of(chance, mood, evening.by_id[each]) for each in there}
    in_room = [each for each in there if chance.random() < 0.5]
    opened_at = clock.now()
    agenda: list[tuple[datetime, int, Callable[[], Any]]] = []

    def plan(at: datetime, act: Callable[..., Any], *given: Any) -> None:
        agenda.append((at, len(agenda), lambda: act(*given)))

    holders = random.Random(f"passes {survey.seed}")  # by a chance of its own, so that a seed means what it meant
    for each in there:
        if holders.random() < 0.5:
            evening.open_invitation(each)
    for each in in_room:
        answer = evening.answer_with_pass if each in evening.passes else evening.answer_in_room
        plan(opened_at + timedelta(seconds=chance.randint(30, 480)), answer, each, sheets[each])
    closed_at = opened_at + timedelta(minutes=10)
    plan(closed_at, evening.close)
    for each in there:
        if each not in in_room and chance.random() < 0.55:
            wait = timedelta(hours=min(chance.expovariate(1 / 40), 160))
            plan(closed_at + timedelta(minutes=2) + wait, evening.answer_by_link, each, sheets[each])
    if chance.random() < 0.3:
        one = chance.choice(there)
        survey.corrected.append(one)
        at = closed_at + timedelta(hours=chance.uniform(1, 60))
        plan(at, evening.mark, {one: "excused"})
        plan(at + timedelta(seconds=20), evening.mark, {one: "attended"})

    def copy() -> None:
        survey.while_open = simulator.network.copy()

    plan(opened_at + timedelta(hours=chance.uniform(0.3, 160)), copy)
    for at in (closed_at - timedelta(seconds=5), closed_at + timedelta(hours=50)):
        plan(at, curious.look_as_facilitator, evening)
    plan(closed_at + timedelta(hours=50), curious.look_as_integrator, evening)
    for at, _, act in sorted(agenda):
        evening.go_to(at)
        act()
    evening.let_it_close()
    curious.look_as_integrator(evening)
    curious.look_as_facilitator(evening)
    survey.afterwards = simulator.network.copy()


def sheet_of(chance: random.Random, mood: float, person: Person) -> Sheet:
    """What somebody thinks: near the mood of the meeting, with their own temper; a comment from every third."""
    temper = chance.gauss(0, 0.9)
    sheet: Sheet = {
        key: max(1, min(5, round(chance.gauss(mood + temper, 0.7)))) for key in SCALES if chance.random() < 0.99
    }
    sheet[YES_NO] = mood + temper > 2.6
    if chance.random() < 0.33:
        sheet[COMMENT] = f"remark {chance.randrange(10**9)}"
        if chance.random() < 0.5:
            sheet[MAY_BE_SHOWN] = True
    return sheet


def answers_of(sheet: Sheet) -> list[dict[str, Any]]:
    """A sheet as the API takes it."""
    return [{"question": key, "value": value} for key, value in sheet.items()]


def path_in(content: str) -> str:
    """Return the path of the person's own link in an invitation."""
    found = INVITATION.search(text_of(parsed(content.encode())))
    assert found, content
    return found[0]


def _person(number: int) -> Person:
    name = f"Personne N{number:02}"
    locale = "en" if number % 5 == 2 else "fr"
    return Person(uuid4(), name, locale, f"p{number:02}@membres.example", f"{HOME}{number + 1}")
