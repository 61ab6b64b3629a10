"""What meetings make evaluation do, and what it does later by itself.

Reactions to one meeting take their turn (``attendance.in_turn``), so that what each sees is what the others have
committed: a correction and the closing that run at once would otherwise each miss the person that the other brings.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.messaging import outbox
from chassis.messaging.inbox import Reactions, set_based
from chassis.scheduling import due
from chassis.storage import store
from pratique.events.evaluation import InvitationRevoked, SurveyInvitationsIssued, SurveyReminderDue
from pratique.events.meetings import (
    AttendanceCorrected,
    AttendanceRecorded,
    Attendee,
    MeetingClosed,
    MeetingWrapUpStarted,
)
from services.evaluation.models import (
    Attendance,
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


def project_attendance(session: Session, events: Sequence[AttendanceRecorded]) -> None:
    """Know who may answer in the room."""
    attendance.in_turn(session, {event.meeting_id for event in events})
    attendance.project(session, ((event.meeting_id, event.version, event.attendees) for event in events))


def open_in_room(session: Session, event: MeetingWrapUpStarted) -> None:
    """Open the meeting's survey with a code for the room, unless it has one or nobody is to be asked.

    A day after the planned end those recorded by then are asked, if nobody has closed the meeting.
    """
    attendance.in_turn(session, {event.meeting_id})
    if not event.with_survey or find_survey(session, Survey.meeting_id == event.meeting_id) is not None:
        return
    thresholds = Thresholds.of(store.settings_of(session))
    survey = Survey.begin(
        event.meeting_id, event.community_ids, event.timezone, event.wrap_up_at, thresholds, in_room=True
    )
    attendance.begin_anew(session, [event.meeting_id])
    session.add_all([survey, SurveyKey(**SurveyKey.new_row(store.seal_of(session), survey.id))])
    due.plan(session, "ask_anyway", survey.id, max(event.ends_at, event.wrap_up_at) + ASK_ANYWAY_AFTER)
    due.plan(session, "close", survey.id, survey.closes_at)
    outbox.add(session, survey.opened())


def invite_the_missing(session: Session, events: Sequence[MeetingClosed]) -> None:
    """Invite exactly those who were there and have not answered, once, and plan the reminder and the closing.

    Opens the survey where there was no wrap-up. Does nothing for a meeting whose closing was seen, however long ago. A
    dozen statements, whatever the number of meetings and people.
    """
    closed = {event.meeting_id: event for event in events}
    attendance.in_turn(session, closed)
    attendance.project(session, ((event.meeting_id, event.version, event.attendees) for event in events))
    known = _surveys_of(session, closed)
    waiting = [each for each in known.values() if each.state is SurveyState.OPEN and not each.is_meeting_closed]
    thresholds = Thresholds.of(store.settings_of(session))
    begun = [
        Survey.begin(event.meeting_id, event.community_ids, event.timezone, event.closed_at, thresholds, in_room=False)
        for event in closed.values()
        if event.with_survey and event.meeting_id not in known
    ]
    if begun:
        attendance.begin_anew(session, [survey.meeting_id for survey in begun])
    surveys = begun + waiting
    missing = _missing(session, attendance.present_at(session, closed), surveys, waiting)
    seal = store.seal_of(session)
    for survey in begun:
        outbox.add(session, survey.opened(), because=closed[survey.meeting_id])
    for survey in surveys:
        outbox.add(session, survey.invite(seal, missing[survey.id]), because=closed[survey.meeting_id])
    store.insert_many(session, _table(Survey), [survey.row() for survey in begun])
    store.insert_many(session, _table(SurveyKey), [SurveyKey.new_row(seal, survey.id) for survey in begun])
    _note_closing(session, waiting)
    due.plan_many(session, [row for survey in surveys for row in _plans(survey, closed[survey.meeting_id])])


def correct_attendance(session: Session, event: AttendanceCorrected) -> None:
    """Ask a person who turns out to have been there, or take back the invitation of one who was not.

    One event follows in either case, and whether they have answered or not, so that nothing can be told from it; none
    where something newer is known of this person, or this very correction. Notifications has one message for each
    person, so nobody has two mails of it.
    """
    attendance.in_turn(session, {event.meeting_id})
    known = session.get(Attendance, (event.meeting_id, event.member_id), populate_existing=True)
    is_newest = known is None or known.version < event.version
    corrected = Attendee(
        member_id=event.member_id, state=event.to_state, role=event.role, organization_id=event.organization_id
    )
    attendance.project(session, [(event.meeting_id, event.version, [corrected])])
    survey = find_survey(session, Survey.meeting_id == event.meeting_id, lock=True)
    if not is_newest or survey is None or not survey.is_open or not survey.is_meeting_closed:
        return
    if may_answer(event.to_state, event.role):
        outbox.add(session, survey.invite(store.seal_of(session), _unanswered(session, survey, [event.member_id])))
    else:
        outbox.add(session, survey.revoke(event.member_id))


def remind(session: Session, survey_id: UUID) -> None:
    """Ask those again who were there and have not answered."""
    survey = find_survey(session, Survey.id == survey_id, lock=True)
    if survey is None or not survey.is_open:
        return
    missing = _unanswered(session, survey, list_eligible(session, survey.meeting_id))
    outbox.add(session, survey.remind(store.seal_of(session), missing))


def ask_anyway(session: Session, survey_id: UUID) -> None:
    """Ask those recorded by now about a meeting that nobody has closed, and let its facilitator know."""
    survey = find_survey(session, Survey.id == survey_id, lock=True)
    if survey is None or not survey.is_open or survey.is_asked:
        return
    survey.is_asked, survey.room_code = True, None
    outbox.add(session, survey.asked_before_closing())
    missing = _unanswered(session, survey, list_eligible(session, survey.meeting_id))
    outbox.add(session, survey.invite(store.seal_of(session), missing))
    due.plan(session, "remind", survey.id, clock.on_the_wall(clock.now(), REMIND_AFTER_DAYS, survey.timezone))


def close_survey(session: Session, survey_id: UUID) -> None:
    """Take no more answers, destroy whatever says who gave some, and release or withhold the results for good.

    Of a released survey nothing stays but the release; of a withheld one its answers, by question, for ninety days.
    """
    survey = find_survey(session, Survey.id == survey_id, lock=True)
    if survey is None or survey.state is not SurveyState.OPEN:
        return
    eligible = list_eligible(session, survey.meeting_id)
    filled = ballots.read_sheets(session, survey_id)
    genuine = _count_genuine(session, survey, eligible, len(filled))
    votes = Votes([each.answers for each in filled], genuine, attendance.count_removed(session, survey.meeting_id))
    thresholds = survey.thresholds.raised_to(Thresholds.of(store.settings_of(session)))
    release = Release.of(survey, votes, thresholds, is_anyone_eligible=bool(eligible))
    session.add(release)
    if release.reason and filled:
        rows = releases.kept_rows(survey, votes.answers, store.seal_of(session))
        store.insert_many(session, _table(KeptAnswers), rows)
        due.plan(session, "forget", survey_id, clock.now() + KEEP_WITHHELD)
    for event in releases.close(survey, release, filled, len(eligible), votes.removed):
        outbox.add(session, event)
    ballots.destroy(session, survey_id)
    outbox.forget(session, ASKING, survey_id)
    store.wake(session, "destroyed")


def forget_answers(session: Session, survey_id: UUID) -> None:
    """Destroy the answers of a survey whose results were withheld: their time to be pooled is over."""
    session.execute(delete(KeptAnswers).where(KeptAnswers.survey_id == survey_id))


def _count_genuine(session: Session, survey: Survey, eligible: Sequence[UUID], answered: int) -> int:
    """How many of those who answered were there, as far as is known now: their markers are of people eligible."""
    markers = ballots.read_markers(session, [survey.id])[survey.id]
    secret = read_secrets(session, [survey.id])[survey.id]
    marked = sum(markers.get(tokens.marker_of(secret, member_id), False) for member_id in eligible)
    return min(marked, answered)


def _unanswered(session: Session, survey: Survey, member_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these who have not answered. A ballot that was taken in vain is given back."""
    secret = read_secrets(session, [survey.id])[survey.id]
    markers = ballots.read_markers(session, [survey.id])[survey.id]
    marked = ballots.release_markers(session, survey.id, markers)
    return [each for each in member_ids if tokens.marker_of(secret, each) not in marked]


