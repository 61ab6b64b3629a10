"""Whom a meeting or its results concern; two events have to meet for that, and either may come first."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pratique import clock, store
from pratique.event import Event
from pratique.events.membership import Role
from pratique.events.notifications import DropReason, Template
from services.notifications.commands import Wanted
from services.notifications.models import (
    CommunityMember,
    CommunityRole,
    MeetingCard,
    MeetingCommunity,
    Outcome,
    ResultsNotice,
)

_WHY_NOT = {Outcome.CANCELLED: DropReason.CANCELLED, Outcome.CLOSED: DropReason.EXPIRED}


def match_alone(session: Session) -> None:
    """Until the commit, let no other replica match members with meetings or results.

    Otherwise of two that bring a member and a meeting at once, neither would see what the other brings, and the member
    would never be invited. It is held as long as one batch takes, and never on the path of a survey.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("notifications.audience"))))


def keep_communities(session: Session, meeting_id: UUID, community_ids: Iterable[UUID]) -> None:
    """Know for which communities a meeting is held; each event that names them may be the first to come."""
    places = [{"meeting_id": meeting_id, "community_id": id} for id in sorted(community_ids)]
    session.execute(store.insert(session, MeetingCommunity).values(places).on_conflict_do_nothing())


def members_of(session: Session, community_ids: Iterable[UUID]) -> list[UUID]:
    """Who belongs to any of these communities, each once."""
    of_these = CommunityMember.community_id.in_(list(community_ids))
    return list(session.scalars(select(CommunityMember.member_id).where(of_these).distinct()))


def facilitators_of(session: Session, community_ids: Iterable[UUID]) -> list[UUID]:
    """Who facilitates any of these communities at present, each once."""
    of_these = CommunityRole.community_id.in_(list(community_ids))
    leads = (CommunityRole.role == Role.FACILITATOR, CommunityRole.is_active)
    return list(session.scalars(select(CommunityRole.member_id).where(of_these, *leads).distinct()))


def list_news(session: Session, template: Template, community_ids: Iterable[UUID]) -> list[ResultsNotice]:
    """What there is to tell of the results of these communities; few rows, since news grows old in a week."""
    theirs = select(MeetingCommunity.meeting_id).where(MeetingCommunity.community_id.in_(list(community_ids)))
    is_news = (ResultsNotice.template == template, ResultsNotice.told_until > clock.now())
    return list(session.scalars(select(ResultsNotice).where(ResultsNotice.meeting_id.in_(theirs), *is_news)))


def meeting_invitation(member_id: UUID, card: MeetingCard, outcome: Outcome | None, because: Event) -> Wanted:
    """The invitation of a member to a meeting, or the record that it had lost its reason."""
    return Wanted(
        template=Template.MEETING_INVITATION,
        subject_id=card.meeting_id,
        member_id=member_id,
        meeting_id=card.meeting_id,
        source_version=card.version,
        relevant_until=card.ends_at,
        because=because,
        drop_reason=_WHY_NOT[outcome] if outcome else None,
    )


def results_message(member_id: UUID, notice: ResultsNotice, because: Event) -> Wanted:
    """The message that tells a member what there is to tell of results."""
    return Wanted(
        template=notice.template,
        subject_id=notice.subject_id,
        member_id=member_id,
        meeting_id=notice.meeting_id,
        survey_id=notice.survey_id,
        source_version=notice.version,
        relevant_until=notice.told_until,
        because=because,
    )
