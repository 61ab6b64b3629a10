"""Surveys, whom they ask, and who was at the meeting."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self, TypeVar
from uuid import UUID, uuid5

from sqlalchemy import CheckConstraint, String, false, inspect, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis import clock
from chassis.sealing import Seal
from chassis.settings import Settings
from chassis.storage import types
from chassis.storage.transaction import Transaction
from pratique.events.evaluation import (
    Anonymity,
    InvitationRevoked,
    Moment,
    SurveyAskedBeforeClosing,
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
ASK_ANYWAY_AFTER = timedelta(hours=24)  #: after the meeting's planned end, if nobody has closed it by then
_KEY = "survey key"

Asking = TypeVar("Asking", SurveyInvitationsIssued, SurveyReminderDue)


class Base(DeclarativeBase):
    """The tables of evaluation."""

    metadata = types.metadata()
    type_annotation_map = types.COLUMN_TYPES


@dataclass(frozen=True)
class Thresholds:
    """Minimum numbers of answers before results are told (docs/decisions/0013). A network may only raise them."""

    scores: int = 5
    comments: int = 10

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the network has it."""
        return cls(max(cls.scores, settings.k_scores), max(cls.comments, settings.k_comments))

    def raised_to(self, other: "Thresholds") -> "Thresholds":
        """The stricter of both: what was promised when a survey opened, and what is asked for by now."""
        return Thresholds(max(self.scores, other.scores), max(self.comments, other.comments))


def may_answer(state: AttendanceState, role: MeetingRole) -> bool:
    """Return whether someone with this attendance is asked: participants, wholly or partly there, no facilitator."""
    return role is MeetingRole.PARTICIPANT and state.was_there


class Attendance(Base):
    """Our copy of one person's newest attendance at one meeting."""

    __tablename__ = "attendance"
    meeting_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[AttendanceState]
    role: Mapped[MeetingRole]
    version: Mapped[int]
    was_eligible: Mapped[bool] = mapped_column(server_default=false())  # at any time since anybody could answer

    @property
    def may_answer(self) -> bool:
        """Return whether this person is asked."""
        return may_answer(self.state, self.role)


