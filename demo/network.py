"""The services of a deployment, driven in this process: each command as RPC would give it, events by `in_process`."""

from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid5

from sqlalchemy import MetaData, delete, func, inspect, select, table, text

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.messaging.bindings import BINDING
from chassis.messaging.in_process import deliver_all
from chassis.rpc.requests import read
from chassis.scheduling import due
from chassis.scheduling.due import DUE
from chassis.settings import Settings
from chassis.storage import audit
from chassis.storage.event_log import RELAY
from chassis.storage.migrate import VERSION_TABLES
from chassis.storage.store import Store, open_store
from chassis.storage.types import CHASSIS_TABLES
from pratique.errors import NotFound
from pratique.events.evaluation import SurveyInvitationsIssued
from pratique.request import Request
from pratique.requests.membership import GetCommunity
from services.notifications.commands import MAIL_LOOP
from services.notifications.delivery import deliver

BEGUN, LOADED = "sample.begun", "sample.loaded"  #: in the audit
_NOT_OWN = {*CHASSIS_TABLES.tables, *VERSION_TABLES}
_LASTING = {audit.AUDIT.name, BINDING.name, *VERSION_TABLES}
_SPACE = UUID("a1f2c7de-5a0e-4d0c-9a5e-0e5b7f0c2026")


def id_of(kind: str, key: object) -> UUID:
    """The id that the sample gives to a thing: always the same."""
    return uuid5(_SPACE, f"{kind}/{key}")


class Forgetful:
    """A post for mails of the past: they were sent long ago, and nobody is to get them now."""

    def send(self, mail: Any) -> None:
        """Keep nothing."""

    def rest(self) -> None:
        """Hold nothing."""

    def write(self, context: Any) -> Any:
        """No mail, since nobody will read it."""


def _mail_loop(opened: Store) -> Callable[[], bool]:
    post = Forgetful()
    return lambda: deliver(opened, post, post.write) > 0


class Network:
    """Open stores, and what moves between them."""

    def __init__(self, settings: Settings, classes: Iterable[Any]) -> None:
        """``classes`` are the nameko classes of all services."""
        self._classes = {each.name: each for each in classes}
        self.stores = {name: open_store(settings, name) for name in self._classes}
        self._reactions: dict[str, inbox.Reactions] = {
            name: each.runtime.reactions for name, each in self._classes.items()
        }
        self._handlers: dict[str, due.Handlers] = {name: each.runtime.handlers for name, each in self._classes.items()}
        self._send_mail = _mail_loop(self.stores["notifications"])
        self._called = {RELAY, MAIL_LOOP}  # who was called by a commit and has not come yet; at first we cannot know
        for opened in self.stores.values():
            for called in (RELAY, MAIL_LOOP):
                opened.on_commit(called, partial(self._called.add, called))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for opened in self.stores.values():
            opened.close()

    def do(self, kind: type[Request], /, **payload: Any) -> Any:
        """Give a command or ask a query, checked as RPC checks it."""
        _, handler = self._classes[kind.service].handlers[kind.method]
        with self.stores[kind.service].begin() as session:
            return handler(session, read(kind, payload))

    def settle(self) -> None:
        """Let everything follow that follows now: events, what is due, mails. Asks again only where a commit called."""
        while True:
            if RELAY in self._called:
                deliver_all(self.stores, self._reactions)
                self._called.remove(RELAY)
            for name, handlers in self._handlers.items():
                while due.run_next(self.stores[name], handlers):
                    pass
            if MAIL_LOOP in self._called:
                while self._send_mail():
                    pass
                self._called.remove(MAIL_LOOP)
            if not self._called:
                return

    def is_used(self) -> bool:
        """Return whether any service has a row. The event log cannot tell: it forgets what is long past."""
        for opened in self.stores.values():
            own = [name for name in inspect(opened.engine).get_table_names() if name not in _NOT_OWN]
            with opened.begin() as session:
                if any(session.execute(select(text("1")).select_from(table(name)).limit(1)).first() for name in own):
                    return True
        return False

    def record(self, action: str) -> None:
        """Record in membership's audit how far the sample has come: it stays there when all else is removed."""
        with self.stores["membership"].begin() as session:
            audit.record(session, action, "sample")

    def is_unfinished(self) -> bool:
        """Return whether loading the sample has begun here and not ended."""
        with self.stores["membership"].begin() as session:
            last = select(audit.AUDIT.c.action).where(audit.AUDIT.c.action.in_((BEGUN, LOADED)))
            return session.scalar(last.order_by(audit.AUDIT.c.seq.desc()).limit(1)) == BEGUN

    def discard(self) -> None:
        """Remove all that the services know and have published here; the audit stays."""
        for opened in self.stores.values():
            found = MetaData()
            found.reflect(opened.engine)
            with opened.begin() as session:
                for each in reversed(found.sorted_tables):
                    if each.name not in _LASTING:
                        session.execute(delete(each))

    def has_community(self, community_id: UUID) -> bool:
        """Return whether membership knows this community."""
        try:
            self.do(GetCommunity, community_id=str(community_id))
        except NotFound:
            return False
        return True

    def next_due(self) -> Any:
        """Return the instant at which work is due next; None if there is none."""
        waiting = select(func.min(DUE.c.due_at)).where(DUE.c.state == "waiting", DUE.c.due_at > clock.now())
        found = []
        for opened in self.stores.values():
            with opened.begin() as session:
                if at := session.scalar(waiting):
                    found.append(at)
        return min(found, default=None)

    def links_of(self, survey_id: UUID) -> dict[UUID, str]:
        """The survey links that went out by mail: member -> token."""
        with self.stores["evaluation"].begin() as session:
            log = outbox.EVENT_LOG.c
            mine = (log.subject == str(survey_id)) & (log.type == SurveyInvitationsIssued.type)
            events = [outbox.read(session, body).event for body in session.scalars(select(log.body).where(mine))]
        return {
            invitation.member_id: invitation.token
            for event in events
            if isinstance(event, SurveyInvitationsIssued)
            for invitation in event.invitations
        }
