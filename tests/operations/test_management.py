"""What operators' commands ask of RabbitMQ's management: of an empty broker, and of one that collects no metrics."""

import json
from collections.abc import Iterator

import pika
import pytest
from click.testing import CliRunner, Result

from chassis.messaging.broker import PUBLIC
from chassis.settings import Settings
from chassis.testing import SEAL_KEY
from operations import cli
from operations.management import Management
from operations.strangers import strangers
from pratique.errors import DomainError
from tests import servers as private
from tests.harness.waiting import PATIENCE_S, until
from tests.servers.broker import Broker

pytestmark = pytest.mark.real
NO_METRICS = "management_agent.disable_metrics_collector"


def call(env: dict[str, str], *arguments: str) -> Result:
    """What ``pratique ARGUMENTS`` does in this environment."""
    return CliRunner().invoke(cli, list(arguments), env=env)


def test_one_service_can_be_migrated_first_on_an_empty_broker(servers: private.Servers) -> None:
    fresh = servers.fresh(is_migrated=False)
    env = fresh.environ() | fresh.own_users()

    done = call(env, "migrate", "meetings")

    assert done.exit_code == 0, done.output
    management = Management(fresh.settings())
    exchanges = {each["name"] for each in management.ask("GET", "exchanges", fresh.vhost)}
    allowed = [each for each in management.ask("GET", "topic-permissions") if each["vhost"] == fresh.vhost]
    assert {each["exchange"] for each in allowed} <= exchanges, "RabbitMQ 4.3 gives no right to what is not there"
    heard = management.ask("GET", "bindings", fresh.vhost, "e", "membership.events", "e", PUBLIC.name)
    assert [each["routing_key"] for each in heard] == ["#"], "whoever finds an exchange there takes it to be bound"
    fresh.discard()


@pytest.fixture(scope="module")
def unmeasured(servers: private.Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A network on a broker whose management collects no metrics, as in the image without ``-management``."""
    broker = Broker(tmp_path_factory.mktemp("unmeasured") / "broker", f"{NO_METRICS} = true\n")
    fresh = servers.fresh()
    try:
        broker.launch()
        broker.wait()
        made = fresh.settings(broker_url=broker.url(broker.fresh_vhost()), broker_api_url=broker.api_url)
        until(lambda: is_managed(made), what="a virtual host that runs")
        yield made
    finally:
        broker.discard()
        fresh.discard()


def is_managed(settings: Settings) -> bool:
    """Whether the management answers, and says that the virtual host runs."""
    management = Management(settings)
    try:
        found = management.ask("GET", "vhosts", management.vhost)
    except DomainError:  # it listens before it knows its users
        return False
    return bool(found) and set(found["cluster_state"].values()) == {"running"}


def connected(url: str) -> pika.BlockingConnection:
    """A connection that gives a busy broker as long as every other wait of these tests."""
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.stack_timeout = PATIENCE_S
    return pika.BlockingConnection(parameters)


def environ(settings: Settings) -> dict[str, str]:
    """What an operator sets for this network."""
    urls = {f"PRATIQUE_STORE_{name.upper()}": url for name, url in settings.store_urls.items()}
    broker = {"PRATIQUE_BROKER_URL": settings.broker_url, "PRATIQUE_BROKER_API_URL": str(settings.broker_api_url)}
    return urls | broker | {"PRATIQUE_HOME": str(settings.home), "PRATIQUE_SEAL_KEY": SEAL_KEY}


def test_without_metrics_an_integrator_is_cut_off_or_the_operator_is_told(unmeasured: Settings) -> None:
    env = environ(unmeasured)
    url = call(env, "integrator", "add", "acme", "--events", "MeetingClosed,MeetingStarted").stdout.strip()
    connection = connected(url)
    done = call(env, "integrator", "add", "acme", "--events", "MeetingClosed")
    if done.exit_code == 0:
        with pytest.raises(pika.exceptions.AMQPError):
            until(lambda: connection.process_data_events(0.1))
    else:
        connection.close()
        assert NO_METRICS in done.stderr
        assert len(done.stderr.splitlines()) == 1
    told = [json.loads(line) for line in call(env, "audit", "list", "--json").stdout.splitlines()]
    assert [row["action"] for row in told if row["subject"] == "acme"] == ["integrator.added", "integrator.changed"]


def test_without_metrics_the_list_tells_what_waits(unmeasured: Settings) -> None:
    env = environ(unmeasured)
    call(env, "integrator", "add", "board", "--events", "MeetingClosed")
    with connected(unmeasured.broker_url) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for _ in range(3):
            channel.basic_publish(PUBLIC.name, "MeetingClosed", b"{}")

    # A quorum queue that does not say within 250 ms how much waits counts as empty, so a busy broker is asked again.
    until(lambda: "integrator.board.events (3)" in call(env, "integrator", "list").stdout, what="a count of three")


def test_without_metrics_removal_closes_what_is_open(unmeasured: Settings) -> None:
    env = environ(unmeasured)
    url = call(env, "integrator", "add", "gone", "--events", "MeetingClosed").stdout.strip()
    connection = connected(url)
    assert call(env, "integrator", "remove", "gone", "--yes").exit_code == 0
    with pytest.raises(pika.exceptions.AMQPError):
        until(lambda: connection.process_data_events(0.1))


def test_without_metrics_the_doctor_says_that_it_cannot_see_who_consumes(unmeasured: Settings) -> None:
    (told,) = [each for each in strangers(unmeasured, {}) if each.subject == "consumers"]
    assert (told.is_well, told.words) == (False, "nobody can say who takes messages")
    assert NO_METRICS in told.hint
