"""Root filesystem of Debian packages: of an engine, and of stand-ins for the images that docker-compose.yml names.

For machines that have neither an engine nor a registry of images, but a Debian mirror and a Python index. Made once, in
some minutes, and kept.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

SUITE = "trixie"
#: RabbitMQ comes from here: docker-compose.yml names a minor that no stable release of Debian has.
NEWEST = "sid"
ENGINE = ".".join(("docker", "io"))  #: the package of dockerd, by Debian's name for it
PACKAGES = (
    *(ENGINE, "docker-cli", "docker-compose", "docker-buildx", "iptables", "tini", "ca-certificates", "iproute2"),
    *("procps", "util-linux", "busybox", "gosu", "python3", "python3-venv", "python3-pip", "postgresql-17"),
)
_FINISHED = "etc/pratique-engine"
_MIRROR = re.compile(r"https?://\S+?/debian/?(?=\s|$)")


class Impossible(Exception):
    """An engine can neither be found nor made here; the message says why, and what to do."""


def make(folder: Path) -> Path:
    """Return the root filesystem in this folder, made now if it is not there.

    Raises:
        Impossible: a package, the mirror, or the rights for it are missing.
    """
    root = folder / "root"
    if (root / _FINISHED).exists():
        return root
    if os.getuid() != 0:
        raise Impossible("Docker does not answer here, and only root can make an engine: start Docker, or be root.")
    if shutil.which("apt-get") is None:
        raise Impossible("Docker does not answer here, and an engine is made from Debian packages only: start Docker.")
    shutil.rmtree(root, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    found = mirror()
    command, env = debootstrap(folder)
    run([*command, "--variant=minbase", SUITE, str(root), found], env)
    configure(root, found, (SUITE, NEWEST))
    apt(root, "update")
    apt(root, "install", *PACKAGES)
    apt(root, "install", "--target-release", NEWEST, "rabbitmq-server")
    apt(root, "clean")
    _python(root)
    (root / _FINISHED).write_text(f"{SUITE}\n")
    return root


def mirror() -> str:
    """Return the Debian mirror that this machine uses."""
    for path in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        if path.is_file() and (found := _MIRROR.search(re.sub(r"(?m)^\s*#.*$", "", path.read_text()))):
            return found[0]
    raise Impossible(
        "No mirror of Debian stands in /etc/apt; without one neither an engine nor newer servers can be had here."
    )


def debootstrap(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command, from the package if it is not installed, and its environment."""
    if shutil.which("debootstrap"):
        return ["debootstrap"], {}
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    run(["apt-get", "download", "debootstrap"], {}, tools)
    package = next(tools.glob("debootstrap_*.deb"))
    run(["dpkg-deb", "--extract", str(package), str(tools)])
    return [str(tools / "usr/sbin/debootstrap")], {"DEBOOTSTRAP_DIR": str(tools / "usr/share/debootstrap")}


def configure(root: Path, source: str, suites: Sequence[str]) -> None:
    """Let apt within use this machine's mirror and settings, and start no server."""
    for name in ("apt.conf.d", "auth.conf.d"):
        settings = Path("/etc/apt") / name
        if settings.is_dir():
            shutil.copytree(settings, root / "etc/apt" / name, dirs_exist_ok=True)
    lines = "".join(f"deb {source} {suite} main\n" for suite in suites)
    (root / "etc/apt/sources.list").write_text(lines)
    (root / "etc/apt/preferences.d/newest").write_text(f"Package: *\nPin: release n={NEWEST}\nPin-Priority: 100\n")
    (root / "etc/dpkg/dpkg.cfg.d/quick").write_text("force-unsafe-io\npath-exclude=/usr/share/doc/*\n")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    for name in ("resolv.conf", "hosts"):
        shutil.copyfile(Path("/etc") / name, root / "etc" / name)


def apt(root: Path, *arguments: str, within: Sequence[str] = ()) -> None:
    """Run apt-get in the root, entered by the command ``within``, or else by chroot."""
    options = ("--yes", "--quiet", "--no-install-recommends", "-o", "Acquire::Check-Valid-Until=false")
    options += ("-o", "Acquire::Languages=none", "-o", "Dpkg::Use-Pty=0")
    run([*(within or ("chroot", str(root))), "apt-get", *options, *arguments], {"DEBIAN_FRONTEND": "noninteractive"})


def _python(root: Path) -> None:
    """Make Python as its image has it, with an index that is a folder, so that a build needs no network."""
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
    for marker in (root / "usr/lib").glob("python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    (root / "etc/pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    if certificates.exists():
        shutil.copyfile(certificates, root / "etc/ssl/certs/ca-certificates.crt")


def fill_index(root: Path, lock: str) -> str:
    """Download what the lock names into the folder that is the index; return a name for its content."""
    pins = [line.rstrip(" \\") for line in lock.splitlines() if re.match(r"[\w.-]+==", line)]
    name = hashlib.sha256("\n".join(pins).encode()).hexdigest()[:12]
    done = root / "wheels" / name
    if not done.exists():
        (root / "tmp/pins").write_text("\n".join(pins) + "\n")
        env = {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": "", "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt"}
        download = ["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", "/wheels"]
        run(["chroot", str(root), *download, "-r", "/tmp/pins", "setuptools>=77", "wheel", "packaging"], env)
        done.touch()
    return name


def run(command: Sequence[str], env: dict[str, str] | None = None, folder: Path | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | (env or {}), capture_output=True, text=True, check=False, errors="replace"
    )
    if done.returncode:
        words = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise Impossible(f"{' '.join(command[:6])} … ended with {done.returncode}:\n{words}")
