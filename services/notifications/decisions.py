"""The decision, at the moment of sending, whether a message still makes sense, from what is known by then."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import DeclarativeBase

from chassis import clock
from chassis.sealing import BrokenSeal, Seal
from chassis.storage.transaction import Transaction
from pratique.events.membership import Role
from pratique.events.notifications import DropReason, Template
from pratique.requests.meetings import INVITATION_LINK
from services.notifications.kinds import KINDS, Kind
from services.notifications.models import (
    CommunityCard,
    CommunityRole,
    ContactCard,
    MeetingAttendance,
    MeetingCard,
    MeetingCommunity,
    MeetingEnd,
    MeetingWords,
    Message,
    Outcome,
    ResultsNotice,
    Revocation,
    Sealed,
    State,
    message_id,
)

Row = TypeVar("Row", bound=DeclarativeBase)

#: A reminder sooner than this after what it reminds of is no reminder but a double.
REMIND_NO_SOONER = timedelta(hours=24)
#: After a meeting's planned end, one's link to it opens for so long: until its survey is over.
LINK_LASTS = timedelta(days=8)
_NO_MEETING = UUID(int=0)
#: After so many attempts, five minutes or so, a message goes without what it could do without.
PATIENCE = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class MessageContext:
    """Everything that is known about a message when its turn comes."""

    message: Message
    sealed: Sealed | None  #: what its row keeps to itself; None if it cannot be read
    contact: ContactCard | None
    meeting: MeetingCard | None
    words: MeetingWords | None
    end: MeetingEnd | None
    communities: tuple[str, ...] | None  #: their names by alphabet; None while one is unknown
    companion: Message | None
    revoked_version: int  #: up to which version of the survey the person is not to be asked; 0 if never
    notice: ResultsNotice | None
    is_facilitator: bool  #: of one of the communities that the notice is about, or of the meeting
    was_there: bool  #: at the meeting, as far as anybody has said
    results_link: str  #: the opaque end of the link to released results; empty if there are none
    invitation_link: str  #: and of the person's own link to the meeting; empty where the mail is to carry none
    lead: ContactCard | None  #: whoever leads the meeting, or else facilitates one of its communities; None if unknown

    @property
    def kind(self) -> Kind:
        """The rules for its template."""
        return KINDS[self.message.template]

    @property
    def person(self) -> UUID | None:
        """The recipient."""
        return _person(self.message, self.sealed)


class Wait(Exception):
    """Something that it needs has not arrived yet; try again later. The message says what."""


class Hold(Exception):
    """It must not go before this instant; that is no failed attempt."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class Drop(Exception):
    """It has lost its reason; record that, and never send it."""

    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason)
        self.reason = reason


def gather(transaction: Transaction, messages: Sequence[Message]) -> list[MessageContext]:
    """Load what is known about each of these messages, in ten statements at most, whatever their number."""
    seal = transaction.seal
    boxes = {message.id: _opened(seal, message) for message in messages}
    people = {message.id: _person(message, boxes[message.id]) for message in messages}
    meetings = _those(message.meeting_id for message in messages)
    cards = _by_key(transaction, MeetingCard, meetings)
    leads_of = _leads(transaction, cards)
    contacts = _by_key(transaction, ContactCard, _those(people.values()).union(*leads_of.values()))
    words = _by_key(transaction, MeetingWords, _those(m.meeting_id for m in messages if KINDS[m.template].needs_words))
    ends = _by_key(transaction, MeetingEnd, meetings)
    names = _community_names(transaction, meetings)
    companions = _companions(transaction, seal, messages, people)
    revocations = _revocations(transaction, seal, messages, people)
    notices = _notices(transaction, messages)
    leads = _facilitators(transaction, _those(m.member_id for m in messages if KINDS[m.template].is_to_facilitators))
    present = _present(transaction, _those(m.meeting_id for m in messages if KINDS[m.template].is_to_those_there))
    gathered = []
    for message in messages:
        person, notice = people[message.id], notices.get(message.subject_id)
        card = cards.get(meeting_id := message.meeting_id or _NO_MEETING)
        leads_one = notice is not None and any((person, id) in leads for id in notice.community_ids)
        context = MessageContext(
            message=message,
            sealed=boxes[message.id],
            contact=contacts.get(person) if person else None,
            meeting=card,
            words=words.get(card.meeting_id) if card else None,
            end=ends.get(meeting_id),
            communities=names.get(meeting_id),
            companion=companions.get(message.id),
            revoked_version=revocations.get(message.id, 0),
            notice=notice,
            is_facilitator=leads_one or (card is not None and person is not None and card.facilitator_id == person),
            was_there=(message.meeting_id, person) in present,
            results_link=_results_link(seal, notice),
            invitation_link=_invitation_link(seal, message, card, contacts.get(person) if person else None),
            lead=next((contacts[id] for id in leads_of.get(meeting_id, ()) if id in contacts), None),
        )
        gathered.append(context)
    return gathered


