"""``pratique integrator``: somebody else's program gets some events, and the broker refuses it all else."""

import json
import os
import re
from collections.abc import Callable, Iterator
from operator import methodcaller
from typing import Any
from uuid import uuid4

import eventlet
import pika
import pytest
from amqp.exceptions import AccessRefused
from click.testing import CliRunner, Result

from chassis.runtime import topology
from chassis.settings import SERVICES
from operations import cli, composition, docs
from operations.integrator import CONNECTIONS
from operations.integrator_queues import DEAD_LIMITS, LIMITS
from operations.management import Management
from pratique.event import Envelope
from pratique.events.meetings import MeetingClosed, MeetingStarted
from pratique.subscribe import PUBLIC, subscribe
from pratique.testing import sample
from services.meetings.service import Meetings
from tests import servers as private
from tests.harness.containers import running
from tests.harness.waiting import PATIENCE_S, until

pytestmark = pytest.mark.real


class Operator:
    """Types commands, against one virtual host; integrators' names are unique, since users belong to all of them."""

    def __init__(self, fresh: private.Fresh, is_declared: bool = True) -> None:
        self.fresh, self.name = fresh, f"acme-{uuid4().hex[:8]}"
        if is_declared:
            topology.declare(fresh.settings(), composition.service_classes(SERVICES))

    def __call__(self, *arguments: str) -> Result:
        """Run ``pratique ARGUMENTS``, as somebody who has a name."""
        return CliRunner().invoke(cli, arguments, env=self.fresh.environ() | {"LOGNAME": "olga"})

    def add(self, events: str, *options: str) -> str:
        """The address that is printed; empty where the password stays."""
        done = self("integrator", "add", self.name, "--events", events, *options)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def queue(self, name: str = "events") -> str:
        """The full name of one of the integrator's queues."""
        return f"integrator.{self.name}.{name}"


@pytest.fixture(scope="module")
def fresh(servers: private.Servers) -> Iterator[private.Fresh]:
    """One network for all of these."""
    made = servers.fresh()
    yield made
    made.discard()


@pytest.fixture
def operator(fresh: private.Fresh) -> Iterator[Operator]:
    made = Operator(fresh)
    yield made
    made("integrator", "remove", made.name, "--yes")


def connected(url: str) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(url))


def close_a_meeting(fresh: private.Fresh, *queues: Callable[[], Any]) -> list[Any]:
    """What was heard of one closing and one start, by each who listens."""
    with running(fresh.settings(), [Meetings]) as network:
        with network.store("meetings").begin() as transaction:
            for event in (sample(MeetingStarted), sample(MeetingClosed, meeting_id=uuid4(), head_count=12)):
                transaction.publish(event)
        return [until(queue) for queue in queues]


def test_the_library_and_a_bare_client_hear_what_was_given(operator: Operator, fresh: private.Fresh) -> None:
    url = operator.add("MeetingClosed", "--queue", "closings", "--queue", "board")
    seen: list[Envelope[MeetingClosed]] = []
    queue = operator.queue("closings")
    reader = eventlet.spawn(subscribe, url, queue, [MeetingClosed], seen.append, until=lambda: bool(seen))
    with connected(url) as connection:
        channel = connection.channel()
        channel.queue_bind(operator.queue("board"), PUBLIC, "MeetingClosed")
        between = ("bindings", fresh.vhost, "e", PUBLIC, "q", queue)
        until(lambda: Management(fresh.settings()).ask("GET", *between), every_s=0.1)
        ((_, _, body),) = close_a_meeting(
            fresh, lambda: (got := channel.basic_get(operator.queue("board"), auto_ack=True))[0] and got
        )
        assert channel.basic_get(operator.queue("board"))[0] is None, "MeetingStarted was not given"
    with eventlet.Timeout(PATIENCE_S):
        reader.wait()
    assert [str(envelope.id) for envelope in seen] == [json.loads(body)["id"]]
    assert seen[0].event.head_count == 12


