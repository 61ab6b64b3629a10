"""``pratique up``, as somebody sees it who has Python and nothing else: once with the sample, then with its data."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.letters import everything_in
from tests.servers.process import free_port

HOME = Path(__file__).parents[2]
UP = "Pratique is up."


class House:
    """One folder of data, in which ``pratique up`` is started and ended."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._child: subprocess.Popen[bytes] | None = None
        self._logs = 0

    @property
    def said(self) -> str:
        """What the present or last run has printed."""
        return (self.folder / f"run{self._logs}.log").read_text(encoding="utf-8", errors="replace")

    def start(self, timeout_s: float) -> None:
        """Start it, and return when it is up."""
        self._logs += 1
        given = {key: value for key, value in os.environ.items() if not key.startswith("PRATIQUE_")}
        given |= {"PRATIQUE_HTTP_PORT": str(self.port), "PYTHONPATH": str(HOME), "PRATIQUE_HOME": str(HOME)}
        program = "from operations import main; main()"
        command = [sys.executable, "-W", "ignore", "-c", program, "--data", str(self.folder / "data"), "up"]
        with (self.folder / f"run{self._logs}.log").open("wb") as log:
            self._child = subprocess.Popen(
                command, cwd=self.folder, env=given | {"COLUMNS": "200"}, stdout=log, stderr=subprocess.STDOUT
            )
        began = time.monotonic()
        while UP not in self.said:
            assert self._child.poll() is None, self.said
            assert time.monotonic() - began < timeout_s, self.said
            time.sleep(0.05)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        assert self._child is not None
        self._child.send_signal(number)
        return self._child.wait(60)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's body, by the token that is kept beside the stores."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {(self.folder / 'data' / 'token').read_text()}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def discard(self) -> None:
        """End it if it runs."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait(30)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The first start, with the sample; the tests below follow one another in this house."""
    made = House(tmp_path_factory.mktemp("house"))
    try:
        made.start(timeout_s=400)
        yield made
    finally:
        made.discard()


def test_the_first_start_shows_the_main_job_and_stops_when_told(house: House) -> None:
    told = house.said
    assert "Loading two years of a sample network" in told
    for line in (
        r"meetings published\s+MeetingClosed",
        r"evaluation reacted to\s+MeetingClosed",
        r"evaluation published\s+SurveyInvitationsIssued",
        r"notifications reacted to\s+SurveyInvitationsIssued",
        r"notifications published\s+MessageDelivered × \d+",
    ):
        assert re.search(line + r".* \d+ ms after", told), told
    assert told.index("MeetingScheduled") < told.index("MeetingClosed") < told.index(UP)
    assert len(house.ask("GET", "/v1/communities")["items"]) == 6
    assert list((house.folder / "data" / "mail").rglob("*.eml"))
    assert house.end(signal.SIGINT) == 0
    assert "Stopped. What was committed is kept." in house.said
    assert "Traceback" not in house.said


def test_the_second_start_is_quick_and_finds_what_the_first_left(house: House) -> None:
    house.start(timeout_s=120)  # some seconds, where the machine does nothing else
    assert "Loading" not in house.said
    assert len(house.ask("GET", "/v1/communities")["items"]) == 6


def test_every_command_of_the_page_does_what_it_says(house: House) -> None:
    """``docs/start.md``, from the second chapter to the fourth, as somebody types it who reads it."""
    page = (HOME / "docs" / "start.md").read_text(encoding="utf-8").partition("## 2.")[2].partition("## 5.")[0]
    typed = "\n".join(re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    (house.folder / "var").symlink_to("data")
    program = house.folder / ".venv" / "bin" / "pratique"
    program.parent.mkdir(parents=True)
    called = f'"from operations import main; main()" --data "{house.folder}/data" "$@"'
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -W ignore -c {called}\n")
    program.chmod(0o755)
    given = {"PYTHONPATH": str(HOME), "PRATIQUE_HOME": str(HOME), "PRATIQUE_HTTP_PORT": str(house.port)}
    command = ["bash", "-eu", "-o", "pipefail", "-c", typed.replace("127.0.0.1:8000", f"127.0.0.1:{house.port}")]
    done = subprocess.run(
        command, cwd=house.folder, env=os.environ | given, capture_output=True, text=True, timeout=400, check=False
    )
    assert (done.returncode, "rror" in done.stderr) == (0, False), (done.stdout, done.stderr)
    answers = (" 201\n", " 200\n", "/r/", "/s/", "204\n", "410", "released", "withheld", "MeetingClosed", "403")
    assert [words for words in answers if words not in done.stdout] == [], done.stdout


def test_what_was_closed_just_before_a_crash_is_asked_about_after_it(house: House) -> None:
    community_id = house.ask("GET", "/v1/communities")["items"][0]["community_id"]
    meetings = house.ask("GET", f"/v1/communities/{community_id}/meetings?limit=500")["items"]
    past = next(each["meeting_id"] for each in meetings if each["state"] == "closed")
    there = house.ask("GET", f"/v1/meetings/{past}")["attendance"]
    member_ids = [each["member_id"] for each in there if each["role"] == "participant"][:6]
    meeting_id, now = str(uuid4()), datetime.now(UTC)
    plan = {"community_ids": [community_id], "kind": "meeting", "mode": "online", "timezone": "America/Toronto"}
    plan |= {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=1)).isoformat()}
    house.ask("PUT", f"/v1/meetings/{meeting_id}", plan)
    house.ask("POST", f"/v1/meetings/{meeting_id}/start")
    entries = [{"member_id": each, "state": "attended"} for each in member_ids]
    house.ask("PUT", f"/v1/meetings/{meeting_id}/attendance", {"entries": entries})
    before = mails_in(house)
    house.ask("POST", f"/v1/meetings/{meeting_id}/close")
    assert house.end(signal.SIGKILL) == -signal.SIGKILL
    house.start(timeout_s=120)
    assert [asked_since(house, each, before) for each in member_ids] == [1] * len(member_ids)
    assert house.ask("GET", f"/v1/meetings/{meeting_id}/survey")["state"] == "open"
    assert house.end(signal.SIGTERM) == 0


def asked_since(house: House, member_id: str, before: set[Path]) -> int:
    """How many mails have asked this person since, once one has, within some seconds; no program is told."""
    address = house.ask("GET", f"/v1/members/{member_id}")["email"]
    found, end = 0, time.monotonic() + 120
    while not found and time.monotonic() < end:
        mails = [message_from_bytes(path.read_bytes(), policy=default) for path in mails_in(house) - before]
        asking = [mail for mail in mails if address in str(mail["To"]) and "/s/" in everything_in(mail)]
        found = len(asking)
        time.sleep(0.05)
    return found


def mails_in(house: House) -> set[Path]:
    return set((house.folder / "data" / "mail").rglob("*.eml"))