def decide(context: MessageContext, now: datetime) -> None:
    """Return if the message is to be sent now.

    Raises:
        Drop: it has lost its reason.
        Hold: it is too early.
        Wait: something it needs has not arrived.
    """
    message, kind = context.message, context.kind
    if message.relevant_until <= now:
        raise Drop(DropReason.EXPIRED)
    if context.sealed is None:
        raise Wait("its box cannot be opened with this network's seal key")
    _heed_end(context)
    if kind.is_about_survey and context.revoked_version >= message.source_version:
        raise Drop(DropReason.REVOKED)
    if kind.is_to_facilitators and not context.is_facilitator:
        raise Drop(DropReason.REVOKED)
    if kind.is_to_those_there and not context.was_there:
        raise Drop(DropReason.REVOKED)
    _heed_companion(context, now)
    _need_cards(context)
    _need_words(context)
    if kind.news_for and context.meeting and context.meeting.ends_at + kind.news_for < now:
        raise Drop(DropReason.EXPIRED)
    until = context.contact.held_until if context.contact and kind.is_about_survey else None
    if until and until > now:
        raise Hold(min(until, message.relevant_until))


def _heed_end(context: MessageContext) -> None:
    """Say nothing of what a meeting's end has made void."""
    template, end = context.message.template, context.end
    if end and end.outcome is Outcome.CANCELLED and template is not Template.MEETING_CANCELLED:
        raise Drop(DropReason.CANCELLED)
    if end and context.kind.ends_with_meeting:
        raise Drop(DropReason.EXPIRED)


def _heed_companion(context: MessageContext, now: datetime) -> None:
    """Say a thing once: what another message says, has just said, or never said at all."""
    message, other = context.message, context.companion
    if context.kind.companion is Template.MEETING_INVITATION:
        if other is None or (not other.may_have_arrived and other.state is not State.SENDING):
            is_taken_back = message.template is Template.MEETING_CANCELLED  # the invitation never left
            raise Drop(DropReason.CANCELLED if is_taken_back else DropReason.SUPERSEDED)
        if other.state is State.SENDING:
            raise Wait("the invitation that it follows is on its way")
    if message.template is Template.SURVEY_INVITATION and other and other.state in (State.SENDING, State.SENT):
        raise Drop(DropReason.SUPERSEDED)
    if message.template is Template.SURVEY_REMINDER:
        if other is None and message.attempts < PATIENCE:
            raise Wait("the invitation that it reminds of has not arrived")
        # After an invitation that failed or was dropped the reminder goes: two days later the address may have been
        # mended, and it says all that is to be said.
        if other and other.state in (State.QUEUED, State.SENDING):
            raise Drop(DropReason.SUPERSEDED)
        if other and other.state is State.SENT and (other.settled_at or now) > now - REMIND_NO_SOONER:
            raise Drop(DropReason.SUPERSEDED)


def _need_cards(context: MessageContext) -> None:
    if context.contact is None:
        raise Wait("the member's contact card has not arrived")
    if context.message.meeting_id is None:
        return
    if context.meeting is None:
        raise Wait("the meeting has not arrived")
    if context.communities is None:
        raise Wait("the name of a community has not arrived")


