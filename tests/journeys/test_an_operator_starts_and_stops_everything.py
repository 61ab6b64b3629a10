"""The very commands, environments and health checks of docker-compose.yml, run by hand on real servers."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chassis.testing import SEAL_KEY
from tests import servers as private
from tests.harness.waiting import PATIENCE_S, PROGRAM_S
from tests.servers.process import free_port

HOME = Path(__file__).parents[2]
SERVICES = yaml.safe_load((HOME / "docker-compose.yml").read_text())["services"]
LASTING = [name for name, service in SERVICES.items() if "build" in service and "restart" in service]
PRATIQUE = [sys.executable, "-c", "from operations import main; main()"]

DOT_ENV = {
    "PRATIQUE_PUBLIC_URL": "http://127.0.0.1",
    "PRATIQUE_MAIL_FROM": "Pratique <pratique@example.org>",
    "PRATIQUE_TRUSTED_PROXIES": "127.0.0.0/8",
    "PRATIQUE_BROKER_PUBLIC_URL": "",
}


def _in_dot_env(variable: re.Match[str]) -> str:
    return DOT_ENV[variable[1]]


class Deployment:
    """What compose would start, each container a process; ``start`` and ``ask`` take the names of its entries."""

    def __init__(self, fresh: private.Fresh, folder: Path) -> None:
        self._folder, self._fresh = folder, fresh
        self._health = {name: free_port() for name in LASTING}
        self.http_port = free_port()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "broker_url").write_text(fresh.broker_url + "\n")
        for store, url in fresh.store_urls.items():
            (folder / f"{store}_url").write_text(url + "\n")
            (folder / f"broker_{store}_url").write_text(fresh.servers.broker.url(fresh.vhost, store) + "\n")
        (folder / "smtp_url").write_text("\n")
        (folder / "seal_key").write_text(SEAL_KEY + "\n")
        (folder / "metrics_token").write_text("for-prometheus\n")

    def environ(self, name: str) -> dict[str, str]:
        """The entry's environment; only secrets' folder, ports and host names differ, since all share one machine."""
        given = {
            key: re.sub(r"\$\{(\w+):[?-].*\}", _in_dot_env, value).replace("/run/secrets", str(self._folder))
            for key, value in SERVICES[name]["environment"].items()
        }
        given |= {"PRATIQUE_HTTP_HOST": "127.0.0.1", "PRATIQUE_HTTP_PORT": str(self.http_port)}
        if "PRATIQUE_HEALTH_PORT" in given:
            given["PRATIQUE_HEALTH_PORT"] = str(self._health[name])
        if "PRATIQUE_MAIL_DIR" in given:
            given["PRATIQUE_MAIL_DIR"] = str(self._folder / "mail")
        given |= {"PYTHONPATH": str(HOME), "PRATIQUE_HOME": str(HOME)}  # as the Dockerfile sets it
        given |= {"PRATIQUE_BROKER_API_URL": self._fresh.servers.broker.api_url}
        return {"PATH": os.environ["PATH"], **given}

    def ask(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``pratique ARGUMENTS`` in the environment of the entry, from another folder."""
        return subprocess.run(
            [*PRATIQUE, *arguments],
            env=self.environ(name),
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=PROGRAM_S,
            check=False,
        )

    def start(self, name: str) -> None:
        """Start the entry's command."""
        with (self._folder / f"{name}.log").open("ab") as log:
            command = [*PRATIQUE, *SERVICES[name]["command"]]
            self.running[name] = subprocess.Popen(
                command, env=self.environ(name), cwd=self._folder, stdout=log, stderr=log
            )

    def log(self, name: str) -> str:
        """What the entry has logged."""
        return (self._folder / f"{name}.log").read_text()

    def wait_until_healthy(self, name: str, timeout_s: float = PROGRAM_S) -> None:
        """Return when the entry's own health check passes."""
        _, shell, script = SERVICES[name]["healthcheck"]["test"]
        check, end = [shell, str(HOME / Path(script).relative_to("/app"))], time.monotonic() + timeout_s
        while (done := subprocess.run(check, env=self.environ(name), capture_output=True, check=False)).returncode:
            assert self.running[name].poll() is None, self.log(name)
            assert time.monotonic() < end, done.stderr.decode() + self.log(name)
            time.sleep(0.2)

    def stop(self) -> dict[str, int]:
        """Tell all to stop, as compose does; their exit codes."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(PATIENCE_S) for name, process in self.running.items()}


@pytest.fixture
def deployment(servers: private.Servers, tmp_path: Path) -> Iterator[Deployment]:
    """Empty databases and an empty broker, and nothing started."""
    fresh = servers.fresh(is_migrated=False)
    made = Deployment(fresh, tmp_path)
    yield made
    for process in made.running.values():
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(30)
    fresh.discard()


@pytest.mark.real
def test_what_compose_starts_becomes_healthy_serves_and_stops(deployment: Deployment) -> None:
    migrated = deployment.ask("migrate", *SERVICES["migrate"]["command"])
    assert migrated.returncode == 0, migrated.stderr
    for name in LASTING:
        deployment.start(name)
    for name in LASTING:
        deployment.wait_until_healthy(name)

    doctor = deployment.ask("operator", *SERVICES["operator"]["command"], "--json")
    wrong = [row for row in json.loads(doctor.stdout)["findings"] if not row["is_well"]]
    assert (doctor.returncode, wrong) == (0, [])

    token = deployment.ask("operator", "token", "create", "intranet", "--scope", "membership:read").stdout.strip()
    listed = deployment.ask("operator", "token", "list").stdout
    assert "intranet" in listed
    assert token not in listed
    request = urllib.request.Request(f"http://127.0.0.1:{deployment.http_port}/v1/communities")
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        assert answer.status == 200

    assert set(deployment.stop().values()) == {0}
    for name in LASTING:
        assert all(json.loads(line)["event"] for line in deployment.log(name).splitlines())


@pytest.mark.real
def test_a_token_is_revoked_by_the_id_that_the_list_shows(deployment: Deployment) -> None:
    assert deployment.ask("migrate", "migrate", "gateway").returncode == 0
    token = deployment.ask("operator", "token", "create", "intranet", "--scope", "meetings:read").stdout.strip()
    token_id = token.split("_")[1]
    assert deployment.ask("operator", "token", "revoke", token_id).stdout == f"{token_id} is revoked\n"
    unknown = deployment.ask("operator", "token", "revoke", "nonesuch")
    assert (unknown.returncode, len(unknown.stderr.splitlines())) == (1, 1)
    refused = deployment.ask("operator", "token", "create", "intranet", "--scope", "everything")
    assert refused.returncode == 1
    assert "There is no scope 'everything'." in refused.stderr
