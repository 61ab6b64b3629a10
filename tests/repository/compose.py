"""What a compose file must be to be ours: as the specification's schema has it, nothing dangling, hardened."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator

from chassis import settings
from operations import cli

HOME = Path(__file__).parents[2]
Compose = dict[str, Any]

SPECIFICATION = Draft202012Validator(get_builtin_schema("vendor.compose-spec"))
HARDENED = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "init": True,
    "stop_grace_period": "20s",
}


def problems(compose: Compose) -> list[str]:
    """Everything that is wrong with the file, in words; empty when it is sound."""
    if found := [f"{error.json_path}: {error.message}" for error in SPECIFICATION.iter_errors(compose)]:
        return found  # what follows relies on the form
    for name, service in compose["services"].items():
        found += (f"{name}: {words}" for words in _service(compose, service))
        if "build" in service:
            found += (f"{name}: {words}" for words in _process(service))
    for name in settings.SERVICES:
        if name not in compose["services"]:
            found.append(f"{name} is started by nothing")
    found += _networks(compose)
    used = {secret for service in compose["services"].values() for secret in service.get("secrets", ())}
    return found + [f"secret {name} is used by nobody" for name in compose["secrets"] if name not in used]


def _service(compose: Compose, service: Compose) -> Iterator[str]:
    """What any container may lack."""
    yield from (f"{key} must be {value}" for key, value in HARDENED.items() if service.get(key) != value)
    yield from (f"no {key}" for key in ("image", "mem_limit", "pids_limit", "user", "networks") if key not in service)
    if str(service.get("user", "root")).split(":")[0] in ("root", "0"):
        yield "runs as root"
    if re.fullmatch(r"[^$:]+(:latest)?", service.get("image", "")):
        yield "image without a fixed tag"
    yield from _references(compose, service)
    check = service.get("healthcheck")
    if "restart" in service and check is None:
        yield "runs on and on without a health check"
    for port in service.get("ports", ()):
        if not port.startswith("127.0.0.1:"):
            yield f"port {port} is open to the world"
    environment = service.get("environment", {})
    yield from (f"{name} is not text" for name, value in environment.items() if not isinstance(value, str))
    yield from (f"{name} holds a secret itself" for name in environment if _is_secret(name))


def _networks(compose: Compose) -> Iterator[str]:
    """What an integrator's container could reach that is not the broker's port for clients."""
    for name in "inside", "integrators":
        if compose["networks"].get(name) != {"internal": True}:
            yield f"network {name} must be internal"
    for name, service in compose["services"].items():
        if "integrators" in service["networks"] and name != "rabbitmq":
            yield f"{name}: integrators' containers reach it"
    broker = compose["services"]["rabbitmq"]["networks"]
    aliases = {name: (how or {}).get("aliases", []) for name, how in broker.items()} if isinstance(broker, dict) else {}
    if "cpus" not in compose["services"]["rabbitmq"]:
        yield "rabbitmq: no cpus, so that on a large machine its threads are more than pids_limit"
    if aliases != {"inside": ["rabbitmq.inside"], "integrators": []}:
        yield "rabbitmq: must be rabbitmq.inside on the network inside alone, for its management listens at that name"


def _is_secret(name: str) -> bool:
    return bool(re.search(r"PASSWORD|TOKEN|_KEY|_URL|STORE_", name)) and not name.endswith(("_FILE", "PUBLIC_URL"))


def _references(compose: Compose, service: Compose) -> Iterator[str]:
    """Names that nothing declares."""
    for kind in "networks", "secrets":
        yield from (f"{kind} {name} is not declared" for name in service.get(kind, ()) if name not in compose[kind])
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        if source.startswith("."):
            if not (HOME / source).exists():
                yield f"{source} does not exist"
        elif source not in compose["volumes"]:
            yield f"volume {source} is not declared"
    for name, how in service.get("depends_on", {}).items():
        other = compose["services"].get(name, {})
        if not other or other.get("profiles"):
            yield f"depends on {name}, which is not started"
        elif how["condition"] == "service_healthy" and "healthcheck" not in other:
            yield f"waits for the health of {name}, which tells none"
        elif how["condition"] == "service_completed_successfully" and "restart" in other:
            yield f"waits for the end of {name}, which runs on and on"
    for name, value in service.get("environment", {}).items():
        if name.endswith("_FILE") and Path(value).name not in service.get("secrets", ()):
            yield f"{name} names a secret that is not given to it"


def _process(service: Compose) -> Iterator[str]:
    """What a process of ours may be told that it does not know."""
    known = settings_read()
    for name in service["environment"]:
        if name.removesuffix("_FILE") not in known:
            yield f"no process reads {name}"
    if words := refused(service["command"]):
        yield words
    for script in service.get("healthcheck", {}).get("test", [])[2:]:
        if not (HOME / Path(script).relative_to("/app")).exists():
            yield f"health check: {script} does not exist"


def settings_read() -> set[str]:
    """The names of all settings, as a process asks for them when it starts."""

    names: set[str] = set()

    class Asked(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            names.add(key)
            return super().get(key, default)

    settings.load(Asked({"PRATIQUE_BROKER_URL": "embedded://"}))
    return {name.removesuffix("_FILE") for name in names}


def refused(arguments: str | list[str]) -> str:
    """Why ``pratique ARGUMENTS`` would be refused before it does anything; empty if it would not."""
    command: click.Command = cli
    context = click.Context(cli, info_name="pratique")
    given = shlex.split(arguments) if isinstance(arguments, str) else list(arguments)
    rest = list(given)
    try:
        while isinstance(command, click.Group):
            name, command_or_none, rest = command.resolve_command(context, rest)
            assert command_or_none is not None
            command = command_or_none
        command.make_context(name, rest, parent=context)
    except click.UsageError as error:
        return f"pratique {shlex.join(given)}: {error.format_message()}"
    return ""
