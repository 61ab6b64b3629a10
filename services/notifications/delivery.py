"""Takes messages whose time has come, decides once more, sends them, and records what became of each.

Messages are claimed together before they are sent. That the server took one is noted at once, as a receipt, before the
next is sent; what became of all is recorded and published together. When the process ends between the server's yes and
the receipt, nobody can know whether that one mail arrived: SMTP has no way to ask. Such a message is held until its
lease runs out and sent once more with the same Message-ID, by which mailboxes that look at it show it once; after a
second such end it is given up. A copy is harmless: a survey's link works once. Reminders and invitations that never
arrive would be worse.
"""

import logging
import random
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import aliased

from chassis import clock
from chassis.crashpoint import crashpoint
from chassis.settings import Settings
from chassis.storage.store import Store
from chassis.storage.transaction import Transaction
from chassis.storage.types import table_of
from pratique.event import Cause
from pratique.events.notifications import MessageDelivered
from services.notifications.commands import publish
from services.notifications.decisions import Drop, Hold, MessageContext, Wait, decide, gather
from services.notifications.kinds import ABOUT_SURVEY, LEASES, UNTOLD
from services.notifications.mails import Letterhead, Unwritable, write_mail
from services.notifications.models import LEASE, Message, Receipt, State
from services.notifications.post import FilePost, Mail, NotSent, Post, Refused, SmtpPost, Unknown

log = logging.getLogger(__name__)

_RECEIPTS = table_of(Receipt)
Note = Callable[[Mapping[str, Any]], None]  #: writes a receipt down at once
Write = Callable[[MessageContext], Mail]  #: makes a mail of a message; raises Unwritable

AT_ONCE = 8  #: messages that one sender holds; few, so that the senders share what a meeting brings
MANY = 32  #: messages that it holds at most, when more and more wait
#: A decision to send is good for so long; what a slow server kept waiting longer is decided again.
DECISION_HOLDS = timedelta(seconds=2)
#: Waits before each new attempt; a mail server may be away for four hours and nothing is lost.
RETRY_AFTER_S = (1, 5, 30, 300, 900, 1800, 3600, 3600, 5400)
MAX_INTERRUPTIONS = 2  #: attempts with an unknown outcome after which a message is given up

_TOLD = (
    *(Message.id, Message.version, Message.member_id, Message.template, Message.settled_at, Message.community_ids),
    *(Message.correlation_id, Message.causation_id),
)
_AS_IS = {"synchronize_session": False}  #: objects in hand are not compared with what a statement changes
#: What a mail server says first, and what may be kept of it where its words could name somebody.
_CODE = re.compile(r"[2-5]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?(?![^\s])")
GAVE_UP = "it is not known whether the mail server took it, twice; a third copy would be too many"


def loop(settings: Settings, opened: Store) -> Callable[[], bool]:
    """A sender, for the bus: each call sends what is due, a few at a time, and says whether there was any."""
    post: Post = SmtpPost(settings.smtp_url, settings.mail_from) if settings.smtp_url else FilePost(settings.mail_dir)
    letterhead = Letterhead.of(settings)
    _ = letterhead.sender  # an address that cannot be written shows now
    write = partial(write_mail, letterhead=letterhead)
    if not opened.database.is_shared:  # one process: whoever held a message has ended
        with opened.begin() as transaction:
            transaction.execute(update(Message).where(Message.state == State.SENDING).values(lease_until=clock.now()))
    at_once = AT_ONCE

    def send() -> bool:
        nonlocal at_once
        looked_at = deliver(opened, post, write, at_once)
        at_once = min(2 * at_once, MANY) if looked_at == at_once else AT_ONCE
        return looked_at > 0

    return send


