"""The services of a deployment, driven in this process: each command as RPC would give it, events by the pump."""

from collections.abc import Callable
from email.message import EmailMessage
from importlib import import_module
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid5

from sqlalchemy import func, select

from pratique import arguments, clock, due, inbox, outbox
from pratique.bus import reactions_of
from pratique.due import DUE
from pratique.event import Envelope
from pratique.events.evaluation import SurveyInvitationsIssued
from pratique.pump import pump
from pratique.settings import SERVICES, Settings
from pratique.store import Store

_SPACE = UUID("a1f2c7de-5a0e-4d0c-9a5e-0e5b7f0c2026")


def id_of(kind: str, key: object) -> UUID:
    """The id that the sample gives to a thing: always the same."""
    return uuid5(_SPACE, f"{kind}/{key}")


class Forgetful:
    """A post for mails of the past: they were sent long ago, and nobody is to get them now."""

    def send(self, mail: EmailMessage) -> None:
        """Keep nothing."""

    def rest(self) -> None:
        """Hold nothing."""


def _mail_loop(settings: Settings, opened: Store) -> Callable[[], bool]:
    delivery, mails = import_module("services.notifications.delivery"), import_module("services.notifications.mails")
    letterhead = mails.Letterhead(settings.mail_from, settings.public_url)
    return lambda: delivery.deliver(opened, Forgetful(), letterhead) > 0


class Network:
    """Open stores, and what moves between them."""

    def __init__(self, settings: Settings) -> None:
        self.stores = {name: Store(name, settings.store_url(name)) for name in SERVICES}
        self._reactions: dict[str, inbox.Reactions] = {name: reactions_of(name) for name in SERVICES}
        self._handlers: dict[str, due.Handlers] = {
            name: import_module(f"services.{name}.reactions").DUE for name in SERVICES
        }
        self._send_mail = _mail_loop(settings, self.stores["notifications"])

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
        """Let everything follow that follows now: events, what is due, mails."""
        while True:
            moved = pump(self.stores, self._reactions)
            for name, handlers in self._handlers.items():
                while due.run_next(self.stores[name], handlers):
                    moved += 1
            while self._send_mail():
                moved += 1
            if not moved:
                return

    def is_used(self) -> bool:
        """Whether anybody is recorded, or anything was published of late; what is older may be forgotten."""
        with self.stores["membership"].begin() as session:
            models = import_module("services.membership.models")
            if any(
                session.scalar(select(func.count()).select_from(each)) for each in (models.Community, models.Member)
            ):
                return True
        for opened in self.stores.values():
            with opened.begin() as session:
                if session.scalar(select(func.count()).select_from(outbox.EVENT_LOG)):
                    return True
        return False

    def has_community(self, community_id: UUID) -> bool:
        """Whether this community is recorded. The event log would not do: it forgets after some weeks."""
        with self.stores["membership"].begin() as session:
            community = import_module("services.membership.models").Community
            return session.get(community, community_id) is not None

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
            bodies = session.scalars(select(log.body).where(mine)).all()
        events = [Envelope.from_bytes(body).event for body in bodies]
        return {
            invitation.member_id: invitation.token
            for event in events
            if isinstance(event, SurveyInvitationsIssued)
            for invitation in event.invitations
        }