def test_everything_else_is_refused(operator: Operator, fresh: private.Fresh) -> None:
    url, queue = operator.add("MeetingClosed,SurveyOpened"), operator.queue()
    other, management = f"integrator.x{operator.name}.events", Management(fresh.settings())
    management.ask("PUT", "queues", fresh.vhost, other, body={"durable": True})
    forbidden: dict[str, Callable[[Any], object]] = {
        "hear all RPC": lambda to: to.queue_bind(queue, "nameko-rpc", "#"),
        "take a service's events": lambda to: to.basic_get("evaluation"),
        "take a service's calls": lambda to: to.basic_get("rpc-meetings"),
        "forge an event": lambda to: publish(to, "meetings.events", "MeetingClosed"),
        "forge a public event": lambda to: publish(to, PUBLIC, "MeetingClosed"),
        "reach a service's queue": lambda to: publish(to, "", "evaluation"),
        "write into its own queue": lambda to: publish(to, "", queue),
        "call a service": lambda to: publish(to, "nameko-rpc", "meetings.close_meeting"),
        "make a queue": lambda to: to.queue_declare(operator.queue("more")),
        "make one that refuses what comes": lambda to: to.queue_declare(
            operator.queue("more"), durable=True, arguments={"x-overflow": "reject-publish", "x-max-length": 1}
        ),
        "make a queue for a moment": lambda to: to.queue_declare("", exclusive=True),
        "make an exchange": lambda to: to.exchange_declare(operator.queue("exchange"), "topic"),
        "delete its queue": lambda to: to.queue_delete(queue),
        "bind a queue of a service": lambda to: to.queue_bind("evaluation", PUBLIC, "MeetingClosed"),
        "read another integrator's queue": lambda to: to.basic_get(other),
    }
    given = {"MeetingClosed", "SurveyOpened"}
    for event in docs.all_events():
        exchanges = {event.exchange(), PUBLIC} if event.routing_key not in given else {event.exchange()}
        for exchange in exchanges:
            key = event.routing_key
            forbidden[f"hear {key} of {exchange}"] = methodcaller("queue_bind", queue, exchange, key)
    for key in ("#", "*", "", "Meeting*", "MeetingClosed.#", "#.MeetingClosed", "MeetingClosed.v2"):
        forbidden[f"hear {key!r}"] = methodcaller("queue_bind", queue, PUBLIC, key)
    allowed = []
    with connected(url) as connection:
        connection.channel().queue_bind(queue, PUBLIC, "SurveyOpened")
        for what, attempt in forbidden.items():
            try:
                attempt(connection.channel())
                allowed.append(what)
            except pika.exceptions.ChannelClosedByBroker as refused:
                if refused.reply_code != 403:
                    allowed.append(f"{what}: {refused}")
    management.ask("DELETE", "queues", fresh.vhost, other)
    assert allowed == []
    with pytest.raises(AccessRefused, match="MeetingStarted"):
        subscribe(url, queue, [MeetingStarted], print)


def publish(channel: Any, exchange: str, routing_key: str) -> None:
    channel.confirm_delivery()
    channel.basic_publish(exchange, routing_key, b"{}")


def test_an_integrator_who_went_away_fills_nothing_and_stops_nobody(
    operator: Operator, fresh: private.Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "max-length", 5)
    url = operator.add("MeetingClosed")
    with connected(url) as connection, connected(fresh.broker_url) as publisher:
        connection.channel().queue_bind(operator.queue(), PUBLIC, "MeetingClosed")
        channel = publisher.channel()
        channel.confirm_delivery()
        for number in range(12):
            channel.basic_publish(PUBLIC, "MeetingClosed", str(number).encode())  # a refusal would raise
        own = connection.channel()
        kept = [own.basic_get(operator.queue(), auto_ack=True)[2] for _ in range(5)]
        assert kept == [b"7", b"8", b"9", b"10", b"11"]
        assert own.basic_get(operator.queue())[0] is None
    management = Management(fresh.settings())
    user = f"integrator.{operator.name}"
    policies = [management.ask("GET", "policies", fresh.vhost, each) for each in (user, f"{user}.dead")]
    led = {"dead-letter-exchange": "", "dead-letter-routing-key": operator.queue("dead")}
    assert [each["definition"] for each in policies] == [LIMITS | led, DEAD_LIMITS]
    assert policies[0]["priority"] < policies[1]["priority"], "both patterns fit the queue of dead letters"
    limits = management.ask("GET", "user-limits", user)
    assert limits[0]["value"] == CONNECTIONS


def test_what_is_taken_back_is_heard_no_more_also_by_who_is_connected(operator: Operator, fresh: private.Fresh) -> None:
    url = operator.add("MeetingClosed,MeetingStarted")
    connection = connected(url)
    connection.channel().queue_bind(operator.queue(), PUBLIC, "MeetingStarted")
    connection.channel().queue_bind(operator.queue(), PUBLIC, "MeetingClosed")
    until(lambda: url.split(":")[1].lstrip("/") in operator_connections(fresh), every_s=0.2)
    assert operator.add("MeetingClosed") == "", "its password stays"
    with pytest.raises(pika.exceptions.AMQPError):
        until(lambda: connection.process_data_events(0.1))
    with connected(url) as again:
        with pytest.raises(pika.exceptions.ChannelClosedByBroker):
            again.channel().queue_bind(operator.queue(), PUBLIC, "MeetingStarted")
        channel = again.channel()
        ((delivery, _, _),) = close_a_meeting(
            fresh, lambda: (got := channel.basic_get(operator.queue(), auto_ack=True))[0] and got
        )
        assert delivery.routing_key == "MeetingClosed"
        assert channel.basic_get(operator.queue())[0] is None
    renewed = operator.add("MeetingClosed", "--new-password")
    with pytest.raises(pika.exceptions.AMQPError):
        connected(url)
    connected(renewed).close()


