"""What docs/integrate.md shows is run as it stands there, by a user who may do what the page gives them and no more."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pika
import pytest

from pratique import bus, outbox
from pratique.event import Envelope
from pratique.events.meetings import MeetingClosed
from pratique.settings import SERVICES
from pratique.store import Store
from pratique.testing import sample
from services.meetings.service import Meetings
from tests import servers as private
from tests.running import running, until

HOME = Path(__file__).parents[2]
PAGE = (HOME / "docs/integrate.md").read_text(encoding="utf-8")
WITH_PRATIQUE, WITH_PIKA, IN_TESTS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def url(fresh: private.Fresh) -> Iterator[str]:
    """Of the user whom the operator makes by the page's own commands, in this test's virtual host."""
    bus.declare(fresh.settings(), SERVICES)
    commands = [
        shlex.split(each) for each in re.findall(r"^docker compose exec rabbitmq rabbitmqctl (.*)$", PAGE, re.M)
    ]
    assert [verb for verb, *_ in commands] == ["add_user", "set_permissions", "set_policy"]
    user, password = commands[0][1:]
    for verb, *rest in commands:
        where = [] if verb == "add_user" else ["-p", fresh.vhost]
        fresh.servers.rabbitmqctl(verb, *where, *rest)
    yield f"amqp://{user}:{password}@127.0.0.1:{fresh.servers.broker.port}/{quote(fresh.vhost, safe='')}"
    fresh.servers.rabbitmqctl("delete_user", user)


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
        outbox.add(session, closed)
    return closed


@pytest.mark.real
def test_both_subscribers_of_the_page_see_a_meeting_close(fresh: private.Fresh, url: str) -> None:
    subscribers = [run(WITH_PRATIQUE, url), run(WITH_PIKA, url)]
    try:
        until(lambda: all(is_bound(fresh, f"int.acme.{name}") for name in ("closings", "board")), 20)
        with running(fresh.settings(), [Meetings]) as network:
            closed = close_a_meeting(network.store("meetings"))
            told = [each.stdout.readline().split() for each in subscribers if each.stdout]
    finally:
        for each in subscribers:
            each.kill()
            each.communicate()
    assert [words[1:] for words in told] == [[str(closed.meeting_id), "12"]] * 2
    assert told[0][0] == told[1][0], "both name the same event"


@pytest.mark.real
def test_an_integrator_reads_what_is_public_and_can_do_nothing_else(fresh: private.Fresh, url: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("int.acme.curious", durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind("int.acme.curious", "pratique.events", "#")
    forbidden: dict[str, Callable[[Any], object]] = {
        "read what is private": lambda to: to.queue_bind("int.acme.curious", "evaluation.private", "#"),
        "listen to RPC": lambda to: to.queue_bind("int.acme.curious", "nameko-rpc", "#"),
        "take a service's events": lambda to: to.basic_get("evaluation"),
        "forge an event": lambda to: _publish(to, "meetings.events", "MeetingClosed"),
        "reach a service's queue": lambda to: _publish(to, "", "evaluation"),
    }
    for what, attempt in forbidden.items():
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refused:
            attempt(connection.channel())
        assert refused.value.reply_code == 403, what
    connection.close()


def _publish(channel: Any, exchange: str, routing_key: str) -> None:
    channel.confirm_delivery()
    channel.basic_publish(exchange, routing_key, b"{}")


def test_the_page_shows_an_event_as_it_is_on_the_wire() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    written = Envelope.from_bytes(shown.encode()).to_bytes()
    assert json.dumps(json.loads(written)) == json.dumps(json.loads(shown))


def test_what_the_page_says_for_tests_runs_without_a_broker() -> None:
    done = run(IN_TESTS)
    done.communicate(timeout=30)
    assert done.returncode == 0
