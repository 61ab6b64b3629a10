"""Where versions of RabbitMQ differ: how they count deliveries, when they end a consumer, who may ask what is there."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pika
import pytest
from sqlalchemy import select

from chassis.messaging import inbox
from chassis.messaging.publisher import Outgoing, Publisher
from chassis.messaging.transport import transport_of
from pratique.event import Envelope
from pratique.events.meetings import MeetingClosed
from pratique.events.membership import MemberContactChanged
from pratique.testing import envelope, sample
from tests.chassis.conftest import Evaluation, Meetings, seen
from tests.running import Running, running, until
from tests.servers import Fresh

pytestmark = pytest.mark.real
CE = "application/cloudevents+json"


@pytest.fixture
def network(prepared: Fresh) -> Iterator[Running]:
    with running(prepared.settings(rpc_timeout_s=2.0), [Meetings, Evaluation]) as started:
        yield started


def closing() -> bytes:
    return envelope(sample(MeetingClosed, meeting_id=uuid4())).to_bytes()


def check_alive(network: Running) -> None:
    meeting_id = uuid4()
    network.call("meetings", "close_meeting", meeting_id=str(meeting_id))
    until(lambda: meeting_id in seen(network.store("evaluation")))


def test_a_message_that_comes_again_and_again_is_parked_before_it_is_handled(
    prepared: Fresh, wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings = prepared.settings()
    with running(settings, [Meetings, Evaluation]) as network:
        until(network.is_ready)
    body = closing()
    wire.basic_publish("meetings.events", "MeetingClosed", body, pika.BasicProperties(CE))
    for _ in range(3):
        delivery = until(lambda: wire.basic_get("evaluation")[0])
        wire.basic_nack(delivery.delivery_tag, requeue=True)
    with running(settings, [Evaluation]) as network:
        opened = network.store("evaluation")
        until(lambda: Envelope.from_bytes(body).event.meeting_id in seen(opened))  # type: ignore[attr-defined]
        with opened.begin() as session:
            assert session.execute(select(inbox.PARKED)).all() == []
    assert parked_first(caplog)


def parked_first(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of messages that were parked before they were handled."""
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    return [words for words in told if "came 3 times" in words]


@pytest.mark.parametrize("counted_as", ["x-delivery-count", "x-acquired-count"])
def test_how_often_a_message_came_is_read_as_each_version_of_rabbitmq_counts(
    network: Running, wire: Any, caplog: pytest.LogCaptureFixture, counted_as: str
) -> None:
    body = closing()
    headers = pika.BasicProperties(CE, headers={counted_as: 3})
    wire.basic_publish("meetings.events", "MeetingClosed", body, headers)
    until(lambda: len(seen(network.store("evaluation"))) == 1)
    assert parked_first(caplog)


@pytest.mark.parametrize("queue", ["evaluation", "rpc-meetings"])
def test_whoever_loses_a_consumer_to_the_broker_begins_anew(
    network: Running, wire: Any, caplog: pytest.LogCaptureFixture, queue: str
) -> None:
    check_alive(network)
    wire.queue_delete(queue)  # the broker then sends basic.cancel, as RabbitMQ 4.3 also does when a consumer times out
    until(lambda: any("ConsumerCancelled" in record.getMessage() for record in caplog.records))
    until(network.is_ready)
    check_alive(network)


def test_who_listens_before_a_service_first_runs_takes_nothing_from_integrators(prepared: Fresh, wire: Any) -> None:
    with (transport := transport_of(prepared.broker_url)).connection() as connection:
        transport.declare_queue(connection.default_channel, "evaluation", [MemberContactChanged])
    publisher = Publisher(transport, "membership")
    message = Outgoing("membership.events", "MemberRegistered", b"{}", {}, "1")
    publisher.publish([message])
    wire.queue_declare("int.acme", durable=True)
    wire.queue_bind("int.acme", "pratique.events", "#")
    publisher.publish([message])
    publisher.close()
    assert wire.queue_declare("int.acme", passive=True).method.message_count == 1
