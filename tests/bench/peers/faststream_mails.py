"""The peer for the evening: FastStream with SQLAlchemy's asyncio, a message per closing and a message per recipient.

As its sibling for reactions; mails go out by ``smtplib`` in threads, since asyncio has no SMTP of its own.
"""

import asyncio
import json
import os
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from chassis.messaging.inbox import INBOX
from chassis.messaging.outbox import EVENT_LOG, OUTBOX
from tests.bench.peers import letters

engine = create_async_engine(os.environ["BENCH_STORE_URL"], pool_size=20, max_overflow=10)
sessions = async_sessionmaker(engine, expire_on_commit=False)
broker = RabbitBroker(os.environ["BENCH_BROKER_URL"], default_channel=Channel(prefetch_count=100), logger=None)
app = FastStream(broker)
closings = RabbitQueue("bench", queue_type=QueueType.QUORUM, durable=True)
recipients = RabbitQueue("bench-mails", queue_type=QueueType.QUORUM, durable=True)


async def read_json(message: RabbitMessage) -> Any:
    """The content type is CloudEvents', which FastStream does not take for JSON by itself."""
    return json.loads(message.body)


@broker.subscriber(closings, decoder=read_json, ack_policy=AckPolicy.NACK_ON_ERROR)
async def close_meeting(closing: dict[str, Any]) -> None:
    async with sessions() as session, session.begin():
        seen = insert_or(INBOX).values(event_id=UUID(closing["id"]), at=datetime.now(UTC)).on_conflict_do_nothing()
        if (await session.execute(seen.returning(INBOX.c.event_id))).first() is None:
            return
        written = letters.written(closing)
        for table, rows in written.rows:
            await session.execute(insert(table), rows)
        await announce(session, written.log)
    await asyncio.gather(*[broker.publish(str(id), recipients, persist=True) for id in written.message_ids])


@broker.subscriber(recipients, ack_policy=AckPolicy.NACK_ON_ERROR)
async def send_mail(message_id: str) -> None:
    async with sessions() as session, session.begin():
        found = (await session.execute(letters.waiting(UUID(message_id)))).first()
        if found is None:
            return
        await asyncio.to_thread(letters.post, os.environ["BENCH_SMTP_URL"], letters.letter(*found))
        await session.execute(letters.settled(found[0]))


async def announce(session: AsyncSession, log: list[dict[str, Any]]) -> None:
    seqs = await session.scalars(insert(EVENT_LOG).returning(EVENT_LOG.c.seq), log)
    await session.execute(insert(OUTBOX), [{"seq": seq} for seq in seqs])


if __name__ == "__main__":
    asyncio.run(app.run())
