"""Migrations of a store's tables: the chassis', then the service's. Safe to run twice, and by two at once."""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from chassis.crashpoint import crashpoint
from chassis.storage import store

_HOME = Path(__file__).parent / "migrations"
#: What each line of migrations, the chassis' and the service's, remembers of how far it has come.
VERSION_TABLES = ("pratique_version", "service_version")
_LOCK = "pratique.migrate"  #: one migrates at a time
_IN_USE = ("55P03", "40P01")  #: the time to wait for a lock is over; a deadlock, of which we were chosen to give in


def migrate(opened: store.Store, own: Path) -> None:
    """Run the missing migrations of the chassis, then those of the service, which lie in the folder ``own``.

    Each migration is a transaction of its own, and waits two seconds at most for a table that a service is using: one
    that held the log of events while it waited for another table would stop the service, which holds it the other way.

    Raises:
        StoreAway: the database cannot be reached, or a table is in use; what is done is done, and the rest waits.
    """
    for line in _lines(own):
        while _step(opened, line):
            crashpoint("migrate.committed")


def _step(opened: store.Store, line: "_Line") -> bool:
    """Make the next migration of the line, and say whether there was one."""
    try:
        with opened.begin() as transaction:
            connection = transaction.connection()
            transaction.lock(_LOCK)
            opened.database.connections.allow_migration(connection)
            missing = line.missing(connection)
            if missing:
                line.upgrade(connection, missing[0])
                crashpoint("migrate.stepped")
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) not in _IN_USE:
            raise
        raise store.StoreAway(
            f"a table of the store of {opened.name} is in use, so it cannot be changed; end what holds it, and repeat"
        ) from error
    return bool(missing)


def is_current(opened: store.Store, own: Path) -> bool:
    """Return whether no migration is missing."""
    with opened.begin() as session:
        return not any(line.missing(session.connection()) for line in _lines(own))


class _Line:
    """A line of migrations: the chassis', or a service's. Its scripts are read once, however many are made."""

    def __init__(self, versions: Path, version_table: str) -> None:
        self._config = Config()
        self._config.set_main_option("script_location", str(_HOME).replace("%", "%%"))
        self._config.set_main_option("version_locations", str(versions).replace("%", "%%"))
        self._config.set_main_option("path_separator", "newline")
        self._scripts = ScriptDirectory.from_config(self._config)
        self._version_table = version_table

    def missing(self, connection: Connection) -> list[str]:
        """Return the revisions that this database has not seen, the next one first."""
        heads = MigrationContext.configure(connection, opts={"version_table": self._version_table}).get_current_heads()
        return [each.revision for each in self._scripts.iterate_revisions("heads", heads or "base")][::-1]

    def upgrade(self, connection: Connection, revision: str) -> None:
        """Make the migrations up to this revision, in the transaction that the connection is in."""

        def steps(heads: Any, _: MigrationContext) -> Any:
            return self._scripts._upgrade_revs(revision, heads)

        with EnvironmentContext(self._config, self._scripts, fn=steps, destination_rev=revision) as environment:
            environment.configure(connection=connection, version_table=self._version_table, render_as_batch=True)
            with environment.begin_transaction():
                environment.run_migrations()


def _lines(own: Path) -> list[_Line]:
    if not own.is_dir():  # alembic would find no migration in it, and so nothing missing
        raise FileNotFoundError(f"there are no migrations in {own}")
    folders = (_HOME / "versions", own)
    return [_Line(folder, table) for folder, table in zip(folders, VERSION_TABLES, strict=True)]