def _need_words(context: MessageContext) -> None:
    message, words, meeting, end = context.message, context.words, context.meeting, context.end
    if not context.kind.needs_words:
        return
    if words is None:
        raise Wait("the meeting's place and themes have not arrived")
    if message.attempts >= PATIENCE:
        return
    if message.template is Template.MEETING_CANCELLED:
        if end and words.version < end.version:
            raise Wait("the reason for the cancellation has not arrived")
    elif meeting and words.version < meeting.words_version:
        raise Wait("the meeting's newer place and themes have not arrived")


def _opened(seal: Seal, message: Message) -> Sealed | None:
    try:
        return Sealed.open(seal, message.box)
    except BrokenSeal:
        return None


def _person(message: Message, sealed: Sealed | None) -> UUID | None:
    return message.member_id or (sealed.member_id if sealed else None)


def _those(ids: Iterable[UUID | None]) -> set[UUID]:
    return {id for id in ids if id is not None}


def _by_key(transaction: Transaction, table: type[Row], keys: set[UUID]) -> dict[UUID, Row]:
    """The rows with these primary keys; no statement if there are no keys."""
    if not keys:
        return {}
    mapper = inspect(table)
    fresh = (
        select(table)
        .where(transaction.is_one_of(mapper.primary_key[0], keys))
        .execution_options(populate_existing=True)
    )
    return {mapper.primary_key_from_instance(row)[0]: row for row in transaction.scalars(fresh)}


