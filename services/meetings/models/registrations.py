"""Registrations: members who said before a meeting whether they will come."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pratique.errors import Conflict
from pratique.event import Event
from pratique.events.meetings import MeetingState, MemberRegisteredForMeeting, Partstat
from services.meetings.models.communities import Base
from services.meetings.models.meetings import Meeting


class Registration(Base):
    """A member's word on coming. It says nothing of whether they came."""

    __tablename__ = "registration"

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.meeting_id"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    partstat: Mapped[Partstat]
    registered_at: Mapped[datetime]  # when they last said so
    version: Mapped[int]

    def say(self, meeting: Meeting, partstat: Partstat, at: datetime) -> list[Event]:
        """Take the member's word; the last one counts. ``version`` 0 is a row on which nothing was said yet.

        Raises:
            Conflict: the meeting is over or cancelled.
        """
        if self.version and self.partstat is partstat:
            return []
        if meeting.state in (MeetingState.CLOSED, MeetingState.CANCELLED):
            raise Conflict(f"This meeting is {meeting.state.in_words}; nobody can register for it any more.")
        self.partstat, self.registered_at, self.version = partstat, at, self.version + 1
        meeting.version += 1
        return [
            MemberRegisteredForMeeting(
                meeting_id=meeting.meeting_id,
                community_ids=meeting.community_ids,
                member_id=self.member_id,
                partstat=partstat,
                version=meeting.version,
            )
        ]
