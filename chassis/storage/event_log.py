"""The event log and the outbox, written in the transaction that made the events true.

``event_log`` keeps what was ever published; ``outbox`` holds only what the broker has not confirmed yet, and stays
tiny. ``Transaction.publish`` alone adds to them, and the relay alone (``chassis.messaging``) empties the outbox.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Uuid

from chassis.storage.types import CHASSIS_TABLES, Instant, LoopName, Utf8

RELAY = LoopName("outbox")  #: the loop that sends what was published
_SEQ = BigInteger().with_variant(Integer, "sqlite")

EVENT_LOG = Table(
    "event_log",
    CHASSIS_TABLES,
    Column("seq", _SEQ, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("type", String(200), nullable=False),
    Column("subject", String(36), nullable=False),
    Column("body", Utf8, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_event_log_at", "at"),
    Index("ix_event_log_subject", "subject"),
)
OUTBOX = Table(
    "outbox",
    CHASSIS_TABLES,
    Column("seq", _SEQ, ForeignKey(EVENT_LOG.c.seq), primary_key=True, autoincrement=False),
)
