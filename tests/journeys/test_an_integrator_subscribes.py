"""Somebody else's program listens: with our library, and with nothing but a client for RabbitMQ."""

import json
from collections.abc import Iterator
from typing import Any

import eventlet
import pika
import pytest

from operations.management import Management
from pratique.event import Envelope
from pratique.events.meetings import MeetingClosed
from pratique.subscribe import PUBLIC, subscribe
from tests.journeys.letters import asks
from tests.journeys.life import Community, Life
from tests.running import PATIENCE_S, until

pytestmark = [pytest.mark.real, pytest.mark.parametrize("life", ["real"], indirect=True)]
LINK, PLACE, THEME = "https://meet.example.org/secret", "Salle trois", "Le répit des proches"


@pytest.fixture
def community(life: Life) -> Community:
    return life.found_community(members=6)


@pytest.fixture
def channel(life: Life) -> Iterator[Any]:
    """A channel of pika's, as an integrator opens it."""
    connection = pika.BlockingConnection(pika.URLParameters(life.settings.broker_url))
    yield connection.channel()
    connection.close()


def listen(channel: Any, routing_key: str) -> str:
    """A queue of the integrator's own, bound to the only name that they were told."""
    queue = str(channel.queue_declare("", exclusive=True).method.queue)
    channel.queue_bind(queue, PUBLIC, routing_key)
    return queue


def heard(channel: Any, queue: str) -> list[tuple[Any, Any, bytes]]:
    """Everything that has arrived: (delivery, properties, body)."""
    found = []
    while (message := channel.basic_get(queue, auto_ack=True))[0] is not None:
        found.append(message)
    return found


def hold_and_close(life: Life, community: Community) -> str:
    meeting_id = life.schedule(community.id, link=LINK, place=PLACE, themes=[THEME])
    life.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    return meeting_id


def test_bare_pika_sees_the_closing_as_a_cloud_event(life: Life, community: Community, channel: Any) -> None:
    queue = listen(channel, "MeetingClosed")
    meeting_id = hold_and_close(life, community)
    ((delivery, properties, body),) = until(lambda: heard(channel, queue))
    event = json.loads(body)
    assert delivery.routing_key == "MeetingClosed"
    assert properties.content_type == "application/cloudevents+json"
    assert properties.delivery_mode == 2
    assert (event["specversion"], event["type"]) == ("1.0", "org.pratique.meetings.MeetingClosed.v1")
    assert (event["subject"], event["data"]["meeting_id"]) == (meeting_id, meeting_id)
    assert event["data"]["head_count"] == 6
    attributes = {f"ce-{name}": value for name, value in event.items() if name != "data"}
    assert {name: str(value) for name, value in attributes.items()} == {
        name: str(value) for name, value in properties.headers.items() if name.startswith("ce-")
    }
    assert {"ce-id", "ce-source", "ce-time", "ce-dataschema", "ce-correlationid", "ce-sequence"} <= attributes.keys()


def test_our_library_sees_it_and_what_comes_while_the_reader_is_away(life: Life, community: Community) -> None:
    seen: list[Envelope] = []

    def read(count: int) -> None:
        url = life.settings.broker_url
        subscribe(url, "int.acme.closings", [MeetingClosed], seen.append, until=lambda: len(seen) >= count)

    reader = eventlet.spawn(read, 1)
    management = Management(life.settings)
    until(
        lambda: management.ask("GET", "bindings", management.vhost, "e", PUBLIC, "q", "int.acme.closings"), every_s=0.1
    )
    first = hold_and_close(life, community)
    with eventlet.Timeout(PATIENCE_S):
        reader.wait()
    second = hold_and_close(life, community)
    with eventlet.Timeout(PATIENCE_S):
        read(2)
    events = [envelope.event for envelope in seen]
    assert all(isinstance(event, MeetingClosed) for event in events)
    assert [event.subject for event in events] == [first, second]
    assert len({envelope.id for envelope in seen}) == 2


def test_nothing_private_ever_arrives(life: Life, channel: Any) -> None:
    queue = listen(channel, "#")
    community = life.found_community(members=6)
    meeting_id = hold_and_close(life, community)
    asked = [mail for mail in life.mails() if asks(mail)]
    tokens = [life.link_in(mail) for mail in asked]
    assert len(tokens) == 6
    for token in tokens[:5]:
        life.answer(token=token)
    life.later(hours=49)
    life.later(days=6)
    cancelled = life.schedule(community.id, link=LINK)
    life.ok("POST", f"/v1/meetings/{cancelled}/cancel", {"reason": "La salle est inondée."})
    life.settle()
    assert life.survey(meeting_id)["state"] == "released"
    messages = heard(channel, queue)
    kinds = {delivery.routing_key for delivery, _, _ in messages}
    assert {"MembershipActivated", "MeetingScheduled", "MeetingClosed", "SurveyOpened", "ResultsReleased"} <= kinds
    assert {"MessageDelivered", "MeetingCancelled", "SurveyClosed"} <= kinds
    private = {"MemberContactChanged", "MeetingDescribed", "CommunityDescribed", "SurveyInvitationsIssued"}
    assert not kinds & (private | {"SurveyReminderDue", "InvitationRevoked"})
    secrets = [*tokens, LINK, PLACE, THEME, "Personne N", "Cercle", "inondée", "example.org"]
    for delivery, properties, body in messages:
        words = f"{properties} {body.decode()} {json.loads(body)}"
        assert not [secret for secret in secrets if secret in words], delivery.routing_key
