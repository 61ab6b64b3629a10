"""Messages and what becomes of them; copies of what mails say, in which the newest version wins."""

import dataclasses
import json
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, text, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis import clock
from chassis.sealing import Seal
from chassis.storage import types
from pratique.event import Cause
from pratique.events.evaluation import WithheldReason
from pratique.events.meetings import MeetingKind, Mode
from pratique.events.membership import Locale, Role
from pratique.events.notifications import DropReason, MessageDropped, MessageFailed, MessageState, Template

#: How long a sender may hold a message. After that its fate is unknown, and it is sent once more.
LEASE = timedelta(minutes=15)

_BOX_BYTES = 512  #: boxes are padded to this, so that their length does not tell what is in them


State = MessageState


class Outcome(StrEnum):
    """The end of a meeting, for those who were invited."""

    CLOSED = "closed"
    CANCELLED = "cancelled"


def message_id(seal: Seal, template: Template, subject_id: UUID, member_id: UUID, number: int = 0) -> UUID:
    """The id of that message, for ever, however often it is asked for; also what its Message-ID header is made of.

    Nobody can compute it without the network's key. ``number`` tells apart what may be said several times.
    """
    key = f"{template}:{subject_id}:{member_id}:{number}"
    return UUID(bytes=seal.mark("message", key.encode())[:16])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sealed:
    """The sealed part of a message: only its sender opens the box."""

    member_id: UUID | None = None  #: to whom, where the row must not say so
    token: str = ""  #: of a survey's link
    address: str = ""  #: where to, if not to the person's own
    replaced_by: str = ""  #: the address that took its place, not in full

    def close(self, seal: Seal) -> bytes:
        """The box, as long as any other."""
        content = vars(self) | {"member_id": self.member_id and str(self.member_id)}
        return seal.close("message", json.dumps(content).encode(), _BOX_BYTES)

    @classmethod
    def open(cls, seal: Seal, box: bytes | None) -> Self:
        """Open the box; empty where there is none.

        Raises:
            BrokenSeal: our key does not open it.
        """
        if box is None:
            return cls()
        content = json.loads(seal.open("message", box))
        return cls(**content | {"member_id": content["member_id"] and UUID(content["member_id"])})


class Base(DeclarativeBase):
    """The tables of notifications."""

    metadata = types.metadata()
    type_annotation_map = types.COLUMN_TYPES


class Message(Base):
    """One mail to one person: queued, then sent, dropped with its reason, or failed with its error."""

    __tablename__ = "message"
    __table_args__ = (
        Index(
            "ix_message_queued",
            "priority",
            "due_at",
            postgresql_where=text("state = 'queued'"),
            sqlite_where=text("state = 'queued'"),
        ),
        Index(
            "ix_message_sending",
            "lease_until",
            postgresql_where=text("state = 'sending'"),
            sqlite_where=text("state = 'sending'"),
        ),
        Index("ix_message_member_id_created_at_id", "member_id", "created_at", "id"),
        Index(
            "uq_message_member_id_template_subject_id_number",
            "member_id",
            "template",
            "subject_id",
            "number",
            unique=True,
            postgresql_where=text("member_id is not null"),
            sqlite_where=text("member_id is not null"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID | None]  # to whom; null where it is about a survey, whose box alone names them
    template: Mapped[Template]
    subject_id: Mapped[UUID]  # the meeting, the survey, the release, or the person that it is about
    number: Mapped[int] = mapped_column(default=0, server_default="0")  # of what is told, or asked, anew
    meeting_id: Mapped[UUID | None] = mapped_column(index=True)
    survey_id: Mapped[UUID | None] = mapped_column(index=True)
    community_ids: Mapped[list[UUID]] = mapped_column(default=list, server_default="[]")
    state: Mapped[State]
    priority: Mapped[int]  # smaller goes first
    source_version: Mapped[int]  # of the aggregate whose event asked for it
    relevant_until: Mapped[datetime]
    due_at: Mapped[datetime]  # not before this
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    interruptions: Mapped[int] = mapped_column(default=0, server_default="0")  # attempts whose outcome is unknown
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    drop_reason: Mapped[DropReason | None]
    box: Mapped[bytes | None] = mapped_column(LargeBinary)  # a closed ``Sealed``; only while it waits to be sent
    correlation_id: Mapped[UUID | None]  # of the event that asked for it
    causation_id: Mapped[UUID | None]  # that event
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]  # when it was sent, dropped or failed

    @property
    def may_have_arrived(self) -> bool:
        """Return whether the person may have read it, as far as anyone can know."""
        return self.state is State.SENT or self.interruptions > 0

    @property
    def cause(self) -> Cause | None:
        """The event that asked for it, for what is published of it."""
        return Cause(self.correlation_id, self.causation_id) if self.correlation_id else None

    def drop(self, reason: DropReason) -> MessageDropped | None:
        """It lost its reason before it was sent. What is to be published of that, if anything."""
        self._settle(State.DROPPED)
        self.drop_reason = reason
        return self.dropped()

    def dropped(self) -> MessageDropped | None:
        """Return the event that it was dropped; none for mails about surveys."""
        if self.member_id is None or self.drop_reason is None:
            return None
        return MessageDropped(
            message_id=self.id,
            community_ids=tuple(self.community_ids),
            version=self.version,
            member_id=self.member_id,
            template=self.template,
            reason=self.drop_reason,
        )

    def fail(self, error: str, is_permanent: bool) -> MessageFailed | None:
        """It was refused for good, or could not be delivered in time. What is to be published of that, if anything."""
        self._settle(State.FAILED)
        self.last_error = error
        if self.member_id is None:
            return None
        return MessageFailed(
            message_id=self.id,
            community_ids=tuple(self.community_ids),
            version=self.version,
            member_id=self.member_id,
            template=self.template,
            is_permanent=is_permanent,
        )

    def put_back(self, due_at: datetime, error: str | None) -> None:
        """It is tried again at ``due_at``."""
        self.state, self.due_at, self.lease_until, self.last_error = State.QUEUED, due_at, None, error

    def send_again(self) -> None:
        """Count what is sent from now on as another mail than what was sent before."""
        self.number, self.attempts, self.interruptions, self.last_error = self.number + 1, 0, 0, None

    @property
    def mail_id(self) -> str:
        """What its Message-ID begins with: another whenever somebody is asked anew, since mailboxes show one once."""
        is_anew = self.member_id is None and self.number  # the ids of others are made of their numbers
        return f"{self.id}.{self.number}" if is_anew else str(self.id)

    def _settle(self, state: State) -> None:
        self.state, self.settled_at, self.version = state, clock.now(), self.version + 1
        self.box = self.lease_until = None


class Receipt(Base):
    """The note that the mail server took a message, kept from its 250 until the message row says so."""

    __tablename__ = "receipt"

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class ContactCard(Base):
    """Contact data of a person."""

    __tablename__ = "contact_card"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    locale: Mapped[Locale]
    timezone: Mapped[str] = mapped_column(String(64))
    address_version: Mapped[int] = mapped_column(default=0, server_default="0")  # that changed the address; 0 if none
    held_until: Mapped[datetime | None]  # before this neither a survey's link nor one to a meeting goes there


class CommunityCard(Base):
    """The name of a community."""

    __tablename__ = "community_card"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str] = mapped_column(Text)


