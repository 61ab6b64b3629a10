"""A small network to write to, and a mail server that really speaks SMTP."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from chassis import clock
from chassis.sealing import Seal
from chassis.storage.store import Store
from chassis.testing import memory_store
from pratique.event import Event
from pratique.events import evaluation, meetings, membership
from pratique.events.notifications import Template
from pratique.requests.notifications import MailSignInLink
from pratique.testing import AT, part, sample
from services.notifications import models, reactions
from services.notifications.commands import COMMANDS
from services.notifications.delivery import deliver
from services.notifications.mails import Letterhead, write_mail
from services.notifications.post import FilePost, Post, SmtpPost
from tests.harness.mails import parsed
from tests.harness.service import ServiceFixture
from tests.servers.process import free_port

LETTERHEAD = Letterhead("Pratique <bonjour@pratique.example>", "https://pratique.example")
WRITE = partial(write_mail, letterhead=LETTERHEAD)
STARTS_AT = AT + timedelta(days=7)
ENDS_AT = STARTS_AT + timedelta(minutes=90)
CLOSES_AT = ENDS_AT + timedelta(days=7)
_IDS = UUID("3d1f3f3a-54a5-4ad1-9b7f-2f6c54d3a001")


def named(name: str) -> UUID:
    """The id of whatever has this name in a test."""
    return uuid5(_IDS, name)


class Events:
    """The events of one story; people, communities, meetings and surveys are called by name."""

    def contact(self, name: str, /, locale: str = "fr", version: int = 1, **fields: Any) -> Event:
        at = {"name": name, "email": f"{name.lower()}@membres.example", "timezone": "America/Toronto"}
        return membership.MemberContactChanged(
            member_id=named(name),
            version=version,
            community_ids=(),
            locale=membership.Locale(locale),
            **{"former_email": None, **at, **fields},
        )

    def community(self, name: str) -> Event:
        return sample(membership.CommunityDescribed, community_id=named(name), name=name)

    def joins(self, member: str, community: str, version: int = 1) -> Event:
        return sample(
            membership.MembershipActivated,
            membership_id=named(f"{member} in {community}"),
            community_id=named(community),
            member_id=named(member),
            version=version,
        )

    def leaves(self, member: str, community: str, version: int = 2) -> Event:
        return sample(
            membership.MembershipEnded,
            membership_id=named(f"{member} in {community}"),
            community_id=named(community),
            member_id=named(member),
            version=version,
        )

    def role(self, member: str, community: str, role: str = "facilitator") -> Event:
        return self._role(membership.RoleAssigned, member, community, role, 1)

    def role_ended(self, member: str, community: str, role: str = "facilitator") -> Event:
        return self._role(membership.RoleEnded, member, community, role, 2)

    def _role(self, kind: type[Event], member: str, community: str, role: str, version: int) -> Event:
        return sample(
            kind,
            assignment_id=named(f"{member} {role} {community}"),
            community_id=named(community),
            member_id=named(member),
            role=membership.Role(role),
            version=version,
        )

    def scheduled(self, meeting: str, *communities: str, **fields: Any) -> Event:
        return sample(meetings.MeetingScheduled, **self._meeting(meeting, communities, fields))

    def changed(self, meeting: str, *communities: str, version: int = 2, **fields: Any) -> Event:
        """``changed`` names what did; facilitator and note taker by name."""
        return sample(meetings.MeetingChanged, **self._meeting(meeting, communities, {"version": version, **fields}))

    def _meeting(self, meeting: str, communities: Sequence[str], fields: dict[str, Any]) -> dict[str, Any]:
        at = {"starts_at": STARTS_AT, "ends_at": ENDS_AT, "mode": meetings.Mode.HYBRID} | fields
        for role in ("facilitator", "note_taker"):
            at[f"{role}_id"] = named(str(at.pop(role))) if at.get(role) else None
        return at | {"meeting_id": named(meeting), "community_ids": tuple(map(named, communities))}

    def described(self, meeting: str, version: int = 1, **fields: Any) -> Event:
        words = {"themes": ("La relève", "Le compost"), "place": "Salle 3", "link": "https://visio.example/42"}
        return meetings.MeetingDescribed(
            meeting_id=named(meeting),
            version=version,
            **{"community_ids": (), "cancel_reason": "", **words, **fields},
        )

    def cancelled(self, meeting: str, *communities: str, version: int = 2) -> Event:
        return sample(
            meetings.MeetingCancelled,
            meeting_id=named(meeting),
            community_ids=tuple(map(named, communities)),
            version=version,
        )

    def closed(self, meeting: str, *communities: str, there: str = "", absent: str = "") -> Event:
        """``there`` and ``absent`` are names with spaces between."""
        people = {**dict.fromkeys(there.split(), "attended"), **dict.fromkeys(absent.split(), "no_show")}
        return sample(
            meetings.MeetingClosed,
            meeting_id=named(meeting),
            community_ids=tuple(map(named, communities)),
            starts_at=STARTS_AT,
            ends_at=ENDS_AT,
            attendees=self._attendees(people),
            version=4,
        )

    def recorded(self, meeting: str, *communities: str, version: int = 3, **states: str) -> Event:
        """``states`` are those of attendance by name."""
        return sample(
            meetings.AttendanceRecorded,
            meeting_id=named(meeting),
            community_ids=tuple(map(named, communities)),
            attendees=self._attendees(states),
            version=version,
        )

    def corrected(self, meeting: str, *communities: str, who: str, to: str, version: int = 5) -> Event:
        return sample(
            meetings.AttendanceCorrected,
            meeting_id=named(meeting),
            community_ids=tuple(map(named, communities)),
            member_id=named(who),
            to_state=meetings.AttendanceState(to),
            version=version,
        )

    def _attendees(self, states: dict[str, str]) -> tuple[meetings.Attendee, ...]:
        return tuple(
            part(meetings.Attendee, member_id=named(name), state=meetings.AttendanceState(state))
            for name, state in states.items()
        )

    def asked(
        self, meeting: str, *members: str, version: int = 2, token: str = "token", is_anew: bool | None = None
    ) -> Event:
        return self._ask(evaluation.SurveyInvitationsIssued, meeting, members, version, token, is_anew=is_anew)

    def reminded(self, meeting: str, *members: str, version: int = 5, token: str = "again") -> Event:
        return self._ask(evaluation.SurveyReminderDue, meeting, members, version, token)

    def _ask(
        self, kind: type[Event], meeting: str, members: Sequence[str], version: int, token: str, **more: bool | None
    ) -> Event:
        return sample(
            kind,
            survey_id=named(f"survey of {meeting}"),
            meeting_id=named(meeting),
            invitations=tuple(
                part(evaluation.Invitation, member_id=named(member), token=f"{token}-{member}") for member in members
            ),
            closes_at=CLOSES_AT,
            version=version,
            **more,
        )

    def revoked(self, meeting: str, *members: str, version: int = 3) -> Event:
        return evaluation.InvitationRevoked(
            survey_id=named(f"survey of {meeting}"),
            meeting_id=named(meeting),
            community_ids=(),
            member_ids=tuple(map(named, members)),
            version=version,
        )

    def survey_closed(self, meeting: str, *communities: str) -> Event:
        return sample(evaluation.SurveyClosed, **self._survey(meeting, communities), version=9)

    def left_open(self, meeting: str, *communities: str) -> Event:
        about = self._survey(meeting, communities)
        return sample(evaluation.SurveyAskedBeforeClosing, **about, closes_at=CLOSES_AT)

    def _survey(self, meeting: str, communities: Sequence[str]) -> dict[str, Any]:
        of = {"survey_id": named(f"survey of {meeting}"), "meeting_id": named(meeting)}
        return of | {"community_ids": tuple(map(named, communities))}

    def released(self, meeting: str, *communities: str, count: int = 7) -> Event:
        return sample(
            evaluation.ResultsReleased,
            release_id=named(f"release of {meeting}"),
            **self._survey(meeting, communities),
            responses_count=count,
            released_at=clock.now(),
        )

    def withheld(self, meeting: str, *communities: str, **fields: Any) -> Event:
        return sample(evaluation.ResultsWithheld, **self._survey(meeting, communities), **fields)


class Sink:
    """A mail server that keeps what it took, and answers as a test wants."""

    def __init__(self, is_pipelining: bool = False) -> None:
        self.is_pipelining = is_pipelining  #: whether it takes several commands at once (RFC 2920)
        self.mails: list[EmailMessage] = []
        self.at_recipient: list[str] = []  #: to the next recipients, before 250
        self.hangs_up_on = 0  #: so many mails are received whole and never answered
        self.greetings = 0

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:
        self.greetings += 1
        session.host_name = hostname
        return ["250-PIPELINING", *responses] if self.is_pipelining else responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.at_recipient:
            return self.at_recipient.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.hangs_up_on:
            self.hangs_up_on -= 1
            server.transport.abort()
            return "421 gone"
        self.mails.append(parsed(envelope.content))
        return "250 taken"


class Server:
    """The sink on a port of its own; it can be stopped and started again."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._running: Controller | None = None
        self._port = free_port()
        self.url = f"smtp://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._running = Controller(self._sink, hostname="127.0.0.1", port=self._port, ready_timeout=120)
        self._running.start()

    def stop(self) -> None:
        running, self._running = self._running, None
        if running:
            running.stop()


