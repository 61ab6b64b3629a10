"""Requests to notifications: what became of messages, and the one mail that is asked for."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from marshmallow.validate import Length

from pratique.events.meetings import MeetingKind
from pratique.events.membership import Locale
from pratique.events.notifications import DropReason, MessageState, Template
from pratique.fields import ABSENT, LINES, Doc
from pratique.permissions import Permission, Rule
from pratique.request import Answer, Command, ListQuery, Query, example_id
from pratique.requests.fields import AuditQuery, AuditRecord
from pratique.requests.meetings import MeetingBody


class Message(Answer):
    """One message to one member: what became of it, when, and why. Its words are in no answer."""

    id: Annotated[UUID, Doc("Id.", example_id("message"))]
    member_id: Annotated[UUID, Doc("To whom.")]
    template: Annotated[Template, Doc("What it says.")]
    meeting_id: Annotated[UUID | None, Doc("About which meeting; null if about none.")]
    survey_id: Annotated[UUID | None, Doc("About which survey; null if about none.")]
    state: Annotated[MessageState, Doc("Where it stands; sent, failed and dropped are final.")]
    drop_reason: Annotated[DropReason | None, Doc("Why it was dropped; null otherwise.")]
    last_error: Annotated[
        str | None, Length(0, 1000), LINES, Doc("What the mail server said last; null if nothing.", "")
    ]
    attempts: Annotated[int, Doc("How often it was tried.", 1)]
    created_at: Annotated[datetime, Doc("When there was a reason to send it.")]
    due_at: Annotated[datetime, Doc("When it was to go.")]
    settled_at: Annotated[datetime | None, Doc("When it was sent, dropped or given up; null before.")]


class ListMessages(ListQuery, answer=Message, needs=Permission.MESSAGES_READ):
    """Read what was, is or was not to be sent to a person, the newest first."""

    member_id: UUID


class MailSignInLink(Command, needs=Rule.NETWORK):
    """Mail a person the link by which they sign in. Asking twice for one link mails it once."""

    link_id: UUID
    member_id: UUID
    token: Annotated[str, Length(1, 100)]  #: the secret end of the link
    expires_at: datetime  #: of the link; later the mail is not sent


Words = Annotated[str, Length(0, 20_000), LINES]


class InvitationWords(Answer):
    """A meeting in the words in which mails tell one person of it; what does not apply is empty."""

    locale: Locale
    name: str  #: the person's
    kind: str
    communities: Words
    of_communities: Words
    when: str
    when_for_you: str  #: where their clock shows another hour
    mode: str
    place: Words
    link: Words  #: where to join online
    themes: Words
    lead: str  #: the name of whoever leads it
    part: str  #: theirs: facilitator or note_taker
    cancel_reason: Words


class ReadInvitation(Query, answer=InvitationWords, is_counted=False, needs=Permission.MEETINGS_READ):
    """Read a meeting in words, for one person who is invited to it."""

    meeting_id: UUID
    member_id: UUID
    locale: Annotated[Locale | None, ABSENT] = None  #: by default that of the person


class MeetingHeading(Answer):
    """The words by which one recognises a meeting: those that may stand on a page that names nobody who reads it."""

    communities: Annotated[tuple[str, ...], Length(1, 50)]  #: their names by alphabet
    kind: MeetingKind
    theme: str  #: the first; empty where none is named
    starts_at: datetime
    lead: str  #: the name of whoever leads it, or facilitates a community of it; empty where nobody is known


class ReadMeetingHeading(Query, answer=MeetingHeading, is_counted=False, needs=Rule.ANYONE):
    """Read by what one recognises a meeting, for the pages of its survey."""

    meeting_id: UUID


class InvitationPreview(Answer):
    """An invitation as its recipients would get it, with nobody's name and nobody's link; and how many they are."""

    subject: Words
    text: Words
    html: Annotated[str, Length(0, 200_000), LINES]
    recipients_count: int


class PreviewInvitation(Query, answer=InvitationPreview, needs=Permission.MEETINGS_WRITE):
    """Read the invitation to a meeting before it is sent: to one that is scheduled, or as it is planned."""

    locale: Locale
    meeting_id: Annotated[UUID | None, ABSENT] = None
    planned: Annotated[MeetingBody | None, ABSENT] = None


class ListNotificationsAudit(AuditQuery, answer=AuditRecord, needs=Permission.AUDIT_READ):
    """Read who did what in notifications, between two instants, the newest first."""
