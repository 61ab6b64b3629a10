"""Network whose processes end during a scenario, one after the other, at one of the named points.

Whatever does something runs in a child of its own the first time, which ends at the point as kill -9 would; then it is
done again, as whoever starts the service anew would do it.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, select

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.rpc.server import Refusal
from chassis.scheduling import due
from chassis.settings import SERVICES, Settings
from chassis.storage.store import Store
from chassis.testing import heard
from operations import composition
from pratique.event import REGISTRY
from pratique.events.notifications import Template
from services.notifications import delivery
from services.notifications.models import Message, State
from tests.faults.points.ending import ends_at
from tests.harness.runtimes import Shuffled

Row = tuple[str, str]  #: a service, and what it does: the name of an event, a kind of due work, a template, a command
REACTIONS = {name: table for name in SERVICES if (table := composition.reactions_of(name))}
HANDLERS = {name: handlers for name in SERVICES if (handlers := composition.handlers_of(name))}
PARKING = ("inbox.before_park", "inbox.parked")  #: the points at which an event is set aside

#: All that services do, by what sets it off.
ROWS: Mapping[str, set[Row]] = {
    "reaction": {(name, event.__name__) for name, table in REACTIONS.items() for event in table},
    "due": {(name, kind) for name, table in HANDLERS.items() for kind in table},
    "mail": {("notifications", str(template)) for template in Template},
    "command": {
        (name, kind.method)
        for name in SERVICES
        for kind in getattr(import_module(f"services.{name}.commands"), "COMMANDS", {})
    },
}


class Interrupted(Shuffled):
    """Events are carried by hand; each of ``rows`` ends its process once, where ``points`` says for its kind."""

    def __init__(self, settings: Settings, stores: Mapping[str, Store], maildir: Path) -> None:
        super().__init__(settings, stores, maildir, seed=0)
        self.points: Mapping[str, str] = {}
        self.rows: Mapping[str, set[Row]] = {}
        self.ended: dict[str, set[Row]] = {kind: set() for kind in ROWS}
        self.is_parked_first = False  #: whether events are set aside before they are handled for the first time

    def _ends(self, kind: str, row: Row, work: Callable[[], object]) -> bool:
        """Whether a child ended while doing this, which is one of the rows that have not ended yet."""
        if not self._is_next(kind, row) or not ends_at(self.points[kind], work, self.stores.values()):
            return False
        self.ended[kind].add(row)
        return True

    def _is_next(self, kind: str, row: Row) -> bool:
        return kind in self.points and row in self.rows[kind] - self.ended[kind]

    def call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        """What the service's own RPC method answers."""
        bound = vars(composition.service_class(service))[method]
        self_like = SimpleNamespace(runtime=self.stores[service])
        self._ends("command", (service, method), lambda: bound(self_like, **payload))
        answer = bound(self_like, **payload)
        if isinstance(answer, Refusal):
            raise answer.error
        return answer

    def settle_now(self) -> None:
        """Let everything happen that can; what a sender held when it ended is free in time."""
        while self._carry() or self._be_on_time() or self._try_again() or self._write():
            pass
        with self.stores["notifications"].begin() as session:
            held = session.scalar(select(Message.lease_until).where(Message.state == State.SENDING))
        if held:
            clock.move(max(held - clock.now(), timedelta()) + timedelta(seconds=1))
            self.settle_now()

    def _carry(self) -> int:
        carried = 0
        for opened in self.services.values():
            with opened.begin() as session:
                waiting = outbox.unpublished(session, 500)
            if not waiting:
                continue
            for name, table in REACTIONS.items():
                self._receive(name, table, [row.body for row in waiting])
            with opened.begin() as session:
                outbox.confirmed(session, [row.seq for row in waiting])
            carried += len(waiting)
        return carried

    def _receive(self, name: str, table: inbox.Reactions, bodies: list[bytes]) -> None:
        opened, together = self.stores[name], []
        for body in bodies:
            event_class = type(heard(body).event)
            row = name, event_class.__name__
            if event_class not in table or not self._is_next("reaction", row):
                together.append(body)
            elif self.is_parked_first:
                self._set_aside(row, opened, body)
            else:
                self._ends("reaction", row, partial(inbox.receive, opened, table, [body]))
                together.append(body)
        inbox.receive(opened, table, together)

    def _set_aside(self, row: Row, opened: Store, body: bytes) -> None:
        """Park it, as what was delivered too often is parked, and try it again twice, when its time comes."""
        park = partial(inbox.park_unread, opened, [body])
        if self.points["reaction"] in PARKING:
            self._ends("reaction", row, park)
        park()
        retry_next = partial(inbox.retry_next, opened, REACTIONS[opened.name])
        for _ in range(2):
            if at := self._first(opened.name, select(func.min(inbox.PARKED.c.next_attempt_at))):
                clock.move(max(at - clock.now(), timedelta()))
                _ = self._ends("reaction", row, retry_next) or retry_next()

    def _be_on_time(self) -> int:
        done = 0
        for name, handlers in HANDLERS.items():
            waiting = (due.DUE.c.state == "waiting") & (due.DUE.c.due_at <= clock.now())
            first = select(due.DUE.c.kind).where(waiting).order_by(due.DUE.c.due_at)
            while kind := self._first(name, first):
                run_next = partial(due.run_next, self.stores[name], handlers)
                done += self._ends("due", (name, kind), run_next) or run_next()
        return done

    def _try_again(self) -> int:
        done = 0
        for name, table in REACTIONS.items():
            waiting = (inbox.PARKED.c.state == "waiting") & (inbox.PARKED.c.next_attempt_at <= clock.now())
            first = select(inbox.PARKED.c.type).where(waiting).order_by(inbox.PARKED.c.next_attempt_at)
            while type_name := self._first(name, first):
                row = name, REGISTRY[type_name].__name__
                retry_next = partial(inbox.retry_next, self.stores[name], table)
                done += self._ends("reaction", row, retry_next) or retry_next()
        return done

    def _write(self) -> int:
        waiting = (Message.state == State.QUEUED) & (Message.due_at <= clock.now())
        held = Message.state == State.SENDING
        if self.stores["notifications"].database.is_shared:  # else whoever held it is known to have ended
            held &= Message.lease_until < clock.now()
        first = select(Message.template).where(waiting | held).order_by(held.desc(), Message.priority, Message.due_at)
        done = 0
        while template := self._first("notifications", first):
            # A sender that has just been started.
            send = delivery.loop(self.settings, self.stores["notifications"])
            done += self._ends("mail", ("notifications", str(template)), send) or send()
        return done

    def _first(self, name: str, statement: Any) -> Any:
        with self.stores[name].begin() as session:
            return session.scalar(statement.limit(1))
