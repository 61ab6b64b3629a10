"""Install missing servers and the browser from the distribution's packages, without starting their daemons."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

SERVERS = ("rabbitmq-server", "postgresql")
#: Chromium without the parts that draw windows, at half the cost; without fonts, pages show boxes.
BROWSER = ("chromium-headless-shell", "fonts-liberation", "fonts-dejavu-core")
POLICY = Path("/usr/sbin/policy-rc.d")  #: asked by invoke-rc.d; 101 means: do not start it
OS_RELEASE = Path("/etc/os-release")
_TELLING = ("Get:", "Unpacking ", "Setting up ", "E: ", "Err:")


def why_not() -> str:
    """Why packages cannot be installed here, as the end of a sentence; empty when they can."""
    if not {"debian", "ubuntu"} & _family():
        return "this is neither Debian nor Ubuntu"
    if shutil.which("apt-get") is None:
        return "apt-get is missing"
    if os.geteuid() != 0:
        return "installing packages needs root"
    return ""


def _family() -> set[str]:
    """ID and ID_LIKE of the distribution."""
    if not OS_RELEASE.exists():
        return set()
    lines = (line.partition("=") for line in OS_RELEASE.read_text().splitlines())
    values = {name: value.strip('"') for name, _, value in lines}
    return {*values.get("ID", "").split(), *values.get("ID_LIKE", "").split()}


def install(packages: Sequence[str] = SERVERS, what: str = "RabbitMQ and PostgreSQL") -> bool:
    """Install the packages, with a line of progress for each step; False if apt refused."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print(f"Installing {what} for the tests (once)", flush=True)
    with daemons_stay_down():
        return _run(["apt-get", "update"], env) and _run(
            ["apt-get", "install", "--yes", "--no-install-recommends", *packages], env
        )


def _run(command: list[str], env: Mapping[str, str]) -> bool:
    print("  " + " ".join(command), flush=True)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        for line in child.stdout or ():
            if line.startswith(_TELLING):
                print("  " + line.rstrip()[:110], flush=True)
    return child.returncode == 0


@contextlib.contextmanager
def daemons_stay_down() -> Iterator[None]:
    """Let packages start no daemon meanwhile; a policy that the machine already has is left as it is."""
    if POLICY.exists() or not POLICY.parent.is_dir():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
