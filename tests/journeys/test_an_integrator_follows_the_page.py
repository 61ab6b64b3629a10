"""What docs/integrate.md shows is run as it stands there, by the user whom the page's command makes."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from chassis.runtime import topology
from chassis.settings import SERVICES
from chassis.storage.store import Store
from operations import cli, composition
from pratique.event import Envelope
from pratique.events.meetings import MeetingClosed
from pratique.testing import sample
from services.meetings.service import Meetings
from tests import servers as private
from tests.harness.containers import running
from tests.harness.waiting import PATIENCE_S, until

HOME = Path(__file__).parents[2]
PAGE = (HOME / "docs/integrate.md").read_text(encoding="utf-8")
#: kombu has no stubs; and of what is installed mypy tells no errors, here pratique, which lies in a folder instead.
UNTYPED = "[mypy]\n[mypy-kombu.*,amqp.*]\nfollow_untyped_imports = True\n[mypy-pratique.*]\nignore_errors = True\n"
WITH_PRATIQUE, WITH_PIKA, IN_TESTS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def url(fresh: private.Fresh) -> Iterator[str]:
    """Of the user whom the operator makes by the page's own command, in this test's virtual host."""
    topology.declare(fresh.settings(), composition.service_classes(SERVICES))
    (command,) = re.findall(r"^docker compose run --rm operator (integrator add .*)$", PAGE, re.M)
    environ = fresh.environ()
    made = CliRunner().invoke(cli, shlex.split(command), env=environ)
    assert made.exit_code == 0, made.output
    yield made.stdout.strip()
    assert CliRunner().invoke(cli, ["integrator", "remove", "acme", "--yes"], env=environ).exit_code == 0


def run(program: str, url: str = "") -> subprocess.Popen[str]:
    environ = {**os.environ, "AMQP_URL": url, "PYTHONPATH": str(HOME)}
    return subprocess.Popen([sys.executable, "-c", program], env=environ, stdout=subprocess.PIPE, text=True)


def is_bound(fresh: private.Fresh, queue: str) -> bool:
    return f"{queue}\tMeetingClosed" in fresh.servers.rabbitmqctl(
        "list_bindings", "-p", fresh.vhost, "destination_name", "routing_key"
    )


def close_a_meeting(store: Store) -> MeetingClosed:
    closed = sample(MeetingClosed, meeting_id=uuid4(), head_count=12)
    with store.begin() as session:
        session.publish(closed)
    return closed


@pytest.mark.real
def test_both_subscribers_of_the_page_see_a_meeting_close(fresh: private.Fresh, url: str) -> None:
    subscribers = [run(WITH_PRATIQUE, url), run(WITH_PIKA, url)]
    try:
        until(lambda: all(is_bound(fresh, f"integrator.acme.{name}") for name in ("closings", "board")))
        with running(fresh.settings(), [Meetings]) as network:
            closed = close_a_meeting(network.store("meetings"))
            told = [each.stdout.readline().split() for each in subscribers if each.stdout]
    finally:
        for each in subscribers:
            each.kill()
            each.communicate()
    assert [words[1:] for words in told] == [[str(closed.meeting_id), "12"]] * 2
    assert told[0][0] == told[1][0], "both name the same event"


def test_the_page_shows_an_event_as_it_is_on_the_wire() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    written = Envelope.from_bytes(shown.encode()).to_bytes()
    assert json.dumps(json.loads(written)) == json.dumps(json.loads(shown))


@pytest.mark.parametrize("program", [WITH_PRATIQUE, IN_TESTS], ids=["subscriber", "tests"])
def test_what_the_page_shows_satisfies_a_strict_type_checker(program: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(UNTYPED, encoding="utf-8")
    environ = {**os.environ, "MYPYPATH": str(HOME)}
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, "program.py"]
    checked = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_what_the_page_says_for_tests_runs_without_a_broker() -> None:
    done = run(IN_TESTS)
    done.communicate(timeout=PATIENCE_S)
    assert done.returncode == 0
