"""One service on a store of its own: events go in as the broker delivers them, commands and queries run as for RPC."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import select

from chassis.messaging import inbox
from chassis.scheduling import due
from chassis.storage.store import Store
from chassis.testing import published, wire
from pratique.event import Event

Result = TypeVar("Result")
Some = TypeVar("Some", bound=Event)


class ServiceFixture:
    """A service without a bus; subclasses know its domain."""

    def __init__(self, store: Store, reactions: inbox.Reactions, handlers: due.Handlers | None = None) -> None:
        self.store, self._reactions, self._handlers = store, reactions, handlers or {}

    def deliver(self, *events: Event) -> None:
        """Deliver these in one batch, each with an id of its own; none may fail."""
        before = self.read(select(inbox.PARKED.c.id))
        inbox.receive(self.store, self._reactions, [wire(event) for event in events])
        assert self.read(select(inbox.PARKED.c.error).where(inbox.PARKED.c.id.not_in([id for (id,) in before]))) == []

    def call(self, function: Callable[..., Result], **arguments: Any) -> Result:
        """Run one command or query in a transaction of its own."""
        with self.store.begin() as session:
            return function(session, **arguments)

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
