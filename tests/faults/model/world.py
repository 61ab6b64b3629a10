"""The four services as they are, on SQLite in memory; all that surrounds them is in the hands of whoever tries them.

What is ours is real: commands, reactions, inbox, outbox, relay, due work, the sender of mails. What is not ours is
held in memory and may fail: a broker that loses, repeats, delays and reorders, and a server that takes mails.
"""

import os
import random
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.messaging.publisher import NotConfirmed, Outgoing
from chassis.messaging.relay import Relay
from chassis.messaging.transport import transport_of
from chassis.rpc.requests import Handlers
from chassis.scheduling import due
from chassis.settings import EMBEDDED, SERVICES
from chassis.storage.migrate import migrate
from chassis.storage.store import StoreAway
from chassis.testing import crossed, open_at
from operations import composition
from pratique.request import Request
from services.evaluation import commands as evaluation
from services.evaluation import queries as surveys
from services.meetings import commands as meetings
from services.membership import commands as membership
from services.notifications import delivery
from services.notifications.mails import Letterhead, write_mail
from services.notifications.post import Mail, NotSent, Refused, Unknown

HANDLERS: Handlers = {
    **membership.COMMANDS,
    **meetings.COMMANDS,
    **evaluation.COMMANDS,
    **surveys.QUERIES,
}
AT = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)  #: in the weeks after it the clocks change, in America and in Europe
LOOPS_AT_MOST = 2000  #: a network that is busy for longer does not come to rest


class Crash(BaseException):
    """The process ends here, as kill -9 ends it: nothing catches this, and only what was committed stays."""


class Fate(StrEnum):
    """What becomes of an attempt."""

    WELL = "well"
    DIES = "dies"  # the process ends where it would commit
    AWAY = "away"  # the database goes where it would commit
    FAILS = "fails"  # what was written is refused where it would be committed, for a reason that passes
    UNHEARD = "unheard"  # all is done, and nobody hears of it: no acknowledgement, no confirm, no answer


_ENDINGS: dict[Fate, BaseException] = {
    Fate.DIES: Crash(),
    Fate.AWAY: OperationalError("", {}, ConnectionResetError()),
    Fate.FAILS: IntegrityError("", {}, ValueError("refused")),
}


class MailFate(StrEnum):
    """What a mail server does with a mail."""

    TAKES = "takes"
    IS_AWAY = "is away"
    IS_BUSY = "is busy"
    REFUSES = "refuses"
    FALLS_SILENT = "takes it and falls silent"
    SENDER_DIES_BEFORE = "the sender dies before"
    SENDER_DIES_AFTER = "takes it and the sender dies"


@dataclass
class Delivery:
    """A message in the queue of a service."""

    id: UUID
    body: bytes
    not_before: datetime


@dataclass
class Post:
    """A mail server that keeps what it takes, and does to each mail what was planned for it."""

    taken: Callable[[Mail], None]
    fates: deque[MailFate] = field(default_factory=deque)
    refused: set[UUID] = field(default_factory=set)
    troubles: dict[UUID, int] = field(default_factory=dict)  #: attempts of which nobody learned how they ended
    put_off: int = 0  #: attempts that were to be made again

    def send(self, mail: Mail) -> None:
        """Hand over one mail, if the server takes it."""
        id = UUID(mail.id)
        fate = self.fates.popleft() if self.fates else MailFate.TAKES
        if fate in (MailFate.IS_AWAY, MailFate.IS_BUSY):
            self.put_off += 1
            raise NotSent("not now", is_away=fate is MailFate.IS_AWAY)
        if fate is MailFate.REFUSES:
            self.refused.add(id)
            raise Refused("550 no such mailbox")
        if fate is not MailFate.SENDER_DIES_BEFORE:
            self.taken(mail)
        if fate is MailFate.FALLS_SILENT:
            raise Unknown("the connection was lost")
        if fate is not MailFate.TAKES:
            raise Crash

    def rest(self) -> None:
        """Nothing is kept open."""


