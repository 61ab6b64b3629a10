"""The scripts that prepare PostgreSQL and RabbitMQ under docker compose, run here against the real programs."""

import os
import re
import shutil
import socket
import subprocess
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from amqp.exceptions import AccessRefused
from kombu import Connection

from chassis.settings import STORES, Settings
from chassis.storage.migrate import is_current, migrate
from chassis.storage.store import Store
from operations import composition
from operations.management import grant_permissions
from tests import servers as private
from tests.harness.waiting import PATIENCE_S
from tests.repository.compose import HOME
from tests.servers.broker import Broker
from tests.servers.database import ADMIN, Database
from tests.servers.find import find
from tests.servers.process import free_port


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that holds the secrets, and that servers may use."""
    made = private.new_folder()
    subprocess.run(["sh", HOME / "deploy/secrets.sh"], cwd=made, check=True, capture_output=True)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    """PostgreSQL in which there is nothing yet."""
    running = Database(folder / "database", stores=())
    running.launch()
    running.wait()
    yield running
    running.discard()


def _prepare(database: Database, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": f"{find('initdb').parent}:{os.environ['PATH']}",  # type: ignore[union-attr]  # it has just run
        "PRATIQUE_SECRETS": str(folder / "secrets"),
        "POSTGRES_USER": ADMIN,
        "PGHOST": "127.0.0.1",
        "PGPORT": str(database.port),
        "PGPASSWORD": database.password,
    }
    script = HOME / "deploy/postgres.sh"
    return subprocess.run(["sh", script], env=env, capture_output=True, text=True, check=False)


@pytest.mark.real
def test_each_store_gets_a_role_and_a_database_that_no_other_role_opens(database: Database, folder: Path) -> None:
    assert _prepare(database, folder).stderr == ""
    for store in STORES:
        url = (folder / "secrets" / f"{store}_url").read_text().strip()
        url = url.replace("@postgres/", f"@127.0.0.1:{database.port}/")
        opened = Store(store, url)
        migrate(opened, composition.migrations_of(store))
        assert is_current(opened, composition.migrations_of(store))
        opened.close()
        plain = url.replace("postgresql+psycopg2", "postgresql").rpartition("/")[0]
        for other in {*STORES, "postgres", "template1"} - {store}:
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                psycopg2.connect(f"{plain}/{other}")


FORBIDDEN = (
    "create database mine",
    "create role mine",
    "alter role {own} superuser",
    "alter role {own} createdb",
    "alter role {other} password 'mine'",
    "set role {other}",
    "set role {admin}",
    "grant {other} to {own}",
    "reassign owned by {other} to {own}",
    "drop database {other}",
    "drop role {other}",
    "select rolpassword from pg_authid",
    "select passwd from pg_shadow",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('/')",
    "copy (select 1) to '/tmp/mine'",
    "copy pg_largeobject to program 'true'",
    "select lo_import('/etc/passwd')",
    "alter system set log_connections = on",
    "select pg_reload_conf()",
    "create extension dblink",
    "create extension postgres_fdw",
    "create subscription mine connection 'dbname={other}' publication x",
    "create tablespace mine location '/tmp'",
    "select pg_create_physical_replication_slot('mine')",
)


@pytest.mark.real
def test_a_store_s_role_can_do_nothing_beyond_its_own_database(database: Database, folder: Path) -> None:
    assert _prepare(database, folder).stderr == ""
    with database.admin() as execute:
        roles = execute(
            f"select rolname from pg_roles where rolname = any(array{list(STORES)}) and not (rolsuper or rolcreatedb "
            "or rolcreaterole or rolreplication or rolbypassrls) and not exists "
            "(select from pg_auth_members where member = pg_roles.oid)"
        )
        assert {name for (name,) in roles} == set(STORES)
    for store, other in zip(STORES, (*STORES[1:], STORES[0]), strict=True):
        url = (folder / "secrets" / f"{store}_url").read_text().strip().replace("postgresql+psycopg2", "postgresql")
        connection = psycopg2.connect(url.replace("@postgres/", f"@127.0.0.1:{database.port}/"))
        connection.autocommit = True
        allowed = []
        for statement in FORBIDDEN:
            try:
                connection.cursor().execute(statement.format(own=store, other=other, admin=ADMIN))
                allowed.append(statement)
            except psycopg2.Error as refused:
                if refused.pgcode != "42501":  # insufficient_privilege
                    allowed.append(f"{statement}: {refused}")
        connection.close()
        assert allowed == []


@pytest.mark.real
def test_a_store_url_without_a_password_stops_the_start_with_a_sentence(database: Database, folder: Path) -> None:
    secret = folder / "secrets" / "meetings_url"
    secret.chmod(0o600)
    refused = ("meetings:@postgres/meetings", "meetings:a'b@p/m", "meetings:p@ss-word!@postgres/meetings")
    for text in ("", *(f"postgresql+psycopg2://{each}" for each in refused)):
        secret.write_text(text)
        done = _prepare(database, folder)
        assert done.returncode == 1
        assert (
            "The secret meetings_url must be postgresql+psycopg2://meetings:PASSWORD@postgres/meetings" in done.stderr
        )


@pytest.mark.real
def test_after_a_secret_changed_the_script_is_repeated(database: Database, folder: Path) -> None:
    assert _prepare(database, folder).returncode == 0
    secret = folder / "secrets" / "meetings_url"
    secret.chmod(0o600)
    secret.write_text("postgresql+psycopg2://meetings:Changed2@postgres/meetings")
    assert _prepare(database, folder).stderr == ""
    psycopg2.connect(f"postgresql://meetings:Changed2@127.0.0.1:{database.port}/meetings").close()


@pytest.mark.real
def test_the_broker_knows_the_users_of_the_secrets_and_no_guest(folder: Path) -> None:
    broker, metrics_port = Broker(folder / "broker"), free_port()
    try:
        broker.launch_by(*_start(folder, broker, metrics_port))
        broker.wait()
        url = (folder / "secrets" / "broker_url").read_text().strip()
        with Connection(url.replace("@rabbitmq:5672", f"@127.0.0.1:{broker.port}")) as connection:
            connection.default_channel.exchange_declare("meetings.events", "topic", durable=True, auto_delete=False)
        for port in (broker.api_port, metrics_port):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=5)
        request = urllib.request.Request(f"http://127.0.0.2:{metrics_port}/metrics")
        token = (folder / "secrets" / "metrics_token").read_text().strip()
        request.add_header("Authorization", f"Basic {b64encode(f'prometheus:{token}'.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            assert b"rabbitmq_identity_info" in answer.read()
        _check_memory(broker)
        _check_own_users(folder, broker)
        _check_new_password(folder, broker, metrics_port)
        with (
            pytest.raises(AccessRefused),
            Connection(f"amqp://guest:guest@127.0.0.1:{broker.port}//") as guest,
        ):
            guest.connect()
    finally:
        broker.discard()


def _start(folder: Path, broker: Broker, metrics_port: int) -> tuple[list[str], dict[str, str]]:
    """The command and the environment that start it as its container does."""
    env = broker.env() | {
        "PRATIQUE_SECRETS": str(folder / "secrets"),
        "TMPDIR": str(folder / "broker"),
        "RABBITMQ_NODE_PORT": str(broker.port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "PRATIQUE_INSIDE": "127.0.0.2",  # an address of this machine that is not where clients are told to connect
        "RABBITMQ_MANAGEMENT_PORT": str(broker.api_port),
        "RABBITMQ_PROMETHEUS_PORT": str(metrics_port),
        "PRATIQUE_BROKER_SERIES": _series(),
    }
    return ["sh", str(HOME / "deploy/rabbitmq.sh"), str(find("rabbitmq-server"))], env


def _series() -> str:
    """The first number of RabbitMQ's version, which its folder is named after."""
    found = re.search(r"/rabbitmq_server-(\d+)", str(Path(str(find("rabbitmq-server"))).resolve()))
    return found[1] if found else "4"


