"""Migrations of a store's tables: the chassis', then the service's. Safe to run twice, and by two at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import OperationalError

from chassis.crashpoint import crashpoint
from chassis.storage import store
from chassis.storage.types import CHASSIS_TABLES

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
    for line in range(len(VERSION_TABLES)):
        while _step(opened, own, line):
            crashpoint("migrate.committed")


def _step(opened: store.Store, own: Path, line: int) -> bool:
    """Make the next migration of the chassis (0) or of the service (1), and say whether there was one."""
    try:
        with opened.begin() as transaction:
            connection = transaction.connection()
            transaction.lock(_LOCK)
            opened.database.connections.allow_migration(connection)
            config = _configs(own, connection)[line]
            script = ScriptDirectory.from_config(config)
            missing = [
                each.revision for each in script.iterate_revisions("heads", _heads(config, connection) or "base")
            ]
            if missing:
                command.upgrade(config, missing[-1])
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
        return all(
            set(ScriptDirectory.from_config(config).get_heads()) == set(_heads(config, session.connection()))
            for config in _configs(own, session.connection())
        )


def _heads(config: Config, connection: Connection) -> tuple[str, ...]:
    options = {"version_table": config.attributes["version_table"]}
    return MigrationContext.configure(connection, opts=options).get_current_heads()


def _configs(own: Path, connection: Connection) -> list[Config]:
    if not own.is_dir():  # alembic would find no migration in it, and so nothing missing
        raise FileNotFoundError(f"there are no migrations in {own}")
    return [
        config_for(_HOME / "versions", VERSION_TABLES[0], connection, CHASSIS_TABLES),
        config_for(own, VERSION_TABLES[1], connection, None),
    ]


def config_for(versions: Path, version_table: str, connection: Connection, target: MetaData | None) -> Config:
    """Return the alembic configuration of one line of migrations; also for writing new ones."""
    config = Config()
    config.set_main_option("script_location", str(_HOME).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, version_table=version_table, target_metadata=target)
    return config
