"""The audience of a meeting or of its results; two events have to meet for that, and either may come first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select

from chassis import clock
from chassis.storage.transaction import Transaction
from chassis.storage.types import table_of
from pratique.event import Cause
from pratique.events.membership import Role
from pratique.events.notifications import DropReason, Template
from services.notifications.commands import NewMessage, queue_messages
from services.notifications.models import (
    CommunityMember,
    CommunityRole,
    MeetingAttendance,
    MeetingCard,
    MeetingCommunity,
    Outcome,
    ResultsNotice,
)

_WHY_NOT = {Outcome.CANCELLED: DropReason.CANCELLED, Outcome.CLOSED: DropReason.EXPIRED}
_COMMUNITIES = table_of(MeetingCommunity)


def lock_audience(transaction: Transaction) -> None:
    """Lock the audience: until the commit no other replica matches members with meetings or results.

    Otherwise of two that bring a member and a meeting at once, neither would see what the other brings, and the member
    would never be invited. It is held as long as one batch takes, and never on the path of a survey.
    """
    transaction.lock("notifications.audience")


def keep_communities(transaction: Transaction, events: Iterable[Any]) -> None:
    """Know for which communities meetings are held; each event that names them may be the first to come."""
    pairs = {(event.meeting_id, community_id) for event in events for community_id in event.community_ids}
    rows = [{"meeting_id": meeting_id, "community_id": community_id} for meeting_id, community_id in sorted(pairs)]
    transaction.insert_many(_COMMUNITIES, rows, ignore_conflicts=True)


def communities_of(transaction: Transaction, meeting_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The communities for which these meetings are held, by meeting."""
    named = select(MeetingCommunity.meeting_id, MeetingCommunity.community_id).order_by(MeetingCommunity.community_id)
    found: dict[UUID, list[UUID]] = {}
    for meeting_id, community_id in transaction.execute(named.where(MeetingCommunity.meeting_id.in_(meeting_ids))):
        found.setdefault(meeting_id, []).append(community_id)
    return found


def members_of(transaction: Transaction, community_ids: Iterable[UUID]) -> list[UUID]:
    """Return the members of any of these communities, each once."""
    of_these = CommunityMember.community_id.in_(list(community_ids)) & CommunityMember.is_active
    return list(transaction.scalars(select(CommunityMember.member_id).where(of_these).distinct()))


def is_expected(member_id: Any, meeting_id: Any) -> ColumnElement[bool]:
    """Return the condition that a person belongs to a community of a meeting, leads it or takes its notes."""
    belongs = exists().where(
        MeetingCommunity.meeting_id == meeting_id,
        CommunityMember.community_id == MeetingCommunity.community_id,
        CommunityMember.member_id == member_id,
        CommunityMember.is_active,
    )
    is_named = exists().where(
        MeetingCard.meeting_id == meeting_id,
        or_(MeetingCard.facilitator_id == member_id, MeetingCard.note_taker_id == member_id),
    )
    return or_(belongs, is_named)


def facilitators_of(transaction: Transaction, meeting_id: UUID, community_ids: Iterable[UUID]) -> set[UUID]:
    """Return the facilitators of this meeting and, at present, of any of these communities."""
    of_these = CommunityRole.community_id.in_(list(community_ids))
    leads = (CommunityRole.role == Role.FACILITATOR, CommunityRole.is_active)
    by_role = select(CommunityRole.member_id).where(of_these, *leads)
    of_meeting = select(MeetingCard.facilitator_id).where(
        MeetingCard.meeting_id == meeting_id, MeetingCard.facilitator_id.is_not(None)
    )
    return {id for id in transaction.scalars(by_role.union(of_meeting)) if id is not None}


def list_news(transaction: Transaction, templates: Sequence[Template], meetings: Any) -> list[ResultsNotice]:
    """Return the news of these meetings, ids or a query for them; few rows, since news grows old in a week."""
    is_news = (ResultsNotice.template.in_(templates), ResultsNotice.told_until > clock.now())
    return list(transaction.scalars(select(ResultsNotice).where(ResultsNotice.meeting_id.in_(meetings), *is_news)))


def tell_those_there(transaction: Transaction, because: Mapping[UUID, Cause | None]) -> None:
    """Tell whoever was at these meetings of their released results, while that is news; never the note taker.

    ``because`` says by meeting from which event that follows, in a reaction to a list of events.
    """
    news = {notice.meeting_id: notice for notice in list_news(transaction, [Template.RESULTS_RELEASED], list(because))}
    if not news:
        return
    takes_notes = exists().where(
        MeetingCard.meeting_id == MeetingAttendance.meeting_id,
        MeetingCard.note_taker_id == MeetingAttendance.member_id,
    )
    there = (
        select(MeetingAttendance.meeting_id, MeetingAttendance.member_id)
        .where(MeetingAttendance.meeting_id.in_(news), MeetingAttendance.was_there)
        .where(~takes_notes)
    )
    messages = [
        results_message(member_id, news[meeting_id], because[meeting_id])
        for meeting_id, member_id in transaction.execute(there)
    ]
    queue_messages(transaction, messages)


def meeting_invitation(
    member_id: UUID,
    card: MeetingCard,
    community_ids: Sequence[UUID],
    outcome: Outcome | None,
    because: Cause | None = None,
) -> NewMessage:
    """The invitation of a person to a meeting, or the record that it had lost its reason."""
    return NewMessage(
        template=Template.MEETING_INVITATION,
        subject_id=card.meeting_id,
        member_id=member_id,
        meeting_id=card.meeting_id,
        community_ids=community_ids,
        source_version=card.version,
        relevant_until=card.ends_at,
        because=because,
        drop_reason=_WHY_NOT[outcome] if outcome else None,
    )


def results_message(member_id: UUID, notice: ResultsNotice, because: Cause | None = None) -> NewMessage:
    """The message that tells a person what there is to tell."""
    return NewMessage(
        template=notice.template,
        subject_id=notice.subject_id,
        member_id=member_id,
        meeting_id=notice.meeting_id,
        survey_id=notice.survey_id,
        community_ids=[UUID(id) for id in notice.community_ids],
        source_version=notice.version,
        relevant_until=notice.told_until,
        because=because,
    )
