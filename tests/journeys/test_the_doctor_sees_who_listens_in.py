"""The broker's administrator listens in, or gives permissions away: `pratique doctor` tells, and else is content."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from uuid import uuid4

import pika
import pytest
from click.testing import CliRunner, Result

from chassis.settings import SERVICES
from operations import cli, composition
from operations.management import Management, grant_permissions
from operations.strangers import strangers
from pratique.subscribe import PUBLIC
from tests import servers as private
from tests.harness.containers import running
from tests.harness.waiting import until

pytestmark = pytest.mark.real
Act = Callable[["Broker"], object]


class Broker:
    """A network's virtual host, as its administrator has it in hand."""

    def __init__(self, fresh: private.Fresh) -> None:
        self.fresh, self.settings = fresh, fresh.guarded()
        self.integrator = f"acme-{uuid4().hex[:8]}"
        self._environ = fresh.environ() | fresh.own_users() | {"PRATIQUE_HTTP_PORT": "9"}
        self.operator("integrator", "add", self.integrator, "--events", "MeetingClosed,SurveyOpened")
        self.connection = pika.BlockingConnection(pika.URLParameters(fresh.broker_url))
        self.channel = self.connection.channel()
        self.manage = Management(self.settings)

    def operator(self, *arguments: str) -> str:
        """What ``pratique ARGUMENTS`` prints."""
        return self.run(*arguments).stdout

    def run(self, *arguments: str) -> Result:
        """What ``pratique ARGUMENTS`` does."""
        return CliRunner().invoke(cli, arguments, env=self._environ)

    def wrong(self) -> dict[str, str]:
        """What the doctor complains of, as to who is on the broker: subject and words."""
        told = json.loads(self.operator("doctor", "--json"))["findings"]
        ours = ("queue ", "store ", "gateway", "mail")  # which do not run here
        found = [row for row in told if not row["is_well"] and not row["subject"].startswith(ours)]
        assert all(row["hint"] for row in found)
        return {row["subject"]: row["words"] for row in found}

    def strange(self) -> dict[str, str]:
        """The same, without the doctor's other rounds."""
        return {each.subject: each.words for each in strangers(self.settings, {}) if not each.is_well}

    def tap(self, exchange: str, key: str, name: str = "tap") -> None:
        """A queue of the administrator's own, which hears this."""
        self.channel.queue_declare(name)
        self.channel.queue_bind(name, exchange, key)

    def give(self, user: str, tags: str = "", **permissions: str) -> None:
        """A user, who may do this here."""
        self.manage.ask("PUT", "users", user, body={"password": "x", "tags": tags})
        if permissions:
            body = {"configure": "^$", "write": "^$", "read": "^$"} | permissions
            self.manage.ask("PUT", "permissions", self.fresh.vhost, user, body=body)

    def close(self) -> None:
        self.connection.close()
        self.operator("integrator", "remove", self.integrator, "--yes")
        for user in ("auditor", "watcher"):
            self.manage.ask("DELETE", "users", user)
        grant_permissions(self.settings, {})


@pytest.fixture(scope="module")
def stores(servers: private.Servers) -> Iterator[private.Fresh]:
    """One set of stores for all of these; only the virtual host is another each time."""
    made = servers.fresh()
    yield made
    made.discard()


@pytest.fixture
def broker(stores: private.Fresh) -> Iterator[Broker]:
    made = Broker(dataclasses.replace(stores, vhost=stores.servers.broker.fresh_vhost()))
    yield made
    made.close()


def test_with_nobody_else_about_the_doctor_is_content(broker: Broker) -> None:
    assert broker.wrong() == {}


def test_while_everything_runs_and_an_integrator_reads_the_doctor_is_content(broker: Broker) -> None:
    url = broker.operator("integrator", "add", broker.integrator, "--events", "MeetingClosed", "--new-password").strip()
    reader = pika.BlockingConnection(pika.URLParameters(url))
    reader.channel().basic_consume(f"integrator.{broker.integrator}.events", print)
    urls = {**broker.settings.broker_urls, "caller": broker.settings.broker_urls["gateway"]}
    with running(
        dataclasses.replace(broker.settings, broker_urls=urls), [composition.service_class(name) for name in SERVICES]
    ):
        until(lambda: len(broker.manage.ask("GET", "consumers", broker.fresh.vhost)) > len(SERVICES) * 2, every_s=0.2)
        assert broker.strange() == {}
    reader.close()


def test_a_user_who_may_see_figures_and_no_message_is_no_stranger(broker: Broker) -> None:
    broker.give("watcher", "monitoring")
    assert broker.strange() == {}
    broker.give("watcher", "monitoring", read=".*")
    assert "user watcher" in broker.strange()


