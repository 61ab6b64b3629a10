"""Queries of meetings."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func, literal, or_, select, tuple_, union
from sqlalchemy.orm import Session

from chassis.actor import ACTOR
from chassis.rpc.requests import Handlers
from chassis.storage import audit, rows
from chassis.storage.rows import Page
from chassis.storage.transaction import Transaction
from chassis.storage.types import Instant
from pratique.errors import Invalid, NotFound
from pratique.events.meetings import AttendanceState, MeetingState
from pratique.requests.meetings import (
    GetMeeting,
    GetStanding,
    ListAgenda,
    ListInvited,
    ListMeetings,
    ListMeetingsAudit,
    ListMeetingVersions,
    ListRegistrations,
    SummarizeMeetings,
)
from pratique.requests.meetings import Meeting as Answered
from services.meetings.models import (
    Attendance,
    Community,
    FacilitatorRole,
    Meeting,
    MeetingCommunity,
    Membership,
    Registration,
)

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


def get_standing(session: Session, query: GetStanding) -> SimpleNamespace:
    """Return how far the meeting has come, and what this person said of coming; None if nothing yet.

    Raises:
        NotFound: there is no such meeting, or it is none of theirs: they belong to none of its communities, and
            neither lead it nor take notes.
    """
    meeting_id, member_id = query.meeting_id, query.member_id
    belongs = (
        select(Membership.member_id)
        .join(MeetingCommunity, MeetingCommunity.community_id == Membership.community_id)
        .where(MeetingCommunity.meeting_id == meeting_id, Membership.member_id == member_id)
    )
    theirs = or_(Meeting.facilitator_id == member_id, Meeting.note_taker_id == member_id, belongs.exists())
    said = and_(Registration.meeting_id == meeting_id, Registration.member_id == member_id)
    found = session.execute(
        select(Meeting.state, Meeting.starts_at, Meeting.ends_at, Registration.partstat)
        .outerjoin(Registration, said)
        .where(Meeting.meeting_id == meeting_id, theirs)
    ).first()
    if found is None:
        raise no_meeting(meeting_id)
    return SimpleNamespace(**found._asdict())


def list_meeting_versions(transaction: Transaction, query: ListMeetingVersions) -> list[SimpleNamespace]:
    """Return the versions of those of these meetings that there are, and that whoever asks may read. One query."""
    statement = select(Meeting.meeting_id.label("id"), Meeting.version).where(
        transaction.is_one_of(Meeting.meeting_id, query.ids)
    )
    actor = ACTOR.get()
    if (readable := actor.communities_for(query.needs)) is not None:
        of_theirs = select(MeetingCommunity.meeting_id).where(MeetingCommunity.community_id.in_(readable))
        is_readable = Meeting.meeting_id.in_(of_theirs)
        statement = statement.where(is_readable | Meeting.names(actor.member_id) if actor.member_id else is_readable)
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


def list_invited(session: Session, query: ListInvited) -> Page[SimpleNamespace]:
    """Return who is invited to a meeting, by member id, one page at a time. Two queries.

    Raises:
        NotFound: there is no such meeting.
        Invalid: the limit is out of its bounds, or ``after`` comes from no page of this list.
    """
    if session.scalar(select(Meeting.meeting_id).where(Meeting.meeting_id == query.meeting_id)) is None:
        raise no_meeting(query.meeting_id)
    of_meeting = select(MeetingCommunity.community_id).where(MeetingCommunity.meeting_id == query.meeting_id)
    asked: list[Select[Any]] = [
        select(each.member_id).where(each.community_id.in_(of_meeting), each.is_active)
        for each in (Membership, FacilitatorRole)
    ]
    named = (Meeting.facilitator_id, Meeting.note_taker_id)
    asked += [select(each).where(Meeting.meeting_id == query.meeting_id, each.is_not(None)) for each in named]
    member_id = union(*asked).subquery().c[0]
    statement = select(member_id).order_by(member_id)
    if query.after is not None:
        statement = statement.where(member_id > _read_id(query.after))
    page = rows.page(session, statement, query.limit, str)
    return Page([SimpleNamespace(member_id=each) for each in page.rows], page.after)


def list_agenda(transaction: Transaction, query: ListAgenda) -> list[SimpleNamespace]:
    """Return meetings of these communities, or led by the person, that end after ``since`` and start before ``until``.

    Cancelled ones too. Six queries at most, whatever the number.
    """
    meetings = _agenda(transaction, query)
    ids = [each.meeting_id for each in meetings]
    said: dict[UUID, Counter[str]] = defaultdict(Counter)
    counted = select(Registration.meeting_id, Registration.partstat, func.count()).group_by(
        Registration.meeting_id, Registration.partstat
    )
    for meeting_id, partstat, count in transaction.execute(
        counted.where(transaction.is_one_of(Registration.meeting_id, ids))
    ):
        said[meeting_id][partstat.value] = count
    parts = _own_parts(transaction, ids, query.member_id) if query.member_id else {}
    names = list(Answered.schema.fields)
    return [
        SimpleNamespace(
            **{name: getattr(each, name) for name in names},
            registrations=dict(said[each.meeting_id]),
            own_part=parts.get(each.meeting_id),
        )
        for each in meetings
    ]


def _agenda(transaction: Transaction, query: ListAgenda) -> list[Meeting]:
    of_these = transaction.is_one_of(MeetingCommunity.community_id, query.community_ids)
    ids = set(transaction.scalars(select(MeetingCommunity.meeting_id).where(of_these)))
    if query.member_id:
        ids.update(transaction.scalars(select(Meeting.meeting_id).where(Meeting.names(query.member_id))))
    order = [Meeting.starts_at, Meeting.meeting_id]
    statement = (
        select(Meeting)
        .where(
            transaction.is_one_of(Meeting.meeting_id, list(ids)),
            Meeting.ends_at > query.since,
            Meeting.starts_at < query.until,
        )
        .order_by(*[column.desc() for column in order] if query.is_latest_first else order)
        .limit(query.limit)
    )
    return list(transaction.scalars(statement))


def _own_parts(transaction: Transaction, ids: list[UUID], member_id: UUID) -> dict[UUID, SimpleNamespace]:
    parts = {id: SimpleNamespace(partstat=None, attendance=None) for id in ids}
    for table, column, name in (
        (Registration, Registration.partstat, "partstat"),
        (Attendance, Attendance.state, "attendance"),
    ):
        own = select(table.meeting_id, column).where(table.member_id == member_id)
        for meeting_id, state in transaction.execute(own.where(transaction.is_one_of(table.meeting_id, ids))):
            setattr(parts[meeting_id], name, state)
    return parts


def summarize_meetings(transaction: Transaction, query: SummarizeMeetings) -> list[SimpleNamespace]:
    """Return the figures of these communities over closed meetings that start in the period. Three queries.

    A joint meeting counts in each of its communities, and there the people who came by that one.
    """
    planned = (
        select(MeetingCommunity.community_id, MeetingCommunity.meeting_id)
        .where(transaction.is_one_of(MeetingCommunity.community_id, query.community_ids))
        .where(MeetingCommunity.starts_at >= query.since, MeetingCommunity.starts_at < query.until)
        .order_by(MeetingCommunity.starts_at, MeetingCommunity.meeting_id)
    )
    found = [(community_id, meeting_id) for community_id, meeting_id in transaction.execute(planned)]
    is_found = transaction.is_one_of(Meeting.meeting_id, list({meeting_id for _, meeting_id in found}))
    held = set(transaction.scalars(select(Meeting.meeting_id).where(is_found, Meeting.state == MeetingState.CLOSED)))
    meetings: dict[UUID, list[UUID]] = {id: [] for id in query.community_ids}
    for community_id, meeting_id in found:
        if meeting_id in held:
            meetings[community_id].append(meeting_id)
    there: dict[tuple[UUID, UUID], set[UUID]] = defaultdict(set)
    marked: Counter[UUID] = Counter()
    ids = {id for each in meetings.values() for id in each}
    marks = select(Attendance.community_id, Attendance.meeting_id, Attendance.member_id, Attendance.state).where(
        transaction.is_one_of(Attendance.meeting_id, list(ids)), Attendance.state != AttendanceState.UNKNOWN
    )
    for by, meeting_id, member_id, state in transaction.execute(marks):
        if by is None:  # staff from outside
            continue
        marked[by] += 1
        if state.was_there:
            there[by, meeting_id].add(member_id)
    return [_figures(id, meetings[id], there, marked[id]) for id in sorted(meetings)]


def _figures(
    community_id: UUID, meetings: list[UUID], there: Mapping[tuple[UUID, UUID], set[UUID]], marked: int
) -> SimpleNamespace:
    came = [there.get((community_id, meeting_id), set()) for meeting_id in meetings]
    return SimpleNamespace(
        community_id=community_id,
        meetings_count=len(meetings),
        head_counts=[len(each) for each in came],
        people_count=len(set().union(*came)),
        attendance_rate=sum(map(len, came)) / marked if marked else None,
    )


def _key(meeting: Meeting) -> str:
    return f"{meeting.starts_at.astimezone(UTC).strftime(_KEY)}_{meeting.meeting_id}"


def _read_key(after: str) -> tuple[datetime, UUID]:
    starts_at, _, meeting_id = after.partition("_")
    try:
        return datetime.strptime(starts_at, _KEY).replace(tzinfo=UTC), UUID(meeting_id)
    except ValueError as error:
        raise _no_key() from error


def _read_id(after: str) -> UUID:
    try:
        return UUID(after)
    except ValueError as error:
        raise _no_key() from error


def _no_key() -> Invalid:
    words = "after is no key of this list; take it from the page before, or leave it out."
    return Invalid(words, {"/after": words})


def list_meetings_audit(session: Session, query: ListMeetingsAudit) -> list[audit.Record]:
    """Return who did what here, as ``audit.find_records``. One query."""
    return audit.find_records(session, query)


#: Which function answers which query.
QUERIES: Handlers = {
    ListMeetingsAudit: list_meetings_audit,
    GetMeeting: get_meeting,
    GetStanding: get_standing,
    ListInvited: list_invited,
    ListMeetings: list_meetings,
    ListMeetingVersions: list_meeting_versions,
    ListRegistrations: list_registrations,
    ListAgenda: list_agenda,
    SummarizeMeetings: summarize_meetings,
}
