"""What operators' commands ask of RabbitMQ's management: of an empty broker, and of one that collects no metrics."""

import pytest
from click.testing import CliRunner, Result

from chassis.messaging.broker import PUBLIC
from operations import cli
from operations.management import Management
from tests import servers as private

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
