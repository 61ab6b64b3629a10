"""Reactions of evaluation to events of meetings, and its scheduled work.

Reactions to one meeting exclude one another (``lock_each``), so that what each sees is what the others have committed:
a correction and the closing that run at once would otherwise each miss the person that the other brings.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from chassis import clock
from chassis.messaging import outbox
from chassis.messaging.inbox import Reactions, set_based, set_based_on_envelopes
from chassis.scheduling import due
from chassis.storage.transaction import Transaction
from chassis.storage.types import table_of
from pratique.event import Cause, Envelope
from pratique.events.evaluation import InvitationRevoked, SurveyInvitationsIssued, SurveyReminderDue
from pratique.events.meetings import (
    AttendanceCorrected,
    AttendanceRecorded,
    Attendee,
    MeetingClosed,
    MeetingWrapUpStarted,
)
from services.evaluation import traces
from services.evaluation.models import (
    Attendance,
    CommunityRelease,
    KeptAnswers,
    Release,
    Survey,
    SurveyKey,
    SurveyState,
    Thresholds,
    attendance,
    ballots,
    releases,
    tokens,
)
from services.evaluation.models.releases import KEEP_WITHHELD, Votes
from services.evaluation.models.surveys import ASK_ANYWAY_AFTER, REMIND_AFTER_DAYS, may_answer, read_secrets
from services.evaluation.queries import find_survey, list_eligible

#: What names those who were asked; it leaves the event log when the survey closes.
ASKING = (SurveyInvitationsIssued, SurveyReminderDue, InvitationRevoked)


def project_attendance(transaction: Transaction, events: Sequence[AttendanceRecorded | MeetingClosed]) -> None:
    """Know who was there, and thereby who may answer in the room."""
    transaction.lock_each({event.meeting_id for event in events})
    attendance.project(transaction, ((event.meeting_id, event.version, event.attendees) for event in events))


def open_in_room(transaction: Transaction, event: MeetingWrapUpStarted) -> None:
    """Open the meeting's survey with a code for the room, unless it has one or nobody is to be asked.

    A day after the planned end those recorded by then are asked, if nobody has closed the meeting.
    """
    transaction.lock_each([event.meeting_id])
    if not event.with_survey or find_survey(transaction, Survey.meeting_id == event.meeting_id) is not None:
        return
    thresholds = Thresholds.of(transaction.settings)
    survey = _begin(event, event.wrap_up_at, thresholds, in_room=True)
    attendance.begin_anew(transaction, [event.meeting_id])
    transaction.add_all([survey, SurveyKey(**SurveyKey.new_row(transaction.seal, survey.id))])
    due.plan(transaction, "ask_anyway", survey.id, max(event.ends_at, event.wrap_up_at) + ASK_ANYWAY_AFTER)
    due.plan(transaction, "close", survey.id, survey.closes_at)
    transaction.publish(survey.opened())


def _begin(
    event: MeetingWrapUpStarted | MeetingClosed, opens_at: datetime, thresholds: Thresholds, *, in_room: bool
) -> Survey:
    return Survey.begin(
        event.meeting_id,
        event.community_ids,
        event.timezone,
        opens_at,
        thresholds,
        in_room=in_room,
        facilitator_id=event.facilitator_id,
        note_taker_id=event.note_taker_id,
    )


def invite_the_missing(transaction: Transaction, closings: Sequence[Envelope[MeetingClosed]]) -> None:
    """Invite exactly those who were there and have not answered, once, and plan the reminder and the closing.

    Opens the survey where there was no wrap-up. Does nothing for a meeting whose closing was seen, however long ago. A
    dozen statements, whatever the number of meetings and people.
    """
    by_meeting = {closing.event.meeting_id: closing for closing in closings}
    transaction.lock_each(by_meeting)
    known = attendance.known_otherwise(transaction, [closing.event for closing in closings])
    there = [(closing.event.meeting_id, closing.event.version, closing.event.attendees) for closing in closings]
    attendance.project(transaction, there, first_of=by_meeting.keys() - known)
    asked = _open_or_find(transaction, by_meeting, known)
    if not asked:
        return
    missing = _find_missing(transaction, asked, known)
    _announce(transaction, asked, missing)
    _keep(transaction, asked)


def correct_attendance(transaction: Transaction, event: AttendanceCorrected) -> None:
    """Ask a person who turns out to have been there, or take back the invitation of one who was not.

    One event follows in either case, and whether they have answered or not, so that nothing can be told from it; none
    where something newer is known of this person, or this very correction. Notifications has one message for each
    person, so nobody has two mails of it.
    """
    transaction.lock_each([event.meeting_id])
    known = transaction.get(Attendance, (event.meeting_id, event.member_id), populate_existing=True)
    is_newest = known is None or known.version < event.version
    corrected = Attendee(
        member_id=event.member_id, state=event.to_state, role=event.role, organization_id=event.organization_id
    )
    attendance.project(transaction, [(event.meeting_id, event.version, [corrected])])
    survey = find_survey(transaction, Survey.meeting_id == event.meeting_id, lock=True)
    if not is_newest or survey is None or not survey.is_open or not survey.is_meeting_closed:
        return
    if may_answer(event.to_state, event.role):
        transaction.publish(survey.invite(transaction.seal, _unanswered(transaction, survey, [event.member_id])))
    else:
        transaction.publish(survey.revoke(event.member_id))


def remind(transaction: Transaction, survey_id: UUID) -> None:
    """Ask those again who were there and have not answered."""
    survey = find_survey(transaction, Survey.id == survey_id, lock=True)
    if survey is None or not survey.is_open:
        return
    missing = _unanswered(transaction, survey, list_eligible(transaction, survey.meeting_id))
    transaction.publish(survey.remind(transaction.seal, missing))


def ask_anyway(transaction: Transaction, survey_id: UUID) -> None:
    """Ask those recorded by now about a meeting that nobody has closed, and let its facilitator know."""
    survey = find_survey(transaction, Survey.id == survey_id, lock=True)
    if survey is None or not survey.is_open or survey.is_asked:
        return
    survey.is_asked, survey.room_code = True, None
    transaction.publish(survey.asked_before_closing())
    missing = _unanswered(transaction, survey, list_eligible(transaction, survey.meeting_id))
    transaction.publish(survey.invite(transaction.seal, missing))
    due.plan(transaction, "remind", survey.id, clock.on_the_wall(clock.now(), REMIND_AFTER_DAYS, survey.timezone))


def close_survey(transaction: Transaction, survey_id: UUID) -> None:
    """Take no more answers, destroy whatever says who gave some, and release or withhold the results for good.

    Of a released survey nothing stays but the release; of a withheld one its answers, by question, for ninety days.
    """
    survey = find_survey(transaction, Survey.id == survey_id, lock=True)
    if survey is None or survey.state is not SurveyState.OPEN:
        return
    eligible = list_eligible(transaction, survey.meeting_id)
    filled = ballots.read_sheets(transaction, survey_id)
    genuine = _count_genuine(transaction, survey, eligible, len(filled))
    votes = Votes([each.answers for each in filled], genuine, attendance.count_removed(transaction, survey.meeting_id))
    thresholds = survey.thresholds.raised_to(Thresholds.of(transaction.settings))
    release = Release.of(survey, votes, thresholds, is_anyone_eligible=bool(eligible))
    transaction.add(release)
    transaction.flush()
    of_communities = [
        {"community_id": each, "survey_id": survey_id, "closes_at": survey.closes_at}
        for each in dict.fromkeys(survey.communities)
    ]
    transaction.insert_many(table_of(CommunityRelease), of_communities)
    if release.reason and filled:
        rows = releases.kept_rows(survey, votes.answers, transaction.seal)
        transaction.insert_many(table_of(KeptAnswers), rows)
        due.plan(transaction, "forget", survey_id, clock.now() + KEEP_WITHHELD)
    for event in releases.close(survey, release, filled, len(eligible), votes.removed):
        transaction.publish(event)
    ballots.destroy(transaction, survey_id)
    outbox.forget(transaction, ASKING, survey_id)
    transaction.wake(traces.LOOP)


def forget_answers(transaction: Transaction, survey_id: UUID) -> None:
    """Destroy the answers of a survey whose results were withheld: their time to be pooled is over."""
    transaction.execute(delete(KeptAnswers).where(KeptAnswers.survey_id == survey_id))


def _count_genuine(transaction: Transaction, survey: Survey, eligible: Sequence[UUID], answered: int) -> int:
    """Count those who answered and were there, as far as is known now: their markers are of people eligible."""
    markers = ballots.read_markers(transaction, [survey.id])[survey.id]
    secret = read_secrets(transaction, [survey.id])[survey.id]
    marked = sum(markers.get(tokens.marker_of(secret, member_id), False) for member_id in eligible)
    return min(marked, answered)


def _unanswered(transaction: Transaction, survey: Survey, member_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these who have not answered. A ballot that was taken in vain is given back."""
    secret = read_secrets(transaction, [survey.id])[survey.id]
    markers = ballots.read_markers(transaction, [survey.id])[survey.id]
    marked = ballots.release_markers(transaction, survey.id, markers)
    return [each for each in member_ids if tokens.marker_of(secret, each) not in marked]


