"""An integrator's program goes on reading when the network is newer than its copy of ``pratique``."""

from typing import Any

import eventlet
import pika
import pytest

from chassis.messaging.transport import transport_of
from pratique import subscribe as library
from pratique.events.meetings import MeetingClosed
from pratique.subscribe import subscribe
from pratique.testing import envelope, sample
from tests.harness.waiting import PATIENCE_S, until
from tests.servers import Fresh

pytestmark = pytest.mark.real


def test_a_subscriber_gets_an_event_with_a_value_that_its_copy_does_not_know(prepared: Fresh, wire: Any) -> None:
    with (transport := transport_of(prepared.broker_url)).connection() as connection:
        transport.declare_exchanges(connection.default_channel, "meetings")
    wire.queue_declare("int.acme", durable=True, arguments={"x-queue-type": "quorum"})
    wire.queue_bind("int.acme", "pratique.events", "MeetingClosed")
    body = envelope(sample(MeetingClosed)).to_bytes().replace(b'"kind":"meeting"', b'"kind":"picnic"')
    wire.basic_publish("meetings.events", "MeetingClosed", body, pika.BasicProperties())
    kinds: list[Any] = []

    subscribe(
        prepared.broker_url,
        "int.acme",
        [MeetingClosed],
        lambda envelope: kinds.append(envelope.event.kind),
        until=lambda: bool(kinds),
    )

    assert kinds == ["picnic"]


def test_a_subscriber_whose_queue_is_deleted_goes_on_with_a_new_one(
    prepared: Fresh, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "RETRY_S", 0.1)
    with (transport := transport_of(prepared.broker_url)).connection() as connection:
        transport.declare_exchanges(connection.default_channel, "meetings")
    closings: list[Any] = []
    reader = eventlet.spawn(
        subscribe, prepared.broker_url, "int.acme", [MeetingClosed], closings.append, until=lambda: bool(closings)
    )
    until(lambda: _is_consumed(prepared), every_s=0.1)
    wire.queue_delete("int.acme")  # the broker then sends basic.cancel
    until(lambda: _is_consumed(prepared), every_s=0.1)

    wire.basic_publish("meetings.events", "MeetingClosed", envelope(sample(MeetingClosed)).to_bytes())

    with eventlet.Timeout(PATIENCE_S):
        reader.wait()
    assert len(closings) == 1


def _is_consumed(prepared: Fresh) -> bool:
    """Whether somebody consumes from the subscriber's queue."""
    with pika.BlockingConnection(pika.URLParameters(prepared.broker_url)) as connection:
        try:
            return bool(connection.channel().queue_declare("int.acme", passive=True).method.consumer_count)
        except pika.exceptions.ChannelClosedByBroker:  # it is not there
            return False
