"""What a container's health check and a metrics collector see of a service."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client import Counter

from chassis.runtime.health import Health
from operations import cli
from tests.harness.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
FACTS = {"store": True, "broker": True}
CLOSED = Counter("test_health_meetings_closed", "Meetings that this test closed.")


@pytest.fixture
def health() -> Iterator[Health]:
    """A service of which everything that must hold does hold."""
    FACTS.update(store=True, broker=True)
    running = Health("127.0.0.1", 0, lambda: FACTS, "prometheus-secret")
    yield running
    running.close()


def _get(health: Health, path: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{health.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_service_is_ready_when_everything_holds(health: Health) -> None:
    assert _get(health, "/healthz")[0] == 200
    status, body = _get(health, "/readyz")
    assert (status, json.loads(body)) == (200, {"store": True, "broker": True})


def test_a_service_that_lacks_something_is_alive_and_not_ready_and_says_what(health: Health) -> None:
    FACTS["broker"] = False
    assert _get(health, "/healthz")[0] == 200
    status, body = _get(health, "/readyz")
    assert (status, json.loads(body)) == (503, {"store": True, "broker": False})


def test_metrics_are_served_to_whoever_has_the_token(health: Health) -> None:
    CLOSED.inc()
    status, body = _get(health, "/metrics", Authorization="Bearer prometheus-secret")
    assert status == 200
    assert "test_health_meetings_closed_total 1.0" in body


@pytest.mark.parametrize(
    "sent",
    ["", "Bearer wrong", "Bearer ", "Basic prometheus-secret", "Bearer café"],
)
def test_metrics_are_for_nobody_else(health: Health, sent: str) -> None:
    status, body = _get(health, "/metrics", Authorization=sent)

    assert status == 401
    assert "test_health" not in body


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}])
def test_without_a_token_in_the_settings_nobody_gets_metrics_and_is_told_why(headers: dict[str, str]) -> None:
    bare = Health("127.0.0.1", 0, lambda: FACTS)
    try:
        status, body = _get(bare, "/metrics", **headers)
    finally:
        bare.close()

    assert (status, "PRATIQUE_METRICS_TOKEN" in body) == (401, True)


def test_any_other_path_is_not_found(health: Health) -> None:
    assert _get(health, "/")[0] == 404


def test_the_health_check_verb_follows_readiness(health: Health) -> None:
    env = {"PRATIQUE_BROKER_URL": "embedded://", "PRATIQUE_HEALTH_PORT": str(health.port)}
    assert CliRunner().invoke(cli, ["ready"], env=env).exit_code == 0
    FACTS["store"] = False
    result = CliRunner().invoke(cli, ["ready"], env=env)
    assert result.exit_code == 1
    assert '503: {"store": false' in result.output


def test_the_health_check_verb_fails_where_nothing_listens(health: Health) -> None:
    health.close()
    env = {"PRATIQUE_BROKER_URL": "embedded://", "PRATIQUE_HEALTH_PORT": str(health.port)}
    result = CliRunner().invoke(cli, ["ready"], env=env)
    assert result.exit_code == 1
    assert "does not answer" in result.output


def _script(health: Health, setting: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], setting: str(health.port)}
    command = ["bash", str(ROOT / "deploy/ready.sh")]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("setting", ["PRATIQUE_HEALTH_PORT", "PRATIQUE_HTTP_PORT"])
def test_the_health_check_of_containers_follows_readiness_too(health: Health, setting: str) -> None:
    assert _script(health, setting).returncode == 0
    FACTS["store"] = False
    done = _script(health, setting)
    assert (done.returncode, done.stdout) == (1, "/readyz says 503\n")
    health.close()
    assert _script(health, setting).returncode == 1
