"""``docker compose up`` is sound, hardened, and starts what the code offers, on real servers too."""

import copy
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from chassis import settings
from tests.compose import page
from tests.repository.compose import HOME, Compose, problems, refused, settings_read

TEXT = (HOME / "docker-compose.yml").read_text()
COMPOSE: Compose = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
EXAMPLE = (HOME / ".env.example").read_text()
GIVEN = {
    "PRATIQUE_PUBLIC_URL": "https://pratique.example.org",
    "PRATIQUE_MAIL_FROM": "Pratique <pratique@example.org>",
    "PRATIQUE_SECRETS": "./secrets",
}


def _compose_command() -> list[str]:
    """Docker Compose 2 or newer, if it is on this machine."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            done = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
            if done.returncode == 0 and not done.stdout.strip().lstrip("v").startswith("1."):
                return command
    return []


def _config(**env: str) -> subprocess.CompletedProcess[str]:
    if not _compose_command():
        pytest.skip("Docker Compose is not installed; the schema and our own rules were checked")
    command = [*_compose_command(), "--env-file", os.devnull, "--file", "docker-compose.yml", "config", "--quiet"]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PRATIQUE_")}
    return subprocess.run(command, cwd=HOME, env=environ | env, capture_output=True, text=True, check=False)


def test_the_file_is_sound() -> None:
    assert problems(COMPOSE) == []


def _set(service: str, key: str, value: object) -> Callable[[Compose], None]:
    return lambda compose: compose["services"][service].__setitem__(key, value)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_set("meetings", "comand", ["run"]), "$.services.meetings: Unevaluated properties are not allowed ('comand'"),
        (_set("meetings", "mem_limit", ["1g"]), "$.services.meetings.mem_limit: ['1g'] is not of type"),
        (_set("meetings", "healthcheck", {"tset": ["CMD", "true"]}), "$.services.meetings.healthcheck: "),
        (_set("meetings", "depends_on", {"postgres": {"condition": "healthy"}}), "$.services.meetings.depends_on: "),
        (lambda compose: compose.update(service={}), "$: "),
        (_set("meetings", "read_only", False), "meetings: read_only must be True"),
        (_set("meetings", "user", "0:0"), "meetings: runs as root"),
        (_set("meetings", "healthcheck", {"test": ["CMD", "bash", "/app/deploy/redy.sh"]}), "meetings: health check: "),
        (lambda compose: compose["services"]["rabbitmq"].pop("cpus"), "rabbitmq: no cpus"),
        (_set("postgres", "image", "postgres"), "postgres: image without a fixed tag"),
        (_set("meetings", "networks", ["insde"]), "meetings: networks insde is not declared"),
        (
            _set("meetings", "secrets", ["meetings_url"]),
            "meetings: PRATIQUE_BROKER_URL_FILE names a secret that is not given to it",
        ),
        (_set("meetings", "networks", ["inside", "integrators"]), "meetings: integrators' containers reach it"),
        (_set("rabbitmq", "networks", ["inside", "integrators"]), "rabbitmq: must be rabbitmq.inside on the network"),
        (
            lambda compose: compose["services"]["rabbitmq"]["networks"].update(
                integrators={"aliases": ["rabbitmq.inside"]}
            ),
            "rabbitmq: must be rabbitmq.inside on the network inside alone",
        ),
        (lambda compose: compose["networks"].update(integrators={}), "network integrators must be internal"),
        (_set("meetings", "environment", {"PRATIQUE_SEAL_KEY": "5e"}), "meetings: PRATIQUE_SEAL_KEY holds a secret"),
        (_set("postgres", "volumes", ["data:/x"]), "postgres: volume data is not declared"),
        (_set("postgres", "volumes", ["./deploy/pg.sh:/x"]), "postgres: ./deploy/pg.sh does not exist"),
        (_set("postgres", "ports", ["5432:5432"]), "postgres: port 5432:5432 is open to the world"),
        (_set("postgres", "environment", {"POSTGRES_PASSWORD": "x"}), "postgres: POSTGRES_PASSWORD holds a secret"),
        (_set("gateway", "command", ["run", "gatway"]), "gateway: pratique run gatway: Invalid value"),
        (_set("gateway", "environment", {"PRATIQUE_HTP_HOST": "x"}), "gateway: no process reads PRATIQUE_HTP_HOST"),
        (_set("gateway", "depends_on", {"migrate": {"condition": "service_healthy"}}), "gateway: waits for the health"),
        (_set("gateway", "depends_on", {"migrat": {"condition": "service_started"}}), "gateway: depends on migrat"),
        (lambda compose: compose["services"].pop("evaluation"), "evaluation is started by nothing"),
        (lambda compose: compose["secrets"].update(spare={}), "secret spare is used by nobody"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_spoilt_file_is_found_out(spoil: Callable[[Compose], None], words: str) -> None:
    spoilt = copy.deepcopy(COMPOSE)
    spoil(spoilt)
    assert any(problem.startswith(words) for problem in problems(spoilt))


def test_docker_compose_accepts_the_file() -> None:
    done = _config(**GIVEN)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", GIVEN)
def test_docker_compose_says_which_variable_to_set(name: str) -> None:
    done = _config(**{key: value for key, value in GIVEN.items() if key != name})
    assert done.returncode != 0
    assert f"Set {name} in .env to " in done.stderr


def test_every_variable_has_a_default_or_a_sentence_and_is_in_the_example() -> None:
    flat = " ".join(TEXT.split())
    for name in sorted(set(re.findall(r"\$\{(\w+)", flat))):
        is_required = f"${{{name}:?Set {name} in .env to " in flat
        assert is_required or f"${{{name}:-" in flat, name
        assert re.search(rf"^#?{name}=", EXAMPLE, re.MULTILINE), name
        assert not is_required or f"\n{name}=\n" in EXAMPLE, f"{name} must have no default"


def test_only_the_gateway_can_be_reached_and_only_from_this_machine() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    for name in "postgres", "migrate", "membership", "meetings", "evaluation":
        assert SERVICES[name]["networks"] == ["inside"]


def test_integrators_containers_share_a_network_with_the_broker_and_nothing_else() -> None:
    assert [name for name, service in SERVICES.items() if "integrators" in service["networks"]] == ["rabbitmq"]
    assert COMPOSE["networks"]["integrators"] == {"internal": True}
    tools = SERVICES["rabbitmq"]["environment"]
    assert (tools["RABBITMQ_NODENAME"], tools["ERL_EPMD_ADDRESS"]) == ("rabbit@localhost", "127.0.0.1")
    assert "-kernel inet_dist_use_interface {127,0,0,1} " in tools["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]


def test_every_process_has_the_seal_key_and_what_tells_metrics_their_token() -> None:
    ours = {name for name, service in SERVICES.items() if "build" in service}
    assert {name for name, service in SERVICES.items() if "seal_key" in service.get("secrets", ())} == ours
    lasting = {*settings.SERVICES, "gateway"}
    assert {name for name, service in SERVICES.items() if "metrics_token" in service.get("secrets", ())} == {
        *lasting,
        "rabbitmq",
    }
    for name in ours:
        assert SERVICES[name]["environment"]["PRATIQUE_SEAL_KEY_FILE"] == "/run/secrets/seal_key"
    for name in lasting:
        assert SERVICES[name]["environment"]["PRATIQUE_METRICS_TOKEN_FILE"] == "/run/secrets/metrics_token"


def test_each_process_has_the_secrets_of_its_own_store_and_broker_user_only() -> None:
    for name in (*settings.SERVICES, "gateway"):
        shared = {"smtp_url", "seal_key", "metrics_token"}
        assert set(SERVICES[name]["secrets"]) - shared == {f"broker_{name}_url", f"{name}_url"}
        assert SERVICES[name]["environment"]["PRATIQUE_BROKER_URL_FILE"] == f"/run/secrets/broker_{name}_url"
    assert [name for name, service in SERVICES.items() if "broker_url" in service.get("secrets", ())] == [
        "migrate",
        "operator",
        "rabbitmq",
    ]


def test_services_can_be_scaled() -> None:
    for name in settings.SERVICES:
        assert not {"container_name", "ports", "hostname"} & SERVICES[name].keys()
        assert SERVICES[name]["scale"] == f"${{PRATIQUE_SCALE_{name.upper()}:-1}}", "or an upgrade would undo it"


def test_secrets_are_made_once_each_with_its_own_password(tmp_path: Path) -> None:
    folder = _make_secrets(tmp_path)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    files = [Path(secret["file"]).name for secret in COMPOSE["secrets"].values()]
    assert sorted(made) == sorted(files)
    passwords = re.findall(r"\b[0-9a-f]{48}\b", "".join(made.values()))
    assert len(set(passwords)) == len(made) - 2  # smtp_url is for the operator to fill in
    assert re.fullmatch(r"[0-9a-f]{64}\n", made["seal_key"])
    assert _make_secrets(tmp_path / "another").joinpath("seal_key").read_text() != made["seal_key"]
    assert folder.stat().st_mode & 0o077 == 0
    _make_secrets(tmp_path)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


def test_a_process_reads_the_secrets_as_they_are_made(tmp_path: Path) -> None:
    folder = _make_secrets(tmp_path)
    given = SERVICES["operator"]["environment"]
    env = {key: value.replace("/run/secrets", str(folder)) for key, value in given.items() if "$" not in value}
    read = settings.load(env)
    assert read.broker_url.startswith("amqp://pratique:")
    assert read.broker_url.endswith("@rabbitmq:5672//")
    assert set(read.store_urls) == set(settings.STORES)
    users = {name: url.removeprefix("amqp://").partition(":")[0] for name, url in read.broker_urls.items()}
    assert users == {name: name for name in settings.STORES}
    assert read.smtp_url == ""
    assert read.seal.open("rpc", read.seal.close("rpc", b"hello")) == b"hello"


def _make_secrets(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    subprocess.run(["sh", HOME / "deploy/secrets.sh"], cwd=folder, check=True, capture_output=True)
    return folder / "secrets"


def test_the_image_holds_what_it_copies_and_starts_as_nobody() -> None:
    text = (HOME / "Dockerfile").read_text()
    allowed = {line[1:] for line in (HOME / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        assert {source.split("/")[0] for source in sources.split()} <= allowed
    assert "\nUSER 10001:10001\n" in text
    assert SERVICES["meetings"]["user"] == "10001:10001"
    assert '\nENTRYPOINT ["pratique"]\n' in text
    assert set(re.findall(r"PRATIQUE_\w+", text)) <= settings_read()


def test_every_command_in_the_operators_manual_is_one_that_the_code_offers() -> None:
    text = (HOME / "docs/operate.md").read_text()
    commands = re.findall(r"(?:run --rm operator|`pratique) ([^`\n#|]+)", text)
    assert len(commands) > 10
    for command in commands:
        command = command.replace('"$(cat backup/since)"', "2026-03-12T14:00:00+00:00")
        command = re.sub(r" (?:ID|…)", " 6d1f0f0e-6a52-4d6e-9d2b-0d4b7b9e3a11", command.strip())
        assert refused(command) == ""


@pytest.mark.parametrize("heading", ["Start", "Scaling", "Changing a secret", "Backups", "Upgrades"])
def test_what_make_compose_types_from_the_manual_is_there_and_is_shell(heading: str) -> None:
    for block in page.blocks(heading):
        done = subprocess.run(["sh", "-n"], input=block, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        for script in re.findall(r"\bsh (deploy/\S+)", block):
            assert (HOME / script).exists()


def test_after_a_restore_what_was_published_since_the_backup_began_is_published_again() -> None:
    """Dumps are made one after the other: what one knows as sent another may not know as received."""
    save, restore = page.blocks("Backups")
    assert save.index("> backup/since") < save.index("pg_dump")
    assert restore.index("pg_restore") < restore.index('operator republish --since "$(cat backup/since)"')
    assert save.startswith("umask 077")


def test_every_setting_is_in_the_operators_manual_and_no_other() -> None:
    text = (HOME / "docs/operate.md").read_text()
    table = set(re.findall(r"^\| `(PRATIQUE_\w+)`", text, re.MULTILINE))
    assert table == settings_read()
    defaults = settings.load({"PRATIQUE_BROKER_URL": "embedded://"})
    for name, default in re.findall(r"^\| `PRATIQUE_(\w+)` \| `([^`]+)` \|", text, re.MULTILINE):
        assert str(getattr(defaults, name.lower())).removesuffix(".0") == default