@dataclass(frozen=True)
class _Asked:
    """The survey of a meeting that was just closed: a new one, or one that was open in the room until now.

    It belongs to no session: all are written by one statement.
    """

    survey: Survey
    event: MeetingClosed
    cause: Cause
    is_new: bool

    def plans(self) -> list[due.Planned]:
        """Return when to remind, and when the survey closes."""
        remind_at = clock.on_the_wall(self.event.closed_at, REMIND_AFTER_DAYS, self.survey.timezone)
        return [
            ("remind", self.survey.id, remind_at, self.cause),
            ("close", self.survey.id, self.survey.closes_at, self.cause),
        ]


def _open_or_find(
    transaction: Transaction, by_meeting: Mapping[UUID, Envelope[MeetingClosed]], known: Set[UUID]
) -> list[_Asked]:
    """Open the surveys that are missing and find those that are open in the room, which are locked in one order."""
    table, thresholds = table_of(Survey), Thresholds.of(transaction.settings)
    locked = (
        select(table)
        .where(transaction.is_one_of(table.c.meeting_id, list(by_meeting)))
        .order_by(table.c.id)
        .with_for_update()
    )
    in_room = {row.meeting_id: Survey(**row._asdict()) for row in transaction.execute(locked)}
    begun, waiting = [], []
    for meeting_id, closing in by_meeting.items():
        event, survey = closing.event, in_room.get(meeting_id)
        if survey is None and event.with_survey:
            survey = _begin(event, event.closed_at, thresholds, in_room=False)
            begun.append(_Asked(survey, event, closing.as_cause(), is_new=True))
        elif survey is not None and survey.state is SurveyState.OPEN and not survey.is_meeting_closed:
            survey.end_room()
            waiting.append(_Asked(survey, event, closing.as_cause(), is_new=False))
    if mistaken := [each.survey.meeting_id for each in begun if each.survey.meeting_id in known]:
        attendance.begin_anew(transaction, mistaken)
    return begun + waiting


