"""What events of membership make notifications do: know people, and catch up on what awaits them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from pratique import clock
from pratique.events.membership import (
    CommunityDescribed,
    MemberContactChanged,
    MembershipActivated,
    Role,
    RoleAssigned,
    RoleEnded,
)
from pratique.events.notifications import Template
from pratique.inbox import set_based
from pratique.rows import keep_newest
from services.notifications.commands import queue_messages
from services.notifications.models import (
    CommunityCard,
    CommunityMember,
    CommunityRole,
    ContactCard,
    MeetingCard,
    MeetingCommunity,
    MeetingEnd,
)
from services.notifications.reactions.audience import list_news, match_alone, meeting_invitation, results_message


@set_based
def keep_contact_cards(session: Session, events: Sequence[MemberContactChanged]) -> None:
    """Know how to write to these people."""
    rows = [
        {
            "member_id": event.member_id,
            "version": event.version,
            "name": event.name,
            "email": event.email,
            "locale": event.locale,
            "timezone": event.timezone,
        }
        for event in events
    ]
    keep_newest(session, ContactCard, rows)


@set_based
def keep_community_names(session: Session, events: Sequence[CommunityDescribed]) -> None:
    """Know what these communities are called."""
    rows = [{"community_id": event.community_id, "version": event.version, "name": event.name} for event in events]
    keep_newest(session, CommunityCard, rows)


@set_based
def invite_new_members(session: Session, events: Sequence[MembershipActivated]) -> None:
    """Invite these people to the meetings ahead of their communities, and tell them of results that are news."""
    rows = [
        {
            "membership_id": event.membership_id,
            "version": event.version,
            "community_id": event.community_id,
            "member_id": event.member_id,
        }
        for event in events
    ]
    keep_newest(session, CommunityMember, rows)
    match_alone(session)
    community_ids = {event.community_id for event in events}
    ahead = session.execute(
        select(MeetingCommunity.community_id, MeetingCard, MeetingEnd.outcome)
        .join(MeetingCard, MeetingCard.meeting_id == MeetingCommunity.meeting_id)
        .outerjoin(MeetingEnd, MeetingEnd.meeting_id == MeetingCommunity.meeting_id)
        .where(MeetingCommunity.community_id.in_(community_ids))
        .where(MeetingCard.ends_at > clock.now())
    ).all()
    news = list_news(session, Template.RESULTS_RELEASED, community_ids)
    wanted = []
    for event in events:
        of_theirs = [(card, outcome) for community_id, card, outcome in ahead if community_id == event.community_id]
        wanted += [meeting_invitation(event.member_id, card, outcome, event) for card, outcome in of_theirs]
        told = [notice for notice in news if str(event.community_id) in notice.community_ids]
        wanted += [results_message(event.member_id, notice, event) for notice in told]
    queue_messages(session, wanted)


def tell_new_facilitator(session: Session, event: RoleAssigned) -> None:
    """Know the role; a new facilitator is told of results that were withheld while that is news."""
    _keep_role(session, event, is_active=True)
    if event.role is not Role.FACILITATOR:
        return
    match_alone(session)
    news = list_news(session, Template.RESULTS_WITHHELD, [event.community_id])
    queue_messages(session, [results_message(event.member_id, notice, event) for notice in news])


def end_role(session: Session, event: RoleEnded) -> None:
    """Know that the role is over; what it brought is dropped when its turn to be sent comes."""
    _keep_role(session, event, is_active=False)


def _keep_role(session: Session, event: RoleAssigned | RoleEnded, is_active: bool) -> None:
    row = {
        "assignment_id": event.assignment_id,
        "version": event.version,
        "community_id": event.community_id,
        "member_id": event.member_id,
        "role": event.role,
        "is_active": is_active,
    }
    keep_newest(session, CommunityRole, [row])