def deliver(opened: Store, post: Post, write: Write, at_once: int = AT_ONCE) -> int:
    """Send what is due, at most ``at_once``; return how many messages were looked at. Any number may run at once.

    It is 0 as well where the server will have none of us: whoever calls pauses then, instead of trying one message
    after the other in vain, and a sender whom the server lets in takes them meanwhile.

    Raises:
        StoreAway: what was claimed and not noted is sent again when its lease has run out.
    """
    looked_at, claimed = _claim(opened, at_once)
    if not looked_at:
        post.rest()
        return 0
    crashpoint("mail.claimed")
    with opened.asynchronous_inserts(_RECEIPTS) as note:
        sent, is_away = _send_all(opened, post, claimed, write, note)
    if sent:
        with opened.begin() as transaction:
            _settle(transaction, sent)
        crashpoint("mail.recorded")
    return 0 if is_away else looked_at


def _send_all(
    opened: Store, post: Post, claimed: Sequence[MessageContext], write: Write, note: Note
) -> tuple[list[UUID], bool]:
    """Send them in turn. The ids of what the server took, to be recorded, and whether it is away."""
    decided_at, sent = clock.now(), list[UUID]()
    for position, context in enumerate(claimed):
        if clock.now() - decided_at > DECISION_HOLDS:
            _give_back(opened, claimed[position:])
            break
        try:
            if _send(opened, post, context, write, note):
                sent.append(context.message.id)
        except NotSent as error:
            said = _words(context.message, error)
            _retry(opened, claimed[position:] if error.is_away else [context], said)
            if error.is_away:
                log.warning("the mail server is away; %d messages wait: %s", len(claimed) - position, said)
                return sent, True
    return sent, False


def _send(opened: Store, post: Post, context: MessageContext, write: Write, note: Note) -> bool:
    """Send it; return whether the server took it, which is noted by then and still to be recorded."""
    id, named = context.message.id, _named(context.message)
    try:
        post.send(write(context))
    except (Refused, Unwritable) as error:
        said = _words(context.message, error)
        log.warning("%s was refused for good: %s", named, said)
        with opened.begin() as transaction:
            for message in _held(transaction, [context]):
                publish(transaction, message, message.fail(said, is_permanent=True))
    except Unknown as error:
        said = _words(context.message, error)
        log.warning("whether %s was taken is unknown; it is sent once more later: %s", named, said)
        with opened.begin() as transaction:
            for message in _held(transaction, [context]):  # else another has taken it over, and says how it ends
                message.last_error = said
    else:
        crashpoint("mail.accepted")
        note({"message_id": id, "at": clock.now()})
        crashpoint("mail.noted")
        return True
    return False


def _claim(opened: Store, at_once: int) -> tuple[int, list[MessageContext]]:
    """Decide about what is due and hold what is to be sent. Returns how many were due, and those."""
    now = clock.now()
    with opened.begin() as transaction:
        due = _interrupted(transaction) or list(
            transaction.scalars(
                select(Message)
                .where(Message.state == State.QUEUED, Message.due_at <= now)
                .order_by(Message.priority, Message.due_at)
                .limit(at_once)
                .with_for_update(skip_locked=True)
            )
        )
        claimed = []
        for context in gather(
            transaction, [message for message in due if message.state in (State.QUEUED, State.SENDING)]
        ):
            try:
                decide(context, now)
            except Drop as drop:
                publish(transaction, context.message, context.message.drop(drop.reason))
            except Hold as hold:
                context.message.put_back(hold.until, None)
            except Wait as wait:
                context.message.attempts += 1
                _try_later(transaction, context.message, str(wait))
            else:
                claimed.append(context)
        transaction.flush()
        _hold(transaction, claimed)
        crashpoint("mail.before_claim")
    return len(due), claimed


def _hold(transaction: Transaction, claimed: Sequence[MessageContext]) -> None:
    """Count the attempt before it is made, in one statement."""
    if claimed:
        now = clock.now()
        lease_until = case(
            {each: now + lease for each, lease in LEASES.items()}, value=Message.template, else_=now + LEASE
        )
        transaction.execute(
            update(Message)
            .where(transaction.is_one_of(Message.id, [context.message.id for context in claimed]))
            .values(state=State.SENDING, attempts=Message.attempts + 1, lease_until=lease_until),
            execution_options=_AS_IS,
        )
    transaction.expunge_all()
    for context in claimed:
        context.message.attempts += 1