def _surveys_of(session: Session, meeting_ids: Iterable[UUID]) -> Mapping[UUID, Survey]:
    """The surveys that these meetings have, by meeting, locked in one order for all.

    They belong to no session: what changes in them is written by statements for all at once.
    """
    table = _table(Survey)
    rows = session.execute(
        select(table).where(table.c.meeting_id.in_(list(meeting_ids))).order_by(table.c.id).with_for_update()
    )
    return {row.meeting_id: Survey(**row._asdict()) for row in rows}


def _missing(
    session: Session,
    present: Mapping[UUID, set[UUID]],
    surveys: Sequence[Survey],
    waiting: Sequence[Survey],
) -> Mapping[UUID, list[UUID]]:
    """Whom to invite, by survey. Only surveys that were open in the room (``waiting``) can have markers."""
    at = clock.now()
    ids = [each.id for each in waiting]
    secrets = read_secrets(session, ids) if ids else {}
    markers = ballots.read_markers(session, ids)
    missing = {}
    for survey in surveys:
        member_ids = sorted(present[survey.meeting_id]) if at < survey.closes_at else []
        if survey.id in secrets and markers[survey.id]:
            marked, secret = ballots.release_markers(session, survey.id, markers[survey.id]), secrets[survey.id]
            member_ids = [each for each in member_ids if tokens.marker_of(secret, each) not in marked]
        missing[survey.id] = member_ids
    return missing


def _note_closing(session: Session, waiting: Sequence[Survey]) -> None:
    """Let surveys that were open in the room know that their meeting is closed: their code opens nothing any more."""
    if not waiting:
        return
    ids = [each.id for each in waiting]
    due.cancel_many(session, "ask_anyway", ids)
    values = {"is_meeting_closed": True, "is_asked": True, "room_code": None, "version": Survey.version + 1}
    change = update(Survey).where(Survey.id.in_(ids)).values(values)
    session.execute(change, execution_options={"synchronize_session": False})


def _plans(survey: Survey, event: MeetingClosed) -> list[due.Planned]:
    remind_at = clock.on_the_wall(event.closed_at, REMIND_AFTER_DAYS, survey.timezone)
    return [("remind", survey.id, remind_at, event), ("close", survey.id, survey.closes_at, event)]


def _table(model: type[Any]) -> Any:
    return model.__table__


REACTIONS: Reactions = {
    AttendanceRecorded: set_based(project_attendance),
    MeetingWrapUpStarted: open_in_room,
    MeetingClosed: set_based(invite_the_missing),
    AttendanceCorrected: correct_attendance,
}
DUE: due.Handlers = {"remind": remind, "close": close_survey, "ask_anyway": ask_anyway, "forget": forget_answers}
