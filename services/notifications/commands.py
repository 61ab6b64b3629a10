"""Queueing of messages, and calling off those that still wait; and the one mail that people ask for themselves."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select

from chassis import clock
from chassis.rpc.requests import Handlers
from chassis.scheduling import due
from chassis.sealing import Seal
from chassis.storage.transaction import Transaction
from chassis.storage.types import LoopName, table_of
from pratique.event import Cause, Event
from pratique.events.notifications import DropReason, Template
from pratique.requests.notifications import MailSignInLink
from services.notifications.kinds import KINDS
from services.notifications.models import Message, Receipt, Sealed, State, message_id

MAIL_LOOP = LoopName("mail")  #: sends what is queued
SIGN_IN_OVER = "sign_in_over"  #: is due when a link has expired
_MESSAGES = table_of(Message)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A message that an event asks for."""

    template: Template
    subject_id: UUID  #: the meeting, the survey, the release, or the person
    member_id: UUID
    meeting_id: UUID | None = None
    survey_id: UUID | None = None
    community_ids: Sequence[UUID]
    source_version: int
    relevant_until: datetime
    because: Cause | None = None  #: in a reaction to a list: from which of its events it follows
    number: int = 0  #: of what is told anew whenever it changes
    sealed: Sealed = dataclasses.field(default_factory=Sealed)  #: what nobody but the sender is to read
    drop_reason: DropReason | None = None  #: why it has lost its reason already, if it has

    def id(self, seal: Seal) -> UUID:
        """The id that the message has, or would have."""
        return message_id(seal, self.template, self.subject_id, self.member_id, self.number)


def queue_messages(transaction: Transaction, messages: Iterable[NewMessage]) -> None:
    """Let each message be sent once, as soon as may be; what has lost its reason is recorded as dropped, with it.

    A message that was ever queued before is left as it is. At most two statements, whatever the number.
    """
    now, seal = clock.now(), transaction.seal
    live: dict[UUID, dict[str, Any]] = {}
    lost: dict[UUID, dict[str, Any]] = {}
    for each in sorted(messages, key=lambda one: one.source_version):  # the newest of two in one batch stays
        row = _row(each, seal, now, each.because or transaction.cause)
        (lost if row["drop_reason"] else live)[row["id"]] = row
    if live:
        transaction.insert_many(_MESSAGES, _in_order(live), ignore_conflicts=True)
        transaction.wake(MAIL_LOOP)
    rows = _in_order({id: row for id, row in lost.items() if id not in live})
    for id in transaction.insert_many(_MESSAGES, rows, ignore_conflicts=True, returning="id"):
        _tell_dropped(transaction, lost[id])


def drop_queued(transaction: Transaction, *criteria: ColumnElement[bool], reason: DropReason) -> None:
    """Let nothing that fits the criteria be sent any more; what a sender holds already goes its way."""
    waiting = (
        select(Message)
        .where(Message.state == State.QUEUED, *criteria)
        .order_by(Message.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for message in transaction.scalars(waiting):
        publish(transaction, message, message.drop(reason))


def publish(transaction: Transaction, message: Message, told: Event | None) -> None:
    """Publish what became of a message, if that is told, as following from the event that asked for it."""
    if told is not None:
        transaction.publish(told, because=message.cause)


def renew(message: Message, newer: NewMessage, seal: Seal, *, is_anew: bool = False) -> bool:
    """Give a message that has not left a newer secret, and its reason back if it was revoked before.

    Whether it is to be sent now. One that was sent stays sent, unless its person is asked anew: nobody is asked twice,
    and the reminder has the newer secret too. One that a sender holds gets its reason as well, for that sender may have
    ended.
    """
    is_waiting = message.state is State.QUEUED or message.drop_reason is DropReason.REVOKED
    is_held, is_over = message.state is State.SENDING, is_anew and message.state in (State.SENT, State.FAILED)
    if not (is_waiting or is_held or is_over) or newer.drop_reason or message.source_version >= newer.source_version:
        return False
    message.box, message.source_version = newer.sealed.close(seal), newer.source_version
    message.relevant_until = newer.relevant_until
    if is_over:
        message.send_again()
    if is_waiting or is_over:
        message.state, message.drop_reason, message.settled_at = State.QUEUED, None, None
        message.due_at = clock.now()
    return is_waiting or is_over


def _row(new: NewMessage, seal: Seal, now: datetime, cause: Cause | None) -> dict[str, Any]:
    reason = new.drop_reason or (DropReason.EXPIRED if new.relevant_until <= now else None)
    kind = KINDS[new.template]
    is_untold = kind.names_nobody
    has_box = reason is None and new.sealed != Sealed()
    return {
        "id": new.id(seal),
        "member_id": None if is_untold else new.member_id,
        "template": new.template,
        "subject_id": new.subject_id,
        "number": new.number,
        "meeting_id": new.meeting_id,
        "survey_id": new.survey_id,
        "community_ids": list(new.community_ids),
        "state": State.DROPPED if reason else State.QUEUED,
        "priority": kind.priority,
        "source_version": new.source_version,
        "relevant_until": new.relevant_until,
        "due_at": now,
        "drop_reason": reason,
        "box": new.sealed.close(seal) if has_box else None,
        "correlation_id": None if is_untold or cause is None else cause.correlation_id,
        "causation_id": None if is_untold or cause is None else cause.id,
        "created_at": now,
        "settled_at": now if reason else None,
    }


def _tell_dropped(transaction: Transaction, row: dict[str, Any]) -> None:
    """Publish that this new row was dropped before it was ever queued."""
    message = Message(**row, version=1)
    publish(transaction, message, message.dropped())


def _in_order(rows: dict[UUID, dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The same order in every process, so that two that insert the same rows do not wait for each other in a ring."""
    return [rows[id] for id in sorted(rows)]


def mail_sign_in_link(transaction: Transaction, command: MailSignInLink) -> None:
    """Mail the link before all other mails, while it is of use. Later nothing is left of that it was asked for."""
    message = NewMessage(
        template=Template.SIGN_IN,
        subject_id=command.link_id,
        member_id=command.member_id,
        community_ids=(),
        source_version=1,
        relevant_until=command.expires_at,
        sealed=Sealed(member_id=command.member_id, token=command.token),
    )
    queue_messages(transaction, [message])
    due.plan(transaction, SIGN_IN_OVER, message.id(transaction.seal), command.expires_at)


def forget_sign_in(transaction: Transaction, id: UUID) -> None:
    """Delete the message of a link that has expired, whatever became of it."""
    for table, key in ((Message, Message.id), (Receipt, Receipt.message_id)):
        transaction.execute(delete(table).where(key == id))


#: Which function carries out which command.
COMMANDS: Handlers = {MailSignInLink: mail_sign_in_link}