TAPS: dict[str, tuple[Act, str, str]] = {
    "all calls": (lambda to: to.tap("nameko-rpc", "#"), "binding tap", "queue tap hears # of nameko-rpc"),
    "the calls of one service": (lambda to: to.tap("nameko-rpc", "evaluation.*"), "binding tap", "hears evaluation.*"),
    "answers": (
        lambda to: to.tap("nameko-rpc", str(uuid4()), f"rpc.reply-{uuid4()}"),
        "binding rpc.reply-",
        "of nameko-rpc, which our code does not bind",
    ),
    "names and addresses": (
        lambda to: to.tap("membership.private", "MemberContactChanged"),
        "binding tap",
        "queue tap hears MemberContactChanged of membership.private",
    ),
    "what a service tells": (lambda to: to.tap("meetings.events", "#"), "binding tap", "hears # of meetings.events"),
    "what integrators hear": (lambda to: to.tap(PUBLIC, "MeetingClosed"), "binding tap", f"MeetingClosed of {PUBLIC}"),
    "what is set aside": (lambda to: to.tap("pratique.dead", ""), "binding tap", "of pratique.dead"),
    "by an exchange of its own": (
        lambda to: (to.channel.exchange_declare("side", "fanout"), to.channel.exchange_bind("side", "nameko-rpc", "#")),
        "binding side",
        "exchange side hears # of nameko-rpc",
    ),
    "more in a service's queue": (
        lambda to: to.channel.queue_bind("evaluation", "membership.private", "MemberContactChanged"),
        "binding evaluation",
        "queue evaluation hears MemberContactChanged of membership.private",
    ),
    "another service's calls": (
        lambda to: to.tap("nameko-rpc", "evaluation.*", "rpc-meetings"),
        "binding rpc-meetings",
        "hears evaluation.* of nameko-rpc",
    ),
    "everything for an integrator": (
        lambda to: to.channel.queue_bind(f"integrator.{to.integrator}.events", PUBLIC, "#"),
        "binding integrator.",
        f"hears # of {PUBLIC}",
    ),
    "an event that an integrator was not given": (
        lambda to: to.channel.queue_bind(f"integrator.{to.integrator}.events", PUBLIC, "MeetingStarted"),
        "binding integrator.",
        f"hears MeetingStarted of {PUBLIC}",
    ),
    "forged events into a queue": (
        lambda to: to.channel.queue_bind("meetings", "amq.topic", "x"),
        "binding meetings",
        "queue meetings hears x of amq.topic",
    ),
    "the firehose": (
        lambda to: to.manage.ask("PUT", "vhosts", to.fresh.vhost, body={"tracing": True}),
        "tracing",
        "every message is copied",
    ),
    "a policy that leads away": (
        lambda to: to.manage.ask(
            "PUT",
            "policies",
            to.fresh.vhost,
            "aside",
            body={"pattern": "^evaluation$", "definition": {"dead-letter-exchange": "side", "message-ttl": 1}},
        ),
        "policy aside",
        "sets dead-letter-exchange, message-ttl for what is ours",
    ),
    "another user": (lambda to: to.give("watcher", read=".*"), "user watcher", "is none of ours"),
    "another administrator": (lambda to: to.give("auditor", "administrator"), "user auditor", "manages the broker"),
    "a service that may do everything": (
        lambda to: to.manage.ask(
            "PUT", "permissions", to.fresh.vhost, "meetings", body=dict.fromkeys(("configure", "write", "read"), ".*")
        ),
        "user meetings",
        "has other permissions than the code gives",
    ),
    "a service that manages": (lambda to: tagged(to, "meetings"), "user meetings", "manages the broker"),
    "an integrator who may hear all": (
        lambda to: to.manage.ask(
            "PUT",
            "topic-permissions",
            to.fresh.vhost,
            f"integrator.{to.integrator}",
            body={"exchange": PUBLIC, "write": "^$", "read": ".*"},
        ),
        "user integrator.",
        "has other permissions than the code gives",
    ),
    "an integrator's queues without their bounds": (
        lambda to: to.manage.ask("DELETE", "policies", to.fresh.vhost, f"integrator.{to.integrator}"),
        "queues of integrator.",
        "lack their bounds",
    ),
    "an integrator's queues that lead elsewhere": (
        lambda to: to.manage.ask(
            "PUT",
            "policies",
            to.fresh.vhost,
            f"integrator.{to.integrator}",
            body={"pattern": r"^integrator\.", "definition": {"dead-letter-exchange": "side"}},
        ),
        "policy integrator.",
        "sets dead-letter-exchange for what is ours",
    ),
    "what is for a service": (
        lambda to: to.channel.basic_consume("evaluation", print),
        "consumer evaluation",
        "user pratique takes what is for evaluation",
    ),
}


def tagged(to: Broker, user: str) -> None:
    password = to.fresh.servers.broker.password
    to.manage.ask("PUT", "users", user, body={"password": password, "tags": "administrator"})


@pytest.mark.parametrize("what", TAPS)
def test_whoever_listens_in_or_may_is_told(broker: Broker, what: str) -> None:
    act, subject, words = TAPS[what]
    act(broker)
    (told,) = until(lambda: [each for each in broker.strange().items() if each[0].startswith(subject)], every_s=0.3)
    assert words in told[1]


def test_an_administrators_tap_makes_the_doctor_fail_with_what_to_do(broker: Broker) -> None:
    broker.tap("nameko-rpc", "#")
    done = broker.run("doctor")
    assert done.exit_code == 1
    assert "queue tap hears # of nameko-rpc, which our code does not bind" in done.stdout
    assert f"`rabbitmqctl delete_queue --vhost {broker.fresh.vhost} tap`" in done.stdout


def test_where_nobody_can_be_asked_who_listens_the_doctor_is_not_content(broker: Broker) -> None:
    gone = dataclasses.replace(broker.settings, broker_api_url="http://127.0.0.1:9")
    (told,) = strangers(gone, {})
    assert (told.is_well, told.words) == (False, "nobody can say who listens: the management does not answer")
    assert "PRATIQUE_BROKER_API_URL" in told.hint
