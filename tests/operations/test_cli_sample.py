"""``pratique sample load`` on real servers: it waits for services to be stopped, and says so."""

import os

import pika
import pytest
from click.testing import CliRunner

from chassis.runtime import topology
from chassis.settings import SERVICES
from chassis.storage.store import Store
from operations import cli, composition
from tests import servers as private

pytestmark = pytest.mark.real


def test_the_sample_is_not_loaded_while_a_service_takes_events(servers: private.Servers) -> None:
    fresh = servers.fresh()
    topology.declare(fresh.settings(), composition.service_classes(SERVICES))
    env = dict(os.environ) | fresh.environ()
    with pika.BlockingConnection(pika.URLParameters(fresh.broker_url)) as service:
        service.channel().basic_consume("evaluation", print)
        refused = CliRunner().invoke(cli, ["sample", "load"], env=env)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("evaluation: running. Stop all services first")
    opened = Store("membership", fresh.store_urls["membership"])
    with opened.begin() as session:
        assert session.connection().exec_driver_sql("select count(*) from community").scalar() == 0
    opened.close()
    fresh.discard()
