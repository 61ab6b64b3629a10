"""Paths of the programs that tests start, and the one sentence about those that are missing."""

import glob
import os
import re
from pathlib import Path

#: Folders in which distributions keep the programs themselves; not /usr/sbin, where Debian's RabbitMQ wrappers `su`.
FOLDERS = (
    "/usr/lib/rabbitmq/bin",
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/bin",
    "/usr/bin",
    "/usr/lib/erlang/bin",
)
PROGRAMS = {
    "RabbitMQ": ("rabbitmq-server", "rabbitmqctl", "epmd"),
    "PostgreSQL": ("initdb", "postgres"),
}
#: Chromium as distributions call it, and its sibling; Debian's is the one that tests are written for, without windows.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable")


def find(program: str) -> Path | None:
    """The program's path, of the newest version where there are several; None if it is not installed.

    PRATIQUE_SERVER_FOLDERS, glob patterns separated by colons, replaces the folders that are searched.
    """
    for pattern in os.environ.get("PRATIQUE_SERVER_FOLDERS", ":".join(FOLDERS)).split(":"):
        folders = sorted(glob.glob(pattern), key=_version, reverse=True) if pattern else []
        for folder in folders:
            if os.access(path := Path(folder, program), os.X_OK):
                return path
    return None


def _version(path: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path)]


def missing() -> list[str]:
    """The names of the servers that lack a program here; empty when the tests can start both."""
    return [server for server, programs in PROGRAMS.items() if not all(map(find, programs))]


def why_skipped() -> str:
    """One line on what cannot be tested for want of servers and how to mend it; empty when nothing is missing."""
    absent = missing()
    if not absent:
        return ""
    verb = "are" if len(absent) > 1 else "is"
    return (
        f"{' and '.join(absent)} {verb} not installed, so what needs real servers is not tested "
        "(on Debian or Ubuntu: sudo apt install rabbitmq-server postgresql)"
    )


def find_browser() -> Path | None:
    """Return the path of Chromium; None if it is not installed."""
    return next((path for name in BROWSERS if (path := find(name))), None)


def why_no_browser() -> str:
    """Return one line on what cannot be tested for want of Chromium and how to mend it; empty if it is there."""
    if find_browser():
        return ""
    mended_by = "on Debian: sudo apt install chromium-headless-shell"
    return f"Chromium is not installed, so no page is tested in a browser ({mended_by})"


def is_compulsory() -> bool:
    """Whether a missing server is a failure, as it is where CI=true."""
    return os.environ.get("CI", "").lower() == "true"