def recipient(mail: EmailMessage) -> str:
    return str(mail["To"].addresses[0].username)


class Fixture(ServiceFixture):
    """Notifications at work: events in, mails out, into a folder."""

    def __init__(self, opened: Store, folder: Path) -> None:
        super().__init__(opened, reactions.REACTIONS, reactions.DUE, COMMANDS)
        self.folder, self.events = folder, Events()
        self.templates: dict[str, str] = {}  #: of every message there ever was, by its id

    @property
    def seal(self) -> Seal:
        """The network's."""
        assert self.store.settings is not None
        return self.store.settings.seal

    def send(self, post: Post | None = None) -> None:
        """Let the senders work until nothing is due."""
        while deliver(self.store, post or FilePost(self.folder), WRITE):
            pass
        self._learn_templates()

    def _learn_templates(self) -> None:
        self.templates |= {str(message.id): message.template.value for message in self.messages()}

    def mails(self) -> list[EmailMessage]:
        """What was written into the folder."""
        return [parsed(path.read_bytes()) for path in sorted(self.folder.glob("*.eml"))]

    def letters(self) -> list[tuple[str, str]]:
        """(template, member's mailbox) of each mail in the folder, by alphabet."""
        self._learn_templates()
        return sorted((self.templates[mail["Message-ID"][1:37]], recipient(mail)) for mail in self.mails())

    def told(self, template: Template) -> list[str]:
        """The mailboxes that got this, by alphabet."""
        return [mailbox for kind, mailbox in self.letters() if kind == template]

    def reads(self, template: Template, member: str) -> str:
        """The text of the newest mail of this kind in a mailbox, in one line."""
        self.letters()
        theirs = [
            mail
            for mail in self.mails()
            if self.templates[mail["Message-ID"][1:37]] == template and recipient(mail) == member
        ]
        return " ".join(theirs[-1].get_body(("plain",)).get_content().split())  # type: ignore[union-attr]

    def messages(self, template: Template | None = None) -> list[models.Message]:
        """All messages, or those of one template, as they stand."""
        by = (models.Message.template, models.Message.created_at, models.Message.id)
        with self.store.begin() as session:
            rows = session.scalars(select(models.Message).order_by(*by))
            return [row for row in rows if template in (None, row.template)]

    def about_survey(self, member: str, template: Template = Template.SURVEY_INVITATION) -> list[models.Message]:
        """The message about the meeting's survey to this person, if there is one."""
        id = models.message_id(self.seal, template, named("survey of rencontre"), named(member))
        return [message for message in self.messages(template) if message.id == id]

    def sealed(self, message: models.Message) -> models.Sealed:
        """What a message's box holds."""
        return models.Sealed.open(self.seal, message.box)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of notifications' own tables."""
        with self.store.begin() as session:
            tables = models.Base.metadata.sorted_tables
            return {each.name: sorted(map(tuple, session.execute(each.select())), key=str) for each in tables}

    def everything(self) -> bytes:
        """All that the store holds, as whoever copies it has it."""
        with self.store.begin() as session:
            raw = session.connection().connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            return raw.serialize()

    def ask_to_sign_in(self, member: str, link: str = "link", lasts: timedelta = timedelta(minutes=15)) -> None:
        """Ask for a link by which this member signs in."""
        at = {"token": f"token-{link}", "expires_at": clock.now() + lasts}
        self.call(MailSignInLink, link_id=named(link), member_id=named(member), **at)

    def invited(self, *members: str, post: Post | None = None) -> None:
        """Two communities, these members in the first, and a meeting of both whose invitations are out."""
        self.deliver(self.events.community("Relève"), self.events.community("Compost"))
        self.deliver(*(self.events.contact(name) for name in members))
        self.deliver(*(self.events.joins(name, "Relève") for name in members))
        self.deliver(self.events.scheduled("rencontre", "Relève", "Compost"), self.events.described("rencontre"))
        self.send(post)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Fixture]:
    with memory_store("notifications", models.Base.metadata) as opened, clock.fixed(AT):
        yield Fixture(opened, tmp_path / "mail")


@pytest.fixture(params=["plain", "pipelining"])
def sink(request: pytest.FixtureRequest) -> Sink:
    return Sink(is_pipelining=request.param == "pipelining")


@pytest.fixture
def server(sink: Sink) -> Iterator[Server]:
    listening = Server(sink)
    listening.start()
    try:
        yield listening
    finally:
        listening.stop()


@pytest.fixture
def post(server: Server) -> Iterator[SmtpPost]:
    opened = SmtpPost(server.url, LETTERHEAD.mail_from, connect_s=2, accept_s=0.5)
    try:
        yield opened
    finally:
        opened.close()
