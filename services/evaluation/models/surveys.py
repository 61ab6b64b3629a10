"""Surveys, whom they ask, and who was at the meeting."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, String, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pratique import clock, store
from pratique.events.evaluation import (
    Anonymity,
    InvitationRevoked,
    Moment,
    SurveyInvitationsIssued,
    SurveyOpened,
    SurveyReminderDue,
)
from pratique.events.evaluation import Invitation as Invited
from pratique.events.evaluation import SurveyState as SurveyState
from pratique.events.meetings import AttendanceState, MeetingRole
from services.evaluation import questions
from services.evaluation.models import tokens

OPEN_FOR_DAYS = 7  #: by the wall of the meeting's zone; few answer after a week
REMIND_AFTER_DAYS = 2  #: by the same wall, counted from the meeting's closing
GIVE_UP_AFTER = timedelta(hours=24)  #: after the meeting's planned end, if it was never closed

Asking = TypeVar("Asking", SurveyInvitationsIssued, SurveyReminderDue)


class Base(DeclarativeBase):
    """The tables of evaluation."""

    metadata = store.metadata()
    type_annotation_map = store.COLUMN_TYPES


class InvitationState(StrEnum):
    """What was done to ask a person; never whether they answered."""

    INVITED = "invited"
    REMINDED = "reminded"
    REVOKED = "revoked"


def may_answer(state: AttendanceState, role: MeetingRole) -> bool:
    """Whether someone who was there like this is asked: participants, wholly or partly there; never a facilitator."""
    return role is MeetingRole.PARTICIPANT and state.was_there


class Attendance(Base):
    """Our copy of one person's newest attendance at one meeting."""

    __tablename__ = "attendance"
    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[AttendanceState]
    role: Mapped[MeetingRole]
    version: Mapped[int]

    @property
    def may_answer(self) -> bool:
        """Whether this person is asked."""
        return may_answer(self.state, self.role)


class Invitation(Base):
    """That a person was asked. Destroyed when the survey closes: who is missing here had answered in the room."""

    __tablename__ = "invitation"
    survey_id: Mapped[UUID] = mapped_column(primary_key=True)  # a foreign key cost a tenth of the closings in a second
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[InvitationState]


class Survey(Base):
    """The questions after one meeting, from the wrap-up or the closing until seven days later."""

    __tablename__ = "survey"
    __table_args__ = (
        # No code, setting or role can make an open survey nominative, and neither can a hand in the database.
        CheckConstraint("anonymity = 'anonymous'", name="ck_survey_stays_anonymous"),
        CheckConstraint("(state = 'open') = (secret is not null)", name="ck_survey_secret_dies_at_close"),
        CheckConstraint("state = 'open' or room_code is null", name="ck_survey_room_code_dies_at_close"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    meeting_id: Mapped[UUID] = mapped_column(unique=True)
    community_ids: Mapped[list[str]]
    timezone: Mapped[str] = mapped_column(String(64))
    moment: Mapped[Moment]
    anonymity: Mapped[Anonymity]
    questions_version: Mapped[int]
    state: Mapped[SurveyState]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    is_meeting_closed: Mapped[bool]
    room_code: Mapped[str | None] = mapped_column(String(tokens.ROOM_CODE_LENGTH), unique=True)
    secret: Mapped[bytes | None]
    version: Mapped[int]

    @classmethod
    def begin(
        cls,
        meeting_id: UUID,
        community_ids: Iterable[UUID],
        timezone: str,
        opens_at: datetime,
        *,
        in_room: bool,
    ) -> Self:
        """A survey that is open from ``opens_at``: in the room with a code while the meeting runs, or after it."""
        return cls(
            id=uuid4(),
            meeting_id=meeting_id,
            community_ids=[str(each) for each in community_ids],
            timezone=timezone,
            moment=Moment.WRAP_UP,
            anonymity=Anonymity.ANONYMOUS,
            questions_version=questions.CURRENT,
            state=SurveyState.OPEN,
            opens_at=opens_at,
            closes_at=clock.on_the_wall(opens_at, OPEN_FOR_DAYS, timezone),
            is_meeting_closed=not in_room,
            room_code=tokens.new_room_code() if in_room else None,
            secret=tokens.new_secret(),
            version=1,
        )

    def row(self) -> dict[str, object]:
        """Its columns, for a set-based insert."""
        said = self.__dict__  # all of them are set when it begins
        return {name: said[name] for name in _SURVEY_COLUMNS}

    @property
    def is_open(self) -> bool:
        """Whether it takes answers now; the closing hour counts even where the work of closing is late."""
        return self.state is SurveyState.OPEN and clock.now() < self.closes_at

    @property
    def key(self) -> bytes:
        """Its secret, while it is open."""
        if self.secret is None:
            raise LookupError("the survey is closed and its secret destroyed")
        return self.secret

    @property
    def communities(self) -> tuple[UUID, ...]:
        """The ids of its communities."""
        return tuple([UUID(each) for each in self.community_ids])

    def opened(self) -> SurveyOpened:
        """The news that it is open."""
        return SurveyOpened(
            survey_id=self.id,
            meeting_id=self.meeting_id,
            community_ids=self.communities,
            moment=self.moment,
            anonymity=self.anonymity,
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            version=self.version,
        )

    def invite(self, member_ids: Iterable[UUID]) -> SurveyInvitationsIssued:
        """Ask these people, each by a link of their own."""
        return self._ask(SurveyInvitationsIssued, member_ids)

    def remind(self, member_ids: Iterable[UUID]) -> SurveyReminderDue:
        """Ask these people again, by the same links."""
        return self._ask(SurveyReminderDue, member_ids)

    def revoke(self, member_id: UUID) -> InvitationRevoked:
        """Take back that this person was asked."""
        self.version += 1
        return InvitationRevoked(
            survey_id=self.id,
            meeting_id=self.meeting_id,
            community_ids=self.communities,
            member_ids=(member_id,),
            version=self.version,
        )

    def _ask(self, news: type[Asking], member_ids: Iterable[UUID]) -> Asking:
        id, secret = self.id, self.key
        self.version += 1
        return news(
            survey_id=id,
            meeting_id=self.meeting_id,
            community_ids=self.communities,
            invitations=tuple([Invited(member_id=one, token=tokens.token_for(id, secret, one)) for one in member_ids]),
            closes_at=self.closes_at,
            version=self.version,
        )


_SURVEY_COLUMNS = [column.key for column in inspect(Survey).column_attrs]
