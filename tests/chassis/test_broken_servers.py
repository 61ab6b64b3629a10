"""Faults that a real broker and a real database have, and messages that would end plain nameko."""

import base64
import dataclasses
import json
import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import eventlet
import pika
import pytest
from sqlalchemy import select, text

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.messaging.publisher import NotConfirmed, Outgoing, Publisher
from chassis.messaging.relay import Relay
from chassis.messaging.transport import transport_of
from chassis.runtime import topology
from chassis.runtime.container import ServiceRuntime
from chassis.runtime.readiness import readiness
from chassis.storage import store
from chassis.testing import open_at
from operations import composition
from pratique import errors
from pratique.events.meetings import MeetingClosed, MeetingStarted
from pratique.requests.meetings import CloseMeeting
from pratique.testing import AT, envelope, sample
from tests.chassis.conftest import Evaluation, Meetings, check_alive, close_meeting, remember, seen
from tests.harness.containers import Running, running
from tests.harness.waiting import PATIENCE_S, until
from tests.servers import HOME, Fresh

pytestmark = pytest.mark.real
PRATIQUE = [sys.executable, "-c", "from operations import main; main()"]
CE = "application/cloudevents+json"


@pytest.fixture
def network(prepared: Fresh) -> Iterator[Running]:
    with running(prepared.settings(), [Meetings, Evaluation]) as started:
        yield started


def closing() -> bytes:
    return envelope(sample(MeetingClosed, meeting_id=uuid4())).to_bytes()


def dead(opened: store.Store) -> list[str]:
    with opened.begin() as session:
        return list(session.scalars(select(inbox.PARKED.c.error).where(inbox.PARKED.c.state == "dead")))


@pytest.mark.parametrize(
    ("body", "properties"),
    [
        (b"\x80\x04 no json", {"content_type": CE}),
        (pickle.dumps({"a": 1}), {"content_type": "application/x-python-serialize", "content_encoding": "binary"}),
        (closing()[:-40], {"content_type": CE}),
        (b"[" * 200_000, {"content_type": CE}),
        (closing().replace(b"MeetingClosed.v1", b"MeetingClosed.v9"), {"content_type": CE}),
        (b"compressed?", {"content_type": CE, "headers": {"compression": "application/x-gzip"}}),
        (b"x" * 5_000_000, {"content_type": "application/octet-stream"}),
    ],
    ids=["no json", "pickle", "cut off", "nested deep", "future version", "compressed", "huge"],
)
def test_what_cannot_be_decoded_is_a_dead_letter_and_ends_nothing(
    network: Running, wire: Any, body: bytes, properties: dict[str, Any]
) -> None:
    wire.basic_publish("meetings.events", "MeetingClosed", body, pika.BasicProperties(**properties))
    evaluation = network.store("evaluation")
    until(lambda: len(dead(evaluation)) == 1)
    check_alive(network)


