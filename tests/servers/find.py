"""Where the servers' programs are, and the one sentence about those that are missing."""

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


def is_compulsory() -> bool:
    """Whether a missing server is a failure, as it is where CI=true."""
    return os.environ.get("CI", "").lower() == "true"
