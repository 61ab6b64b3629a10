"""Every user of the broker tries what it must not: the broker itself refuses, whatever the code would do.

That each can do its work is shown by all other journeys on real servers, which run under these users.
"""

import base64
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from operator import methodcaller
from typing import Any

import kombu
import pika
import pytest

from chassis.messaging.transport import transport_of
from chassis.settings import SERVICES, STORES, Settings
from operations import composition, docs
from operations.management import grant_permissions
from tests import servers as private
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.real
REFUSED = 403
Attempt = Callable[[Any], object]


@pytest.fixture(scope="module")
def settings(servers: private.Servers) -> Iterator[Settings]:
    """A broker on which every queue is made, with one user for each service."""
    fresh = servers.fresh(is_migrated=False)
    made = fresh.guarded()
    yield made
    fresh.discard()


def connected(url: str) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(url))


def publish(exchange: str, routing_key: str) -> Attempt:
    def attempt(channel: Any) -> None:
        channel.confirm_delivery()
        channel.basic_publish(exchange, routing_key, b"{}")

    return attempt


def bind(queue: str, exchange: str, routing_key: str) -> Attempt:
    return lambda channel: channel.queue_bind(queue, exchange, routing_key)


def forbidden_to_all(name: str) -> dict[str, Attempt]:
    """What no user may, whoever it is."""
    attempts: dict[str, Attempt] = {
        "publish to integrators directly": publish("pratique.events", "MeetingClosed"),
        "delete the public exchange": lambda to: to.exchange_delete("pratique.events"),
        "delete the exchange of RPC": lambda to: to.exchange_delete("nameko-rpc"),
        "delete the net for dead letters": lambda to: to.queue_delete("pratique.dead"),
        "make an exchange": lambda to: to.exchange_declare("mine", "topic"),
        "make a queue": lambda to: to.queue_declare("mine"),
        "make a queue under a name of the broker's": lambda to: to.queue_declare("", exclusive=True),
        "hear all RPC": bind(f"rpc-{name}", "nameko-rpc", "#"),
        "publish to a queue directly": publish("", "meetings" if name != "meetings" else "evaluation"),
        "publish to the broker's own exchange": publish("amq.topic", "MeetingClosed"),
    }
    for other in SERVICES:
        if other != name:
            attempts |= {
                f"forge an event of {other}": publish(f"{other}.events", "MeetingClosed"),
                f"forge a private event of {other}": publish(f"{other}.private", "MemberContactChanged"),
                f"take what waits for {other}": methodcaller("basic_get", other),
                f"take the calls of {other}": methodcaller("basic_get", f"rpc-{other}"),
                f"consume in place of {other}": methodcaller("basic_consume", other, print),
                f"empty the queue of {other}": methodcaller("queue_purge", other),
                f"delete the queue of {other}": methodcaller("queue_delete", other),
                f"delete the events of {other}": methodcaller("exchange_delete", f"{other}.events"),
                f"unbind the queue of {other}": methodcaller("queue_unbind", other, "meetings.events", "x"),
                f"bind the queue of {other}": bind(other, f"{other}.events", "#"),
            }
    return attempts


def forbidden_to_service(name: str) -> dict[str, Attempt]:
    """What a service may not: hear what its reactions table does not name, call, or announce in another's name."""
    reactions = composition.reactions_of(name)
    attempts: dict[str, Attempt] = {"forge an event of its own exchange": publish(f"{name}.events", "Forged")}
    for event in docs.all_events():
        if event not in reactions:
            attempts[f"hear {event.__name__}"] = bind(name, event.exchange(), event.routing_key)
    for exchange in {event.exchange() for event in docs.all_events()} | {"pratique.events"}:
        for wildcard in ("#", "*", "*.#"):
            attempts[f"hear {wildcard} of {exchange}"] = bind(name, exchange, wildcard)
    for other in SERVICES:
        attempts[f"call {other}"] = publish("nameko-rpc", f"{other}.get_member")
        if other != name:
            attempts[f"answer calls of {other}"] = bind(f"rpc-{name}", "nameko-rpc", f"{other}.*")
    return attempts