def operator_connections(fresh: private.Fresh) -> str:
    """Who is connected, as the management knows it a moment later."""
    return " ".join(str(each.get("user")) for each in Management(fresh.settings()).ask("GET", "connections"))


def test_the_list_shows_who_reads_what_and_removal_ends_it(operator: Operator, fresh: private.Fresh) -> None:
    url = operator.add("MeetingClosed,SurveyOpened")
    password = url.split(":")[2].split("@")[0]
    shown = operator("integrator", "list").stdout
    assert operator.name in shown
    assert "MeetingClosed, SurveyOpened" in shown
    assert password not in shown
    assert operator("integrator", "remove", operator.name, "--yes").stdout == f"{operator.name} is removed\n"
    with pytest.raises(pika.exceptions.AMQPError):
        connected(url)
    assert operator.name not in operator("integrator", "list").stdout
    again = operator("integrator", "remove", operator.name, "--yes")
    assert (again.exit_code, "There is no integrator" in again.output) == (1, True)
    audited = [json.loads(line) for line in operator("audit", "list", "--json").stdout.splitlines()]
    told = [(row["actor"], row["action"], row["subject"]) for row in audited if row["subject"] == operator.name]
    assert told == [
        ("operator olga", "integrator.added", operator.name),
        ("operator olga", "integrator.removed", operator.name),
    ]
    assert password not in str(audited)


def kept(fresh: private.Fresh, operator: Operator, queue: str = "events") -> list[str]:
    """Which events wait in an integrator's queue, oldest first; they are taken out."""
    found = []
    with connected(fresh.broker_url) as connection:
        channel = connection.channel()
        while (message := channel.basic_get(operator.queue(queue), auto_ack=True))[0] is not None:
            found.append(message[0].routing_key)
    return found


def publish_one_of_each(fresh: private.Fresh) -> None:
    with connected(fresh.broker_url) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for event in ("MeetingStarted", "MeetingClosed"):
            channel.basic_publish(PUBLIC, event, b"{}")


