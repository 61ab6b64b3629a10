"""Events of notifications: what became of each message.

None is published for a survey's invitations and reminders: they would tell who had not answered. Nor for the links by
which people sign in: when somebody does so concerns nobody else.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pratique.event import Event


class Template(StrEnum):
    """What a message says."""

    MEETING_INVITATION = "meeting_invitation"
    MEETING_CHANGED = "meeting_changed"
    MEETING_CANCELLED = "meeting_cancelled"
    MEETING_LEFT_OPEN = "meeting_left_open"
    ADDRESS_CHANGED = "address_changed"
    SIGN_IN = "sign_in"
    SURVEY_INVITATION = "survey_invitation"
    SURVEY_REMINDER = "survey_reminder"
    RESULTS_RELEASED = "results_released"
    RESULTS_WITHHELD = "results_withheld"


class MessageState(StrEnum):
    """Where a message stands; the last three are final. No event carries it: each of those has an event of its own."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class DropReason(StrEnum):
    """Why a message was not sent; it is never queued stale."""

    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"  # another message to this person has just said it


class MessageDelivered(Event, subject="message_id"):
    """Published when the mail server accepted a message. No service reacts."""

    message_id: UUID
    member_id: UUID
    template: Template
    delivered_at: datetime


class MessageFailed(Event, subject="message_id"):
    """Published when a message was refused for good, or could not be delivered in time. No service reacts."""

    message_id: UUID
    member_id: UUID
    template: Template
    is_permanent: bool  # refused for good by the mail server, so asking again will not help


class MessageDropped(Event, subject="message_id"):
    """Published when a message lost its reason before it was sent. No service reacts."""

    message_id: UUID
    member_id: UUID
    template: Template
    reason: DropReason
