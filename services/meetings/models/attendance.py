"""Attendance of a meeting, and the history of its changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pratique.events.meetings import AttendanceCorrected, AttendanceState, Attendee, MeetingRole
from services.meetings.models.communities import Base


class AttendanceChange(Base):
    """One mark that was made, first or in correction. Never changed, never removed."""

    __tablename__ = "attendance_change"
    __table_args__ = (
        ForeignKeyConstraint(["meeting_id", "member_id"], ["attendance.meeting_id", "attendance.member_id"]),
    )

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # the meeting's, after the change
    from_state: Mapped[AttendanceState | None]  # None: nothing was recorded before
    to_state: Mapped[AttendanceState]
    at: Mapped[datetime]


class Attendance(Base):
    """One person's attendance, with organisation and community as of the day it was first recorded."""

    __tablename__ = "attendance"

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.meeting_id"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[AttendanceState]
    role: Mapped[MeetingRole]
    community_id: Mapped[UUID | None]  # None: a facilitator from outside
    organization_id: Mapped[UUID | None]
    version: Mapped[int]  # the meeting's, when this was last changed

    def as_attendee(self) -> Attendee:
        """This person as events tell it."""
        return Attendee(
            member_id=self.member_id, state=self.state, role=self.role, organization_id=self.organization_id
        )

    def corrected(
        self, community_ids: tuple[UUID, ...], from_state: AttendanceState, at: datetime
    ) -> AttendanceCorrected:
        """Return the event of a correction after the meeting had closed."""
        return AttendanceCorrected(
            meeting_id=self.meeting_id,
            community_ids=community_ids,
            member_id=self.member_id,
            role=self.role,
            organization_id=self.organization_id,
            from_state=from_state,
            to_state=self.state,
            corrected_at=at,
            version=self.version,
        )