def test_the_address_is_one_that_the_integrator_reaches_if_the_operator_says_where(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = operator("integrator", "add", operator.name, "--events", "MeetingClosed")
    assert "PRATIQUE_BROKER_PUBLIC_URL" in done.stderr, "the operator is told that this address is for the inside"

    monkeypatch.setenv("PRATIQUE_BROKER_PUBLIC_URL", "amqps://broker.example.org")
    url = operator.add("MeetingClosed", "--new-password")
    assert re.fullmatch(rf"amqps://integrator\.{operator.name}:\w+@broker\.example\.org:5671/\w+", url)


def test_what_happens_before_the_program_first_starts_waits_for_it(operator: Operator, fresh: private.Fresh) -> None:
    url = operator.add("MeetingClosed")
    with connected(fresh.broker_url) as looking:
        channel = looking.channel()
        close_a_meeting(fresh, lambda: channel.queue_declare(operator.queue(), passive=True).method.message_count)
    seen: list[Envelope[MeetingClosed]] = []
    with eventlet.Timeout(PATIENCE_S):
        subscribe(url, operator.queue(), [MeetingClosed], seen.append, until=lambda: bool(seen))
    assert [envelope.event.head_count for envelope in seen] == [12]


def test_changing_the_events_binds_and_unbinds_its_queues(operator: Operator, fresh: private.Fresh) -> None:
    operator.add("MeetingClosed")
    publish_one_of_each(fresh)
    assert kept(fresh, operator) == ["MeetingClosed"]
    operator.add("MeetingStarted")
    publish_one_of_each(fresh)
    assert kept(fresh, operator) == ["MeetingStarted"]
    operator.add("MeetingClosed,MeetingStarted")
    publish_one_of_each(fresh)
    assert kept(fresh, operator) == ["MeetingStarted", "MeetingClosed"]


def test_a_queue_may_hear_some_of_the_events_only_and_stays_so(operator: Operator, fresh: private.Fresh) -> None:
    operator.add("MeetingClosed,MeetingStarted", "--queue", "closings=MeetingClosed", "--queue", "board")
    for _ in range(2):
        publish_one_of_each(fresh)
        assert kept(fresh, operator, "closings") == ["MeetingClosed"]
        assert kept(fresh, operator, "board") == ["MeetingStarted", "MeetingClosed"]
        operator.add("MeetingClosed,MeetingStarted,SurveyOpened")
    operator.add("MeetingClosed,MeetingStarted", "--queue", "board=MeetingStarted")
    publish_one_of_each(fresh)
    assert (kept(fresh, operator, "closings"), kept(fresh, operator, "board")) == (
        ["MeetingClosed"],
        ["MeetingStarted"],
    )
    refused = operator("integrator", "add", operator.name, "--events", "MeetingClosed", "--queue", "board=SurveyOpened")
    assert refused.stderr == "--queue board=SurveyOpened: 'SurveyOpened' is not among --events MeetingClosed.\n"


def test_an_integrator_can_be_added_before_anything_else_is_on_the_broker(servers: private.Servers) -> None:
    empty = servers.fresh()
    try:
        operator = Operator(empty, is_declared=False)
        operator.add("MeetingClosed")
        assert operator.name in operator("integrator", "list").stdout
        assert operator("integrator", "remove", operator.name, "--yes").exit_code == 0
    finally:
        empty.discard()


def test_an_event_that_is_given_back_again_and_again_stays(operator: Operator, fresh: private.Fresh) -> None:
    url = operator.add("MeetingStarted")
    publish_one_of_each(fresh)
    with connected(url) as connection:
        channel = connection.channel()
        for _ in range(60):
            method, _, _ = until(lambda: (got := channel.basic_get(operator.queue()))[0] and got)
            channel.basic_nack(method.delivery_tag, requeue=True)
    assert kept(fresh, operator) == ["MeetingStarted"]


def test_an_event_that_comes_too_often_is_kept_among_the_dead_letters(
    operator: Operator, fresh: private.Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "delivery-limit", 5)
    url = operator.add("MeetingClosed,MeetingStarted", "--queue", "closings=MeetingClosed")
    publish_one_of_each(fresh)
    with connected(url) as connection:
        channel = connection.channel()

        def reject() -> bool:
            """Give the event back, as long as it comes; whether it is among the dead letters."""
            if (method := channel.basic_get(operator.queue("closings"))[0]) is not None:
                channel.basic_reject(method.delivery_tag, requeue=True)
            dead = channel.queue_declare(operator.queue("dead"), passive=True)
            return bool(dead.method.message_count)

        until(reject)
        shown = operator("integrator", "list").stdout
        assert f"{operator.queue('dead')} (1)" in shown
        assert f"{operator.queue('closings')} (0)" in shown
        for _ in range(30):
            method, _, body = until(lambda: (got := channel.basic_get(operator.queue("dead")))[0] and got)
            channel.basic_reject(method.delivery_tag, requeue=True)
        assert (method.routing_key, body) == (operator.queue("dead"), b"{}")
    assert kept(fresh, operator, "dead") == [operator.queue("dead")]
    operator.add("MeetingClosed,MeetingStarted,SurveyOpened")
    publish_one_of_each(fresh)
    assert (kept(fresh, operator, "closings"), kept(fresh, operator, "dead")) == (["MeetingClosed"], [])


def test_the_queue_of_dead_letters_is_no_name_to_choose(operator: Operator) -> None:
    done = operator("integrator", "add", operator.name, "--events", "MeetingClosed", "--queue", "dead=MeetingClosed")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("--queue dead=MeetingClosed: dead is the queue of dead letters")


@pytest.mark.parametrize(
    ("name", "events", "words"),
    [
        ("acme", "MeetingOpened", "There is no event 'MeetingOpened'. Choose from "),
        ("acme", "MeetingClosed,MemberContactChanged", "MemberContactChanged is private"),
        ("acme", " ,", "Say which events"),
        ("acme.*", "MeetingClosed", "NAME must be lower-case letters"),
        ("", "MeetingClosed", "NAME must be lower-case letters"),
    ],
)
def test_what_cannot_be_given_is_said_in_one_sentence(name: str, events: str, words: str) -> None:
    done = CliRunner().invoke(cli, ["--embedded", "integrator", "add", name, "--events", events], env=dict(os.environ))
    assert (done.exit_code, done.stdout) == (1, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_management_that_does_not_answer_is_said_and_nothing_is_noted(fresh: private.Fresh) -> None:
    for url in ("http://127.0.0.1:9", f"{fresh.servers.broker.api_url}"):
        env = fresh.environ() | {"PRATIQUE_BROKER_API_URL": url}
        env["PRATIQUE_BROKER_URL"] = fresh.servers.broker.url(fresh.vhost).replace(fresh.servers.broker.password, "bad")
        done = CliRunner().invoke(cli, ["integrator", "add", "acme", "--events", "MeetingClosed"], env=env)
        assert done.exit_code == 1
        assert len(done.stderr.splitlines()) == 1
        assert "bad" not in done.output
    assert '"acme"' not in CliRunner().invoke(cli, ["audit", "list", "--json"], env=fresh.environ()).stdout
