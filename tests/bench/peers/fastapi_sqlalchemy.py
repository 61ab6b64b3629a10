"""The peer for reads: one FastAPI process with SQLAlchemy's asyncio on asyncpg.

Written as the documentation of FastAPI and SQLAlchemy leads one to: a dependency that checks the token, a session for
each request, mapped classes, pydantic models of the answer, uvicorn with uvloop and httptools. Where there was a
choice, the faster was taken: see docs/bench.md.
"""

import hashlib
import hmac
import os
import re
import time
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, PlainSerializer
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import selectinload

from gateway.models import ApiToken
from pratique.events.meetings import AttendanceState, MeetingKind, MeetingRole, MeetingState, Mode
from services.meetings.models import Meeting

BELIEVED_FOR_S = 5  #: a token that was looked up is not looked up again for so long, as in our gateway
TOKEN = re.compile(r"prt_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")

#: With the offset as our gateway writes it, and not Z.
Instant = Annotated[datetime, PlainSerializer(lambda at: at.astimezone(UTC).isoformat(), when_used="unless-none")]


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class AttendanceShown(Shown):
    member_id: UUID
    state: AttendanceState
    role: MeetingRole
    community_id: UUID | None
    organization_id: UUID | None


class MeetingShown(Shown):
    """A meeting as the gateway's description has it."""

    community_ids: list[UUID]
    kind: MeetingKind
    mode: Mode
    starts_at: Instant
    ends_at: Instant
    timezone: str
    place: str
    link: str
    themes: list[str]
    capacity: int | None
    facilitator_id: UUID | None
    note_taker_id: UUID | None
    meeting_id: UUID
    state: MeetingState
    started_at: Instant | None
    wrap_up_at: Instant | None
    closed_at: Instant | None
    cancelled_at: Instant | None
    cancel_reason: str
    head_count: int
    version: int
    attendance: list[AttendanceShown]


def sessions_of(variable: str) -> async_sessionmaker[AsyncSession]:
    """Sessions on the store whose URL is in the environment."""
    engine = create_async_engine(os.environ[variable], pool_size=20, max_overflow=10)
    return async_sessionmaker(engine, expire_on_commit=False)


app = FastAPI()
meetings, tokens = sessions_of("BENCH_MEETINGS_URL"), sessions_of("BENCH_TOKENS_URL")
seen: dict[str, tuple[float, ApiToken]] = {}


async def find_token(token_id: str) -> ApiToken | None:
    """The token of this id, from memory or from its table; its day of use is kept there."""
    read_at, token = seen.get(token_id, (0.0, None))
    if token is not None and time.monotonic() - read_at < BELIEVED_FOR_S:
        return token
    async with tokens() as session, session.begin():
        token = await session.get(ApiToken, token_id)
        if token is not None and token.last_used_on != (today := datetime.now(UTC).date()):
            token.last_used_on = today
    if token is not None:
        seen[token_id] = time.monotonic(), token
    return token


async def scopes_of(authorization: Annotated[str, Header()] = "") -> frozenset[str]:
    """What the bearer of this token may do."""
    scheme, _, credentials = authorization.partition(" ")
    parts = TOKEN.fullmatch(credentials.strip())
    if scheme.lower() != "bearer" or not parts:
        raise HTTPException(401)
    token = await find_token(parts["id"])
    digest = hashlib.sha256(parts["secret"].encode()).hexdigest()
    if token is None or not hmac.compare_digest(token.secret_sha256, digest) or not token.is_valid(datetime.now(UTC)):
        raise HTTPException(401)
    return frozenset(token.scopes)


@app.get("/v1/meetings/{meeting_id}", response_model=None)
async def get_meeting(
    meeting_id: UUID,
    scopes: Annotated[frozenset[str], Depends(scopes_of)],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Read a meeting and who came."""
    if not scopes & {"meetings:read", "*"}:
        raise HTTPException(403)
    async with meetings() as session:
        row: Any = await session.get(Meeting, meeting_id, options=[selectinload(Meeting.attendance)])
    if row is None:
        raise HTTPException(404)
    headers = {"ETag": f'"{row.version}"', "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    body = MeetingShown.model_validate(row).model_dump_json()
    return Response(body, headers=headers, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), log_level="warning", access_log=False)
