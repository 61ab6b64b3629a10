"""Queries of meetings."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

from sqlalchemy import bindparam, literal, select, tuple_
from sqlalchemy.orm import Session

from chassis.rpc.requests import Handlers
from chassis.storage import rows
from chassis.storage.rows import Page
from chassis.storage.transaction import Transaction
from chassis.storage.types import Instant
from pratique.errors import Invalid, NotFound
from pratique.requests.meetings import GetMeeting, ListMeetings, ListMeetingVersions, ListRegistrations
from services.meetings.models import Attendance, Community, Meeting, MeetingCommunity, Registration

_KEY = "%Y-%m-%dT%H:%M:%S.%fZ"


#: Columns and no mapped objects, in statements that are made once: to read a meeting so costs a third.
_MEETING = (
    select(*Meeting.__table__.columns, MeetingCommunity.community_id)
    .outerjoin(MeetingCommunity, MeetingCommunity.meeting_id == Meeting.meeting_id)
    .where(Meeting.meeting_id == bindparam("id"))
    .order_by(MeetingCommunity.position)
)
_ATTENDANCE = (
    select(*Attendance.__table__.columns).where(Attendance.meeting_id == bindparam("id")).order_by(Attendance.member_id)
)


def get_meeting(session: Session, query: GetMeeting) -> SimpleNamespace:
    """Return the meeting with its attendance, by member id, as plain values with the names of the schema.

    Two queries, whatever the size.

    Raises:
        NotFound: there is no such meeting.
    """
    connection = session.connection()
    found = connection.execute(_MEETING, {"id": query.meeting_id}).all()
    if not found:
        raise no_meeting(query.meeting_id)
    marks = connection.execute(_ATTENDANCE, {"id": query.meeting_id})
    names = tuple(marks.keys())
    return SimpleNamespace(
        **found[0]._asdict(),
        community_ids=tuple([each.community_id for each in found]),
        attendance=[SimpleNamespace(**dict(zip(names, mark, strict=True))) for mark in marks],
    )


def list_meeting_versions(transaction: Transaction, query: ListMeetingVersions) -> list[SimpleNamespace]:
    """Return the versions of those of these meetings that there are. One query."""
    statement = select(Meeting.meeting_id.label("id"), Meeting.version).where(
        transaction.is_one_of(Meeting.meeting_id, query.ids)
    )
    return [SimpleNamespace(**row._asdict()) for row in transaction.connection().execute(statement)]


def no_meeting(meeting_id: UUID) -> NotFound:
    """Return the error for an unknown meeting."""
    return NotFound(f"There is no meeting {meeting_id}; schedule it first.")


def list_meetings(session: Session, query: ListMeetings) -> Page[Meeting]:
    """Return a community's meetings without attendance, the latest to start first, one page at a time.

    Three queries, whatever the size. ``after`` is that of the page before.

    Raises:
        NotFound: there is no such community.
        Invalid: the limit is out of its bounds, or ``after`` comes from no page of this list.
    """
    if session.get(Community, query.community_id) is None:
        raise NotFound(f"There is no community {query.community_id}; record it first.")
    statement = (
        select(Meeting)
        .join(MeetingCommunity, MeetingCommunity.meeting_id == Meeting.meeting_id)
        .where(MeetingCommunity.community_id == query.community_id)
        .order_by(MeetingCommunity.starts_at.desc(), MeetingCommunity.meeting_id.desc())
    )
    if query.after is not None:
        starts_at, meeting_id = _read_key(query.after)
        key = tuple_(literal(starts_at, Instant()), literal(meeting_id))
        statement = statement.where(tuple_(MeetingCommunity.starts_at, MeetingCommunity.meeting_id) < key)
    return rows.page(session, statement, query.limit, _key)


def list_registrations(session: Session, query: ListRegistrations) -> Page[Registration]:
    """Return who said whether they come to a meeting, by member id, one page at a time. Two queries.

    Raises:
        NotFound: there is no such meeting.
        Invalid: the limit is out of its bounds, or ``after`` comes from no page of this list.
    """
    if session.scalar(select(Meeting.meeting_id).where(Meeting.meeting_id == query.meeting_id)) is None:
        raise no_meeting(query.meeting_id)
    statement = select(Registration).where(Registration.meeting_id == query.meeting_id)
    return rows.page_by_id(session, statement, Registration.member_id, query.after, query.limit)


def _key(meeting: Meeting) -> str:
    return f"{meeting.starts_at.astimezone(UTC).strftime(_KEY)}_{meeting.meeting_id}"


def _read_key(after: str) -> tuple[datetime, UUID]:
    starts_at, _, meeting_id = after.partition("_")
    try:
        return datetime.strptime(starts_at, _KEY).replace(tzinfo=UTC), UUID(meeting_id)
    except ValueError as error:
        words = "after is no key of this list; take it from the page before, or leave it out."
        raise Invalid(words, {"/after": words}) from error


#: Which function answers which query.
QUERIES: Handlers = {
    GetMeeting: get_meeting,
    ListMeetings: list_meetings,
    ListMeetingVersions: list_meeting_versions,
    ListRegistrations: list_registrations,
}
