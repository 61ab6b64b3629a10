"""The scripts that prepare PostgreSQL and RabbitMQ under docker compose, run here against the real programs."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from amqp.exceptions import AccessRefused
from kombu import Connection

from pratique.migrate import is_current, migrate, package_of
from pratique.settings import STORES
from pratique.store import Store
from tests import servers as private
from tests.repository.compose import HOME
from tests.servers.broker import Broker
from tests.servers.database import ADMIN, Database
from tests.servers.find import find


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
        migrate(opened, package_of(store))
        assert is_current(opened, package_of(store))
        opened.close()
        plain = url.replace("postgresql+psycopg2", "postgresql").rpartition("/")[0]
        for other in {*STORES, "postgres", "template1"} - {store}:
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                psycopg2.connect(f"{plain}/{other}")


@pytest.mark.real
def test_a_store_url_without_a_password_stops_the_start_with_a_sentence(database: Database, folder: Path) -> None:
    secret = folder / "secrets" / "meetings_url"
    secret.chmod(0o600)
    for text in ("postgresql+psycopg2://meetings:@postgres/meetings", "", "postgresql+psycopg2://meetings:a'b@p/m"):
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
def test_the_broker_knows_the_user_of_the_secret_and_no_guest(folder: Path) -> None:
    broker = Broker(folder / "broker")
    env = broker.env() | {
        "PRATIQUE_SECRETS": str(folder / "secrets"),
        "TMPDIR": str(folder / "broker"),
        "RABBITMQ_NODE_PORT": str(broker.port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
    }
    try:
        broker.launch_by(["sh", str(HOME / "deploy/rabbitmq.sh"), str(find("rabbitmq-server"))], env)
        broker.wait()
        url = (folder / "secrets" / "broker_url").read_text().strip()
        with Connection(url.replace("@rabbitmq:5672", f"@127.0.0.1:{broker.port}")) as connection:
            connection.default_channel.queue_declare("meetings", durable=True, auto_delete=False)
        with (
            pytest.raises(AccessRefused),
            Connection(f"amqp://guest:guest@127.0.0.1:{broker.port}//") as guest,
        ):
            guest.connect()
    finally:
        broker.discard()


def test_a_broker_url_without_a_password_stops_the_start_with_a_sentence(folder: Path) -> None:
    secret = folder / "secrets" / "broker_url"
    secret.chmod(0o600)
    for text in ("amqp://pratique:@rabbitmq:5672//", "", "amqp://pra'tique:abc@rabbitmq:5672//"):
        secret.write_text(text)
        env = {"PATH": os.environ["PATH"], "PRATIQUE_SECRETS": str(folder / "secrets"), "TMPDIR": str(folder)}
        command = ["sh", HOME / "deploy/rabbitmq.sh", "echo", "started"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "The secret broker_url must be amqp://USER:PASSWORD@rabbitmq:5672//" in done.stderr
