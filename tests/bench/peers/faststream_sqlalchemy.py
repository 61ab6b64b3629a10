"""The peer for reactions: FastStream with SQLAlchemy's asyncio, one message and one transaction at a time.

Written as the documentation of both leads one to: a pydantic model of the message, a session per message, mapped
classes, acknowledgement after success, as many handlers at once as the prefetch allows. Where there was a choice, the
faster was taken: see docs/bench.md.
"""

import asyncio
import hashlib
import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue
from pydantic import BaseModel
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from pratique.due import DUE
from pratique.inbox import INBOX
from pratique.outbox import EVENT_LOG, OUTBOX
from tests.bench.peers.schema import Attendance, Invitation, Survey

PREFETCH = int(os.environ.get("PREFETCH", 100))
OPEN_FOR = timedelta(days=7)
REMIND_AFTER = timedelta(hours=48)


class Attendee(BaseModel):
    member_id: UUID
    state: str
    role: str
    organization_id: UUID | None


class MeetingClosed(BaseModel):
    version: int
    meeting_id: UUID
    community_ids: list[UUID]
    kind: str
    mode: str
    timezone: str
    starts_at: datetime
    ends_at: datetime
    started_at: datetime
    closed_at: datetime
    themes_count: int
    attendees: list[Attendee]
    head_count: int


class Message(BaseModel):
    """CloudEvents 1.0 in structured JSON, as far as it is used."""

    id: UUID
    correlationid: UUID
    data: MeetingClosed


engine = create_async_engine(os.environ["BENCH_STORE_URL"], pool_size=20, max_overflow=10)
sessions = async_sessionmaker(engine, expire_on_commit=False)
broker = RabbitBroker(os.environ["BENCH_BROKER_URL"], default_channel=Channel(prefetch_count=PREFETCH), logger=None)
app = FastStream(broker)
queue = RabbitQueue(os.environ["BENCH_QUEUE"], queue_type=QueueType.QUORUM, durable=True)


async def read_json(message: RabbitMessage) -> Any:
    """The content type is CloudEvents', which FastStream does not take for JSON by itself."""
    return json.loads(message.body)


@broker.subscriber(queue, decoder=read_json, ack_policy=AckPolicy.NACK_ON_ERROR)
async def open_survey(message: Message) -> None:
    async with sessions() as session, session.begin():
        seen = insert_or(INBOX).values(event_id=message.id, at=datetime.now(UTC)).on_conflict_do_nothing()
        if (await session.execute(seen.returning(INBOX.c.event_id))).first():
            await write(session, message)


async def write(session: AsyncSession, message: Message) -> None:
    closed, now, survey_id = message.data, datetime.now(UTC), uuid4()
    closes_at = closed.closed_at + OPEN_FOR
    there = [each for each in closed.attendees if each.state in ("attended", "attended_partly")]
    tokens = {each.member_id: secrets.token_urlsafe(32) for each in there}
    survey = Survey(
        id=survey_id,
        meeting_id=closed.meeting_id,
        community_ids=[str(each) for each in closed.community_ids],
        state="open",
        opens_at=closed.closed_at,
        closes_at=closes_at,
        timezone=closed.timezone,
        room_code=None,
        version=1,
    )
    session.add(survey)
    await session.flush()
    await session.execute(
        insert(Attendance),
        [
            {"meeting_id": closed.meeting_id, "member_id": each.member_id, "state": each.state, "version": closed.version}
            for each in closed.attendees
        ],
    )
    await session.execute(
        insert(Invitation),
        [
            {
                "id": uuid4(),
                "survey_id": survey_id,
                "member_id": member_id,
                "token_hash": hashlib.sha256(token.encode()).digest(),
            }
            for member_id, token in tokens.items()
        ],
    )
    await session.execute(
        insert(DUE),
        [
            {"id": uuid4(), "kind": kind, "subject": survey_id, "due_at": at}
            for kind, at in (("remind", closed.closed_at + REMIND_AFTER), ("close_survey", closes_at))
        ],
    )
    issued = {
        "version": 1,
        "survey_id": str(survey_id),
        "meeting_id": str(closed.meeting_id),
        "community_ids": [str(each) for each in closed.community_ids],
        "closes_at": closes_at.isoformat(),
    }
    invited = [{"member_id": str(member_id), "token": token} for member_id, token in tokens.items()]
    opened = issued | {"moment": "wrap_up", "anonymity": "anonymous", "opens_at": closed.closed_at.isoformat()}
    rows = [
        event("SurveyOpened", opened, message, now),
        event("SurveyInvitationsIssued", issued | {"invitations": invited}, message, now),
    ]
    seqs = await session.scalars(insert(EVENT_LOG).returning(EVENT_LOG.c.seq), rows)
    await session.execute(insert(OUTBOX), [{"seq": seq} for seq in seqs])


def event(name: str, fields: dict[str, Any], cause: Message, at: datetime) -> dict[str, Any]:
    """A row of the event log: the event as it will travel."""
    event_id, type_name = uuid4(), f"org.pratique.evaluation.{name}.v1"
    attributes = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": "/pratique/evaluation",
        "type": type_name,
        "subject": fields["survey_id"],
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "dataschema": f"urn:pratique:schema:{type_name}",
        "correlationid": str(cause.correlationid),
        "sequence": "1",
        "causationid": str(cause.id),
        "data": fields,
    }
    body = json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode()
    return {"id": event_id, "type": type_name, "subject": fields["survey_id"], "body": body, "at": at}


if __name__ == "__main__":
    asyncio.run(app.run())
