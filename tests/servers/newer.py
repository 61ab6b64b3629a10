"""``python -m tests.servers.newer``: run the tests on the newest RabbitMQ, PostgreSQL and Python that Debian has.

They are installed into a folder of their own, var/newer, by debootstrap; the machine itself stays as it is. The folder
is kept for the next time (some 2 GB). Mounts are seen by the processes within alone, and go with them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.compose import rootfs
from tests.servers.install import why_not

HOME = Path(__file__).parents[2]
FOLDER = HOME / "var" / "newer"
#: What the tests need, beside what is in every Debian.
PACKAGES = ("ca-certificates", "rabbitmq-server", "postgresql", "python3", "python3-venv", "make", "procps", "curl")
TESTS = ("tests/chassis", "tests/journeys", "tests/operations")
_CHECKOUT = "srv/pratique"
#: How pip reaches its index here; it is the same within.
_REACH = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_PIP = ("/etc/pip.conf", str(Path.home() / ".config/pip/pip.conf"), "/etc/ssl/certs/ca-certificates.crt")
_ENTER = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && cd / && exec chroot "$0" "$@"'
_RUN = f"""
dpkg-query --show --showformat '${{Package}} ${{Version}}\n' rabbitmq-server postgresql python3
cd /{_CHECKOUT} && make .venv/dev && CI=true .venv/bin/python -m pytest -q "$@"
"""


def prepare(folder: Path) -> Path:
    """Return the root of the newest Debian with the packages, made in ``folder`` or brought up to date there.

    Raises:
        Impossible: a package, the mirror, or the permission for it is missing.
    """
    if words := why_not():
        raise rootfs.Impossible(words)
    root, source = folder / "root", rootfs.mirror()
    if not (root / "etc/debian_version").exists():
        shutil.rmtree(root, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        command, env = rootfs.debootstrap(folder)
        rootfs.run([*command, "--variant=minbase", rootfs.NEWEST, str(root), source], env)
    rootfs.configure(root, source, [rootfs.NEWEST])
    rootfs.apt(root, "update", within=_within(root))
    rootfs.apt(root, "install", *PACKAGES, within=_within(root))
    for name in _PIP:
        if Path(name).exists():
            copied = root / name[1:]
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, copied)
    return root


def _within(root: Path) -> list[str]:
    """Return what to put before a command that runs in the root as on a machine, with /proc and /dev."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER, str(root)]


def copy_checkout(root: Path) -> None:
    """Leave the root with what git knows of this checkout, changes included; its virtual environment stays."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=HOME, capture_output=True, check=True).stdout.decode().split("\0")
    inside = root / _CHECKOUT
    for path in inside.glob("*"):
        if path.is_dir() and path.name != ".venv":
            shutil.rmtree(path)
    for name in names:
        if name and (HOME / name).exists():
            (inside / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HOME / name, inside / name)


def main(tests: Sequence[str]) -> int:
    """Run these tests, or those that meet servers most; the exit code of pytest, or 1 where it could not be tried."""
    print(f"Installing the newest servers into {FOLDER} (once: some minutes, 2 GB)", flush=True)
    try:
        root = prepare(FOLDER)
    except rootfs.Impossible as obstacle:
        print(f"The newest servers cannot be tried: {obstacle}")
        return 1
    copy_checkout(root)
    reach = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(_REACH)]
    clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"HOME={Path.home()}", "LANG=C.UTF-8", *reach]
    return subprocess.run(
        [*_within(root), *clean, "sh", "-c", _RUN, "tests", *(tests or TESTS)], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
