"""``pratique up``, as somebody sees it who has Python and nothing else: once with the sample, then with its data."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from tests.harness.mails import everything_in, parsed
from tests.harness.processes import IS_UP, Up
from tests.harness.waiting import PATIENCE_S, PROGRAM_S
from tests.servers import HOME


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The first start, with the sample; the tests below follow one another on its data."""
    made = Up(tmp_path_factory.mktemp("up"))
    try:
        made.start()
        made.wait_until_up()
        yield made
    finally:
        made.kill()


def test_the_first_start_shows_the_main_job_and_stops_when_told(up: Up) -> None:
    told = up.output
    assert "Loading two years of a sample network" in told
    for line in (
        r"meetings published\s+MeetingClosed",
        r"evaluation reacted to\s+MeetingClosed",
        r"evaluation published\s+SurveyInvitationsIssued",
        r"notifications reacted to\s+SurveyInvitationsIssued",
        r"notifications published\s+MessageDelivered × \d+",
    ):
        assert re.search(line + r".* \d+ ms after", told), told
    assert told.index("MeetingScheduled") < told.index("MeetingClosed") < told.index(IS_UP)
    assert len(up.client.ok("GET", "/v1/communities")["items"]) == 6
    assert list((up.data / "mail").rglob("*.eml"))
    assert up.end(signal.SIGINT) == 0
    assert "Stopped. What was committed is kept." in up.output
    assert "Traceback" not in up.output


def test_the_second_start_is_quick_and_finds_what_the_first_left(up: Up) -> None:
    up.start()
    up.wait_until_up()
    assert "Loading" not in up.output
    assert len(up.client.ok("GET", "/v1/communities")["items"]) == 6


def test_every_command_of_the_page_does_what_it_says(up: Up) -> None:
    """``docs/start.md``, from the second chapter to the fifth, as somebody types it who reads it."""
    page = (HOME / "docs" / "start.md").read_text(encoding="utf-8").partition("## 2.")[2].partition("## 6.")[0]
    typed = "\n".join(re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    (up.folder / "var").symlink_to("data")
    program = up.folder / ".venv" / "bin" / "pratique"
    program.parent.mkdir(parents=True)
    called = f'"from operations import main; main()" --data "{up.folder}/data" "$@"'
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -W ignore -c {called}\n")
    program.chmod(0o755)
    given = {"PYTHONPATH": str(HOME), "PRATIQUE_HOME": str(HOME), "PRATIQUE_HTTP_PORT": str(up.port)}
    command = ["bash", "-eu", "-o", "pipefail", "-c", typed.replace("127.0.0.1:8000", f"127.0.0.1:{up.port}")]
    done = subprocess.run(
        command, cwd=up.folder, env=os.environ | given, capture_output=True, text=True, timeout=PROGRAM_S, check=False
    )
    assert (done.returncode, "rror" in done.stderr) == (0, False), (done.stdout, done.stderr)
    answers = (" 201\n", " 200\n", "/r/", "/s/", "204\n", "410", "released", "withheld", "MeetingClosed", "403")
    assert [words for words in answers if words not in done.stdout] == [], done.stdout


def test_what_was_closed_just_before_a_crash_is_asked_about_after_it(up: Up) -> None:
    community_id = up.client.ok("GET", "/v1/communities")["items"][0]["community_id"]
    meetings = up.client.ok("GET", f"/v1/communities/{community_id}/meetings?limit=500")["items"]
    past = next(each["meeting_id"] for each in meetings if each["state"] == "closed")
    there = up.client.ok("GET", f"/v1/meetings/{past}")["attendance"]
    member_ids = [each["member_id"] for each in there if each["role"] == "participant"][:6]
    meeting_id = str(uuid4())
    up.client.put_meeting(meeting_id, community_id, starts_at=datetime.now(UTC))
    up.client.start(meeting_id)
    up.client.record_attendance(meeting_id, dict.fromkeys(member_ids, "attended"))
    before = mails_in(up)
    up.client.close(meeting_id)
    assert up.end(signal.SIGKILL) == -signal.SIGKILL
    up.start()
    up.wait_until_up()
    assert [asked_since(up, each, before) for each in member_ids] == [1] * len(member_ids)
    assert up.client.ok("GET", f"/v1/meetings/{meeting_id}/survey")["state"] == "open"
    assert up.end(signal.SIGTERM) == 0


def asked_since(up: Up, member_id: str, before: set[Path]) -> int:
    """How many mails have asked this person since, once one has, within some seconds; no program is told."""
    address = up.client.ok("GET", f"/v1/members/{member_id}")["email"]
    found, end = 0, time.monotonic() + PATIENCE_S
    while not found and time.monotonic() < end:
        mails = [parsed(path.read_bytes()) for path in mails_in(up) - before]
        asking = [mail for mail in mails if address in str(mail["To"]) and "/s/" in everything_in(mail)]
        found = len(asking)
        time.sleep(0.05)
    return found


def mails_in(up: Up) -> set[Path]:
    return set((up.data / "mail").rglob("*.eml"))
