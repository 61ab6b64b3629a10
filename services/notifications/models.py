"""Messages and what becomes of them; copies of what mails say, in which the newest version wins."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pratique import clock, store
from pratique.events.evaluation import WithheldReason
from pratique.events.meetings import MeetingKind, Mode
from pratique.events.membership import Locale, Role
from pratique.events.notifications import DropReason, MessageDropped, MessageFailed, MessageState, Template

#: How long a sender may hold a message. After that its fate is unknown, and it is sent once more.
LEASE = timedelta(minutes=15)

_KEYS = UUID("9b0ad3c8-5a55-4d5c-9d0e-3d5a4ce1f0b7")


State = MessageState


class Outcome(StrEnum):
    """How a meeting ended, for those who were invited."""

    CLOSED = "closed"
    CANCELLED = "cancelled"


def dedup_key(template: Template, subject_id: UUID, member_id: UUID) -> str:
    """What makes a message the same message, however often and by whatever event it is asked for."""
    return f"{template}:{subject_id}:{member_id}"


def message_id(template: Template, subject_id: UUID, member_id: UUID) -> UUID:
    """The id of that message, for ever; also what its Message-ID header is made of."""
    return uuid5(_KEYS, dedup_key(template, subject_id, member_id))


class Base(DeclarativeBase):
    """The tables of notifications."""

    metadata = store.metadata()
    type_annotation_map = store.COLUMN_TYPES


class Message(Base):
    """One mail to one person: wanted, then sent, dropped with its reason, or failed with its error."""

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
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dedup_key: Mapped[str] = mapped_column(String(120), unique=True)
    member_id: Mapped[UUID]
    template: Mapped[Template]
    subject_id: Mapped[UUID]  # the meeting, the survey, or the release that it is about
    meeting_id: Mapped[UUID] = mapped_column(index=True)
    survey_id: Mapped[UUID | None] = mapped_column(index=True)
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
    token: Mapped[str | None] = mapped_column(String(200))  # of a survey's link; only while it waits to be sent
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]  # when it was sent, dropped or failed

    @property
    def may_have_arrived(self) -> bool:
        """Whether the person may have read it, as far as anyone can know."""
        return self.state is State.SENT or self.interruptions > 0

    def drop(self, reason: DropReason) -> MessageDropped:
        """It lost its reason before it was sent."""
        self._settle(State.DROPPED)
        self.drop_reason = reason
        return MessageDropped(
            message_id=self.id,
            community_ids=(),
            version=self.version,
            member_id=self.member_id,
            template=self.template,
            reason=reason,
        )

    def fail(self, error: str, is_permanent: bool) -> MessageFailed:
        """It was refused for good, or could not be delivered in time."""
        self._settle(State.FAILED)
        self.last_error = error
        return MessageFailed(
            message_id=self.id,
            community_ids=(),
            version=self.version,
            member_id=self.member_id,
            template=self.template,
            is_permanent=is_permanent,
        )

    def put_back(self, due_at: datetime, error: str | None) -> None:
        """It is tried again at ``due_at``."""
        self.state, self.due_at, self.lease_until, self.last_error = State.QUEUED, due_at, None, error

    def _settle(self, state: State) -> None:
        self.state, self.settled_at, self.version = state, clock.now(), self.version + 1
        self.token = self.lease_until = None


class Receipt(Base):
    """That the mail server took a message, from its yes until the message says so as well."""

    __tablename__ = "receipt"

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class ContactCard(Base):
    """How to write to a person."""

    __tablename__ = "contact_card"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    locale: Mapped[Locale]
    timezone: Mapped[str] = mapped_column(String(64))


class CommunityCard(Base):
    """What a community is called."""

    __tablename__ = "community_card"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str] = mapped_column(Text)


class CommunityMember(Base):
    """Who belongs to a community."""

    __tablename__ = "community_member"

    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    community_id: Mapped[UUID] = mapped_column(index=True)
    member_id: Mapped[UUID]


class CommunityRole(Base):
    """Who is trusted with what in a community, or was."""

    __tablename__ = "community_role"

    assignment_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    community_id: Mapped[UUID] = mapped_column(index=True)
    member_id: Mapped[UUID] = mapped_column(index=True)
    role: Mapped[Role]
    is_active: Mapped[bool]


class MeetingCard(Base):
    """When a meeting is held. Its words and its end are rows of their own, since they may come first."""

    __tablename__ = "meeting_card"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    kind: Mapped[MeetingKind]
    mode: Mapped[Mode]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(64))


class MeetingCommunity(Base):
    """For which communities a meeting is held."""

    __tablename__ = "meeting_community"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    community_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)


class MeetingWords(Base):
    """What a meeting is about, where it is, and why it was cancelled."""

    __tablename__ = "meeting_words"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    themes: Mapped[list[str]]
    place: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(Text)
    cancel_reason: Mapped[str] = mapped_column(Text)


class MeetingEnd(Base):
    """That a meeting was closed or cancelled: no invitation to it makes sense any more."""

    __tablename__ = "meeting_end"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    outcome: Mapped[Outcome]


class Revocation(Base):
    """Up to which version of its survey an invitation is void: the person turned out not to have been there."""

    __tablename__ = "revocation"

    invitation_id: Mapped[UUID] = mapped_column(primary_key=True)  # the message's id, whether there is one or not
    version: Mapped[int]
    survey_id: Mapped[UUID] = mapped_column(index=True)


class ResultsNotice(Base):
    """What there is to tell about a survey's results. Whoever joins while it is news is told as well."""

    __tablename__ = "results_notice"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)  # the release, or the survey where it was withheld
    version: Mapped[int]
    template: Mapped[Template]
    survey_id: Mapped[UUID]
    meeting_id: Mapped[UUID] = mapped_column(index=True)
    community_ids: Mapped[list[str]]
    responses_count: Mapped[int | None]  # None where the results are withheld
    withheld_reason: Mapped[WithheldReason | None]
    told_until: Mapped[datetime] = mapped_column(index=True)