def _find_missing(transaction: Transaction, asked: Sequence[_Asked], known: Set[UUID]) -> Mapping[UUID, list[UUID]]:
    """Return whom to invite, by survey: who was there, but for those whose ballot was taken in the room."""
    at, present = clock.now(), attendance.present_at(transaction, [each.event for each in asked], known)
    in_room = [each.survey.id for each in asked if not each.is_new]  # only these can have markers
    secrets = read_secrets(transaction, in_room) if in_room else {}
    markers = ballots.read_markers(transaction, in_room)
    missing = {}
    for survey in [each.survey for each in asked]:
        member_ids = sorted(present[survey.meeting_id]) if at < survey.closes_at else []
        if survey.id in secrets and markers[survey.id]:
            marked, secret = ballots.release_markers(transaction, survey.id, markers[survey.id]), secrets[survey.id]
            member_ids = [each for each in member_ids if tokens.marker_of(secret, each) not in marked]
        missing[survey.id] = member_ids
    return missing


def _announce(transaction: Transaction, asked: Sequence[_Asked], missing: Mapping[UUID, Sequence[UUID]]) -> None:
    """Publish what has opened, and ask those who are missing."""
    seal = transaction.seal
    for each in asked:
        if each.is_new:
            transaction.publish(each.survey.opened(), because=each.cause)
    for each in asked:
        transaction.publish(each.survey.invite(seal, missing[each.survey.id]), because=each.cause)


def _keep(transaction: Transaction, asked: Sequence[_Asked]) -> None:
    """Write the surveys as they are by now, new or changed, the secrets of the new ones, and what is to follow."""
    if in_room := [each.survey.id for each in asked if not each.is_new]:
        due.cancel_many(transaction, "ask_anyway", in_room)
    transaction.insert_many(table_of(Survey), [each.survey.row() for each in asked], newest="version")
    keys = [SurveyKey.new_row(transaction.seal, each.survey.id) for each in asked if each.is_new]
    transaction.insert_many(table_of(SurveyKey), keys)
    due.plan_many(transaction, [plan for each in asked for plan in each.plans()])


REACTIONS: Reactions = {
    AttendanceRecorded: set_based(project_attendance),
    MeetingWrapUpStarted: open_in_room,
    MeetingClosed: set_based_on_envelopes(invite_the_missing),
    AttendanceCorrected: correct_attendance,
}
DUE: due.Handlers = {"remind": remind, "close": close_survey, "ask_anyway": ask_anyway, "forget": forget_answers}
