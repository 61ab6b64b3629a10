"""Whether a message still makes sense is decided at the moment of sending, from what is known by then."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import DeclarativeBase, Session

from pratique import store
from pratique.events.membership import Role
from pratique.events.notifications import DropReason, Template
from services.notifications.models import (
    CommunityCard,
    CommunityRole,
    ContactCard,
    MeetingCard,
    MeetingCommunity,
    MeetingEnd,
    MeetingWords,
    Message,
    Outcome,
    ResultsNotice,
    Revocation,
    State,
    message_id,
)

Row = TypeVar("Row", bound=DeclarativeBase)

#: A reminder sooner than this after what it reminds of is no reminder but a double.
REMIND_NO_SOONER = timedelta(hours=24)
#: After so many attempts, five minutes or so, a message goes without what it could do without.
PATIENCE = 4

#: ResultsWithheld carries no instant; so long after the meeting, seven days of survey and some, it is no news.
NO_NEWS_AFTER = timedelta(days=21)

_ABOUT_MEETING = (Template.MEETING_INVITATION, Template.MEETING_CANCELLED)
_ABOUT_SURVEY = (Template.SURVEY_INVITATION, Template.SURVEY_REMINDER)
#: The other message to the same person on which the sending of this one depends.
_COMPANION = {
    Template.SURVEY_INVITATION: Template.SURVEY_REMINDER,
    Template.SURVEY_REMINDER: Template.SURVEY_INVITATION,
    Template.MEETING_CANCELLED: Template.MEETING_INVITATION,
}


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything that is known about a message when its turn comes."""

    message: Message
    contact: ContactCard | None
    meeting: MeetingCard | None
    words: MeetingWords | None
    end: MeetingEnd | None
    communities: tuple[str, ...] | None  #: their names by alphabet; None while one is unknown
    companion: Message | None
    revoked_version: int  #: up to which version of the survey the person is not to be asked; 0 if never
    notice: ResultsNotice | None
    is_facilitator: bool  #: of one of the communities that the notice is about


class Wait(Exception):
    """Something that it needs has not arrived yet; try again later. The message says what."""


class Drop(Exception):
    """It has lost its reason; record that, and never send it."""

    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason)
        self.reason = reason


def gather(session: Session, messages: Sequence[Message]) -> list[Facts]:
    """What is known about each of these, in seven statements at most, whatever their number."""
    meetings = {message.meeting_id for message in messages}
    contacts = _by_key(session, ContactCard, {message.member_id for message in messages})
    cards = _by_key(session, MeetingCard, meetings)
    words = _by_key(session, MeetingWords, {m.meeting_id for m in messages if m.template in _ABOUT_MEETING})
    ends = _by_key(session, MeetingEnd, meetings)
    names = _community_names(session, meetings)
    companion_ids = {message.id: _companion_id(message) for message in messages}
    companions = _by_key(session, Message, {id for id in companion_ids.values() if id})
    about_surveys = {_invitation_id(message) for message in messages if message.template in _ABOUT_SURVEY}
    revocations = _by_key(session, Revocation, about_surveys)
    told = {m.subject_id for m in messages if m.template in (Template.RESULTS_RELEASED, Template.RESULTS_WITHHELD)}
    notices = _by_key(session, ResultsNotice, told)
    leads = _facilitators(session, {m.member_id for m in messages if m.template is Template.RESULTS_WITHHELD})
    gathered = []
    for message in messages:
        companion_id, notice = companion_ids[message.id], notices.get(message.subject_id)
        revocation = revocations.get(_invitation_id(message))
        facts = Facts(
            message=message,
            contact=contacts.get(message.member_id),
            meeting=cards.get(message.meeting_id),
            words=words.get(message.meeting_id),
            end=ends.get(message.meeting_id),
            communities=names.get(message.meeting_id),
            companion=companions.get(companion_id) if companion_id else None,
            revoked_version=revocation.version if revocation else 0,
            notice=notice,
            is_facilitator=notice is not None and any((message.member_id, id) in leads for id in notice.community_ids),
        )
        gathered.append(facts)
    return gathered


