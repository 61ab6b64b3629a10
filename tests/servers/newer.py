"""``python -m tests.servers.newer``: run the tests on the newest RabbitMQ, PostgreSQL and Python that Debian has.

They are installed into a folder of their own, var/newer, by debootstrap; the machine itself stays as it is. The folder
is kept for the next time (some 2 GB). Mounts are seen by the processes within alone, and go with them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.servers.install import POLICY, why_not

HOME = Path(__file__).parents[2]
FOLDER = HOME / "var" / "newer"
SUITE = "sid"
APT = Path("/etc/apt")
#: What the tests need, beside what is in every Debian.
PACKAGES = ("ca-certificates", "rabbitmq-server", "postgresql", "python3", "python3-venv", "make", "procps")
TESTS = ("tests/chassis", "tests/journeys", "tests/operations")
_CHECKOUT = "root/pratique"
#: How pip and what it calls reach the network here; it is the same within.
_REACH = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_ENTER = """
mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && cd / && exec chroot "$0" "$@"
"""


def obstacle() -> str:
    """Return why this cannot be done here, as the end of a sentence; empty when it can."""
    if words := why_not():
        return words
    if not mirror(APT):
        return "the sources of apt name no mirror of Debian"
    absent = [program for program in ("debootstrap", "unshare", "git") if shutil.which(program) is None]
    return f"{' and '.join(absent)} is missing (apt install debootstrap util-linux git)" if absent else ""


def mirror(folder: Path) -> str:
    """Return where this machine's apt gets Debian from, by the folder of its sources; empty where they do not say."""
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for path in files:
        if path.suffix in (".list", ".sources") and path.exists():
            for line in path.read_text().splitlines():
                words = [word for word in line.split() if not word.startswith(("[", "signed-by", "arch="))]
                if words and words[0] in ("deb", "URIs:") and words[1].rstrip("/").endswith("/debian"):
                    return words[1]
    return ""


def prepare(folder: Path) -> None:
    """Leave ``folder`` with Debian and the packages; what is there stays, and is brought up to date."""
    if not (folder / "etc/debian_version").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run("debootstrap", "--variant=minbase", SUITE, str(folder), mirror(APT))
    daemons = folder / POLICY.relative_to("/")
    daemons.write_text("#!/bin/sh\nexit 101\n")
    daemons.chmod(0o755)
    for path in _settings_of_apt_and_pip():
        copied = folder / path.relative_to("/")
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(path.read_bytes())
    late = ("-o", "Acquire::Check-Valid-Until=false")
    _enter(folder, "apt-get", *late, "-qq", "update")
    _enter(folder, "apt-get", *late, "-qq", "--yes", "--no-install-recommends", "install", *PACKAGES)


def _settings_of_apt_and_pip() -> Iterable[Path]:
    """The files by which this machine reaches its mirrors, and trusts them."""
    yield from (path for path in sorted((APT / "apt.conf.d").glob("*")) if "Acquire::" in path.read_text())
    certificates, names = Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/resolv.conf")
    known = Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", certificates, names
    yield from (path for path in known if path.exists())


def copy_checkout(folder: Path) -> None:
    """Leave the folder with what git knows of this checkout, changes included; its virtual environment stays."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=HOME, capture_output=True, check=True).stdout.decode().split("\0")
    inside = folder / _CHECKOUT
    for path in sorted(inside.glob("*")):
        if path.is_dir() and path.name != ".venv":
            shutil.rmtree(path)
    for name in names:
        if name and (HOME / name).exists():
            (inside / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HOME / name, inside / name)


def _enter(folder: Path, *command: str) -> int:
    """Run a command in the folder as if it were a machine; its exit code.

    Raises:
        CalledProcessError: apt-get failed.
    """
    reach = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(_REACH)]
    clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"HOME={Path.home()}", "LANG=C.UTF-8", *reach]
    shell = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER, str(folder)]
    env = ["DEBIAN_FRONTEND=noninteractive"]
    done = subprocess.run([*shell, *clean, *env, *command], check=command[0] == "apt-get")
    return done.returncode


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main(tests: Sequence[str]) -> int:
    """Run these tests, or those that meet servers most; the exit code of pytest, or 1 where it could not be tried."""
    if words := obstacle():
        print(f"The newest servers cannot be tried: {words}.")
        return 1
    print(f"Installing the newest servers into {FOLDER} (once: some minutes, 2 GB)", flush=True)
    try:
        prepare(FOLDER)
    except subprocess.CalledProcessError as error:
        print(f"The newest servers cannot be tried: {error.cmd[0]} failed.")
        return 1
    copy_checkout(FOLDER)
    versions = "dpkg-query --show --showformat '${Package} ${Version}\\n' rabbitmq-server postgresql python3"
    run = f'{versions}; cd /{_CHECKOUT} && make .venv/dev && CI=true .venv/bin/python -m pytest -q "$@"'
    return _enter(FOLDER, "sh", "-c", run, "tests", *(tests or TESTS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
