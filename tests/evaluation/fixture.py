"""Fixture of evaluation: a store of its own, one meeting, and the people at it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select

from chassis import clock, testing
from chassis.messaging import inbox
from chassis.storage.store import Store
from pratique.events.evaluation import SurveyInvitationsIssued
from pratique.events.meetings import (
    AttendanceCorrected,
    AttendanceRecorded,
    AttendanceState,
    Attendee,
    MeetingClosed,
    MeetingRole,
    MeetingWrapUpStarted,
)
from pratique.events.membership import Locale
from pratique.requests.evaluation import (
    CastSlip,
    CheckAnswers,
    ConfirmBallot,
    GetResults,
    GetSurvey,
    OneAnswer,
    OpenBallot,
    TakeBallot,
)
from pratique.testing import AT, part, sample
from services.evaluation import models, queries
from services.evaluation.commands import COMMANDS
from services.evaluation.models import ballots, tokens
from services.evaluation.queries import QUERIES
from services.evaluation.reactions import DUE, REACTIONS
from tests.harness.service import ServiceFixture

HANDLERS = {**COMMANDS, **QUERIES}
HAPPY: Mapping[str, object] = {
    "satisfaction": 5,
    "objectives_reached": 4,
    "useful_for_work": 5,
    "free_to_speak": 4,
    "would_come_again": True,
}
PEOPLE = [uuid4() for _ in range(10)]
FACILITATOR = uuid4()


def attendee(
    member_id: UUID,
    state: AttendanceState = AttendanceState.ATTENDED,
    role: MeetingRole = MeetingRole.PARTICIPANT,
) -> Attendee:
    return part(Attendee, member_id=member_id, state=state, role=role)


def present(people: Iterable[UUID] = PEOPLE) -> list[Attendee]:
    return [*map(attendee, people), attendee(FACILITATOR, role=MeetingRole.FACILITATOR)]


def answers(values: Mapping[str, object] = HAPPY) -> tuple[OneAnswer, ...]:
    said: Mapping[str, Any] = values
    return tuple(OneAnswer(question=key, value=value) for key, value in said.items())


class Fixture(ServiceFixture):
    """Evaluation, and one meeting of which it hears."""

    def __init__(self, opened: Store) -> None:
        super().__init__(opened, REACTIONS, DUE, HANDLERS)
        self.meeting_id = uuid4()
        self.version = 0

    def forget_inbox(self) -> None:
        with self.store.begin() as session:
            session.execute(delete(inbox.INBOX))

    # What meetings tells

    def next_version(self) -> int:
        self.version += 1
        return self.version

    def recorded(self, attendees: Iterable[Attendee]) -> AttendanceRecorded:
        return sample(
            AttendanceRecorded, meeting_id=self.meeting_id, attendees=tuple(attendees), version=self.next_version()
        )

    def wrap_up(self, **fields: Any) -> MeetingWrapUpStarted:
        at = {"wrap_up_at": clock.now(), "ends_at": clock.now(), "with_survey": True} | fields
        return sample(MeetingWrapUpStarted, meeting_id=self.meeting_id, version=self.next_version(), **at)

    def closed(self, attendees: Iterable[Attendee], **fields: Any) -> MeetingClosed:
        fields = {"meeting_id": self.meeting_id, "closed_at": clock.now()} | fields
        return sample(MeetingClosed, attendees=tuple(attendees), version=self.next_version(), **fields)

    def corrected(self, member_id: UUID, to: AttendanceState, **fields: Any) -> AttendanceCorrected:
        fields = {"role": MeetingRole.PARTICIPANT, "version": self.next_version()} | fields
        return sample(AttendanceCorrected, meeting_id=self.meeting_id, member_id=member_id, to_state=to, **fields)

    # What people do

    def survey(self) -> queries.SurveySeen:
        return self.call(GetSurvey, meeting_id=self.meeting_id)

    def survey_row(self) -> models.Survey:
        """The survey as its store has it."""
        ((row,),) = self.read(select(models.Survey).where(models.Survey.meeting_id == self.meeting_id))
        found: models.Survey = row
        return found

    def results(self) -> dict[str, object]:
        return self.call(GetResults, survey_id=self.survey().id)

    def tokens(self) -> dict[UUID, str]:
        """The tokens that went out in invitations, by person."""
        issued = self.published(SurveyInvitationsIssued)
        return {each.member_id: each.token for event in issued for each in event.invitations}

    def asked(self) -> list[UUID]:
        """Everyone named in an invitation, once for each time."""
        return [each.member_id for event in self.published(SurveyInvitationsIssued) for each in event.invitations]

    def ballot_in_room(self, member_id: UUID) -> str:
        code = self.survey().room_code
        return self.call(OpenBallot, locale=Locale.FR, room_code=code, member_id=member_id).ballot_id

    def ballot_by_link(self, token: str) -> str:
        return self.call(OpenBallot, locale=Locale.EN, token=token).ballot_id

    def take(self, ballot_id: str) -> str:
        return self.call(TakeBallot, ballot_id=ballot_id).slip

    def cast(self, slip: str, values: Mapping[str, object] = HAPPY) -> None:
        self.call(CastSlip, slip=slip, answers=answers(values))

    def send(self, ballot_id: str, values: Mapping[str, object] = HAPPY) -> None:
        """What the gateway does with a filled ballot."""
        self.call(CheckAnswers, survey_id=tokens.survey_of(ballot_id), answers=answers(values))
        self.cast(self.take(ballot_id), values)
        self.call(ConfirmBallot, ballot_id=ballot_id)

    def answer_in_room(self, people: Sequence[UUID], values: Mapping[str, object] = HAPPY) -> None:
        for each in people:
            self.send(self.ballot_in_room(each), values)

    def answer_by_link(self, people: Sequence[UUID], values: Mapping[str, object] = HAPPY) -> None:
        links = self.tokens()
        for each in people:
            self.send(self.ballot_by_link(links[each]), values)

    def sheets(self) -> list[Mapping[str, object]]:
        """What lies sealed while the survey is open."""
        survey_id = self.survey().id
        with self.store.begin() as session:
            return [each.answers for each in ballots.read_sheets(session, survey_id)]

    def count(self, table: Any) -> int:
        (row,) = self.read(select(func.count()).select_from(table))
        return int(row[0])


@contextmanager
def fixture() -> Iterator[Fixture]:
    """A meeting with nobody yet, at ``AT``."""
    with testing.memory_store("evaluation", models.Base.metadata) as opened, clock.fixed(AT):
        yield Fixture(opened)


__all__ = ["AT", "HAPPY", "Fixture", "answers", "attendee", "fixture"]
