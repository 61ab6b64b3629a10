"""Copies of membership's communities, memberships and facilitators, kept from its events."""

from uuid import UUID

from sqlalchemy import Index, String, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.storage import quota, types
from pratique.events.membership import CommunityKind


class Base(DeclarativeBase):
    """The tables of meetings."""

    metadata = types.metadata()
    type_annotation_map = types.COLUMN_TYPES


class Community(Base):
    """Our copy of membership's communities, fed by its events."""

    __tablename__ = "community"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[CommunityKind]
    timezone: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]


class Membership(Base):
    """Our copy of who belongs to which community, and for whom, fed by membership's events."""

    __tablename__ = "membership"
    __table_args__ = (Index(None, "community_id", "member_id"),)

    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    community_id: Mapped[UUID]
    member_id: Mapped[UUID]
    organization_id: Mapped[UUID | None]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())  # the row stays when it ends
    version: Mapped[int]


class FacilitatorRole(Base):
    """Our copy of who facilitates a community by role, fed by membership's events; the row stays when the role ends."""

    __tablename__ = "facilitator_role"
    __table_args__ = (Index(None, "community_id", "member_id"),)

    assignment_id: Mapped[UUID] = mapped_column(primary_key=True)
    community_id: Mapped[UUID]
    member_id: Mapped[UUID]
    is_active: Mapped[bool]
    version: Mapped[int]


#: How many mails each token brought about today by scheduling, changing and cancelling meetings.
MAILS_SPENT = quota.table(Base.metadata)
