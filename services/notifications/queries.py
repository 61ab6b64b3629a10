"""Queries of notifications. What is sealed in a message is in no answer."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, defer

from chassis.rpc.requests import Handlers
from chassis.storage import audit
from chassis.storage.rows import Page, page
from pratique.errors import Invalid
from pratique.requests.notifications import (
    ListMessages,
    ListNotificationsAudit,
    PreviewInvitation,
    ReadInvitation,
    ReadMeetingHeading,
)
from services.notifications.models import Message
from services.notifications.previews import preview_invitation, read_invitation, read_meeting_heading


def list_messages(session: Session, query: ListMessages) -> Page[Message]:
    """Return what was, is or was not to be sent to a person, newest first, one page at a time.

    Shape: at most ``limit`` rows (1 to 500). Nobody has messages of whom nothing was ever sent, known or not. Mails
    about surveys are not among them: they would tell who had not answered.

    Raises:
        Invalid: the limit is out of its bounds, or ``after`` is not what a page before gave.
    """
    statement = select(Message).options(defer(Message.box, raiseload=True)).where(Message.member_id == query.member_id)
    if query.after is not None:
        at, id = _position(query.after)
        is_older = or_(Message.created_at < at, and_(Message.created_at == at, Message.id < id))
        statement = statement.where(is_older)
    return page(session, statement.order_by(Message.created_at.desc(), Message.id.desc()), query.limit, _key)


def _key(message: Message) -> str:
    return f"{message.created_at.astimezone(UTC).isoformat()}~{message.id}"


def _position(after: str) -> tuple[datetime, UUID]:
    created_at, _, id = after.partition("~")
    try:
        at = datetime.fromisoformat(created_at)
        if at.tzinfo is not None:
            return at, UUID(id)
    except ValueError:
        pass
    words = "after is no place in this list; send the one that the page before gave."
    raise Invalid(words, {"/after": words})


def list_notifications_audit(session: Session, query: ListNotificationsAudit) -> list[audit.Record]:
    """Return who did what here, as ``audit.find_records``. One query."""
    return audit.find_records(session, query)


#: Which function answers which query.
QUERIES: Handlers = {
    ListNotificationsAudit: list_notifications_audit,
    ListMessages: list_messages,
    ReadInvitation: read_invitation,
    ReadMeetingHeading: read_meeting_heading,
    PreviewInvitation: preview_invitation,
}
