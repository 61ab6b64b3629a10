"""Reactions to events of membership: keep contact data, and catch up on messages that wait for them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from chassis import clock
from chassis.messaging.inbox import Reactions, set_based, set_based_on_envelopes
from chassis.storage.rows import keep_newest
from chassis.storage.transaction import Transaction
from pratique.event import Envelope
from pratique.events.membership import (
    CommunityDescribed,
    MemberContactChanged,
    MembershipActivated,
    MembershipEnded,
    Role,
    RoleAssigned,
    RoleEnded,
)
from pratique.events.notifications import DropReason, Template
from services.notifications.commands import NewMessage, drop_queued, queue_messages
from services.notifications.kinds import TO_FACILITATORS
from services.notifications.models import (
    CommunityCard,
    CommunityMember,
    CommunityRole,
    ContactCard,
    MeetingCard,
    MeetingCommunity,
    MeetingEnd,
    Message,
    Sealed,
)
from services.notifications.reactions.audience import (
    communities_of,
    is_expected,
    list_news,
    lock_audience,
    meeting_invitation,
    results_message,
)

#: So long no survey's link goes to a changed address, so that whoever reads the former one can object before.
HELD_FOR = timedelta(hours=48)
TOLD_FOR = timedelta(days=7)  #: that an address was changed is told to the former one within a week, or not at all


@set_based_on_envelopes
def keep_contact_cards(transaction: Transaction, envelopes: Sequence[Envelope[MemberContactChanged]]) -> None:
    """Know how to write to these people, and tell the former address of each that was replaced by another."""
    events = [envelope.event for envelope in envelopes]
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
    keep_newest(transaction, ContactCard, rows)
    now, changes = clock.now(), [envelope for envelope in envelopes if envelope.event.former_email]
    for event in [change.event for change in changes]:  # few, and of a person each
        is_news = (ContactCard.member_id == event.member_id, ContactCard.address_version < event.version)
        card = update(ContactCard).where(*is_news)
        transaction.execute(card.values(address_version=event.version, held_until=now + HELD_FOR))
    messages = [
        NewMessage(
            template=Template.ADDRESS_CHANGED,
            subject_id=event.member_id,
            member_id=event.member_id,
            number=event.version,
            community_ids=(),
            source_version=event.version,
            relevant_until=now + TOLD_FOR,
            because=change.as_cause(),
            sealed=Sealed(address=event.former_email or "", replaced_by=_not_in_full(event.email)),
        )
        for change in changes
        for event in [change.event]
    ]
    queue_messages(transaction, messages)


@set_based
def keep_community_names(transaction: Transaction, events: Sequence[CommunityDescribed]) -> None:
    """Know what these communities are called."""
    rows = [{"community_id": event.community_id, "version": event.version, "name": event.name} for event in events]
    keep_newest(transaction, CommunityCard, rows)


@set_based_on_envelopes
def invite_new_members(transaction: Transaction, envelopes: Sequence[Envelope[MembershipActivated]]) -> None:
    """Invite these people to the meetings ahead of their communities."""
    events = [envelope.event for envelope in envelopes]
    rows = [
        {
            "membership_id": event.membership_id,
            "version": event.version,
            "community_id": event.community_id,
            "member_id": event.member_id,
            "is_active": True,
        }
        for event in events
    ]
    keep_newest(transaction, CommunityMember, rows)
    lock_audience(transaction)
    still = _still_belonging(transaction, [event.membership_id for event in events])
    envelopes = [envelope for envelope in envelopes if envelope.event.membership_id in still]
    events = [envelope.event for envelope in envelopes]
    community_ids = {event.community_id for event in events}
    ahead = transaction.execute(
        select(MeetingCommunity.community_id, MeetingCard, MeetingEnd.outcome)
        .join(MeetingCard, MeetingCard.meeting_id == MeetingCommunity.meeting_id)
        .outerjoin(MeetingEnd, MeetingEnd.meeting_id == MeetingCommunity.meeting_id)
        .where(MeetingCommunity.community_id.in_(community_ids))
        .where(MeetingCard.ends_at > clock.now())
    ).all()
    of_meetings = communities_of(transaction, {card.meeting_id for _, card, _ in ahead})
    messages = []
    for event, because in [(envelope.event, envelope.as_cause()) for envelope in envelopes]:
        of_theirs = [(card, outcome) for community_id, card, outcome in ahead if community_id == event.community_id]
        for card, outcome in of_theirs:
            of_meeting = of_meetings[card.meeting_id]
            messages.append(meeting_invitation(event.member_id, card, of_meeting, outcome, because))
    queue_messages(transaction, messages)


def _still_belonging(transaction: Transaction, membership_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of these memberships of which nothing newer is known, such as that the person has left since."""
    of_these = transaction.is_one_of(CommunityMember.membership_id, membership_ids)
    return set(transaction.scalars(select(CommunityMember.membership_id).where(of_these, CommunityMember.is_active)))


@set_based
def invite_no_more(transaction: Transaction, events: Sequence[MembershipEnded]) -> None:
    """Know that these people have left; what they were to be invited to is dropped, if nothing else invites them."""
    rows = [
        {
            "membership_id": event.membership_id,
            "version": event.version,
            "community_id": event.community_id,
            "member_id": event.member_id,
            "is_active": False,
        }
        for event in events
    ]
    keep_newest(transaction, CommunityMember, rows)
    lock_audience(transaction)
    for event in events:  # few, and of a person each
        of_theirs = select(MeetingCommunity.meeting_id).where(MeetingCommunity.community_id == event.community_id)
        drop_queued(
            transaction,
            Message.template == Template.MEETING_INVITATION,
            Message.member_id == event.member_id,
            Message.meeting_id.in_(of_theirs),
            ~is_expected(Message.member_id, Message.meeting_id),
            reason=DropReason.REVOKED,
        )


def tell_new_facilitator(transaction: Transaction, event: RoleAssigned) -> None:
    """Know the role; a new facilitator is told what concerns facilitators while that is news."""
    _keep_role(transaction, event, is_active=True)
    if event.role is not Role.FACILITATOR:
        return
    lock_audience(transaction)
    theirs = select(MeetingCommunity.meeting_id).where(MeetingCommunity.community_id == event.community_id)
    news = list_news(transaction, TO_FACILITATORS, theirs)
    queue_messages(transaction, [results_message(event.member_id, notice) for notice in news])


def end_role(transaction: Transaction, event: RoleEnded) -> None:
    """Know that the role is over; what it brought is dropped when its turn to be sent comes."""
    _keep_role(transaction, event, is_active=False)


def _keep_role(transaction: Transaction, event: RoleAssigned | RoleEnded, is_active: bool) -> None:
    if not isinstance(event.role, Role):
        return  # a later version has added it; mails know none that this one does not
    row = {
        "assignment_id": event.assignment_id,
        "version": event.version,
        "community_id": event.community_id,
        "member_id": event.member_id,
        "role": event.role,
        "is_active": is_active,
    }
    keep_newest(transaction, CommunityRole, [row])


def _not_in_full(address: str) -> str:
    """An address that its owner knows again and nobody else learns: « a…@example.org »."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


REACTIONS: Reactions = {
    MemberContactChanged: keep_contact_cards,
    CommunityDescribed: keep_community_names,
    MembershipActivated: invite_new_members,
    MembershipEnded: invite_no_more,
    RoleAssigned: tell_new_facilitator,
    RoleEnded: end_role,
}