def _interrupted(transaction: Transaction) -> list[Message]:
    """The one message, if any, whose sender has ended or never learned its fate, alone so that it harms no other."""
    message = transaction.scalars(
        select(Message)
        .where(Message.state == State.SENDING, Message.lease_until <= clock.now())
        .order_by(Message.lease_until)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if message is None:
        return []
    if transaction.get(Receipt, message.id):
        _settle(transaction, [message.id])
        transaction.refresh(message)
        return [message]
    message.interruptions += 1
    if message.interruptions >= MAX_INTERRUPTIONS:
        publish(transaction, message, message.fail(GAVE_UP, is_permanent=False))
    return [message]


def _settle(transaction: Transaction, noted: Sequence[UUID]) -> None:
    """Record as sent, and publish, what the mail server took; but for what another sender has recorded meanwhile.

    Of mails about a survey nothing is published, and they may be gone: it may have closed while they were sent.
    """
    taken_at = select(Receipt.at).where(Receipt.message_id == Message.id).scalar_subquery()
    held = aliased(Message)  # locked in the order in which reactions lock them, so that nobody waits in a ring
    still = select(held.id).where(transaction.is_one_of(held.id, noted), held.state == State.SENDING)
    sent = (
        update(Message)
        .where(Message.id.in_(still.order_by(held.id).with_for_update()))
        .values(state=State.SENT, settled_at=taken_at, version=Message.version + 1)
        .values(box=None, lease_until=None, last_error=None)
        .returning(*_TOLD)
    )
    for row in transaction.execute(sent, execution_options=_AS_IS):
        if row.member_id is None:
            continue
        delivered = MessageDelivered(
            message_id=row.id,
            community_ids=tuple(row.community_ids),
            version=row.version,
            member_id=row.member_id,
            template=row.template,
            delivered_at=row.settled_at,
        )
        cause = Cause(row.correlation_id, row.causation_id) if row.correlation_id else None
        transaction.publish(delivered, because=cause)
    transaction.execute(delete(Receipt).where(transaction.is_one_of(Receipt.message_id, noted)))


def _retry(opened: Store, claimed: Sequence[MessageContext], error: str) -> None:
    with opened.begin() as transaction:
        for message in _held(transaction, claimed):
            _try_later(transaction, message, error)
        crashpoint("mail.before_put_back")


def _give_back(opened: Store, claimed: Sequence[MessageContext]) -> None:
    """As if they had not been claimed."""
    with opened.begin() as transaction:
        for message in _held(transaction, claimed):
            message.attempts -= 1
            message.put_back(message.due_at, message.last_error)
        crashpoint("mail.before_put_back")


def _held(transaction: Transaction, claimed: Sequence[MessageContext]) -> list[Message]:
    """Those of the claimed that nobody else has taken since."""
    attempts = {context.message.id: context.message.attempts for context in claimed}
    held = select(Message).where(Message.id.in_(attempts), Message.state == State.SENDING)
    rows = transaction.scalars(held.order_by(Message.id).with_for_update())
    return [message for message in rows if message.attempts == attempts[message.id]]


def _try_later(transaction: Transaction, message: Message, error: str) -> None:
    """Put it back for a while, longer each time, or give it up."""
    if message.attempts > len(RETRY_AFTER_S):
        publish(transaction, message, message.fail(error, is_permanent=False))
        return
    wait_s = RETRY_AFTER_S[message.attempts - 1] * random.uniform(1, 1.2)  # noqa: S311  (no secret; it spreads a crowd)
    message.put_back(clock.now() + timedelta(seconds=wait_s), error)


def _named(message: Message) -> str:
    """The message in words for the log; of mails about a survey none can be told from another."""
    return "a mail about a survey" if message.template in ABOUT_SURVEY else f"message {message.id}"


def _words(message: Message, error: Exception) -> str:
    """Return the text kept of an error: where no row names anybody, the server's code alone; its words may."""
    said = str(error)
    if message.template not in UNTOLD or isinstance(error, Unwritable | Unknown):
        return said
    code = _CODE.match(said)
    return code[0] if code else said.partition(":")[0]
