"""Tables of the gateway: bearer tokens of machines; sign-in links, sessions and calendar addresses of people."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.storage import types

IDLE_FOR = timedelta(days=14)  #: without a visit, after which a session is over


class Base(DeclarativeBase):
    """The tables of the gateway."""

    metadata = types.metadata()
    type_annotation_map = types.COLUMN_TYPES


class ApiToken(Base):
    """Record of a token: everything but the secret, of which only the hash is kept."""

    __tablename__ = "api_token"

    token_id: Mapped[str] = mapped_column(String(16), primary_key=True)  #: the readable part, by which it is looked up
    secret_sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))  #: whose it is, in the operator's words
    scopes: Mapped[list[str]]
    role: Mapped[str | None] = mapped_column(String(32))  #: whose permissions it has beside its scopes
    community_ids: Mapped[list[str] | None]  #: to which it is limited; None: the whole network
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_on: Mapped[date | None]  #: a day and no more: enough to find tokens that nobody uses

    def is_valid(self, at: datetime) -> bool:
        """Return whether the token opens anything at this instant."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class SignInLink(Base):
    """A link that signs a person in, once; of its secret only the hash is kept."""

    __tablename__ = "sign_in_link"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    member_id: Mapped[UUID]
    leads_to: Mapped[str] = mapped_column(String(200))  #: the page that asked them to sign in; empty: their home
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class PersonSession(Base):
    """A browser in which a person is signed in; of its cookie's secret only the hash is kept."""

    __tablename__ = "person_session"

    session_id: Mapped[str] = mapped_column(String(16), primary_key=True)  #: the readable part of the cookie
    secret_sha256: Mapped[str] = mapped_column(String(64))
    member_id: Mapped[UUID] = mapped_column(index=True)
    label: Mapped[str] = mapped_column(String(60))  #: of the browser, for its owner to know it again
    created_at: Mapped[datetime]
    last_seen_on: Mapped[date]  #: a day and no more: enough to end what nobody uses
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]

    def is_live(self, at: datetime) -> bool:
        """Return whether somebody is signed in by it at this instant."""
        return self.ended_at is None and at < self.expires_at and at.date() - self.last_seen_on <= IDLE_FOR


class CalendarAddress(Base):
    """The address at which a person's calendar follows their meetings; of its secret only the hash is kept."""

    __tablename__ = "calendar_address"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    last_read_on: Mapped[date | None]  #: a day and no more: enough for its owner to see whether it is in use

    __table_args__ = (Index("ix_calendar_address_token_sha256", "token_sha256", unique=True),)
