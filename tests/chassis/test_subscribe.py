"""An integrator's program goes on reading when the network is newer than its copy of ``pratique``."""

from typing import Any

import pika
import pytest

from chassis.messaging.transport import transport_of
from pratique.events.meetings import MeetingClosed
from pratique.subscribe import subscribe
from pratique.testing import envelope, sample
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
