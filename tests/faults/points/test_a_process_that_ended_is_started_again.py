"""On a real broker and database: processes end at each point, are started again, and everything has happened once."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika
import pytest

from chassis import clock
from chassis.runtime import topology
from chassis.settings import SERVICES, Settings
from chassis.storage.store import Store, open_store
from gateway.auth import create_token
from operations import composition
from pratique.event import REGISTRY
from tests.faults.points.sameness import unsettled
from tests.faults.points.supervised import Supervised
from tests.harness.client import HttpClient, RetryingClient
from tests.harness.processes import PRATIQUE, environ_of
from tests.harness.quiescence import wait_until_quiescent
from tests.harness.stored_rows import all_rows
from tests.harness.waiting import PROGRAM_S
from tests.servers import Fresh
from tests.servers.process import free_port

pytestmark = pytest.mark.real
IN_A_SERVICE = [
    "consumer.bound",
    "rpc.taken",
    "rpc.answered",
    "relay.selected",
    "relay.sent",
    "relay.confirmed",
    "relay.before_commit",
    "relay.cleared",
    "consumer.taken",
    "consumer.before_ack",
    "consumer.acked",
]
UNCLEARED = {"relay.sent", "relay.confirmed", "relay.before_commit"}  #: where what the broker has is sent again
IN_THE_GATEWAY = ["rpc.asked", "rpc.replied"]
POINTS = {*IN_A_SERVICE, *IN_THE_GATEWAY}
MEMBERS = [str(uuid4()) for _ in range(2)]
COMMUNITY = str(uuid4())


def client_of(settings: Settings, kept: list[Supervised]) -> RetryingClient:
    """Return a client that asks until it is acknowledged, while a supervisor keeps the processes running."""
    opened = open_store(settings, "gateway")
    with opened.begin() as session:
        client = HttpClient(settings.http_port, create_token(session, "client", ["*"]), timeout_s=5)
    opened.close()
    return RetryingClient(lambda: client, 240, meanwhile=lambda: keep(kept))


def keep(kept: list[Supervised]) -> None:
    """Start again what has ended."""
    for each in kept:
        each.keep()


@pytest.fixture
def settings(fresh: Fresh, tmp_path: Path) -> Settings:
    made = fresh.settings(http_port=free_port(), mail_dir=tmp_path / "mail", rpc_timeout_s=1.0)
    topology.declare(made, composition.service_classes(SERVICES))
    return made


@pytest.fixture
def heard(settings: Settings) -> Iterator[Any]:
    """What an integrator has heard, as a function: how often each public event came."""
    connection = pika.BlockingConnection(pika.URLParameters(settings.broker_url))
    channel = connection.channel()
    channel.queue_declare("int.acme", durable=True)
    channel.queue_bind("int.acme", "pratique.events", "#")

    def count() -> Counter[str]:
        found: Counter[str] = Counter()
        while (got := channel.basic_get("int.acme", auto_ack=True))[0]:
            found[json.loads(got[2])["id"]] += 1
        return found

    yield count
    connection.close()


def hold_meeting(client: RetryingClient) -> str:
    meeting_id = str(uuid4())
    client.put_meeting(meeting_id, COMMUNITY, starts_at=clock.now() + timedelta(hours=1))
    client.start(meeting_id)
    client.record_attendance(meeting_id, dict.fromkeys(MEMBERS, "attended"))
    client.close(meeting_id)
    return meeting_id


def settle(stores: dict[str, Store], kept: list[Supervised]) -> None:
    wait_until_quiescent(stores, 120, every_s=0.1, meanwhile=lambda: keep(kept))
    for opened in stores.values():
        opened.close()


def check_once(stores: dict[str, Store], heard: Counter[str], meeting_ids: list[str]) -> None:
    """Each event was written once, published at least once under its one id, and handled once by each service."""
    held = all_rows(stores)
    assert unsettled(held) == []
    log = [row for name, rows in held.items() if name.endswith(".event_log") for row in rows]
    published = Counter((row["type"], row["subject"], json.loads(row["body"])["sequence"]) for row in log)
    assert set(published.values()) == {1}
    closings = [row["subject"] for row in log if REGISTRY[row["type"]].__name__ == "MeetingClosed"]
    assert sorted(closings) == sorted(meeting_ids)
    public = {str(row["id"]) for row in log if not REGISTRY[row["type"]].is_private}
    assert set(heard) == public
    assert max(heard.values()) <= 1 + len(UNCLEARED)
    assert {row["attempts"] for row in held["evaluation.due"]} == {0}
    mails = Counter((row["template"], row["meeting_id"]) for row in held["notifications.message"])
    assert mails == dict.fromkeys(mails, 2)
    assert len(held["evaluation.survey"]) == len(meeting_ids)


def test_wherever_it_ended_everything_happens_once(settings: Settings, heard: Any) -> None:
    stores = {name: open_store(settings, name) for name in SERVICES}
    kept: list[Supervised] = []
    client = client_of(settings, kept)
    kept += [Supervised(settings, SERVICES, IN_A_SERVICE), Supervised(settings, ["gateway"], IN_THE_GATEWAY)]
    try:
        client.put_community(COMMUNITY)
        client.put_members(COMMUNITY, MEMBERS)
        settle(stores, kept)
        meeting_ids = list[str]()
        while any(each.left for each in kept) and len(meeting_ids) < len(POINTS):
            meeting_ids.append(hold_meeting(client))
            settle(stores, kept)
        meeting_ids.append(hold_meeting(client))
        settle(stores, kept)
        assert [each.left for each in kept] == [[], []], "these points were never reached"
    finally:
        for each in kept:
            each.stop()
    check_once(stores, heard(), meeting_ids)
    for opened in stores.values():
        opened.close()
    sent = Counter(path.stem.rpartition("Z-")[2] for path in settings.mail_dir.glob("*.eml"))
    assert set(sent.values()) == {1}


def test_the_environment_names_the_point_at_which_pratique_run_ends(settings: Settings, fresh: Fresh) -> None:
    environ = environ_of(**fresh.environ(), PRATIQUE_CRASH_AT="consumer.bound")
    ended = subprocess.run(
        [*PRATIQUE, "run", "meetings"], env=environ, capture_output=True, text=True, timeout=PROGRAM_S, check=False
    )
    assert ended.returncode == -9, ended.stderr
