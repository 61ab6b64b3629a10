"""One service on a store of its own: events go in as the broker delivers them, commands and queries run as for RPC."""

from typing import Any, TypeVar

from sqlalchemy import select

from chassis.messaging import inbox
from chassis.rpc.requests import Handlers
from chassis.scheduling import due
from chassis.storage.store import Store
from chassis.testing import crossed, published, wire
from pratique.event import Event
from pratique.request import Request

Some = TypeVar("Some", bound=Event)


class ServiceFixture:
    """A service without a bus; subclasses know its domain."""

    def __init__(
        self,
        store: Store,
        reactions: inbox.Reactions,
        handlers: due.Handlers | None = None,
        requests: Handlers | None = None,
    ) -> None:
        self.store, self._reactions = store, reactions
        self._handlers, self._requests = handlers or {}, requests or {}

    def deliver(self, *events: Event) -> None:
        """Deliver these in one batch, each with an id of its own; none may fail."""
        before = self.read(select(inbox.PARKED.c.id))
        inbox.receive(self.store, self._reactions, [wire(event) for event in events])
        assert self.read(select(inbox.PARKED.c.error).where(inbox.PARKED.c.id.not_in([id for (id,) in before]))) == []

    def call(self, kind: type[Request], /, **said: Any) -> Any:
        """Run one command or query, as a caller sends it, in a transaction of its own."""
        return self.carry_out(kind(**said))

    def carry_out(self, request: Request) -> Any:
        """Run one command or query that is made already."""
        with self.store.begin() as session:
            return self._requests[type(request)](session, crossed(request))

    def read(self, statement: Any) -> list[Any]:
        """Return the rows of a statement."""
        with self.store.begin() as session:
            return list(session.execute(statement))

    def published(self, event_class: type[Some]) -> list[Some]:
        """Return what subscribers hear, oldest first."""
        with self.store.begin() as session:
            return published(session, event_class)

    def run_due(self) -> None:
        """Do all that is due by now; nothing may fail."""
        while due.run_next(self.store, self._handlers):
            pass
        assert self.read(select(due.DUE.c.error).where(due.DUE.c.error.is_not(None))) == []
