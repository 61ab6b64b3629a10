"""A meeting and its life. Methods return the events of what happened."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.storage import rows
from pratique.errors import Conflict
from pratique.event import Event
from pratique.events.meetings import (
    MeetingCancelled,
    MeetingChanged,
    MeetingClosed,
    MeetingDescribed,
    MeetingKind,
    MeetingScheduled,
    MeetingStarted,
    MeetingState,
    MeetingWrapUpStarted,
    Mode,
)
from pratique.requests.meetings import (
    ASKED_WITHIN,
    LINK_AT_MOST,
    PLACE_AT_MOST,
    STARTS_WITHIN,
    MeetingBody,
    PutMeeting,
)
from services.meetings.models.attendance import Attendance
from services.meetings.models.communities import Base

_TIMES = ("starts_at", "ends_at", "timezone")
#: What can be planned of a meeting, beside its communities, and the part of it that travels privately.
_PLANNED = MeetingBody.schema.fields.keys() - {"community_ids"}
_WORDS = _PLANNED & MeetingDescribed.schema.fields.keys()
#: What whoever was invited is told by mail when it changes.
MAILED = frozenset({"place", "link", "mode"})


class MeetingCommunity(Base):
    """A community that meets here; several may meet together."""

    __tablename__ = "meeting_community"
    __table_args__ = (Index(None, "community_id", "starts_at", "meeting_id"),)

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.meeting_id"), primary_key=True)
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.community_id"), primary_key=True)
    position: Mapped[int]
    #: The meeting's, once more, so that a community's latest are found without sorting all it ever held. Null where
    #: code from before this column wrote it; such meetings stand first in the list.
    starts_at: Mapped[datetime | None]


class Meeting(Base):
    """A meeting of one community or several, from scheduled to closed or cancelled."""

    __tablename__ = "meeting"

    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[MeetingState]
    kind: Mapped[MeetingKind]
    mode: Mapped[Mode]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(64))
    place: Mapped[str] = mapped_column(String(PLACE_AT_MOST))
    link: Mapped[str] = mapped_column(String(LINK_AT_MOST))
    themes: Mapped[list[str]]
    capacity: Mapped[int | None]
    facilitator_id: Mapped[UUID | None] = mapped_column(index=True)
    note_taker_id: Mapped[UUID | None] = mapped_column(index=True)
    started_at: Mapped[datetime | None]
    wrap_up_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str] = mapped_column(Text)
    with_survey: Mapped[bool | None]  # as whoever wrapped it up said; None where they left it to the rule
    head_count: Mapped[int]  # people who were there, wholly or in part; the note taker not counted
    version: Mapped[int]
    communities: Mapped[list[MeetingCommunity]] = relationship(order_by=MeetingCommunity.position, lazy="selectin")
    attendance: Mapped[list[Attendance]] = relationship(order_by=Attendance.member_id, lazy="raise")

    @classmethod
    def planned(cls, command: PutMeeting) -> "Meeting":
        """Return the meeting that the command plans, as it would be when it is new."""
        begun = {"state": MeetingState.SCHEDULED, "cancel_reason": "", "head_count": 0, "version": 1}
        meeting = rows.row_of(cls, command, themes=list(command.themes), **begun)
        meeting.communities = [
            MeetingCommunity(community_id=community_id, position=position, starts_at=command.starts_at)
            for position, community_id in enumerate(command.community_ids)
        ]
        return meeting

    @classmethod
    def names(cls, member_id: UUID) -> ColumnElement[bool]:
        """Return the condition that a meeting names this person as its facilitator or its note taker."""
        return or_(cls.facilitator_id == member_id, cls.note_taker_id == member_id)

    @property
    def community_ids(self) -> tuple[UUID, ...]:
        """The communities that meet, in the order in which they were named."""
        return tuple(each.community_id for each in self.communities)

    def scheduled(self) -> list[Event]:
        """Return the events of a scheduled meeting; its words travel privately."""
        return [MeetingScheduled.of(self), MeetingDescribed.of(self)]

    def change(self, said: "Meeting", if_version: int | None) -> list[Event]:
        """Take over what ``said`` says otherwise; nothing if it says the same.

        Raises:
            Conflict: the meeting has begun, is over or cancelled, or it would be moved.
            PreconditionRequired, Stale: the caller has not seen it as it is.
        """
        changed = {name for name in _PLANNED if getattr(self, name) != getattr(said, name)}
        is_moved = bool(changed & set(_TIMES)) or set(self.community_ids) != set(said.community_ids)
        if not changed and not is_moved:
            return []
        if self.state is not MeetingState.SCHEDULED:
            raise Conflict(f"This meeting is {self.state.in_words}; only a scheduled one can be changed.")
        if is_moved:
            raise Conflict(
                "The time, the zone and the communities of a meeting are changed by rescheduling, not by a PUT; "
                "cancel it and schedule another."
            )
        rows.check_version(self.version, if_version)
        for name in changed:
            setattr(self, name, getattr(said, name))
        self.version += 1
        described = [MeetingDescribed.of(self)] if changed & _WORDS else []
        return [MeetingChanged.of(self, changed=tuple(sorted(changed))), *described]

    def differs(self, said: "Meeting", names: Iterable[str]) -> bool:
        """Return whether ``said`` differs in any of these fields."""
        return any(getattr(self, name) != getattr(said, name) for name in names)

    def start(self, at: datetime) -> list[Event]:
        """Begin; nothing if it has begun. Conflict if it was cancelled, or is planned for a day far ahead."""
        if self.started_at is not None:
            return []
        if self.state is MeetingState.CANCELLED:
            raise Conflict("This meeting was cancelled and cannot start; schedule another.")
        if self.starts_at - at > STARTS_WITHIN:
            raise Conflict(
                f"This meeting is planned for {self.starts_at:%Y-%m-%d}; it can start {STARTS_WITHIN.days} days before "
                "at the earliest. If another takes place now, schedule that one."
            )
        self.state, self.started_at, self.version = MeetingState.IN_PROGRESS, at, self.version + 1
        return [MeetingStarted.of(self)]

    def wrap_up(self, at: datetime, with_survey: bool | None = None) -> list[Event]:
        """Begin the last minutes; nothing if they have begun. Conflict unless the meeting is in progress.

        ``with_survey`` is what the caller says of asking those who are there; None leaves it to the rule.
        """
        if self.wrap_up_at is not None:
            return []
        self.refuse_unless_begun("begin its wrap-up")
        if self.state is MeetingState.CLOSED:
            raise Conflict("This meeting is closed; its wrap-up can no longer begin.")
        self._check_survey(with_survey)
        self.state, self.wrap_up_at, self.version = MeetingState.WRAP_UP, at, self.version + 1
        self.with_survey = with_survey
        return [MeetingWrapUpStarted.of(self, with_survey=self._asks(at))]

    def close(self, at: datetime, with_survey: bool | None = None) -> list[Event]:
        """End, with the attendance that is recorded; nothing if it has ended. Conflict unless it was started.

        ``with_survey`` as for ``wrap_up``; None lets what was said there stand.
        """
        if self.closed_at is not None:
            return []
        self.refuse_unless_begun("close it")
        self._check_survey(with_survey)
        self.with_survey = self.with_survey if with_survey is None else with_survey
        self.state, self.closed_at, self.version = MeetingState.CLOSED, at, self.version + 1
        return [
            MeetingClosed.of(
                self,
                with_survey=self._asks(at),
                themes_count=len(self.themes),
                attendees=tuple(each.as_attendee() for each in self.attendance),
            )
        ]

    def cancel(self, at: datetime, reason: str) -> list[Event]:
        """Not be held; nothing if it was cancelled. Conflict if it has begun."""
        if self.cancelled_at is not None:
            return []
        if self.state is not MeetingState.SCHEDULED:
            instead = "what was held stays on record" if self.state is MeetingState.CLOSED else "close it instead"
            raise Conflict(f"This meeting is {self.state.in_words} and can no longer be cancelled; {instead}.")
        self.state, self.cancelled_at, self.version = MeetingState.CANCELLED, at, self.version + 1
        self.cancel_reason = reason
        return [MeetingCancelled.of(self), MeetingDescribed.of(self)]

    def refuse_unless_begun(self, then: str) -> None:
        """Raise Conflict for a meeting that was cancelled or has not started; ``then`` is what its caller wants."""
        if self.state is MeetingState.CANCELLED:
            raise Conflict("This meeting was cancelled; schedule another.")
        if self.state is MeetingState.SCHEDULED:
            raise Conflict(f"This meeting has not started; start it, then {then}.")

    def _check_survey(self, with_survey: bool | None) -> None:
        if with_survey and self.kind is MeetingKind.PREPARATORY:
            raise Conflict("After a preparatory meeting nobody is asked; leave with_survey out.")

    def _asks(self, at: datetime) -> bool:
        """Return whether those who were there are asked: as requested, else unless it is long over."""
        if self.kind is MeetingKind.PREPARATORY:
            return False
        return at <= self.ends_at + ASKED_WITHIN if self.with_survey is None else self.with_survey
