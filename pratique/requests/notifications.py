"""Requests to notifications: what became of messages, and the one mail that is asked for."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from marshmallow.validate import Length

from pratique.events.notifications import DropReason, MessageState, Template
from pratique.fields import LINES, Doc
from pratique.permissions import Permission, Rule
from pratique.request import Answer, Command, ListQuery, example_id


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
