"""Invitations in words, for pages: as one person gets theirs, and as all would get it if it were sent now."""

import dataclasses
from collections.abc import Sequence
from types import SimpleNamespace
from uuid import UUID, uuid4

from sqlalchemy import func, select

from chassis import clock
from chassis.storage.transaction import Transaction
from pratique.errors import Invalid, NotFound
from pratique.events.meetings import MeetingDescribed
from pratique.events.membership import Locale
from pratique.events.notifications import Template
from pratique.requests.meetings import MeetingBody
from pratique.requests.notifications import (
    InvitationPreview,
    InvitationWords,
    PreviewInvitation,
    ReadInvitation,
    ReadMeetingHeading,
)
from services.notifications.decisions import MessageContext, find_lead, find_names, gather
from services.notifications.mails import Letterhead, fill_in, words_of
from services.notifications.models import (
    CommunityMember,
    ContactCard,
    MeetingCard,
    MeetingCommunity,
    MeetingWords,
    Message,
    Sealed,
    State,
)
from words.catalogue import N_, sentences

#: To whom a preview is addressed, for it is nobody's.
_SOMEBODY = N_("First Last")
_SOME_LINK = "…"  #: in the place of somebody's own


def read_invitation(transaction: Transaction, query: ReadInvitation) -> SimpleNamespace:
    """Return the meeting in the words in which mails tell this person of it, in their language or another.

    Raises:
        NotFound: the meeting, the person or the name of a community has not arrived here.
    """
    [context] = gather(transaction, [_invitation(query.meeting_id, query.member_id)])
    if context.contact is None or context.meeting is None or context.communities is None:
        raise NotFound(f"Nothing is known yet of an invitation of {query.member_id} to the meeting {query.meeting_id}.")
    spoken = _in_language(context.contact, query.locale or context.contact.locale)
    words = words_of(dataclasses.replace(context, contact=spoken), Letterhead.of(transaction.settings))
    return SimpleNamespace(**{name: words[name] for name in InvitationWords.schema.fields})


def read_meeting_heading(transaction: Transaction, query: ReadMeetingHeading) -> SimpleNamespace:
    """Return by what one recognises a meeting.

    Raises:
        NotFound: the meeting or the name of a community has not arrived here.
    """
    facts = _scheduled(transaction, query.meeting_id)
    meeting = facts.meeting
    if meeting is None or not facts.communities:
        raise NotFound(f"Nothing is known yet of the meeting {query.meeting_id}.")
    themes = MeetingDescribed.read(facts.words.described).themes if facts.words else ()
    return SimpleNamespace(
        communities=facts.communities,
        kind=meeting.kind,
        theme=themes[0] if themes else "",
        starts_at=meeting.starts_at,
        lead=facts.lead.name if facts.lead else "",
    )


def preview_invitation(transaction: Transaction, query: PreviewInvitation) -> InvitationPreview:
    """Return the invitation to a meeting that is scheduled, or is planned so, and how many people would get it.

    It is addressed to nobody, and its links are nobody's.

    Raises:
        Invalid: it names both a meeting and a plan, or neither.
        NotFound: there is no such meeting, or one of its communities is unknown.
    """
    if (query.meeting_id is None) == (query.planned is None):
        raise Invalid("Name a meeting, or say how one is planned.", {"/meeting_id": "or planned", "/planned": "or not"})
    context = _planned(transaction, query.planned) if query.planned else _scheduled(transaction, query.meeting_id)
    meeting = context.meeting
    if meeting is None or not context.communities:
        raise NotFound(
            "There is no such meeting, or no such community; what was recorded moments ago may need a second."
        )
    reader = ContactCard(
        member_id=uuid4(),
        version=1,
        name=sentences(query.locale)(_SOMEBODY),
        email="",
        locale=query.locale,
        timezone=meeting.timezone,
    )
    context = dataclasses.replace(context, contact=reader, invitation_link=_SOME_LINK)
    written = fill_in(Template.MEETING_INVITATION, words_of(context, Letterhead.of(transaction.settings)))
    community_ids = query.planned.community_ids if query.planned else _communities_of(transaction, meeting.meeting_id)
    count = _count_recipients(transaction, community_ids, (meeting.facilitator_id, meeting.note_taker_id))
    return InvitationPreview(subject=written.subject, text=written.text, html=written.html, recipients_count=count)


def _invitation(meeting_id: UUID | None, member_id: UUID | None) -> Message:
    """An invitation that is in no store and will be sent to nobody."""
    now = clock.now()
    return Message(
        id=uuid4(),
        member_id=member_id,
        template=Template.MEETING_INVITATION,
        subject_id=meeting_id,
        number=0,
        meeting_id=meeting_id,
        state=State.QUEUED,
        source_version=1,
        relevant_until=now,
        due_at=now,
        attempts=0,
        interruptions=0,
        box=None,
    )


def _scheduled(transaction: Transaction, meeting_id: UUID | None) -> MessageContext:
    return gather(transaction, [_invitation(meeting_id, None)])[0]


def _planned(transaction: Transaction, planned: MeetingBody) -> MessageContext:
    """The context of an invitation to a meeting of which there is a plan alone."""
    meeting_id = uuid4()
    taken = ("kind", "mode", "starts_at", "ends_at", "timezone", "facilitator_id", "note_taker_id")
    card = MeetingCard(meeting_id=meeting_id, version=1, **{name: getattr(planned, name) for name in taken})
    described = MeetingDescribed(
        meeting_id=meeting_id,
        community_ids=planned.community_ids,
        version=1,
        themes=planned.themes,
        place=planned.place,
        link=planned.link,
        cancel_reason="",
    )
    return dataclasses.replace(
        _scheduled(transaction, None),
        sealed=Sealed(),
        meeting=card,
        words=MeetingWords(meeting_id=meeting_id, version=1, described=described.dump()),
        communities=find_names(transaction, planned.community_ids),
        lead=find_lead(transaction, planned.facilitator_id, planned.community_ids),
    )


def _in_language(contact: ContactCard, locale: Locale) -> ContactCard:
    """The card as if its person read this language; in no store."""
    return ContactCard(
        member_id=contact.member_id,
        version=contact.version,
        name=contact.name,
        email=contact.email,
        locale=locale,
        timezone=contact.timezone,
    )


def _communities_of(transaction: Transaction, meeting_id: UUID) -> Sequence[UUID]:
    of_meeting = MeetingCommunity.meeting_id == meeting_id
    return transaction.scalars(select(MeetingCommunity.community_id).where(of_meeting)).all()


def _count_recipients(transaction: Transaction, community_ids: Sequence[UUID], parts: Sequence[UUID | None]) -> int:
    """Count those who would get it: members of the communities, and whoever leads or takes notes, with an address."""
    belongs = CommunityMember.community_id.in_(community_ids) & CommunityMember.is_active
    members = select(ContactCard.member_id).join(CommunityMember, CommunityMember.member_id == ContactCard.member_id)
    named = select(ContactCard.member_id).where(ContactCard.member_id.in_([id for id in parts if id]))
    invited = members.where(belongs).union(named).subquery()
    return transaction.scalar(select(func.count()).select_from(invited)) or 0