def forbidden_to_gateway() -> dict[str, Attempt]:
    """What the gateway may not: it hears no event, and no answer to anyone else."""
    reply = "rpc.reply-" + "0" * 36

    def listen(routing_key: str, exchange: str = "nameko-rpc") -> Attempt:
        def attempt(channel: Any) -> None:
            channel.queue_declare(reply, exclusive=True)
            channel.queue_bind(reply, exchange, routing_key)

        return attempt

    return {
        "hear all answers": listen("#"),
        "hear all calls": listen("meetings.*"),
        "hear events": listen("MeetingClosed", "meetings.events"),
        "hear private events": listen("MemberContactChanged", "membership.private"),
        "hear what integrators hear": listen("MeetingClosed", "pratique.events"),
        "call what is no service": publish("nameko-rpc", "nobody.get_member"),
    }


@pytest.mark.parametrize("name", STORES)
def test_the_broker_refuses_what_a_user_has_no_right_to(settings: Settings, name: str) -> None:
    attempts = forbidden_to_all(name)
    attempts |= forbidden_to_gateway() if name == "gateway" else forbidden_to_service(name)
    allowed = []
    connection = connected(settings.broker_url_of(name))
    try:
        for what, attempt in attempts.items():
            try:
                attempt(connection.channel())
            except pika.exceptions.ChannelClosedByBroker as refused:
                if refused.reply_code != REFUSED:
                    allowed.append(f"{what}: {refused}")
            else:
                allowed.append(what)
    finally:
        connection.close()
    assert allowed == []
    assert len(attempts) > 45


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_makes_its_queue_anew_when_somebody_deleted_it(settings: Settings, name: str) -> None:
    with connected(settings.broker_url) as administrator:
        administrator.channel().queue_delete(name)

    with kombu.Connection(settings.broker_url_of(name)) as own:
        transport_of(own.as_uri()).declare_queue(own.channel(), name, composition.reactions_of(name))

    with connected(settings.broker_url) as administrator:
        administrator.channel().queue_declare(name, passive=True)


@pytest.mark.parametrize("name", STORES)
def test_no_user_of_a_process_manages_the_broker_or_enters_another_network(
    settings: Settings, servers: private.Servers, name: str
) -> None:
    request = urllib.request.Request(f"{settings.broker_api_url}/api/users")
    request.add_header(
        "Authorization", f"Basic {base64.b64encode(f'{name}:{servers.broker.password}'.encode()).decode()}"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=PATIENCE_S)
    refused.value.close()
    assert refused.value.code == 401
    elsewhere = servers.broker.fresh_vhost()
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
        connected(servers.broker.url(elsewhere, name))


def test_what_an_older_version_was_bound_to_can_be_unbound_and_then_no_more(settings: Settings) -> None:
    with connected(settings.broker_url) as connection:
        connection.channel().queue_bind("evaluation", "meetings.events", "MeetingStarted")
    unbind: Attempt = lambda channel: channel.queue_unbind("evaluation", "meetings.events", "MeetingStarted")  # noqa: E731
    with connected(settings.broker_url_of("evaluation")) as own, pytest.raises(pika.exceptions.ChannelClosedByBroker):
        unbind(own.channel())
    grant_permissions(settings, {"evaluation": [("meetings.events", "MeetingStarted")]})
    with connected(settings.broker_url_of("evaluation")) as own:
        unbind(own.channel())
    grant_permissions(settings, {})
    with connected(settings.broker_url_of("evaluation")) as own, pytest.raises(pika.exceptions.ChannelClosedByBroker):
        unbind(own.channel())


def test_the_administrator_is_never_made_less(settings: Settings) -> None:
    """Where all share one user, as by hand, giving permissions leaves that user as it is."""
    shared = Settings(**{**vars(settings), "broker_urls": dict.fromkeys(STORES, settings.broker_url)})
    assert grant_permissions(shared, {}) == []
    assert grant_permissions(settings, {}) == list(STORES)
