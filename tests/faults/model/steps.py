"""What every step shares: the network, the account of it, and what is checked after each."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, wraps
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, rule

from chassis import clock, testing
from chassis.settings import SERVICES
from pratique.errors import Conflict, DomainError
from pratique.event import Envelope
from pratique.request import Request
from tests.faults.model import rest
from tests.faults.model.cast import Ballot
from tests.faults.model.mailbox import Mailbox
from tests.faults.model.truth import Truth
from tests.faults.model.world import AT, LOOPS_AT_MOST, Fate, World, same_chance


@dataclass
class Tally:
    """What was seen in all examples of this process."""

    examples: int = 0
    steps: int = 0
    rests: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    linkage: rest.Linkage = field(default_factory=rest.Linkage)

    def count(self, what: str, by: int = 1) -> None:
        """One more of these."""
        self.counts[what] = self.counts.get(what, 0) + by


WHICH = some.integers(0, 63)  #: which of several, counted round and round
WHO = some.integers(0, 1023)  #: which of some, a bit for each
Thing = TypeVar("Thing")
TALLY = Tally()


def one_of(things: Sequence[Thing], which: int) -> Thing:
    """One of these."""
    return things[which % len(things)]


def those_of(things: Sequence[Thing], who: int) -> list[Thing]:
    """Some of these, three of four as a rule; all for 0."""
    return [
        each for index, each in enumerate(things) if not who or who >> index % 10 & 1 or who >> (index + 3) % 10 & 1
    ]


@cache
def world() -> World:
    """The one of this process."""
    return World()


def step(**drawn: Any) -> Callable[[Any], Any]:
    """A rule that is counted."""

    def counted(function: Any) -> Any:
        @wraps(function)
        def act(self: Any, **said: Any) -> None:
            TALLY.steps += 1
            TALLY.count(function.__name__)
            self.since_rest += 1
            function(self, **said)

        return rule(**drawn)(act)

    return counted


class Steps(RuleBasedStateMachine):
    """A network to live in and an account of what must be true of it; subclasses say what may happen."""

    def __init__(self) -> None:
        super().__init__()
        self._outside = sys.exc_info()[1]
        self._held = [clock.fixed(AT), same_chance()]
        for each in self._held:
            each.__enter__()
        self.world, self.truth = world(), Truth()
        self.mailbox = Mailbox(self.world, self.truth)
        self.events = self.truth.events
        self.versions: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._read = {(name, table): 0 for name in SERVICES for table in ("event_log", "inbox")}
        self.ballots: list[Ballot] = []  #: given out, and perhaps sent
        self.said = 0
        self.since_rest = 0  #: steps
        self.next_fate = Fate.WELL  #: of the next command
        self.world.begin_anew(self.mailbox.take, self.observe)
        TALLY.examples += 1

    def ask(self, kind: type[Request], /, **said: Any) -> Any:
        """Give a command. Where the service dies, people give it again; where no answer comes, they give it twice."""
        fate, self.next_fate = self.next_fate, Fate.WELL
        if fate in (Fate.DIES, Fate.AWAY):
            before = len(self.events)
            with self.world.ending(fate):
                self.world.ask(kind, **said)
            assert len(self.events) == before, "an event was written by a command that was not"
        result = self.world.ask(kind, **said)
        if fate is Fate.UNHEARD and kind.service != "evaluation":  # whose refusals say that it was heard before
            before = len(self.events)
            self.world.ask(kind, **said)
            assert len(self.events) == before, f"{kind.__name__} says it again when it is said again"
        return result

    def do(self, kind: type[Request], may: bool = True, why: Any = Conflict, /, **said: Any) -> Any:
        """Give a command, which works if, and only if, it ``may``; None if it was refused."""
        result, refusal = None, None
        try:
            result = self.ask(kind, **said)
        except DomainError as error:
            refusal = error
        assert may == (refusal is None), f"{kind.__name__} was {'refused' if may else 'not refused'}: {refusal!r}"
        assert may or isinstance(refusal, why), f"{kind.__name__} was refused for another reason: {refusal!r}"
        return result

    def observe(self) -> None:
        """Read what was heard and published since the last time, and hold it against the account."""
        news: list[Envelope] = []
        for name in SERVICES:
            for body in self._published(name):
                envelope = testing.heard(body)
                assert envelope.id not in self.events, "two events have one id"
                self.events[envelope.id] = envelope
                subject = self.versions.setdefault((name, envelope.event.subject), [])
                subject.append((envelope.event.version, type(envelope.event).__name__))
                news.append(envelope)
        for name in SERVICES:
            after = self._read[name, "inbox"]
            heard = self.world.rows(name, "select rowid, event_id from inbox where rowid > ? order by rowid", after)
            if heard:
                self._read[name, "inbox"] = heard[-1][0]
                self.truth.hear(name, [self.events[UUID(id)] for _, id in heard])
        for envelope in news:
            TALLY.count(type(envelope.event).__name__)
            self.truth.follow(envelope)
        self.truth.check_surveys()
        assert not self.world.rows("evaluation", 'select 1 from "release" where n < 5'), "a result below five"

    def _published(self, service: str) -> list[bytes]:
        """What this service has published since the last time."""
        after = self._read[service, "event_log"]
        if service == "evaluation":  # which forgets the newest at times, and SQLite gives their numbers anew
            known = self.world.rows(service, "select id, seq from event_log order by seq")
            after = next((seq - 1 for id, seq in known if UUID(id) not in self.events), after)
        rows = self.world.rows(service, "select seq, body from event_log where seq > ? order by seq", after)
        if rows:
            self._read[service, "event_log"] = rows[-1][0]
        return [body for _, body in rows]

    def come_to_rest(self) -> None:
        """Let everything arrive and be done, going on to what is tried again, and then check everything."""
        for queue in self.world.broker.queues.values():
            for each in queue:
                each.not_before = min(each.not_before, clock.now())
        for _ in range(LOOPS_AT_MOST):
            if self.world.flow(0) or self.world.work():
                continue
            at = self.world.next_try()
            if at is None:
                break
            clock.move(max(at - clock.now(), timedelta(seconds=1)))
        else:
            raise AssertionError("the network does not come to rest")
        rest.check(self.world, self.truth, self.mailbox, self.versions)
        TALLY.rests += 1
        self.since_rest = 0
        for survey in self.truth.surveys.values():
            if survey.closed is None and len(survey.casts) == len(survey.taken):
                TALLY.linkage.look(self.world, survey)

    def teardown(self) -> None:
        """Come to rest, unless something went wrong before, and leave the clock as it was."""
        try:
            if sys.exc_info()[1] is self._outside:
                self.come_to_rest()
        finally:
            for each in reversed(self._held):
                each.__exit__(None, None, None)