def _check_memory(broker: Broker) -> None:
    """The mark at which publishers wait is below mem_limit, on whatever machine; and so is the log kept in memory."""
    assert int(broker.rabbitmqctl("eval", "vm_memory_monitor:get_memory_limit().").split()[-1]) == 300_000_000
    size = broker.rabbitmqctl("eval", "maps:get(wal_max_size_bytes, ra_system:fetch(quorum_queues)).")
    assert int(size.split()[-1]) == 32 * 1024**2


def _check_new_password(folder: Path, broker: Broker, metrics_port: int) -> None:
    """What the secret says when the broker is started again is the administrator's password, and the former is not."""
    secret = folder / "secrets" / "broker_url"
    here = f"@127.0.0.1:{broker.port}"
    before = secret.read_text().strip().replace("@rabbitmq:5672", here)
    secret.unlink()
    secret.write_text("amqp://pratique:Changed2@rabbitmq:5672//")
    broker.server.stop()
    broker.server.start(*_start(folder, broker, metrics_port))
    broker.wait()
    with Connection(f"amqp://pratique:Changed2{here}//") as connection:
        connection.connect()
    with pytest.raises(AccessRefused), Connection(before) as former:
        former.connect()


def _check_own_users(folder: Path, broker: Broker) -> None:
    """Each service's secret opens the broker to that service, once ``pratique migrate`` has given the permissions."""
    here = {name: (folder / "secrets" / f"broker_{name}_url").read_text().strip() for name in STORES}
    here = {name: url.replace("@rabbitmq:5672", f"@127.0.0.1:{broker.port}") for name, url in here.items()}
    admin = (folder / "secrets" / "broker_url").read_text().strip().replace("rabbitmq:5672", f"127.0.0.1:{broker.port}")
    inside = f"http://127.0.0.2:{broker.api_port}"
    made = Settings(broker_url=admin, broker_urls=here, broker_api_url=inside, store_urls={}, home=folder)
    assert grant_permissions(made, {}) == list(STORES)
    for name, url in here.items():
        with Connection(url) as connection:
            channel = connection.default_channel
            if name != "gateway":
                channel.queue_declare(name, durable=True, auto_delete=False)
            with pytest.raises(AccessRefused):
                channel.queue_declare("mine", durable=True, auto_delete=False)


