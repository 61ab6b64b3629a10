"""The tables of evaluation that MeetingClosed touches, as a copy; goes when services.evaluation.models is here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pratique import store


class Base(DeclarativeBase):
    metadata = store.metadata()
    type_annotation_map = store.COLUMN_TYPES


class Survey(Base):
    __tablename__ = "survey"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    meeting_id: Mapped[UUID] = mapped_column(unique=True)
    community_ids: Mapped[list[UUID]]
    state: Mapped[str] = mapped_column(String(32))
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(64))
    room_code: Mapped[str | None] = mapped_column(String(16))
    version: Mapped[int]


class Attendance(Base):
    __tablename__ = "attendance"
    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]


class Invitation(Base):
    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("survey_id", "member_id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"))
    member_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)


def prepare(opened: store.Store) -> Any:
    from pratique.tables import create_all

    create_all(opened, Base.metadata)
