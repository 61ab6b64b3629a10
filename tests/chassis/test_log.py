"""Log lines: one JSON object each, and no secret in any."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import eventlet
import pytest
import structlog

from chassis import log


@pytest.fixture
def lines(logging_as_before: None) -> Iterator[io.StringIO]:
    """What is logged as JSON."""
    stream = io.StringIO()
    log.configure("json", stream)
    yield stream
    structlog.reset_defaults()


def _last(stream: io.StringIO) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(stream.getvalue().splitlines()[-1])
    return last


def test_a_line_is_one_json_object_that_says_when_who_and_what(lines: io.StringIO) -> None:
    logging.getLogger("services.meetings").info("closed %s", "it", extra={"meeting": 7})
    line = _last(lines)
    assert (line["event"], line["logger"], line["level"], line["meeting"]) == (
        "closed it",
        "services.meetings",
        "info",
        7,
    )
    assert line["timestamp"].endswith("Z")


def test_structlog_and_logging_write_the_same_lines(lines: io.StringIO) -> None:
    structlog.get_logger("services.meetings").info("closed", meeting=7)
    assert (_last(lines)["event"], _last(lines)["meeting"], _last(lines)["logger"]) == (
        "closed",
        7,
        "services.meetings",
    )


def test_an_exception_stays_one_line(lines: io.StringIO) -> None:
    try:
        raise ValueError("no\nsuch\nthing")
    except ValueError:
        logging.getLogger("x").exception("failed")
    assert len(lines.getvalue().splitlines()) == 1
    assert "ValueError: no\nsuch\nthing" in _last(lines)["exception"]


@pytest.mark.parametrize(
    "words",
    [
        "cannot reach amqp://pratique:hunter2@rabbitmq:5672//",
        "cannot reach postgresql+psycopg2://meetings:hunter2@postgres/meetings?sslmode=require",
        "cannot reach smtps://user%40example.org:hunter2@mail.example.org",
        "cannot reach redis://:hunter2@cache and amqp://a:hunter2@b",
        "a password with an at sign: amqp://u:hunter2@more@host/v",
        "GET /v1/meetings Authorization: Bearer hunter2.abc-def",
        "made prt_hunter2-abc_1",
        "POST /ballots?token=hunter2&x=1",
        '{"token": "hunter2", "password":"hunter2"}',
    ],
)
def test_secrets_in_texts_are_masked(lines: io.StringIO, words: str) -> None:
    logging.getLogger("x").warning("it says: %s", words)
    logging.getLogger("x").warning("it says", extra={"words": words, "nested": {"deep": [words]}})
    try:
        raise OSError(words)
    except OSError:
        logging.getLogger("x").exception("failed")
    assert "hunter2" not in lines.getvalue()
    assert lines.getvalue().count("***") >= 4


def test_what_is_named_as_a_secret_is_masked(lines: io.StringIO) -> None:
    structlog.get_logger("x").info("made", api_token="hunter2", smtp_password="hunter2", room="AB12")
    assert "hunter2" not in lines.getvalue()
    assert _last(lines)["room"] == "AB12"


def test_addresses_without_secrets_are_left_as_they_are(lines: io.StringIO) -> None:
    words = "gateway ready at http://127.0.0.1:8000/v1/meetings?after=3, store sqlite:////var/x.sqlite, 12:30 a@b.org"
    logging.getLogger("x").info(words)
    assert _last(lines)["event"] == words


def test_ids_of_events_are_written_as_they_are(lines: io.StringIO) -> None:
    events = [{"id": "6d1f0f0e-6a52-4d6e-9d2b-0d4b7b9e3a11", "type": "org.pratique.meetings.MeetingClosed.v1"}]
    logging.getLogger("x").info("handled 1 events", extra={"events": log.Ids(events)})
    assert _last(lines)["events"] == events


def test_what_is_bound_stands_in_each_line_of_this_thread_and_of_no_other(lines: io.StringIO) -> None:
    with log.bound(service="meetings", event_id=UUID(int=1), request_id=None):
        logging.getLogger("x").info("here")
        eventlet.spawn(logging.getLogger("x").info, "elsewhere").wait()
    logging.getLogger("x").info("afterwards")
    here, elsewhere, afterwards = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (here["service"], here["event_id"]) == ("meetings", str(UUID(int=1)))
    for line in (elsewhere, afterwards):
        assert not {"service", "event_id"} & line.keys()
    assert "request_id" not in here


def test_people_get_text(lines: io.StringIO) -> None:
    stream = io.StringIO()
    log.configure("text", stream)
    logging.getLogger("services.meetings").info("closed, amqp://a:hunter2@b", extra={"meeting": 7})
    assert "closed, amqp://a:***@b" in stream.getvalue()
    assert "meeting=7" in stream.getvalue()
