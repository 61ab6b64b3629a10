"""What meetings make evaluation do, and what it does later by itself.

Reactions to one meeting take their turn (``attendance.in_turn``), so that what each sees is what the others have
committed: a correction and the closing that run at once would otherwise each miss the person that the other brings.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pratique import clock, due, outbox, store
from pratique.events.evaluation import WithheldReason
from pratique.events.meetings import (
    AttendanceCorrected,
    AttendanceRecorded,
    Attendee,
    MeetingClosed,
    MeetingWrapUpStarted,
)
from pratique.inbox import Reactions, set_based
from services.evaluation.models import (
    Attendance,
    Channel,
    Invitation,
    InvitationState,
    Marker,
    Release,
    Survey,
    SurveyState,
    attendance,
    ballots,
    releases,
    tokens,
)
from services.evaluation.models.surveys import GIVE_UP_AFTER, REMIND_AFTER_DAYS
from services.evaluation.queries import count_eligible, find_survey


def project_attendance(session: Session, events: Sequence[AttendanceRecorded]) -> None:
    """Know who may answer in the room."""
    attendance.in_turn(session, {event.meeting_id for event in events})
    attendance.project(session, ((event.meeting_id, event.version, event.attendees) for event in events))


def open_in_room(session: Session, event: MeetingWrapUpStarted) -> None:
    """Open the meeting's survey with a code for the room, unless it has one; give up a day after its planned end."""
    attendance.in_turn(session, {event.meeting_id})
    if find_survey(session, Survey.meeting_id == event.meeting_id) is not None:
        return
    survey = Survey.begin(event.meeting_id, event.community_ids, event.timezone, event.wrap_up_at, in_room=True)
    session.add(survey)
    due.plan(session, "give_up", survey.id, event.ends_at + GIVE_UP_AFTER)
    outbox.add(session, survey.opened())


def invite_the_missing(session: Session, events: Sequence[MeetingClosed]) -> None:
    """Invite exactly those who were there and have taken no ballot, once, and plan the reminder and the closing.

    Opens the survey where there was no wrap-up. Does nothing for a meeting whose closing was seen, however long ago. A
    dozen statements, whatever the number of meetings and people.
    """
    closed = {event.meeting_id: event for event in events}
    attendance.in_turn(session, closed)
    attendance.project(session, ((event.meeting_id, event.version, event.attendees) for event in events))
    known = _surveys_of(session, closed)
    waiting = [each for each in known.values() if each.state is SurveyState.OPEN and not each.is_meeting_closed]
    begun = [
        Survey.begin(event.meeting_id, event.community_ids, event.timezone, event.closed_at, in_room=False)
        for event in closed.values()
        if event.meeting_id not in known
    ]
    surveys = begun + waiting
    missing = _missing(session, attendance.present_at(session, closed), surveys, waiting)
    for survey in begun:
        outbox.add(session, survey.opened(), because=closed[survey.meeting_id])
    for survey in surveys:
        if member_ids := missing[survey.id]:
            outbox.add(session, survey.invite(member_ids), because=closed[survey.meeting_id])
    store.insert_many(session, _table(Survey), [survey.row() for survey in begun])
    _note_closing(session, waiting)
    store.insert_many(
        session,
        _table(Invitation),
        [
            {"survey_id": survey_id, "member_id": member_id, "state": InvitationState.INVITED}
            for survey_id, member_ids in missing.items()
            for member_id in member_ids
        ],
    )
    due.plan_many(session, [row for survey in surveys for row in _plans(survey, closed[survey.meeting_id])])


