"""Both transports keep the same promises: what is published waits, and comes again until it is acknowledged."""

import ast
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from kombu import Consumer

from chassis.messaging import broker, in_memory
from chassis.messaging.publisher import NotConfirmed, Outgoing, Publisher
from chassis.messaging.transport import Transport, transport_of
from chassis.settings import EMBEDDED
from pratique.events.meetings import MeetingClosed, MeetingStarted
from tests.harness.waiting import PATIENCE_S
from tests.repository.source import name_of, sources, tree_of

SERVICE = "evaluation"


@pytest.fixture(params=["in memory", pytest.param("AMQP", marks=pytest.mark.real)])
def transport(request: pytest.FixtureRequest) -> Iterator[Transport]:
    """A transport with the queue of one service, bound to the closings of another."""
    is_real = request.param == "AMQP"
    url = request.getfixturevalue("servers").fresh(is_migrated=False).broker_url if is_real else EMBEDDED
    made = transport_of(url)
    with made.connection() as connection:
        made.declare_exchanges(connection.default_channel, "meetings")
        made.declare_queue(connection.default_channel, SERVICE, [MeetingClosed])
    yield made
    in_memory.reset()


def publish(transport: Transport, *bodies: bytes, event: type[Any] = MeetingClosed) -> None:
    """Publish these in one window, as the relay does."""
    publisher = Publisher(transport, "meetings")
    publisher.publish([Outgoing(event.exchange(), event.routing_key, body, {}, str(uuid4())) for body in bodies])
    publisher.close()


def take(transport: Transport, number: int, acknowledged: int = 0) -> list[bytes]:
    """Take so many deliveries, acknowledge the first of them at once, and close."""
    taken: list[Any] = []
    with transport.connection() as connection:
        channel = connection.default_channel
        channel.basic_qos(0, number, False)
        consumer = Consumer(channel, transport.queue(SERVICE)(channel), on_message=taken.append)
        consumer.consume()
        while len(taken) < number:
            connection.drain_events(timeout=PATIENCE_S)
        if acknowledged:
            transport.acknowledge(taken[:acknowledged])
    return [bytes(each.body) if isinstance(each.body, bytes) else each.body.encode() for each in taken]


def test_what_is_published_waits_in_order_in_each_queue_that_is_bound_to_it(transport: Transport) -> None:
    publish(transport, b"1", b"2", b"3")
    publish(transport, b"no queue is bound to it", event=MeetingStarted)
    publish(transport, b"4")
    assert take(transport, 4, acknowledged=4) == [b"1", b"2", b"3", b"4"]


def test_deliveries_come_again_until_they_are_acknowledged_all_at_once(transport: Transport) -> None:
    publish(transport, b"1", b"2", b"3")
    assert sorted(take(transport, 3)) == [b"1", b"2", b"3"]
    assert sorted(take(transport, 3, acknowledged=3)) == [b"1", b"2", b"3"]
    publish(transport, b"4")
    assert take(transport, 1) == [b"4"]


def test_declaring_again_changes_nothing(transport: Transport) -> None:
    publish(transport, b"1")
    with transport.connection() as connection:
        channel = connection.default_channel
        transport.ensure_exchange(channel, broker.PUBLIC)
        transport.declare_exchanges(channel, "meetings")
        transport.declare_queue(channel, SERVICE, [MeetingClosed])
    publish(transport, b"2")
    assert take(transport, 2, acknowledged=2) == [b"1", b"2"]


@pytest.mark.real
def test_a_message_for_an_exchange_that_is_gone_is_not_confirmed(servers: Any) -> None:
    gone = transport_of(servers.fresh(is_migrated=False).broker_url)
    publisher = Publisher(gone, "meetings")
    with pytest.raises(NotConfirmed):
        publisher.publish([Outgoing("no.such.exchange", "x", b"1", {}, str(uuid4()))])
    publisher.publish([Outgoing(broker.events_exchange("meetings").name, "x", b"1", {}, str(uuid4()))])
    publisher.close()


def test_nothing_but_the_choice_of_a_transport_asks_for_it_in_the_chassis() -> None:
    asking = {
        name_of(path)
        for path in sources("chassis")
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Attribute) and node.attr == "is_embedded")
        or (isinstance(node, ast.Constant) and node.value == "embedded:")
    }
    assert asking == {"chassis/settings.py", "chassis/messaging/transport.py"}
