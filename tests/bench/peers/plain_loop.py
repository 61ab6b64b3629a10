"""The ceiling for reactions: the same rows in a loop without a bus, psycopg2 and ``unnest``, 100 closings at a time.

Nothing is received, checked or acknowledged, and no class stands between JSON and SQL: what one writes who only wants
the rows. BENCH_BODIES holds the closings, one to a line.
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg2
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.engine import make_url

from services.evaluation.models import tokens
from tests.bench.peers.wire import SEAL, key_row, log_row

BATCH = 100
#: table and columns -> their types
INBOX = "inbox (event_id, at)", ("uuid", "timestamptz")
ATTENDANCE = (
    "attendance (meeting_id, member_id, state, role, version, was_eligible)",
    ("uuid", "uuid", "varchar", "varchar", "int", "bool"),
)
SURVEY_KEY = "survey_key (survey_id, box)", ("uuid", "bytea")
DUE = (
    "due (id, kind, subject, due_at, correlation_id, causation_id)",
    ("uuid", "varchar", "uuid", "timestamptz", "uuid", "uuid"),
)
LOG = "event_log (id, type, subject, body, at)", ("uuid", "varchar", "varchar", "bytea", "timestamptz")
OUTBOX = "outbox (seq)", ("bigint",)
SURVEY = (
    "survey (id, meeting_id, community_ids, timezone, moment, anonymity, questions_version, k_scores, k_comments,"
    " state, opens_at, closes_at, is_asked, is_meeting_closed, version)",
    (
        *("uuid", "uuid", "jsonb", "varchar", "varchar", "varchar", "int", "int", "int", "varchar"),
        *("timestamptz", "timestamptz", "bool", "bool", "int"),
    ),
)


def main() -> None:
    """Write the rows of all closings; the harness watches them arrive."""
    bodies = Path(os.environ["BENCH_BODIES"]).read_bytes().splitlines()
    url = make_url(os.environ["BENCH_STORE_URL"]).set(drivername="postgresql")
    connection = psycopg2.connect(url.render_as_string(hide_password=False))
    for start in range(0, len(bodies), BATCH):
        with connection, connection.cursor() as cursor:
            write(cursor, [json.loads(body) for body in bodies[start : start + BATCH]])
    connection.close()


def put(cursor: Cursor, into: tuple[str, Sequence[str]], rows: Sequence[Sequence[Any]], ending: str = "") -> list[Any]:
    """Insert the rows by one statement in which each column is one array."""
    table, types = into
    arrays = ", ".join(f"unnest(%s::{each}[])" for each in types)
    cursor.execute(f"insert into {table} select {arrays} {ending}", list(map(list, zip(*rows, strict=True))))
    return cursor.fetchall() if cursor.description else []


def write(cursor: Cursor, closings: Sequence[dict[str, Any]]) -> None:
    """One transaction: inbox, attendance, surveys and their secrets, due work, event log and outbox."""
    now = datetime.now(UTC)
    claiming = [(closing["id"], now) for closing in closings]
    claimed = {id for (id,) in put(cursor, INBOX, claiming, "on conflict do nothing returning event_id")}
    surveys: list[Any] = []
    attendance: list[Any] = []
    keys: list[Any] = []
    due: list[Any] = []
    log: list[Any] = []
    for closing in closings:
        if closing["id"] not in claimed:
            continue
        closed, survey_id = closing["data"], uuid4()
        meeting_id, zone, communities = closed["meeting_id"], closed["timezone"], json.dumps(closed["community_ids"])
        closed_at = datetime.fromisoformat(closed["closed_at"])
        on_the_wall = closed_at.astimezone(ZoneInfo(zone))
        remind_at, closes_at = on_the_wall + timedelta(days=2), on_the_wall + timedelta(days=7)
        survey = str(survey_id), meeting_id, communities, zone, "wrap_up", "anonymous", 2, 5, 10, "open"
        surveys.append((*survey, closed_at, closes_at, True, True, 2))
        keys.append((str(survey_id), key_row(survey_id)["box"]))
        asked = []
        for each in closed["attendees"]:
            member_id = each["member_id"]
            may = each["state"] in ("attended", "attended_partly") and each["role"] == "participant"
            attendance.append((meeting_id, member_id, each["state"], each["role"], closed["version"], may))
            if may:
                asked.append(member_id)
        links = tokens.links_for(SEAL, survey_id, [UUID(each) for each in asked])
        invited = [{"member_id": each, "token": link} for each, link in zip(asked, links, strict=True)]
        cause = closing["correlationid"], closing["id"]
        due.append((str(uuid4()), "remind", str(survey_id), remind_at, *cause))
        due.append((str(uuid4()), "close", str(survey_id), closes_at, *cause))
        log += events(closing, str(survey_id), closes_at.astimezone(UTC).isoformat(), invited)
    put(cursor, ATTENDANCE, attendance)
    put(cursor, SURVEY, surveys)
    put(cursor, SURVEY_KEY, keys)
    put(cursor, DUE, due)
    put(cursor, OUTBOX, put(cursor, LOG, log, "returning seq"))


def events(
    closing: dict[str, Any], survey_id: str, closes_at: str, invited: list[dict[str, str]]
) -> list[tuple[Any, ...]]:
    """The two rows of the event log that follow from one closing."""
    closed, now = closing["data"], datetime.now(UTC)
    shared = {
        "survey_id": survey_id,
        "meeting_id": closed["meeting_id"],
        "community_ids": closed["community_ids"],
        "closes_at": closes_at,
    }
    opened = {"version": 1, "moment": "wrap_up", "anonymity": "anonymous", "opens_at": closed["closed_at"]}
    published = (
        ("SurveyOpened", opened),
        ("SurveyInvitationsIssued", {"version": 2, "invitations": invited, "is_anew": None}),
    )
    rows = [log_row("evaluation", name, survey_id, shared | fields, closing, now) for name, fields in published]
    return [(str(each["id"]), each["type"], each["subject"], each["body"], each["at"]) for each in rows]


if __name__ == "__main__":
    main()