def test_a_broker_url_without_a_password_stops_the_start_with_a_sentence(folder: Path) -> None:
    secret = folder / "secrets" / "broker_url"
    secret.chmod(0o600)
    refused = ("pratique:@rabbitmq:5672//", "pra'tique:abc@rabbitmq:5672//", "pratique:p@ss-word!@rabbitmq:5672//")
    for text in ("", *(f"amqp://{each}" for each in refused)):
        secret.write_text(text)
        env = {"PATH": os.environ["PATH"], "PRATIQUE_SECRETS": str(folder / "secrets"), "TMPDIR": str(folder)}
        command = ["sh", str(HOME / "deploy/rabbitmq.sh"), "echo", "started"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "The secret broker_url must be amqp://USER:PASSWORD@rabbitmq:5672//" in done.stderr


def test_a_broker_that_does_not_know_the_network_of_services_is_not_started(folder: Path) -> None:
    env = {"PATH": os.environ["PATH"], "PRATIQUE_SECRETS": str(folder / "secrets"), "TMPDIR": str(folder)}
    command = ["sh", str(HOME / "deploy/rabbitmq.sh"), "echo", "started"]
    for name in ("rabbitmq.inside", "0.0.0.0"):
        done = subprocess.run(command, env=env | {"PRATIQUE_INSIDE": name}, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"The name {name} has no address here, so that management could be reached" in done.stderr
