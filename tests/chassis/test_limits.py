"""What is full or slow holds back its own, and nobody else (docs/operate.md, Limits)."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import eventlet
import pytest
from eventlet.event import Event as Gate

from chassis.messaging import in_memory, outbox, relay
from chassis.messaging.transport import transport_of
from chassis.runtime import tables
from chassis.runtime.container import ServiceRuntime
from chassis.settings import EMBEDDED, Settings
from chassis.storage import store
from chassis.testing import SEAL_KEY, open_at
from pratique import errors
from pratique.events.meetings import MeetingClosed
from pratique.requests.meetings import CloseMeeting
from tests.chassis.conftest import METADATA, Evaluation, Meetings, close_meeting, remember, seen
from tests.harness.containers import Running, running
from tests.harness.waiting import until
from tests.servers import Fresh, Servers


class Held:
    """Evaluation, whose reactions wait until ``gate`` is opened."""

    name = "evaluation"
    gate = Gate()

    @staticmethod
    def wait(session: store.Transaction, event: MeetingClosed) -> None:
        Held.gate.wait()
        remember(session, event)

    runtime = ServiceRuntime({MeetingClosed: lambda session, event: Held.wait(session, event)}, {})


class Notifications:
    """Another that reacts to closings."""

    name = "notifications"
    runtime = ServiceRuntime({MeetingClosed: remember}, {})


@pytest.fixture
def gate() -> Iterator[Gate]:
    Held.gate = Gate()
    yield Held.gate
    if not Held.gate.ready():
        Held.gate.send()


@pytest.fixture
def prepared(servers: Servers) -> Fresh:
    fresh = servers.fresh(is_migrated=False)
    for name in ("meetings", "evaluation", "notifications"):
        opened = open_at(name, fresh.store_urls[name])
        tables.create_all(opened, METADATA)
        opened.close()
    return fresh


@contextmanager
def alarm(servers: Servers) -> Iterator[None]:
    """The broker is out of memory: it lets nobody publish, and goes on delivering."""
    servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1")
    try:
        yield
    finally:
        servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1GB")


def close(opened: store.Store, number: int) -> set[UUID]:
    """So many meetings close; nothing but their own store is needed for that."""
    closed = {uuid4() for _ in range(number)}
    for meeting_id in closed:
        with opened.begin() as session:
            close_meeting(session, CloseMeeting(meeting_id=meeting_id))
    return closed


def waiting(opened: store.Store) -> int:
    """How many events wait in the outbox."""
    with opened.begin() as session:
        return outbox.backlog(session)[0]


def in_hand(network: Running, name: str) -> int:
    """How many deliveries a service holds in memory."""
    return sum(len(consumer._buffer) for consumer in network.extension(name, ServiceRuntime).consumers)


@pytest.mark.real
def test_a_slow_service_holds_a_few_deliveries_and_holds_nobody_else_up(prepared: Fresh, gate: Gate) -> None:
    settings = dataclasses.replace(prepared.settings(), batch_size=5)
    with running(settings, [Meetings, Held, Notifications]) as network:
        closed = close(network.store("meetings"), 60)
        until(lambda: seen(network.store("notifications")) == closed)
        closed |= {another := uuid4()}
        network.call("meetings", "close_meeting", meeting_id=str(another))
        until(lambda: another in seen(network.store("notifications")))
        until(lambda: waiting(network.store("meetings")) == 0)
        assert seen(network.store("evaluation")) == set()
        assert in_hand(network, "evaluation") <= 2 * 2 * 5  # the rest waits in the broker
        gate.send()
        until(lambda: seen(network.store("evaluation")) == closed)


@pytest.mark.real
def test_a_broker_without_memory_stops_no_command_and_no_reaction(prepared: Fresh, gate: Gate) -> None:
    hasty = prepared.settings(rpc_timeout_s=2.0)
    with running(prepared.settings(), [Meetings, Held]) as network, running(hasty, []) as caller:
        meetings, evaluation = network.store("meetings"), network.store("evaluation")
        before = close(meetings, 5)
        until(lambda: waiting(meetings) == 0)
        with alarm(prepared.servers):
            during = close(meetings, 5)
            gate.send()
            until(lambda: before <= seen(evaluation))  # what the broker had is delivered
            with pytest.raises(errors.Unavailable):
                caller.call("meetings", "close_meeting", meeting_id=str(uuid4()))
            assert waiting(meetings) == 5
        until(lambda: seen(evaluation) >= before | during)
        until(network.is_ready)
        network.call("meetings", "close_meeting", meeting_id=str(uuid4()))


def test_the_embedded_bus_leaves_in_the_store_what_a_full_queue_does_not_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_memory, "QUEUE_LIMIT", 20)
    monkeypatch.setattr(relay, "WINDOW", 10)
    in_memory.reset()
    urls = {name: f"sqlite:///{tmp_path / name}.sqlite" for name in ("meetings", "evaluation")}
    settings = Settings(broker_url=EMBEDDED, store_urls=urls, home=Path(), seal_key=SEAL_KEY)
    for name, url in urls.items():
        opened = open_at(name, url)
        tables.create_all(opened, METADATA)
        opened.close()
    with (transport := transport_of(EMBEDDED)).connection() as connection:
        transport.declare_queue(connection.default_channel, "evaluation", [MeetingClosed])
    with running(settings, [Meetings]) as network:
        closed = close(network.store("meetings"), 100)
        until(lambda: in_memory.Channel.queues["evaluation"].qsize() >= 20)
        until(lambda: not in_memory.has_room())
        assert in_memory.Channel.queues["evaluation"].qsize() < 20 + 10
        assert waiting(network.store("meetings")) > 70
        with running(settings, [Evaluation]) as consuming:
            until(lambda: seen(consuming.store("evaluation")) == closed)
            until(lambda: waiting(network.store("meetings")) == 0)
    in_memory.reset()


@pytest.mark.real
def test_whoever_waits_to_ask_while_the_broker_is_lost_is_told_to_come_again(prepared: Fresh) -> None:
    hasty = prepared.settings(rpc_timeout_s=2.0)
    with running(prepared.settings(), [Meetings, Evaluation]) as network, running(hasty, []) as caller:
        big, told = "x" * 4_000_000, list[Exception]()

        def ask() -> None:
            try:
                caller.call("meetings", "close_meeting", meeting_id=str(uuid4()), more=big)
            except Exception as error:  # noqa: BLE001  (any other than the one below is a failure)
                told.append(error)

        prepared.servers.broker.pause()  # so that one hangs at its message, and the others wait for their turn
        try:
            asking = [eventlet.spawn(ask) for _ in range(5)]
            for each in asking:
                each.wait()
        finally:
            prepared.servers.broker.resume()

        assert {type(error) for error in told} == {errors.Unavailable}
        assert len(told) == len(asking)
        until(network.is_ready)
        until(caller.is_ready)
        network.call("meetings", "close_meeting", meeting_id=str(uuid4()))