class CommunityMember(Base):
    """A membership of a community, present or past."""

    __tablename__ = "community_member"

    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    community_id: Mapped[UUID] = mapped_column(index=True)
    member_id: Mapped[UUID] = mapped_column(index=True)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())  # the row stays when it ends


class CommunityRole(Base):
    """A role in a community, present or past."""

    __tablename__ = "community_role"
    __table_args__ = (Index("ix_community_role_community_id_role", "community_id", "role"),)

    assignment_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    community_id: Mapped[UUID] = mapped_column(index=True)
    member_id: Mapped[UUID] = mapped_column(index=True)
    role: Mapped[Role]
    is_active: Mapped[bool]


class MeetingCard(Base):
    """The date of a meeting. Its words and its end are rows of their own, since they may come first."""

    __tablename__ = "meeting_card"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    kind: Mapped[MeetingKind]
    mode: Mapped[Mode]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(64))
    facilitator_id: Mapped[UUID | None]
    note_taker_id: Mapped[UUID | None]
    people_version: Mapped[int] = mapped_column(default=0, server_default="0")  # that named the two; 0 if none has
    words_version: Mapped[int] = mapped_column(default=0, server_default="0")  # that its words should have at least


class MeetingCommunity(Base):
    """For which communities a meeting is held."""

    __tablename__ = "meeting_community"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    community_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)


class MeetingWords(Base):
    """The texts of a meeting, kept as they were told: what mails say of it is added to the event and to templates."""

    __tablename__ = "meeting_words"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    described: Mapped[dict[str, Any]]  # MeetingDescribed in JSON


class MeetingEnd(Base):
    """The end of a meeting, closed or cancelled: no invitation to it makes sense any more."""

    __tablename__ = "meeting_end"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    outcome: Mapped[Outcome]


class MeetingAttendance(Base):
    """Attendance at a meeting; note takers have no row."""

    __tablename__ = "meeting_attendance"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    was_there: Mapped[bool]


class SurveyEnd(Base):
    """The end of a survey: nothing of whom it asked is kept, and nothing that comes late brings it back."""

    __tablename__ = "survey_end"

    survey_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Revocation(Base):
    """Up to which version of its survey an invitation is void: the person turned out not to have been there."""

    __tablename__ = "revocation"

    invitation_id: Mapped[UUID] = mapped_column(primary_key=True)  # the message's id, whether there is one or not
    version: Mapped[int]
    survey_id: Mapped[UUID] = mapped_column(index=True)


class ResultsNotice(Base):
    """News of a meeting and its survey. Whom it concerns may become known later, while it is news."""

    __tablename__ = "results_notice"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)  # the release; the survey, where it was withheld
    version: Mapped[int]
    template: Mapped[Template]
    survey_id: Mapped[UUID]
    meeting_id: Mapped[UUID] = mapped_column(index=True)
    community_ids: Mapped[list[str]]
    responses_count: Mapped[int | None]  # None where the results are withheld
    withheld_reason: Mapped[WithheldReason | None]
    told_until: Mapped[datetime] = mapped_column(index=True)
