"""Stores in which much has happened before a measurement begins: meetings held, answers given, mails sent."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2
from sqlalchemy.engine import make_url

from tests.bench.closings import ATTENDEES
from tests.bench.environment import Environment
from tests.servers import Fresh

ANSWERS = 10  #: told by each survey's results, of its 15 people
OF_A_COMMUNITY = 100  #: meetings that each community has held
DAYS = 720  #: over which the meetings are spread; the last one was 90 days ago, so that nothing is due

#: Ids that a reader can name: the meeting, its survey and its community of number m.
MEETING, SURVEY, COMMUNITY = "md5('meeting ' || m)::uuid", "md5('survey ' || m)::uuid", "md5('community ' || c)::uuid"
_IN = f"cross join lateral (select (m - 1) / {OF_A_COMMUNITY} + 1 c) communities"
_AT = f"now() - interval '90 days' - m % {DAYS} * interval '1 day'"
_PERSON = "md5('person ' || (m * 7 + p) % 20000)::uuid"
_MEETINGS = f"from generate_series(1, {{meetings}}) m {_IN}"
_PEOPLE = f"{_MEETINGS} cross join generate_series(1, {ATTENDEES}) p"
_BODY = "decode(repeat('7b', 400), 'hex')"
_SCORES = """'{"1": 0, "2": 1, "3": 1, "4": 5, "5": 3}'"""
_CELL = f"""jsonb_build_object('question', q, 'type', 'scale1_5', 'is_withheld', false, 'n', 10, 'mean', 4.0,
    'interval', '[3.2, 4.8]'::jsonb, 'distribution', {_SCORES}::jsonb)"""


#: The event log and the inbox hold 90 days of the 720; retention has removed the rest.
_KEPT = "where m % 8 = 0"
_LATELY = "now() - interval '30 days'"


def _log(kind: str, subject: str, rows: str) -> str:
    return f"""insert into event_log (id, type, subject, body, at)
        select gen_random_uuid(), '{kind}', ({subject})::text, {_BODY}, {_LATELY} {rows} {_KEPT}"""


def _seen(events: int) -> str:
    return f"""insert into inbox select gen_random_uuid(), {_LATELY} {_MEETINGS}
        cross join generate_series(1, {events}) e {_KEPT}"""


#: Keys before what refers to them.
CONSTRAINTS = """select conrelid::regclass::text, conname,
    pg_get_constraintdef(oid) || case contype when 'f' then ' not valid' else '' end
    from pg_constraint where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'f')
    order by contype = 'f', contype, conname"""
INDEXES = """select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index
    join pg_class c on c.oid = indrelid where relnamespace = 'public'::regnamespace"""

STATEMENTS = {
    "meetings": (
        f"""insert into community (community_id, kind, timezone, version)
            select distinct {COMMUNITY}, 'individuals', 'America/Toronto', 1 {_MEETINGS}""",
        f"""insert into meeting (meeting_id, state, kind, mode, starts_at, ends_at, timezone, place, link, themes,
            started_at, closed_at, cancel_reason, head_count, version)
            select {MEETING}, 'closed', 'meeting', 'online', {_AT}, {_AT} + interval '1 hour', 'America/Toronto', '',
            'https://meet.example.org/x', '["Le premier pas"]'::jsonb, {_AT}, {_AT}, '', {ATTENDEES}, 4 {_MEETINGS}""",
        f"""insert into meeting_community (meeting_id, community_id, position, starts_at)
            select {MEETING}, {COMMUNITY}, 0, {_AT} {_MEETINGS}""",
        f"""insert into attendance (meeting_id, member_id, state, role, community_id, version)
            select {MEETING}, {_PERSON}, 'attended', 'participant', {COMMUNITY}, 3 {_PEOPLE}""",
        _log("org.pratique.meetings.MeetingClosed.v1", MEETING, _MEETINGS),
    ),
    "evaluation": (
        f"""insert into survey (id, meeting_id, community_ids, timezone, moment, anonymity, questions_version, k_scores,
            k_comments, state, opens_at, closes_at, is_asked, is_meeting_closed, version)
            select {SURVEY}, {MEETING}, jsonb_build_array({COMMUNITY}), 'America/Toronto', 'wrap_up', 'anonymous', 1, 5,
            10, 'released', {_AT}, {_AT} + interval '7 days', true, true, 3 {_MEETINGS}""",
        f"""insert into attendance (meeting_id, member_id, state, role, version, was_eligible)
            select {MEETING}, {_PERSON}, 'attended', 'participant', 3, true {_PEOPLE}""",
        f"""insert into release (id, survey_id, n, cells, comments, suppressed_count)
            select gen_random_uuid(), {SURVEY}, {ANSWERS},
            (select jsonb_agg({_CELL}) from unnest(array['useful', 'open', 'apply', 'again', 'pace']) q),
            '["Merci."]'::jsonb, 0 {_MEETINGS}""",
        f"""insert into due (id, kind, subject, due_at, attempts, state)
            select gen_random_uuid(), kind, {SURVEY}, {_AT}, 1, 'done' {_MEETINGS}
            cross join unnest(array['remind', 'close']) kind""",
        _seen(2),
        *(_log(f"org.pratique.evaluation.{kind}.v1", SURVEY, _MEETINGS) for kind in ("SurveyOpened", "SurveyClosed")),
    ),
    "notifications": (
        f"""insert into meeting_card (meeting_id, version, kind, mode, starts_at, ends_at, timezone)
            select {MEETING}, 4, 'meeting', 'online', {_AT}, {_AT}, 'America/Toronto' {_MEETINGS}""",
        f"insert into meeting_community (meeting_id, community_id) select {MEETING}, {COMMUNITY} {_MEETINGS}",
        f"insert into meeting_end (meeting_id, version, outcome) select {MEETING}, 4, 'closed' {_MEETINGS}",
        f"insert into survey_end (survey_id, at) select {SURVEY}, {_AT} {_MEETINGS}",
        f"""insert into message (id, member_id, template, subject_id, meeting_id, survey_id, state, priority,
            source_version, relevant_until, due_at, attempts, version, created_at, settled_at)
            select gen_random_uuid(), {_PERSON}, 'results_released', {SURVEY}, {MEETING}, {SURVEY},
            'sent', 1, 2, {_AT}, {_AT}, 1, 2, {_AT}, {_AT} {_PEOPLE}""",
        _seen(2),
        _log("org.pratique.notifications.MessageDelivered.v1", _PERSON, _PEOPLE),
    ),
}


def fill(environment: Environment, fresh: Fresh, meetings: int) -> None:
    """Fill the stores with so many meetings: 15 people at each, results of 10 answers, 15 mails, and their events."""
    urls = [environment.as_admin(fresh.store_urls[name]) for name in STATEMENTS]
    with ThreadPoolExecutor(len(urls)) as pool:
        list(pool.map(lambda url, statements: _run(url, statements, meetings), urls, STATEMENTS.values()))
    environment.checkpoint()


def _run(url: str, statements: Sequence[str], meetings: int) -> None:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("set session_replication_role = replica; set synchronous_commit = off")
        cursor.execute("set maintenance_work_mem = '256MB'")
        # Rows go in several times faster without indexes, which are then built in one go; references hold already.
        constraints = _all(cursor, CONSTRAINTS)
        for table, name, _ in reversed(constraints):
            cursor.execute(f"alter table {table} drop constraint {name}")
        indexes = _all(cursor, INDEXES)
        for name, _ in indexes:
            cursor.execute(f"drop index {name}")
        for statement in statements:
            cursor.execute(statement.replace("{meetings}", str(meetings)))
        for table, name, definition in constraints:
            cursor.execute(f"alter table {table} add constraint {name} {definition}")
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("vacuum analyze")


def _all(cursor: Any, statement: str) -> list[Any]:
    cursor.execute(statement)
    rows: list[Any] = cursor.fetchall()
    return rows