class Survey(Base):
    """The questions after one meeting, from the wrap-up or the closing until seven days later."""

    __tablename__ = "survey"
    __table_args__ = (
        # No code, setting or role can make an open survey nominative, and neither can a hand in the database.
        CheckConstraint("anonymity = 'anonymous'", name="ck_survey_stays_anonymous"),
        CheckConstraint(
            "room_code is null or (state = 'open' and not is_meeting_closed)", name="ck_survey_room_code_dies_at_close"
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    meeting_id: Mapped[UUID] = mapped_column(unique=True)
    community_ids: Mapped[list[str]]
    timezone: Mapped[str] = mapped_column(String(64))
    moment: Mapped[Moment]
    anonymity: Mapped[Anonymity]
    questions_version: Mapped[int]
    k_scores: Mapped[int]  # answers that it takes to tell any; as the network had it when the survey opened
    k_comments: Mapped[int]  # answers that it takes to tell comments
    state: Mapped[SurveyState]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    is_asked: Mapped[bool]  # whether those who were there have been asked by mail
    is_meeting_closed: Mapped[bool]
    room_code: Mapped[str | None] = mapped_column(String(tokens.ROOM_CODE_LENGTH), unique=True)
    facilitator_id: Mapped[UUID | None]  # as the meeting names them; they run the room without any role
    note_taker_id: Mapped[UUID | None]
    version: Mapped[int]

    @classmethod
    def begin(
        cls,
        meeting_id: UUID,
        community_ids: Iterable[UUID],
        timezone: str,
        opens_at: datetime,
        thresholds: Thresholds,
        *,
        in_room: bool,
        facilitator_id: UUID | None = None,
        note_taker_id: UUID | None = None,
    ) -> Self:
        """A survey that is open from ``opens_at``: in the room with a code while the meeting runs, or after it."""
        return cls(
            id=uuid5(meeting_id, "survey"),  # the same again where a store was restored: links that were mailed live on
            meeting_id=meeting_id,
            community_ids=[str(each) for each in community_ids],
            timezone=timezone,
            moment=Moment.WRAP_UP,
            anonymity=Anonymity.ANONYMOUS,
            questions_version=questions.CURRENT,
            k_scores=thresholds.scores,
            k_comments=thresholds.comments,
            state=SurveyState.OPEN,
            opens_at=opens_at,
            closes_at=clock.on_the_wall(opens_at, OPEN_FOR_DAYS, timezone),
            is_asked=not in_room,
            is_meeting_closed=not in_room,
            room_code=tokens.new_room_code() if in_room else None,
            facilitator_id=facilitator_id,
            note_taker_id=note_taker_id,
            version=1,
        )

    def row(self) -> dict[str, object]:
        """Its columns, for a set-based insert."""
        said = self.__dict__  # all of them are set when it begins
        return {name: said[name] for name in _SURVEY_COLUMNS}

    def end_room(self) -> None:
        """Let the room's code open nothing any more: the meeting is closed, and whoever is missing is asked by mail."""
        self.is_meeting_closed, self.is_asked, self.room_code = True, True, None

    def is_run_by(self, member_id: UUID | None) -> bool:
        """Return whether its meeting names this person as its facilitator or its note taker."""
        return member_id is not None and member_id in (self.facilitator_id, self.note_taker_id)

    @property
    def is_open(self) -> bool:
        """Return whether it takes answers now; the closing hour counts even where the work of closing is late."""
        return self.state is SurveyState.OPEN and clock.now() < self.closes_at

    @property
    def thresholds(self) -> Thresholds:
        """The minimum numbers of answers, as the network had them when it opened."""
        return Thresholds(self.k_scores, self.k_comments)

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

    def asked_before_closing(self) -> SurveyAskedBeforeClosing:
        """The news that its meeting is still not closed, and that those recorded so far are asked."""
        self.version += 1
        return SurveyAskedBeforeClosing(
            survey_id=self.id,
            meeting_id=self.meeting_id,
            community_ids=self.communities,
            closes_at=self.closes_at,
            version=self.version,
        )

    def invite(self, seal: Seal, member_ids: Sequence[UUID], *, is_anew: bool | None = None) -> SurveyInvitationsIssued:
        """Ask these people, each by a link of their own; the event comes even if there is nobody to ask."""
        return self._ask(SurveyInvitationsIssued, seal, member_ids, is_anew=is_anew)

    def remind(self, seal: Seal, member_ids: Sequence[UUID]) -> SurveyReminderDue:
        """Ask these people again; the event comes even if there is nobody to ask."""
        return self._ask(SurveyReminderDue, seal, member_ids)

    def revoke(self, member_id: UUID) -> InvitationRevoked:
        """Take back that this person is asked, whether they were or not."""
        self.version += 1
        return InvitationRevoked(
            survey_id=self.id,
            meeting_id=self.meeting_id,
            community_ids=self.communities,
            member_ids=(member_id,),
            version=self.version,
        )

    def _ask(self, news: type[Asking], seal: Seal, member_ids: Sequence[UUID], **more: bool | None) -> Asking:
        self.version += 1
        links = tokens.links_for(seal, self.id, member_ids)
        return news(
            survey_id=self.id,
            meeting_id=self.meeting_id,
            community_ids=self.communities,
            invitations=tuple(
                [Invited(member_id=one, token=link) for one, link in zip(member_ids, links, strict=True)]
            ),
            closes_at=self.closes_at,
            version=self.version,
            **more,
        )


_SURVEY_COLUMNS = [column.key for column in inspect(Survey).column_attrs]


class SurveyKey(Base):
    """The secret of an open survey, sealed. Once it is gone, no mark made with it says anything."""

    __tablename__ = "survey_key"
    survey_id: Mapped[UUID] = mapped_column(primary_key=True)  # a foreign key cost a tenth of the closings in a second
    box: Mapped[bytes]

    @classmethod
    def new_row(cls, seal: Seal, survey_id: UUID) -> dict[str, object]:
        """The row of a new secret."""
        return {"survey_id": survey_id, "box": seal.close(_KEY, survey_id.bytes + tokens.new_secret(), block=1)}


def read_secrets(transaction: Transaction, survey_ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """The secrets of those of these surveys that have one, which are the open ones. One statement."""
    seal = transaction.seal
    rows = transaction.execute(
        select(SurveyKey.survey_id, SurveyKey.box).where(SurveyKey.survey_id.in_(list(survey_ids)))
    )
    return {survey_id: seal.open(_KEY, box)[len(survey_id.bytes) :] for survey_id, box in rows}