def _community_names(transaction: Transaction, meetings: set[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The names by meeting, of those meetings whose communities are all known."""
    if not meetings:
        return {}
    found = transaction.execute(
        select(MeetingCommunity.meeting_id, CommunityCard.name)
        .outerjoin(CommunityCard, CommunityCard.community_id == MeetingCommunity.community_id)
        .where(transaction.is_one_of(MeetingCommunity.meeting_id, meetings))
    ).all()
    names: dict[UUID, list[str | None]] = {}
    for meeting_id, name in found:
        names.setdefault(meeting_id, []).append(name)
    return {id: tuple(sorted(filter(None, each))) for id, each in names.items() if None not in each}


def _facilitators(transaction: Transaction, members: set[UUID]) -> set[tuple[UUID, str]]:
    """(member, community) of the roles that these members have."""
    if not members:
        return set()
    leads = (CommunityRole.role == Role.FACILITATOR, CommunityRole.is_active)
    roles = select(CommunityRole.member_id, CommunityRole.community_id)
    found = transaction.execute(roles.where(CommunityRole.member_id.in_(members), *leads))
    return {(member_id, str(community_id)) for member_id, community_id in found}


def find_lead(
    transaction: Transaction, facilitator_id: UUID | None, community_ids: Sequence[UUID]
) -> ContactCard | None:
    """The card of whoever leads a meeting of these communities: who is named, or else who facilitates one of them."""
    people = (
        {facilitator_id}
        if facilitator_id
        else set(
            transaction.scalars(
                select(CommunityRole.member_id)
                .where(CommunityRole.community_id.in_(community_ids))
                .where(CommunityRole.role == Role.FACILITATOR, CommunityRole.is_active)
            )
        )
    )
    cards = _by_key(transaction, ContactCard, people)
    return cards[min(cards)] if cards else None


def find_names(transaction: Transaction, community_ids: Sequence[UUID]) -> tuple[str, ...] | None:
    """The names of these communities by alphabet; None while one is unknown."""
    cards = _by_key(transaction, CommunityCard, set(community_ids))
    return tuple(sorted(card.name for card in cards.values())) if len(cards) == len(set(community_ids)) else None


def _leads(transaction: Transaction, cards: Mapping[UUID, MeetingCard]) -> dict[UUID, list[UUID]]:
    """Whoever leads these meetings; where nobody is named, whoever facilitates one of its communities, by id."""
    leads = {id: [card.facilitator_id] for id, card in cards.items() if card.facilitator_id}
    if unnamed := cards.keys() - leads.keys():
        found = transaction.execute(
            select(MeetingCommunity.meeting_id, CommunityRole.member_id)
            .join(CommunityRole, CommunityRole.community_id == MeetingCommunity.community_id)
            .where(transaction.is_one_of(MeetingCommunity.meeting_id, unnamed))
            .where(CommunityRole.role == Role.FACILITATOR, CommunityRole.is_active)
            .order_by(CommunityRole.member_id)
        )
        for meeting_id, member_id in found:
            leads.setdefault(meeting_id, []).append(member_id)
    return leads


def _present(transaction: Transaction, meetings: set[UUID]) -> set[tuple[UUID, UUID]]:
    """(meeting, member) of those who were at these meetings."""
    if not meetings:
        return set()
    rows = select(MeetingAttendance.meeting_id, MeetingAttendance.member_id)
    there = rows.where(MeetingAttendance.meeting_id.in_(meetings), MeetingAttendance.was_there)
    return {(meeting_id, member_id) for meeting_id, member_id in transaction.execute(there)}


def _notices(transaction: Transaction, messages: Sequence[Message]) -> dict[UUID, ResultsNotice]:
    return _by_key(transaction, ResultsNotice, {m.subject_id for m in messages if KINDS[m.template].tells_notice})


def _companions(
    transaction: Transaction, seal: Seal, messages: Sequence[Message], people: Mapping[UUID, UUID | None]
) -> dict[UUID, Message]:
    """The other message to the same person on which the sending depends, by the id of that which depends on it."""
    of_surveys, after = {}, []
    for message in messages:
        template, person = KINDS[message.template].companion, people[message.id]
        if template is Template.MEETING_INVITATION:
            after.append(message)
        elif template and person:
            of_surveys[message.id] = message_id(seal, template, message.subject_id, person)
    found = _by_key(transaction, Message, set(of_surveys.values()))
    companions = {id: found[companion_id] for id, companion_id in of_surveys.items() if companion_id in found}
    invitations = _invitations(transaction, after)
    for message in after:
        if invitation := invitations.get((message.meeting_id, message.member_id)):
            companions[message.id] = invitation
    return companions


def _invitations(transaction: Transaction, after: Sequence[Message]) -> dict[tuple[UUID | None, UUID | None], Message]:
    """The invitations to the meetings of these messages, of those to whom they go, by meeting and member."""
    if not after:
        return {}
    invitations = (
        select(Message)
        .where(Message.meeting_id.in_(_those(message.meeting_id for message in after)))
        .where(Message.template == Template.MEETING_INVITATION)
        .where(Message.member_id.in_(_those(message.member_id for message in after)))
        .execution_options(populate_existing=True)
    )
    return {(each.meeting_id, each.member_id): each for each in transaction.scalars(invitations)}


def _revocations(
    transaction: Transaction, seal: Seal, messages: Sequence[Message], people: Mapping[UUID, UUID | None]
) -> dict[UUID, int]:
    """Up to which version of the survey nobody is to ask this person, by the message's id."""
    invitations = {}
    for message in messages:
        person = people[message.id]
        if KINDS[message.template].is_about_survey and person:
            invitations[message.id] = message_id(seal, Template.SURVEY_INVITATION, message.subject_id, person)
    found = _by_key(transaction, Revocation, set(invitations.values()))
    return {id: found[invitation].version for id, invitation in invitations.items() if invitation in found}


def _results_link(seal: Seal, notice: ResultsNotice | None) -> str:
    is_released = notice is not None and notice.template is Template.RESULTS_RELEASED
    return seal.link("results", notice.survey_id) if notice and is_released else ""


def _invitation_link(seal: Seal, message: Message, card: MeetingCard | None, contact: ContactCard | None) -> str:
    """The end of this person's own link to the meeting. It lasts as long as the meeting's survey may be open.

    None goes to an address that was changed lately, as no survey's link does: it gives the pass with which one answers.
    """
    if card is None or contact is None or not KINDS[message.template].asks_whether_one_comes:
        return ""
    if contact.held_until is not None and clock.now() < contact.held_until:
        return ""
    return seal.lasting_link(INVITATION_LINK, card.ends_at + LINK_LASTS, card.meeting_id, contact.member_id)