class Broker:
    """RabbitMQ's place: routes to queues by what the services bind, and hands out in no order."""

    def __init__(self, bindings: dict[tuple[str, str], list[str]]) -> None:
        self._bindings = bindings
        self.queues: dict[str, list[Delivery]] = {name: [] for name in SERVICES}
        self.bodies: dict[UUID, bytes] = {}  #: what was published under each id
        self.confirms_until: int | None = None  #: it goes away after so many messages of the next window

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Route each message; raise NotConfirmed where the broker goes away meanwhile."""
        for index, message in enumerate(messages):
            if self.confirms_until is not None and index >= self.confirms_until:
                self.confirms_until = None
                raise NotConfirmed("the broker went away")
            self._route(message)

    def _route(self, message: Outgoing) -> None:
        id = UUID(message.message_id)
        assert self.bodies.setdefault(id, message.body) == message.body, f"event {id} was published with two bodies"
        for name in self._bindings.get((message.exchange, message.routing_key), ()):
            self.queues[name].append(Delivery(id, message.body, clock.now()))

    def keep_alive(self) -> None:
        """No connection, nothing to keep."""


class World:
    """Made once in a process and emptied for each example: migrating takes a second, copying a migrated store none."""

    def __init__(self) -> None:
        self.stores = {name: open_at(name, "sqlite://") for name in SERVICES}
        self.reactions = {name: composition.reactions_of(name) for name in SERVICES}
        self.due = {name: composition.handlers_of(name) for name in SERVICES}
        self._blank: dict[str, sqlite3.Connection] = {}
        self.raw: dict[str, sqlite3.Connection] = {}
        for name, opened in self.stores.items():
            migrate(opened, composition.migrations_of(name))
            self.raw[name] = opened.engine.raw_connection().driver_connection  # type: ignore[assignment]
            self._blank[name] = sqlite3.connect(":memory:")
            self.raw[name].backup(self._blank[name])
            event.listen(opened.engine, "commit", self._at_commit)
        self._relays = {name: Relay(opened, transport_of(EMBEDDED)) for name, opened in self.stores.items()}
        self._write = partial(write_mail, letterhead=Letterhead("Pratique <p@example.org>", "https://example.org"))
        self._bindings: dict[tuple[str, str], list[str]] = {}
        for name, table in self.reactions.items():
            for each in table:
                self._bindings.setdefault((each.exchange(), each.routing_key), []).append(name)

    def begin_anew(self, taken: Callable[[Mail], None], observe: Callable[[], None]) -> None:
        """Empty all stores, queues and plans; ``observe`` is called after everything that may have changed a store."""
        for name, blank in self._blank.items():
            blank.backup(self.raw[name])
        self._commits_left, self._ends_as = 0, Fate.WELL
        self.refusals = 0  #: so many of the events that flow next are refused by the store, one by one
        self.post, self.broker, self._observe = Post(taken), Broker(self._bindings), observe
        for relay in self._relays.values():
            relay._publisher = self.broker  # type: ignore[assignment]  # where the one to RabbitMQ is made

    def _at_commit(self, connection: Any) -> None:
        if self._commits_left:
            self._commits_left -= 1
            if not self._commits_left or self._ends_as is Fate.FAILS:
                raise _ENDINGS[self._ends_as]

    @contextmanager
    def ending(self, fate: Fate, at_commit: int = 1) -> Iterator[None]:
        """Let what is done here die, or lose its database, at the given commit, counted from one."""
        self._commits_left = at_commit if fate in _ENDINGS else 0
        self._ends_as = fate
        try:
            yield
        except (Crash, StoreAway):
            pass
        finally:
            self._commits_left = 0
            self._observe()

    @property
    def sending(self) -> list[str]:
        """The services that have something to send."""
        return [name for name in SERVICES if self._has(name, "outbox")]

    @property
    def receiving(self) -> list[str]:
        """The services for which something is under way."""
        return [name for name, queue in self.broker.queues.items() if queue]

    def ask(self, kind: type[Request], /, **said: Any) -> Any:
        """One command in one transaction, as RPC runs it."""
        try:
            with self.stores[kind.service].begin() as session:
                return HANDLERS[kind](session, crossed(kind(**said)))
        finally:
            self._observe()

    def relay(self, service: str, fate: Fate = Fate.WELL, part: int = 0) -> int:
        """Send a window; UNHEARD takes the broker away after ``part`` messages of it."""
        self.broker.confirms_until = part if fate is Fate.UNHEARD else None
        with self.ending(fate):
            try:
                return self._relays[service].send_window()
            except NotConfirmed:
                pass
            finally:
                self.broker.confirms_until = None
        return 0

    def deliver(self, service: str, mess: int, at_most: int, fate: Fate = Fate.WELL, at_commit: int = 1) -> bool:
        """Hand the service a batch, repeated and reordered as ``mess`` has it (0: as it came); False if none waits."""
        queue, now = self.broker.queues[service], clock.now()
        ready = [each for each in queue if each.not_before <= now]
        if not ready:
            return False
        if mess:
            random.Random(mess).shuffle(ready)
        batch = ready[:at_most]
        bodies = [each.body for each in batch] + [each.body for each in batch[: mess % 3]]
        with self.ending(fate, at_commit):
            inbox.receive(self.stores[service], self.reactions[service], bodies)
            if fate in (Fate.WELL, Fate.FAILS):  # what failed is parked, and acknowledged
                gone = {id(each) for each in batch}
                queue[:] = [each for each in queue if id(each) not in gone]
        return True

    def _deliver_some(self, service: str, mess: int) -> bool:
        if not self.refusals:
            return self.deliver(service, mess, 25)
        is_any = self.deliver(service, mess, 1, Fate.FAILS, at_commit=2)  # in its batch, and alone
        self.refusals -= is_any
        return is_any

    def run_due(self, service: str, fate: Fate = Fate.WELL, at_commit: int = 1) -> bool:
        """Do the one thing that has been due longest; False if nothing is."""
        with self.ending(fate, at_commit):
            return due.run_next(self.stores[service], self.due[service])
        return True

    def retry(self, service: str, fate: Fate = Fate.WELL, at_commit: int = 1) -> bool:
        """Try what is parked again; False if nothing is due."""
        with self.ending(fate, at_commit):
            return inbox.retry_next(self.stores[service], self.reactions[service])
        return True

    def send_mails(self, fates: Sequence[MailFate] = (), fate: Fate = Fate.WELL, at_commit: int = 1) -> bool:
        """One round of one sender; False if nothing was due."""
        self.post.fates.extend(fates)
        before, done = self._held(), 1
        with self.ending(fate, at_commit):
            done = delivery.deliver(self.stores["notifications"], self.post, self._write)
        self.post.fates.clear()
        for id, _ in self._held() - before:
            self.post.troubles[id] = self.post.troubles.get(id, 0) + 1
        return done > 0

    def _held(self) -> set[tuple[UUID, int]]:
        """The messages that a sender holds, each with the number of its attempt."""
        rows = self.rows("notifications", "select id, attempts from message where state = 'sending'")
        return {(UUID(id), attempts) for id, attempts in rows}

    def publish_all_again(self, service: str, since: datetime) -> None:
        """Put what was published since then back into the outbox, as a repair does."""
        with self.stores[service].begin() as session:
            outbox.offer_again(session, since)

    def flow(self, mess: int) -> bool:
        """Carry all that is not held back until nothing more follows; whether anything did."""
        carried = 0
        for _ in range(LOOPS_AT_MOST):
            moved = sum(self.relay(name) for name in SERVICES if self._has(name, "outbox"))
            moved += sum(self._deliver_some(name, mess and mess + carried) for name in SERVICES)
            if not moved:
                return carried > 0
            carried += moved
        raise AssertionError("events go on for ever")

    def work(self) -> bool:
        """Do all that is due now; whether anything was."""
        done = 0
        for name in SERVICES:
            while self._is_due(name):
                done += self.run_due(name) + self.retry(name)
                assert done < LOOPS_AT_MOST, f"{name} works for ever"
        while self._has("notifications", "message where state in ('queued', 'sending')") and self.send_mails():
            done += 1
            assert done < LOOPS_AT_MOST, "mails are sent for ever"
        return done > 0

    def _is_due(self, service: str) -> bool:
        now = f"'{clock.now():%Y-%m-%d %H:%M:%S.%f}'"
        waits = "where state = 'waiting' and"
        return self._has(service, f"due {waits} due_at <= {now}") or self._has(
            service, f"parked {waits} next_attempt_at <= {now}"
        )

    def _has(self, service: str, rows: str) -> bool:
        """Whether there are such rows; looking past our code costs a hundredth of trying."""
        return bool(self.rows(service, f"select 1 from {rows} limit 1"))

    def rows(self, service: str, sql: str, *values: Any) -> list[Any]:
        """What a store holds, read past all of our code."""
        return self.raw[service].execute(sql, values).fetchall()

    def next_due(self) -> datetime | None:
        """When the next asking, reminder or closing is planned."""
        soon = "state = 'waiting' and kind <> 'forget'"
        ((at,),) = self.rows("evaluation", f"select min(due_at) from due where {soon}")
        return instant(at) if at else None

    def next_try(self) -> datetime | None:
        """When the first of what failed, or was interrupted, is tried again; None if nothing is."""
        asked = [("parked", "min(next_attempt_at)", "state = 'waiting'"), ("due", "min(due_at)", _FAILING)]
        found = [
            self.rows(name, f"select {what} from {table} where {so}") for name in SERVICES for table, what, so in asked
        ]
        found.append(self.rows("notifications", "select min(due_at) from message where state = 'queued'"))
        found.append(self.rows("notifications", "select min(lease_until) from message where state = 'sending'"))
        return min((instant(at) for ((at,),) in found if at), default=None)


_FAILING = "state = 'waiting' and attempts > 0"


def instant(text: str) -> datetime:
    """An instant as SQLite keeps it."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@contextmanager
def same_chance() -> Iterator[None]:
    """Let ids be the same in each run of an example, so that what failed can be done again.

    Rows are still scattered by true chance, and secrets are.
    """
    real, seeded = os.urandom, random.Random(7)
    os.urandom = seeded.randbytes
    try:
        yield
    finally:
        os.urandom = real
