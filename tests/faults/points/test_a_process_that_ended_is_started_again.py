"""On a real broker and database: processes end at each point, are started again, and everything has happened once."""

import json
import os
import subprocess
import sys
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
from tests.faults.points.interrupted import REACTIONS
from tests.faults.points.sameness import unsettled
from tests.faults.points.supervised import Supervised, insist
from tests.journeys.holdings import everything_in
from tests.journeys.rest import is_at_rest, next_try
from tests.running import until
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
ZONE = "America/Toronto"
WORDS = {
    "name": "Cercle",
    "purpose": "Apprendre.",
    "kind": "individuals",
    "locale": "fr",
    "timezone": ZONE,
}


class Client:
    """Somebody who asks until they are answered."""

    def __init__(self, settings: Settings, kept: list[Supervised]) -> None:
        self.kept, self._port = kept, settings.http_port
        opened = open_store(settings, "gateway")
        with opened.begin() as session:
            self._token = create_token(session, "client", ["*"])
        opened.close()

    def put(self, path: str, body: Any) -> None:
        insist(self.kept, self._port, self._token, "PUT", f"/v1/{path}", body)

    def post(self, path: str) -> None:
        insist(self.kept, self._port, self._token, "POST", f"/v1/{path}")


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


def found_community(client: Client) -> None:
    client.put(f"communities/{COMMUNITY}", WORDS)
    for member_id in MEMBERS:
        card = {"name": "Personne", "email": f"{member_id}@example.org", "locale": "fr", "timezone": ZONE}
        client.put(f"members/{member_id}", card)
        client.put(f"communities/{COMMUNITY}/memberships/{member_id}", {"capacity": "individual"})


def hold_meeting(client: Client) -> str:
    meeting_id, starts_at = str(uuid4()), clock.now() + timedelta(hours=1)
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    what = {"community_ids": [COMMUNITY], "kind": "meeting", "mode": "online", "timezone": ZONE}
    client.put(f"meetings/{meeting_id}", what | times)
    client.post(f"meetings/{meeting_id}/start")
    entries = [{"member_id": member_id, "state": "attended"} for member_id in MEMBERS]
    client.put(f"meetings/{meeting_id}/attendance", {"entries": entries})
    client.post(f"meetings/{meeting_id}/close")
    return meeting_id


def settle(stores: dict[str, Store], kept: list[Supervised]) -> None:
    def is_still() -> bool:
        for each in kept:
            each.keep()
        return is_at_rest(stores, REACTIONS) and next_try(stores) is None

    until(is_still, 120, every_s=0.1)
    for opened in stores.values():
        opened.close()


def check_once(stores: dict[str, Store], heard: Counter[str], meeting_ids: list[str]) -> None:
    """Each event was written once, published at least once under its one id, and handled once by each service."""
    held = everything_in(stores)
    assert unsettled(held) == []
    log = [row for name, rows in held.items() if name.endswith(".event_log") for row in rows]
    facts = Counter((row["type"], row["subject"], json.loads(row["body"])["sequence"]) for row in log)
    assert set(facts.values()) == {1}
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
    client = Client(settings, kept)
    kept += [Supervised(settings, SERVICES, IN_A_SERVICE), Supervised(settings, ["gateway"], IN_THE_GATEWAY)]
    try:
        found_community(client)
        settle(stores, kept)
        meeting_ids = []
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
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PRATIQUE_")}
    environ |= fresh.environ() | {"PRATIQUE_CRASH_AT": "consumer.bound", "PYTHONPATH": str(settings.home)}
    command = [sys.executable, "-c", "from operations import main; main()", "run", "meetings"]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -9, ended.stderr
