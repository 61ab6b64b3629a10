"""The peer for reactions: FastStream with SQLAlchemy's asyncio, one message and one transaction at a time.

Written as the documentation of both leads one to: a pydantic model of the message, a session per message, mapped
classes, acknowledgement after success, as many handlers at once as the prefetch allows. Where there was a choice, the
faster was taken: see docs/bench.md.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue
from pydantic import BaseModel
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from chassis.messaging.inbox import INBOX
from chassis.messaging.outbox import EVENT_LOG, OUTBOX
from chassis.scheduling.due import DUE
from pratique.events.evaluation import Anonymity, Moment
from pratique.events.meetings import AttendanceState, MeetingRole
from services.evaluation.models import Attendance, Survey, SurveyKey, SurveyState, tokens
from tests.bench.peers.wire import SEAL, key_row, log_row

PREFETCH = 100
THERE = (AttendanceState.ATTENDED, AttendanceState.ATTENDED_PARTLY)


class Attendee(BaseModel):
    member_id: UUID
    state: AttendanceState
    role: MeetingRole
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
    """The rows that follow from one closing."""
    closed, now, zone = message.data, datetime.now(UTC), ZoneInfo(message.data.timezone)
    on_the_wall = closed.closed_at.astimezone(zone)
    remind_at, closes_at = ((on_the_wall + timedelta(days=days)).astimezone(UTC) for days in (2, 7))
    there = [each for each in closed.attendees if each.state in THERE and each.role is MeetingRole.PARTICIPANT]
    survey = Survey(
        id=uuid4(),
        meeting_id=closed.meeting_id,
        community_ids=[str(each) for each in closed.community_ids],
        timezone=closed.timezone,
        moment=Moment.WRAP_UP,
        anonymity=Anonymity.ANONYMOUS,
        questions_version=2,
        k_scores=5,
        k_comments=10,
        state=SurveyState.OPEN,
        opens_at=closed.closed_at,
        closes_at=closes_at,
        is_asked=True,
        is_meeting_closed=True,
        room_code=None,
        version=2,
    )
    session.add_all([survey, SurveyKey(**key_row(survey.id))])
    attendance = [
        {
            **{"meeting_id": closed.meeting_id, "version": closed.version, "was_eligible": each in there},
            **each.model_dump(exclude={"organization_id"}),
        }
        for each in closed.attendees
    ]
    cause = {"correlation_id": message.correlationid, "causation_id": message.id}
    plans = [
        {"id": uuid4(), "kind": kind, "subject": survey.id, "due_at": at, **cause}
        for kind, at in (("remind", remind_at), ("close", closes_at))
    ]
    await session.execute(insert(Attendance), attendance)
    await session.execute(insert(DUE), plans)
    named = {"id": str(message.id), "correlationid": str(message.correlationid)}
    rows = [log_row("evaluation", name, survey.id, fields, named, now) for name, fields in events_of(survey, there)]
    seqs = await session.scalars(insert(EVENT_LOG).returning(EVENT_LOG.c.seq), rows)
    await session.execute(insert(OUTBOX), [{"seq": seq} for seq in seqs])


def events_of(survey: Survey, there: Sequence[Attendee]) -> list[tuple[str, dict[str, Any]]]:
    """What is announced: that the survey is open, and whom it asks by which link."""
    shared = {
        "survey_id": str(survey.id),
        "meeting_id": str(survey.meeting_id),
        "community_ids": survey.community_ids,
        "closes_at": survey.closes_at.isoformat(),
    }
    opened = {"moment": survey.moment, "anonymity": survey.anonymity, "opens_at": survey.opens_at.isoformat()}
    links = tokens.links_for(SEAL, survey.id, [each.member_id for each in there])
    invited = [{"member_id": str(each.member_id), "token": link} for each, link in zip(there, links, strict=True)]
    return [
        ("SurveyOpened", {"version": 1, **shared, **opened}),
        ("SurveyInvitationsIssued", {"version": 2, **shared, "invitations": invited, "is_anew": None}),
    ]


if __name__ == "__main__":
    asyncio.run(app.run())