def decide(facts: Facts, now: datetime) -> None:
    """Return if the message is to be sent now.

    Raises:
        Drop: it has lost its reason.
        Wait: something it needs has not arrived.
    """
    message, end = facts.message, facts.end
    if message.relevant_until <= now:
        raise Drop(DropReason.EXPIRED)
    if end and end.outcome is Outcome.CANCELLED and message.template is not Template.MEETING_CANCELLED:
        raise Drop(DropReason.CANCELLED)
    if end and message.template is Template.MEETING_INVITATION:
        raise Drop(DropReason.EXPIRED)
    if message.template in _ABOUT_SURVEY and facts.revoked_version >= message.source_version:
        raise Drop(DropReason.REVOKED)
    if message.template is Template.RESULTS_WITHHELD and not facts.is_facilitator:
        raise Drop(DropReason.REVOKED)
    _heed_companion(facts, now)
    _need_words(facts)
    is_old = facts.meeting is not None and facts.meeting.ends_at + NO_NEWS_AFTER < now
    if message.template is Template.RESULTS_WITHHELD and is_old:
        raise Drop(DropReason.EXPIRED)


def _heed_companion(facts: Facts, now: datetime) -> None:
    """Say a thing once: what another message says, has just said, or never said at all."""
    message, other = facts.message, facts.companion
    if message.template is Template.MEETING_CANCELLED:
        if other is None or (not other.may_have_arrived and other.state is not State.SENDING):
            raise Drop(DropReason.CANCELLED)  # the invitation never left, so there is nothing to take back
        if other.state is State.SENDING:
            raise Wait("the invitation that it takes back is on its way")
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


def _need_words(facts: Facts) -> None:
    if facts.contact is None:
        raise Wait("the member's contact card has not arrived")
    if facts.meeting is None:
        raise Wait("the meeting has not arrived")
    if facts.communities is None:
        raise Wait("the name of a community has not arrived")
    if facts.message.template in _ABOUT_MEETING and facts.words is None:
        raise Wait("the meeting's place and themes have not arrived")
    is_reason_missing = facts.words and facts.end and facts.words.version < facts.end.version
    if facts.message.template is Template.MEETING_CANCELLED and is_reason_missing and facts.message.attempts < PATIENCE:
        raise Wait("the reason for the cancellation has not arrived")


def _by_key(session: Session, table: type[Row], keys: set[UUID]) -> dict[UUID, Row]:
    """The rows with these primary keys; no statement if there are no keys."""
    if not keys:
        return {}
    mapper = inspect(table)
    fresh = (
        select(table).where(store.among(session, mapper.primary_key[0], keys)).execution_options(populate_existing=True)
    )
    return {mapper.primary_key_from_instance(row)[0]: row for row in session.scalars(fresh)}


def _community_names(session: Session, meetings: set[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The names by meeting, of those meetings whose communities are all known."""
    found = session.execute(
        select(MeetingCommunity.meeting_id, CommunityCard.name)
        .outerjoin(CommunityCard, CommunityCard.community_id == MeetingCommunity.community_id)
        .where(store.among(session, MeetingCommunity.meeting_id, meetings))
    ).all()
    names: dict[UUID, list[str | None]] = {}
    for meeting_id, name in found:
        names.setdefault(meeting_id, []).append(name)
    return {id: tuple(sorted(filter(None, each))) for id, each in names.items() if None not in each}


def _facilitators(session: Session, members: set[UUID]) -> set[tuple[UUID, str]]:
    """(member, community) of the roles that these members have."""
    if not members:
        return set()
    leads = (CommunityRole.role == Role.FACILITATOR, CommunityRole.is_active)
    roles = select(CommunityRole.member_id, CommunityRole.community_id)
    found = session.execute(roles.where(CommunityRole.member_id.in_(members), *leads))
    return {(member_id, str(community_id)) for member_id, community_id in found}


def _companion_id(message: Message) -> UUID | None:
    template = _COMPANION.get(message.template)
    return message_id(template, message.subject_id, message.member_id) if template else None


def _invitation_id(message: Message) -> UUID:
    if message.template is Template.SURVEY_INVITATION:
        return message.id
    return message_id(Template.SURVEY_INVITATION, message.subject_id, message.member_id)
