"""The services of a deployment, driven in this process: each command as RPC would give it, events by the pump."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid5

from sqlalchemy import func, select

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.messaging.pump import pump
from chassis.rpc import arguments
from chassis.runtime.bus import reactions_of
from chassis.scheduling import due
from chassis.scheduling.due import DUE
from chassis.settings import SERVICES, Settings
from chassis.storage.store import Store, open_store
from pratique.errors import NotFound
from pratique.events.evaluation import SurveyInvitationsIssued

_SPACE = UUID("a1f2c7de-5a0e-4d0c-9a5e-0e5b7f0c2026")


def id_of(kind: str, key: object) -> UUID:
    """The id that the sample gives to a thing: always the same."""
    return uuid5(_SPACE, f"{kind}/{key}")


class Forgetful:
    """A post for mails of the past: they were sent long ago, and nobody is to get them now."""

    def send(self, mail: None) -> None:
        """Keep nothing."""

    def rest(self) -> None:
        """Hold nothing."""

    def write(self, facts: Any) -> None:
        """No mail, since nobody will read it."""


def _mail_loop(opened: Store) -> Callable[[], bool]:
    delivery, post = import_module("services.notifications.delivery"), Forgetful()
    return lambda: delivery.deliver(opened, post, post.write) > 0


class Network:
    """Open stores, and what moves between them."""

    def __init__(self, settings: Settings) -> None:
        self.stores = {name: open_store(settings, name) for name in SERVICES}
        self._reactions: dict[str, inbox.Reactions] = {name: reactions_of(name) for name in SERVICES}
        self._handlers: dict[str, due.Handlers] = {
            name: import_module(f"services.{name}.reactions").DUE for name in SERVICES
        }
        self._send_mail = _mail_loop(self.stores["notifications"])
        self._called = {"outbox", "mail"}  # who was called by a commit and has not come yet; at first we cannot know
        for opened in self.stores.values():
            for called in ("outbox", "mail"):
                opened.on_commit(called, partial(self._called.add, called))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for opened in self.stores.values():
            opened.close()

    def do(self, service: str, command: str, **payload: Any) -> Any:
        """Give a command or ask a query, checked as RPC checks it."""
        for module in ("commands", "queries"):
            function = getattr(import_module(f"services.{service}.{module}"), command, None)
            if function is not None:
                with self.stores[service].begin() as session:
                    return function(session, **arguments.load(function, payload))
        raise LookupError(f"{service} has no {command}")

    def settle(self) -> None:
        """Let everything follow that follows now: events, what is due, mails. Asks again only where a commit called."""
        while True:
            if "outbox" in self._called:
                pump(self.stores, self._reactions)
                self._called.remove("outbox")
            for name, handlers in self._handlers.items():
                while due.run_next(self.stores[name], handlers):
                    pass
            if "mail" in self._called:
                while self._send_mail():
                    pass
                self._called.remove("mail")
            if not self._called:
                return

    def is_used(self) -> bool:
        """Whether any service knows anything here. The event log cannot tell: it forgets what is long past."""
        for name, opened in self.stores.items():
            tables = import_module(f"services.{name}.models").Base.metadata.sorted_tables
            with opened.begin() as session:
                if any(session.execute(select(table).limit(1)).first() for table in tables):
                    return True
        return False

    def has_community(self, community_id: UUID) -> bool:
        """Whether membership knows this community."""
        try:
            self.do("membership", "get_community", community_id=str(community_id))
        except NotFound:
            return False
        return True

    def next_due(self) -> Any:
        """When the next thing will be due that is not yet; None if nothing will."""
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
