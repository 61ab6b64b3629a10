"""Network under test, seen from outside: HTTP requests in, mails out, and the clock."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

from chassis import clock
from chassis.messaging import outbox
from chassis.settings import SERVICES, Settings
from chassis.storage.store import Store
from gateway.auth import create_token
from tests.harness.client import Response
from tests.harness.mails import MailFolder, asks, link_in
from tests.harness.people import Community, People
from tests.harness.quiescence import is_quiescent, next_retry

AT = datetime(2026, 3, 12, 14, 0, tzinfo=UTC)  #: when a network begins, unless a test says otherwise


class Network(People):
    """Four services and the gateway; each runtime says how requests are sent and how events are carried."""

    def __init__(self, settings: Settings, stores: Mapping[str, Store], maildir: Path) -> None:
        self.settings, self.stores = settings, stores
        self.services = {name: stores[name] for name in SERVICES}  #: the stores between which events are carried
        self.mailbox = MailFolder(maildir)
        with self.stores["gateway"].begin() as session:
            self.token = create_token(session, "journey", ["*"])

    @abstractmethod
    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send one HTTP request, with a token for everything."""

    @abstractmethod
    def settle_now(self) -> None:
        """Return when everything that can happen at this instant has happened."""

    def settle(self) -> None:
        """Return when nothing is under way any more; the clock moves on to what is tried again in some minutes."""
        while True:
            self.settle_now()
            if at := next_retry(self.services):
                clock.move(max(at - clock.now(), timedelta()))
            elif self.is_quiescent():
                return

    def is_quiescent(self) -> bool:
        """Return whether nothing is under way."""
        return is_quiescent(self.services)

    def advance(self, **span: float) -> None:
        """Move the clock, and let what is due happen."""
        clock.move(timedelta(**span))
        self.settle()

    def redeliver_everything(self) -> None:
        """Offer every event that was ever published once more, in all services."""
        for opened in self.services.values():
            with opened.begin() as session:
                outbox.offer_again(session, AT - timedelta(days=400))
        self.settle()

    def ok(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request that must succeed, and return the body of its answer."""
        answer = self.request(method, path, body, headers)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.text}"
        return answer.json

    def mails(self, to: str | None = None, about: str | None = None) -> list[EmailMessage]:
        """Return the mails that have left, oldest first: to whom, and with which words in the subject."""
        return [
            mail
            for mail in self.mailbox.mails()
            if (to is None or to in str(mail["To"])) and (about is None or about in str(mail["Subject"]))
        ]

    def survey_links(self, member_id: str) -> list[str]:
        """Return the tokens of the survey links that this person was sent, oldest first."""
        return [link_in(mail) for mail in self.mails(to=self.address_of(member_id)) if asks(mail)]

    # Steps of a sample community, each until nothing more follows from it.

    def create_community(self, members: int, locale: str = "fr", kind: str = "individuals") -> Community:
        """Record a community and its members, everyone in their own name."""
        community = Community(str(uuid4()), [str(uuid4()) for _ in range(members)])
        self.put_community(community.id, kind=kind, locale=locale)
        self.put_members(community.id, community.member_ids, locale=locale)
        self.settle()
        return community

    def join(self, community_id: str, name: str, locale: str = "fr", member_id: str | None = None) -> str:
        """Record a person who belongs to the community, and return their id."""
        member_id = member_id or str(uuid4())
        self.put_member(member_id, name, locale=locale)
        self.add_to_community(community_id, member_id)
        return member_id

    def schedule(self, *community_ids: str, **fields: Any) -> str:
        """Schedule a meeting in a week, and return its id."""
        meeting_id = str(uuid4())
        self.put_meeting(meeting_id, *community_ids, **{"starts_at": clock.now() + timedelta(days=7)} | fields)
        self.settle()
        return meeting_id

    def hold(self, meeting_id: str, states: Mapping[str, str]) -> None:
        """Go to the meeting's hour, start it, and take attendance."""
        self.advance(days=7)
        self.start(meeting_id)
        self.record_attendance(meeting_id, states)
        self.settle()
