"""Transactions of a store: SQLAlchemy's session, which also publishes events, takes locks and wakes loops."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from sqlalchemy import Select, Table
from sqlalchemy.orm import Session

from chassis import clock
from chassis.crashpoint import crashpoint
from chassis.sealing import Seal
from chassis.settings import Settings
from chassis.storage.bulk import Conflict
from chassis.storage.database import Database
from chassis.storage.event_log import EVENT_LOG, OUTBOX, RELAY
from chassis.storage.types import LoopName
from pratique.event import Cause, Envelope, Event


def required(settings: Settings | None) -> Settings:
    """Return the settings, of which a store that was opened without them has none.

    Raises:
        LookupError: there are none.
    """
    if settings is None:
        raise LookupError("this store was opened without settings; `open_store` opens one with them")
    return settings


class Transaction(Session):
    """A session of one transaction, and what happens at its commit and not without it.

    Commands, reactions and due work take it. A function that reads or writes rows and nothing else asks for a plain
    ``Session``.
    """

    def __init__(self, *, database: Database, settings: Settings | None, **options: Any) -> None:
        super().__init__(**options)
        self.database, self._settings = database, settings
        #: From what follows what is published and planned now: an event, or the act of a command; None if nothing yet.
        self.cause: Cause | None = None
        self.is_one_act = True  #: whether all that is published correlates; not so in a reaction to a list of events
        self.published: list[Envelope[Event]] = []  #: not written yet
        self.woken: set[LoopName] = set()

    @property
    def settings(self) -> Settings:
        """Return the settings of the process that opened the store.

        Raises:
            LookupError: the store was opened without them.
        """
        return required(self._settings)

    @property
    def seal(self) -> Seal:
        """Return what closes and opens the sealed boxes of the store's network.

        Raises:
            LookupError: the store was opened without settings.
            Missing: they have no seal key.
        """
        return self.settings.seal

    def publish(self, event: Event, because: Cause | None = None) -> None:
        """Promise to publish the event if, and only if, this commits.

        In a reaction to one event, and in work that is due, the cause is known; a reaction that takes a list says
        ``because`` of which it is. All that a command publishes correlates.
        """
        envelope = Envelope.seal(event, clock.now(), because or self.cause)
        if self.cause is None and because is None and self.is_one_act:
            self.cause = Cause(envelope.correlation_id)
        self.published.append(envelope)

    def wake(self, loop: LoopName) -> None:
        """Wake the loop of this name in this process, after the commit and only then."""
        self.woken.add(loop)

    def lock(self, name: str) -> None:
        """Let no other replica hold the lock of this name until this ends."""
        self.database.locks.hold(self, name)

    def try_lock(self, name: str) -> bool:
        """Take the lock of this name until this ends; False if another replica has it."""
        return self.database.locks.try_hold(self, name)

    def lock_each(self, ids: Iterable[object], is_shared: bool = False) -> None:
        """Let no other replica hold the locks of these ids until this ends, but for others that share."""
        self.database.locks.hold_each(self, ids, is_shared)

    def insert(self, table: Any) -> Any:
        """Return the INSERT of a table or mapped class, with ``on_conflict_do_nothing`` and ``…_do_update``."""
        return self.database.statements.insert(table)

    def insert_many(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        ignore_conflicts: bool = False,
        returning: str | None = None,
        newest: str | None = None,
        sticky: str | None = None,
    ) -> list[Any]:
        """Insert rows that all have the same keys, in one statement; return ``returning`` of those inserted.

        With ``newest`` a row whose primary key is there replaces it if its column of that name is higher; then no two
        rows may share a primary key. ``sticky`` names a column that stays true once it is, whatever replaces the row.
        """
        if not rows:
            return []
        conflict = Conflict(ignore_conflicts, newest, sticky)
        return self.database.statements.insert_many(self, table, rows, conflict, returning)

    def is_one_of(self, column: Any, values: Collection[Any] | Select[Any]) -> Any:
        """Return the condition that a column has one of these values, or of those that a query finds."""
        return self.database.statements.is_one_of(column, values)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what is done within, also what was published, if it ends by an exception; which is raised again."""
        before = len(self.published)
        try:
            with super().begin_nested():
                yield
        except BaseException:
            del self.published[before:]
            raise

    def begin_nested(self) -> NoReturn:
        """Refuse: what was published within would outlive it."""
        raise TypeError("use savepoint(), which takes back what was published within it too")

    def commit(self) -> NoReturn:
        """Refuse: what was published is written by the store, at the end of its ``with`` block."""
        raise TypeError("leave the with block of Store.begin() to commit")

    def rollback(self) -> None:
        """Undo everything, also what was published."""
        self.published.clear()
        super().rollback()

    def write_published(self) -> None:
        """Write what was published into the log and the outbox. The store calls it before the commit."""
        if not self.published:
            return
        rows = [self._row(envelope) for envelope in self.published]
        self.published.clear()
        self.database.statements.insert_and_refer(self, EVENT_LOG, rows, "seq", OUTBOX)
        self.wake(RELAY)
        crashpoint("outbox.written")

    def _row(self, envelope: Envelope[Event]) -> dict[str, Any]:
        """Return an event as the log keeps it and the broker carries it: sealed if it is private."""
        event, settings = envelope.event, self.settings
        body = envelope.to_bytes(settings.public_url, settings.seal if event.is_private else None)
        return {"id": envelope.id, "type": event.type, "subject": event.subject, "body": body, "at": envelope.time}
