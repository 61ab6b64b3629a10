"""A new version is rolled out while meetings are closed: migrations first, then one process after the other."""

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.faults.chaos.kinds.processes import stop
from tests.faults.chaos.registry import fault
from tests.faults.chaos.system import REPLICAS, SENDERS, System

#: A table of each store that old code reads and writes while it gets a column that only new code knows of.
TABLES = {
    "chassis/storage/migrations/versions": "event_log",
    "services/membership/migrations": "member",
    "services/meetings/migrations": "meeting",
    "services/evaluation/migrations": "survey",
    "services/notifications/migrations": "message",
    "gateway/migrations": "api_token",
}
MIGRATION = '''"""Only adds: a column that may be empty, an index on it, and a table."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.add_column("{table}", sa.Column("{column}", sa.Text, nullable=True))
    op.create_index("ix_{table}_{column}", "{table}", ["{column}"])
    op.create_table("{column}_{table}", sa.Column("id", sa.Uuid, primary_key=True))
'''


@fault("rolling redeploy")
def redeploy(system: System, chance: random.Random) -> Iterator[str]:
    """Old and new code work side by side on migrated stores, until the last process is new."""
    new = _next_version(system)
    _migrate(system, new)
    system.allow_copies(2 * SENDERS)
    yield f"{len(system.replicas)} processes to {new.name}, one replica of each service after the other"
    for number in range(1, REPLICAS + 1):
        same = [replica for replica in system.replicas if replica.number == number]
        for replica in chance.sample(same, len(same)):
            system.wait_until_ready(replica)
            stop(system, replica)
            replica.home = new
            replica.start()
        system.wait_until_ready()
    system.home = new


def _next_version(system: System) -> Path:
    """A copy of the code that runs, with a migration more for each store."""
    number = len(list(system.folder.glob("version-*"))) + 2
    new = system.folder / f"version-{number}"
    for package in ("pratique", "services", "gateway"):
        shutil.copytree(system.home / package, new / package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder, table in TABLES.items():
        before = sorted((new / folder).glob("0*.py"))[-1]
        found = re.search(r'^revision = "([^"]+)"', before.read_text(), re.MULTILINE)
        assert found is not None, before
        revision = f"{folder.split('/')[-2]}_next_{number}"
        words = MIGRATION.format(revision=revision, before=found[1], table=table, column=f"next_{number}")
        (new / folder / f"{int(before.name[:4]) + 1:04d}_next.py").write_text(words)
    return new


def _migrate(system: System, new: Path) -> None:
    """As an operator would, who tries again when a lock was not to be had."""
    for attempt in range(3):
        try:
            system.operator("migrate", home=new)
        except RuntimeError as error:
            system.remarks.append(f"migrate had to be said again: {str(error)[-200:]!r}")
            if attempt == 2:
                raise
        else:
            return
