"""The ceiling for reactions: the same rows in a loop without a bus, psycopg2 and ``unnest``, 100 closings at a time.

Nothing is received, checked or acknowledged, and no class stands between JSON and SQL: what one writes who only wants
the rows. BENCH_BODIES holds the closings, one to a line.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.engine import make_url

BATCH = 100
OPEN_FOR = timedelta(days=7)
REMIND_AFTER = timedelta(hours=48)


def main() -> None:
    """Write the rows of all closings; the harness watches them arrive."""
    bodies = Path(os.environ["BENCH_BODIES"]).read_bytes().splitlines()
    url = make_url(os.environ["BENCH_STORE_URL"]).set(drivername="postgresql")
    connection = psycopg2.connect(url.render_as_string(hide_password=False))
    for start in range(0, len(bodies), BATCH):
        with connection, connection.cursor() as cursor:
            write(cursor, [json.loads(body) for body in bodies[start : start + BATCH]])
    connection.close()


def put(cursor: Cursor, into: str, types: Sequence[str], rows: Sequence[Sequence[Any]], ending: str = "") -> list[Any]:
    """Insert the rows by one statement in which each column is one array."""
    arrays = ", ".join(f"unnest(%s::{each}[])" for each in types)
    cursor.execute(f"insert into {into} select {arrays} {ending}", list(map(list, zip(*rows, strict=True))))
    return cursor.fetchall() if cursor.description else []


def write(cursor: Cursor, closings: Sequence[dict[str, Any]]) -> None:
    """One transaction: inbox, surveys, attendance, invitations, due work, event log and outbox."""
    now = datetime.now(UTC)
    claimed = put(
        cursor,
        "inbox (event_id, at)",
        ("uuid", "timestamptz"),
        [(closing["id"], now) for closing in closings],
        "on conflict do nothing returning event_id",
    )
    new = {event_id for (event_id,) in claimed}
    surveys, attendance, invitations, due, log = [], [], [], [], []
    for closing in closings:
        if closing["id"] not in new:
            continue
        closed, survey_id = closing["data"], str(uuid4())
        closed_at = datetime.fromisoformat(closed["closed_at"])
        closes_at, meeting_id = closed_at + OPEN_FOR, closed["meeting_id"]
        communities = json.dumps(closed["community_ids"])
        surveys.append((survey_id, meeting_id, communities, "open", closed_at, closes_at, closed["timezone"], 1))
        invited = []
        for each in closed["attendees"]:
            attendance.append((meeting_id, each["member_id"], each["state"], closed["version"]))
            if each["state"] in ("attended", "attended_partly"):
                token = secrets.token_urlsafe(32)
                token_hash = hashlib.sha256(token.encode()).digest()
                invitations.append((str(uuid4()), survey_id, each["member_id"], token_hash))
                invited.append({"member_id": each["member_id"], "token": token})
        due.append((str(uuid4()), "remind", survey_id, closed_at + REMIND_AFTER))
        due.append((str(uuid4()), "close_survey", survey_id, closes_at))
        log += events(closing, survey_id, closes_at, invited, now)
    put(
        cursor,
        "survey (id, meeting_id, community_ids, state, opens_at, closes_at, timezone, version)",
        ("uuid", "uuid", "json", "varchar", "timestamptz", "timestamptz", "varchar", "int"),
        surveys,
    )
    put(
        cursor,
        "attendance (meeting_id, member_id, state, version)",
        ("uuid", "uuid", "varchar", "int"),
        attendance,
    )
    put(
        cursor,
        "invitation (id, survey_id, member_id, token_hash)",
        ("uuid", "uuid", "uuid", "bytea"),
        invitations,
    )
    put(cursor, "due (id, kind, subject, due_at)", ("uuid", "varchar", "uuid", "timestamptz"), due)
    columns, types = "event_log (id, type, subject, body, at)", ("uuid", "varchar", "varchar", "bytea", "timestamptz")
    put(cursor, "outbox (seq)", ("bigint",), put(cursor, columns, types, log, "returning seq"))


def events(
    closing: dict[str, Any], survey_id: str, closes_at: datetime, invited: list[dict[str, str]], now: datetime
) -> list[tuple[Any, ...]]:
    """The two rows of the event log that follow from one closing."""
    closed = closing["data"]
    shared = {
        "version": 1,
        "survey_id": survey_id,
        "meeting_id": closed["meeting_id"],
        "community_ids": closed["community_ids"],
        "closes_at": closes_at.isoformat(),
    }
    opened = {"moment": "wrap_up", "anonymity": "anonymous", "opens_at": closed["closed_at"]}
    rows = []
    for name, fields in (("SurveyOpened", opened), ("SurveyInvitationsIssued", {"invitations": invited})):
        event_id, type_name = str(uuid4()), f"org.pratique.evaluation.{name}.v1"
        body = {
            "specversion": "1.0",
            "id": event_id,
            "source": "/pratique/evaluation",
            "type": type_name,
            "subject": survey_id,
            "time": now.isoformat(),
            "datacontenttype": "application/json",
            "dataschema": f"urn:pratique:schema:{type_name}",
            "correlationid": closing["correlationid"],
            "sequence": "1",
            "causationid": closing["id"],
            "data": shared | fields,
        }
        encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        rows.append((event_id, type_name, survey_id, encoded, now))
    return rows


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(time.perf_counter() - started, flush=True)