def correct_attendance(session: Session, event: AttendanceCorrected) -> None:
    """Invite a person who turns out to have been there, or revoke the unused invitation of one who was not.

    Someone who is removed and then added again is asked again, by the same link, since the removal may have called
    their mail off before it left. Notifications has one message for each person, so nobody has two mails of it.
    """
    attendance.in_turn(session, {event.meeting_id})
    corrected = Attendee(
        member_id=event.member_id, state=event.to_state, role=event.role, organization_id=event.organization_id
    )
    attendance.project(session, [(event.meeting_id, event.version, [corrected])])
    survey = find_survey(session, Survey.meeting_id == event.meeting_id, lock=True)
    if survey is None or not survey.is_open or not survey.is_meeting_closed:
        return
    newest = session.get_one(Attendance, (event.meeting_id, event.member_id))
    has_ballot = session.get(Marker, (survey.id, tokens.marker_of(survey.key, event.member_id))) is not None
    invitation = session.get(Invitation, (survey.id, event.member_id))
    if has_ballot:
        return
    if newest.may_answer and (invitation is None or invitation.state is InvitationState.REVOKED):
        state = InvitationState.INVITED
        session.merge(Invitation(survey_id=survey.id, member_id=event.member_id, state=state))
        outbox.add(session, survey.invite([event.member_id]))
    elif not newest.may_answer and invitation is not None and invitation.state is not InvitationState.REVOKED:
        invitation.state = InvitationState.REVOKED
        outbox.add(session, survey.revoke(event.member_id))


def remind(session: Session, survey_id: UUID) -> None:
    """Ask those again who were invited and have taken no ballot; nobody twice, and nothing if nobody is left."""
    survey = find_survey(session, Survey.id == survey_id, lock=True)
    if survey is None or not survey.is_open:
        return
    marked = set(session.scalars(select(Marker.mac).where(Marker.survey_id == survey_id)))
    invited = select(Invitation).where(Invitation.survey_id == survey_id, Invitation.state == InvitationState.INVITED)
    missing = [
        each
        for each in session.scalars(invited.order_by(Invitation.member_id))
        if tokens.marker_of(survey.key, each.member_id) not in marked
    ]
    for invitation in missing:
        invitation.state = InvitationState.REMINDED
    if missing:
        outbox.add(session, survey.remind([each.member_id for each in missing]))


def close_survey(session: Session, survey_id: UUID) -> None:
    """Take no more answers, destroy whatever says who gave some, and release or withhold the results for good."""
    _close(session, survey_id, is_given_up=False)


def give_up(session: Session, survey_id: UUID) -> None:
    """Close the survey of a meeting that was never closed: whom to ask is unknown, and registration is not presence."""
    _close(session, survey_id, is_given_up=True)


def _close(session: Session, survey_id: UUID, is_given_up: bool) -> None:
    survey = find_survey(session, Survey.id == survey_id, lock=True)
    if survey is None or survey.state is not SurveyState.OPEN or (is_given_up and survey.is_meeting_closed):
        return
    eligible = count_eligible(session, survey.meeting_id)
    is_attendance_known = survey.is_meeting_closed and eligible > 0
    rows = ballots.seal(session, survey_id)
    reason = None if is_attendance_known else WithheldReason.NO_ATTENDANCE
    release = Release.of(survey, [row["answers"] for row in rows], reason)
    session.add(release)
    channels: list[Channel] = [row["channel"] for row in rows]
    for event in releases.close(survey, release, channels, eligible):
        outbox.add(session, event)


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
    marked: set[tuple[UUID, bytes]] = set()
    if waiting:
        markers = select(Marker.survey_id, Marker.mac).where(Marker.survey_id.in_([each.id for each in waiting]))
        marked = {(row.survey_id, row.mac) for row in session.execute(markers)}
    missing = {}
    for survey in surveys:
        member_ids = list(present[survey.meeting_id]) if at < survey.closes_at else []
        if marked:
            key = survey.key
            member_ids = [each for each in member_ids if (survey.id, tokens.marker_of(key, each)) not in marked]
        missing[survey.id] = member_ids
    return missing


def _note_closing(session: Session, waiting: Sequence[Survey]) -> None:
    """Let surveys that were open in the room know that their meeting is closed; nobody gives them up any more."""
    if not waiting:
        return
    ids = [each.id for each in waiting]
    due.cancel_many(session, "give_up", ids)
    change = update(Survey).where(Survey.id.in_(ids)).values(is_meeting_closed=True, version=Survey.version + 1)
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
DUE: due.Handlers = {"remind": remind, "close": close_survey, "give_up": give_up}
