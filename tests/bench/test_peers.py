"""A comparison is fair only if every side does the same work."""

import http.client
import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pratique.event import unsealed
from tests.bench import reactions, reads
from tests.bench.closings import ATTENDEES, closings
from tests.bench.environment import Environment, query
from tests.bench.peers.wire import SEAL
from tests.harness.waiting import PATIENCE_S
from tests.servers import Servers

pytestmark = pytest.mark.real
COUNT = 50

#: What each table holds but for what is random: ids of our own, secrets, tokens, and the instant of writing.
ROWS = {
    "inbox": "select event_id::text from inbox",
    "survey": "select meeting_id::text, community_ids::text, timezone, moment, anonymity, questions_version, k_scores,"
    " k_comments, state, opens_at, closes_at, is_asked, is_meeting_closed, room_code, version from survey",
    "attendance": "select meeting_id::text, member_id::text, state, role, version, was_eligible from attendance",
    "survey_key": "select meeting_id::text, length(box) from survey_key join survey s on s.id = survey_id",
    "due": "select meeting_id::text, kind, due_at, d.state, attempts, correlation_id::text, causation_id::text"
    " from due d join survey s on s.id = d.subject",
    "outbox": "select meeting_id::text, type from outbox join event_log using (seq) join survey s on s.id::text ="
    " subject",
}
BODIES = "select body from event_log"


@pytest.fixture
def made() -> Sequence[bytes]:
    return [envelope.to_bytes() for envelope in closings(COUNT, datetime.now(UTC))]


@pytest.fixture
def plain_rows(servers: Servers, made: Sequence[bytes], tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "bodies.jsonl"
    path.write_bytes(b"\n".join(made))
    return written(lambda: reactions.plain_loop(Environment(servers), path))


def test_the_plain_loop_writes_a_survey_and_fifteen_invitations_for_each_closing(plain_rows: dict[str, Any]) -> None:
    counts = {name: len(rows) for name, rows in plain_rows.items()}

    assert counts == {
        "inbox": COUNT,
        "survey": COUNT,
        "attendance": COUNT * ATTENDEES,
        "survey_key": COUNT,
        "due": COUNT * 2,
        "outbox": COUNT * 2,
        "bodies": COUNT * 2,
    }


def test_our_service_writes_the_rows_of_the_plain_loop(
    servers: Servers, made: Sequence[bytes], plain_rows: dict[str, Any]
) -> None:
    assert written(lambda: reactions.ours(Environment(servers), made)) == plain_rows


@pytest.mark.skipif(not find_spec("faststream"), reason="faststream comes with `make bench`")
def test_faststream_writes_the_rows_of_the_plain_loop(
    servers: Servers, made: Sequence[bytes], plain_rows: dict[str, Any]
) -> None:
    assert written(lambda: reactions.faststream(Environment(servers), made)) == plain_rows


@pytest.mark.skipif(not find_spec("fastapi"), reason="fastapi comes with `make bench`")
def test_fastapi_answers_a_read_as_our_gateway_does(servers: Servers) -> None:
    with reads.both(Environment(servers), meetings=3) as (ours, theirs, paths):
        for path in paths:
            assert answer(theirs, path) == answer(ours, path)
        for door in (ours, theirs):
            assert [answer(door, paths[0], known)[:2] for known in (reads.ETAG, '"3"')] == [
                (304, b""),
                answer(door, paths[0])[:2],
            ]
            assert answer(door, f"/v1/meetings/{UUID(int=1)}")[0] == 404
            assert answer(reads.Door(door.port, door.token[:-1] + "~"), paths[0])[0] == 401


def answer(door: reads.Door, path: str, known: str = "") -> tuple[int, bytes, str | None]:
    """Status, body and ETag."""
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=PATIENCE_S)
    headers = {"Authorization": f"Bearer {door.token}"} | ({"If-None-Match": known} if known else {})
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body, response.getheader("ETag")


def written(start: Callable[[], AbstractContextManager[reactions.Writing]]) -> dict[str, Any]:
    """What a side leaves in its store, in an order of its own."""
    with start() as (store_url, side), query(store_url) as cursor:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            cursor.execute(reactions.SURVEYS)
            if cursor.fetchone()[0] == COUNT:
                break
            assert time.monotonic() < deadline, side.told()
            time.sleep(0.05)
        rows = {name: sorted(_all(cursor, statement), key=repr) for name, statement in ROWS.items()}
        return rows | {"bodies": sorted(_comparable(body) for (body,) in _all(cursor, BODIES))}


def _all(cursor: Any, statement: str) -> list[tuple[Any, ...]]:
    cursor.execute(statement)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _comparable(body: memoryview) -> str:
    """The body of an event without what is random in it; the length of a token, and of a sealed box, stays."""
    event = json.loads(bytes(body))
    if "box" in event["data"]:
        length = len(event["data"]["box"])
        event = json.loads(unsealed(bytes(body), SEAL)) | {"sealed": length}
    assert event["subject"] == event["data"].pop("survey_id")
    for name in ("id", "subject", "time"):
        assert event.pop(name)
    invitations = event["data"].get("invitations", [])
    invitations.sort(key=lambda each: each["member_id"])
    for each in invitations:
        each["token"] = len(each["token"])
    return json.dumps(event, sort_keys=True)