class Trap:
    """Leaves a file behind if anybody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_nothing_but_json_is_ever_decoded_whatever_a_message_says_it_is(
    network: Running, wire: Any, prepared: Fresh, tmp_path: Path
) -> None:
    sprung = tmp_path / "sprung"
    pickled, yaml = pickle.dumps(Trap(sprung)), f"!!python/object/apply:os.mkdir ['{sprung}']".encode()
    bodies = [
        (pickled, "application/x-python-serialize", "binary"),
        (base64.b64encode(pickled), "application/x-python-serialize", "base64"),
        (zlib.compress(pickled), "application/x-python-serialize", "binary"),
        (yaml, "application/x-yaml", "utf-8"),
        (b"\x81\xa1a\x01", "application/x-msgpack", "binary"),
        (pickled, "application/json", "utf-8"),
        (pickled, CE, "utf-8"),
    ]
    (reply_queue,) = [each for each in _queues(prepared) if each.startswith("rpc.reply-")]
    for body, content_type, encoding in bodies:
        sent = pika.BasicProperties(content_type, encoding, reply_to=str(uuid4()), correlation_id="1")
        wire.basic_publish("meetings.events", "MeetingClosed", body, sent)
        wire.basic_publish("nameko-rpc", "meetings.close_meeting", body, sent)
        wire.basic_publish("", reply_queue, body, sent)
    until(lambda: len(dead(network.store("evaluation"))) == len({body for body, _, _ in bodies}))
    until(lambda: _depth(wire, "rpc-meetings") == 0)
    check_alive(network)
    assert not sprung.exists()
    pickle.loads(pickled)
    assert sprung.exists(), "the trap works"


def _queues(prepared: Fresh) -> list[str]:
    return prepared.servers.rabbitmqctl("list_queues", "-p", prepared.vhost, "name").split()


@pytest.mark.parametrize("headers", [{"nameko.call_id_stack": 5}, {"nameko.call_id_stack": [1]}, {"x-death": "no"}])
def test_hostile_headers_are_read_over(network: Running, wire: Any, headers: dict[str, Any]) -> None:
    wire.basic_publish("meetings.events", "MeetingClosed", closing(), pika.BasicProperties(CE, headers=headers))
    until(lambda: len(seen(network.store("evaluation"))) == 1)
    check_alive(network)


@pytest.mark.parametrize(
    ("body", "properties"),
    [
        (b'{"args": [], "kwargs": {}}', {"content_type": "application/json"}),
        (b'{"args": [], "kwargs": {}}', {"content_type": "application/x-yaml", "reply_to": "x"}),
        (b"no json", {"content_type": "application/json", "reply_to": "x", "correlation_id": "1"}),
        (b'{"args": 5}', {"content_type": "application/json", "headers": {"nameko.call_id_stack": 5}}),
        (b'[["kwargs"]]', {"reply_to": "x"}),
        (b'{"args": [], "kwargs": {"meeting_id": "\\u0000"}}', {"reply_to": "nobody"}),
    ],
    ids=["no reply_to", "unknown content type", "no json", "bad headers", "a list", "reply to nobody"],
)
def test_a_hostile_rpc_request_ends_nothing(
    network: Running, wire: Any, body: bytes, properties: dict[str, Any]
) -> None:
    wire.basic_publish("nameko-rpc", "meetings.close_meeting", body, pika.BasicProperties(**properties))
    check_alive(network)
    until(lambda: _depth(wire, "rpc-meetings") == 0)


def _depth(wire: Any, queue: str) -> int:
    return int(wire.queue_declare(queue, passive=True).method.message_count)


def test_a_bare_subscriber_sees_a_cloud_event_and_nothing_private(prepared: Fresh, wire: Any) -> None:
    with running(prepared.settings(), [Meetings]) as network:
        network.call("meetings", "close_meeting", meeting_id=str(uuid4()))  # declares the exchanges
        until(lambda: _backlog(network.store("meetings")) == 0)
        wire.queue_declare("int.acme", durable=True)
        wire.queue_bind("int.acme", "pratique.events", "#")
        meeting_id = uuid4()
        network.call("meetings", "close_meeting", meeting_id=str(meeting_id))
        _, properties, body = until(lambda: (got := wire.basic_get("int.acme", auto_ack=True))[0] and got)
    event = json.loads(body)
    assert properties.content_type == CE
    assert event["specversion"] == "1.0"
    assert event["type"] == "org.pratique.meetings.MeetingClosed.v1"
    assert event["subject"] == event["data"]["meeting_id"] == str(meeting_id)
    assert properties.message_id == event["id"] == properties.headers["ce-id"]
    assert set(properties.headers) == {f"ce-{name}" for name in event if name != "data"}


def test_a_binding_that_is_no_longer_wanted_is_removed_at_start(prepared: Fresh, wire: Any) -> None:
    class Curious:
        name = "evaluation"
        runtime = ServiceRuntime({MeetingClosed: remember, MeetingStarted: remember}, {})

    with running(prepared.settings(), [Meetings, Curious]):
        pass
    with running(prepared.settings(), [Meetings, Evaluation]) as network:
        until(network.is_ready)
    wire.basic_publish("meetings.events", "MeetingStarted", b"{}", pika.BasicProperties(CE))
    wire.basic_publish("meetings.events", "MeetingClosed", closing(), pika.BasicProperties(CE))
    until(lambda: _depth(wire, "evaluation") == 1)


def test_replicas_that_start_at_once_do_not_stumble_over_their_bindings(
    prepared: Fresh, caplog: pytest.LogCaptureFixture
) -> None:
    with running(prepared.settings(), [Evaluation, Meetings]), running(prepared.settings(), [Evaluation]):
        pass
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_service_starts_takes_commands_and_stops_while_the_broker_is_away(
    prepared: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = prepared.settings(broker_url="amqp://pratique:x@127.0.0.1:1/none")
    with running(settings, [Meetings], is_awaited=False) as network:
        opened, meeting_id = network.store("meetings"), uuid4()
        with opened.begin() as session:
            close_meeting(session, CloseMeeting(meeting_id=meeting_id))
        assert readiness(network.container("meetings"))["reactions"] is False
        with pytest.raises(errors.Unavailable):
            network.call("meetings", "close_meeting", meeting_id=str(meeting_id))
        monkeypatch.setattr("chassis.runtime.container.STOP_S", 2 * PATIENCE_S)  # it stops by itself, and is not ended
        with eventlet.Timeout(PATIENCE_S):
            network.container("meetings").stop()
    with running(prepared.settings(), [Evaluation]) as network, running(prepared.settings(), [Meetings]):
        until(lambda: seen(network.store("evaluation")) == {meeting_id})


def test_a_broker_that_crashes_delays_events_and_loses_none(network: Running, prepared: Fresh) -> None:
    check_alive(network)
    prepared.servers.broker.write_down_queues()
    meetings = {uuid4() for _ in range(20)}
    opened = network.store("meetings")
    for number, meeting_id in enumerate(meetings):
        if number == 5:
            eventlet.spawn(prepared.servers.broker.restart)
            eventlet.sleep(0.2)
        with opened.begin() as session:
            close_meeting(session, CloseMeeting(meeting_id=meeting_id))
        eventlet.sleep(0.01)
    until(lambda: meetings <= seen(network.store("evaluation")))
    until(network.is_ready)


def test_a_publisher_waits_for_a_paused_broker_no_longer_than_it_may(network: Running, prepared: Fresh) -> None:
    publisher = Publisher(transport_of(prepared.broker_url), "meetings")
    message = Outgoing("meetings.events", "MeetingClosed", closing(), {}, "1")
    publisher.publish([message])
    prepared.servers.broker.pause()
    try:
        with eventlet.Timeout(PATIENCE_S), pytest.raises(NotConfirmed):
            publisher.publish([message])
    finally:
        prepared.servers.broker.resume()
    publisher.publish([message])
    publisher.close()


def test_connections_that_the_broker_closes_come_back(network: Running, prepared: Fresh) -> None:
    prepared.servers.rabbitmqctl("close_all_connections", "-p", prepared.vhost, "a test")
    until(network.is_ready)
    check_alive(network)


def test_a_queue_that_was_deleted_is_made_anew_and_its_loss_is_told(
    network: Running, wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    check_alive(network)
    wire.queue_delete("evaluation")
    until(lambda: any("`pratique republish" in record.getMessage() for record in caplog.records))
    until(network.is_ready)
    check_alive(network)


def test_what_a_deleted_queue_held_is_published_once_more_by_command(prepared: Fresh, wire: Any) -> None:
    topology.declare(prepared.settings(), composition.service_classes(["evaluation"]))
    began, meeting_id = clock.now(), uuid4()
    with running(prepared.settings(), [Meetings]) as network:
        network.call("meetings", "close_meeting", meeting_id=str(meeting_id))
        until(lambda: _depth(wire, "evaluation") == 1)
        wire.queue_delete("evaluation")
        with running(prepared.settings(), [Evaluation]) as other:
            assert seen(other.store("evaluation")) == set()
            command = [*PRATIQUE, "republish", "meetings", "--since", began.isoformat()]
            environ = {"PATH": os.environ["PATH"], **prepared.environ(), "PRATIQUE_LOG_FORMAT": "text"}
            said = subprocess.run(command, env=environ, cwd=HOME, capture_output=True, text=True, check=True).stdout
            assert "meetings: 1 events are published again" in said
            until(lambda: seen(other.store("evaluation")) == {meeting_id})


def test_a_command_that_finds_its_rows_locked_is_to_be_asked_again(network: Running) -> None:
    opened, meeting_id = network.store("meetings"), uuid4()
    with opened.begin() as session:
        session.execute(text("lock table event_log"))
        with pytest.raises(errors.Unavailable):
            network.call("meetings", "close_meeting", meeting_id=str(meeting_id))
    network.call("meetings", "close_meeting", meeting_id=str(meeting_id))


def test_a_database_that_crashes_pauses_consumption_and_loses_nothing(network: Running, prepared: Fresh) -> None:
    meetings = set()
    for number in range(20):
        if number == 5:
            eventlet.spawn(prepared.servers.database.restart)
        meeting_id = uuid4()
        try:
            network.call("meetings", "close_meeting", meeting_id=str(meeting_id))
        except errors.Unavailable:
            eventlet.sleep(0.2)
        else:
            meetings.add(meeting_id)
        eventlet.sleep(0.02)
    until(lambda: _is_within(meetings, network.store("evaluation")))
    assert dead(network.store("evaluation")) == []


def _is_within(meetings: set[Any], opened: store.Store) -> bool:
    try:
        return meetings <= seen(opened)
    except store.StoreAway:
        return False


def test_work_in_flight_at_the_stop_is_done_once(prepared: Fresh, wire: Any) -> None:
    def slowly(session: store.Transaction, event: MeetingClosed) -> None:
        eventlet.sleep(0.02)
        remember(session, event)

    class Slow:
        name = "evaluation"
        runtime = ServiceRuntime({MeetingClosed: slowly}, {})

    with running(dataclasses.replace(prepared.settings(), batch_size=10), [Slow]) as network:
        for _ in range(30):
            wire.basic_publish("meetings.events", "MeetingClosed", closing(), pika.BasicProperties(CE))
        until(lambda: len(seen(network.store("evaluation"))) >= 1)
    done = _rows(prepared)
    until(lambda: _depth(wire, "evaluation") == 30 - done)
    with running(prepared.settings(), [Evaluation]) as network:
        until(lambda: len(seen(network.store("evaluation"))) == 30)
        assert dead(network.store("evaluation")) == []


def _rows(prepared: Fresh) -> int:
    opened = open_at("evaluation", prepared.store_urls["evaluation"])
    try:
        return len(seen(opened))
    finally:
        opened.close()


def test_two_relays_of_one_store_send_each_row_in_order(prepared: Fresh, wire: Any) -> None:
    opened, transport = open_at("meetings", prepared.store_urls["meetings"]), transport_of(prepared.broker_url)
    relays = [Relay(opened, transport) for _ in range(2)]
    with transport.connection() as connection:
        transport.declare_queue(connection.default_channel, "evaluation", [MeetingClosed])
    expected = []
    for _ in range(3):
        with opened.begin() as session:
            for _ in range(400):
                event = sample(MeetingClosed, meeting_id=uuid4())
                session.publish(event)
                expected.append(str(event.meeting_id))
    threads = [eventlet.spawn(relay.run) for relay in relays]
    until(lambda: _backlog(opened) == 0)
    for relay, thread in zip(relays, threads, strict=True):
        relay.stop()
        thread.wait()
    opened.close()
    until(lambda: _depth(wire, "evaluation") == 1200)
    got = [json.loads(wire.basic_get("evaluation", auto_ack=True)[2])["subject"] for _ in range(1200)]
    assert got == expected


def _backlog(opened: store.Store) -> int:
    with opened.begin() as session:
        return outbox.backlog(session)[0]


def test_a_sample_is_dated_as_it_says() -> None:
    assert envelope(sample(MeetingClosed)).time > AT


def test_nothing_private_is_bound_to_the_public_exchange(prepared: Fresh, tmp_path: Path) -> None:
    transport = transport_of(prepared.broker_url)
    with transport.connection() as connection:
        transport.declare_exchanges(connection.default_channel, "membership")
    listed = prepared.servers.rabbitmqctl("list_bindings", "-p", prepared.vhost, "source_name", "destination_name")
    assert "membership.events\tpratique.events" in listed
    assert "membership.private" not in listed
