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

BATCH = 100
#: table and columns -> their types
INBOX = "inbox (event_id, at)", ("uuid", "timestamptz")
ATTENDANCE = "attendance (meeting_id, member_id, state, role, version)", ("uuid", "uuid", "varchar", "varchar", "int")
INVITATION = "invitation (survey_id, member_id, state)", ("uuid", "uuid", "varchar")
DUE = "due (id, kind, subject, due_at)", ("uuid", "varchar", "uuid", "timestamptz")
LOG = "event_log (id, type, subject, body, at)", ("uuid", "varchar", "varchar", "bytea", "timestamptz")
OUTBOX = "outbox (seq)", ("bigint",)
SURVEY = (
    "survey (id, meeting_id, community_ids, timezone, moment, anonymity, questions_version, state, opens_at, closes_at,"
    " is_meeting_closed, secret, version)",
    (
        *("uuid", "uuid", "jsonb", "varchar", "varchar", "varchar", "int", "varchar", "timestamptz", "timestamptz"),
        *("bool", "bytea", "int"),
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
    """One transaction: inbox, attendance, surveys, invitations, due work, event log and outbox."""
    now = datetime.now(UTC)
    claiming = [(closing["id"], now) for closing in closings]
    claimed = {id for (id,) in put(cursor, INBOX, claiming, "on conflict do nothing returning event_id")}
    surveys: list[Any] = []
    attendance: list[Any] = []
    invitations: list[Any] = []
    due: list[Any] = []
    log: list[Any] = []
    for closing in closings:
        if closing["id"] not in claimed:
            continue
        closed, survey_id, secret = closing["data"], uuid4(), tokens.new_secret()
        meeting_id, zone, communities = closed["meeting_id"], closed["timezone"], json.dumps(closed["community_ids"])
        closed_at = datetime.fromisoformat(closed["closed_at"])
        on_the_wall = closed_at.astimezone(ZoneInfo(zone))
        remind_at, closes_at = on_the_wall + timedelta(days=2), on_the_wall + timedelta(days=7)
        survey = str(survey_id), meeting_id, communities, zone, "wrap_up", "anonymous", 1, "open", closed_at, closes_at
        surveys.append((*survey, True, secret, 2))
        invited = []
        for each in closed["attendees"]:
            member_id = each["member_id"]
            attendance.append((meeting_id, member_id, each["state"], each["role"], closed["version"]))
            if each["state"] in ("attended", "attended_partly") and each["role"] == "participant":
                invitations.append((str(survey_id), member_id, "invited"))
                token = tokens.token_for(survey_id, secret, UUID(member_id))
                invited.append({"member_id": member_id, "token": token})
        due.append((str(uuid4()), "remind", str(survey_id), remind_at))
        due.append((str(uuid4()), "close", str(survey_id), closes_at))
        log += events(closing, str(survey_id), closes_at.astimezone(UTC).isoformat(), invited)
    put(cursor, ATTENDANCE, attendance)
    put(cursor, SURVEY, surveys)
    put(cursor, INVITATION, invitations)
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
    rows = []
    facts = ("SurveyOpened", opened), ("SurveyInvitationsIssued", {"version": 2, "invitations": invited})
    for name, fields in facts:
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
            "sequence": str(fields["version"]),
            "causationid": closing["id"],
            "data": shared | fields,
        }
        encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        rows.append((event_id, type_name, survey_id, encoded, now))
    return rows


if __name__ == "__main__":
    main()
