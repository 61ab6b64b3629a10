"""Bring a store's tables up to date: the kernel's, then the service's. Safe to run twice, and by two at once."""

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from pratique import store
from pratique.crashpoint import crashpoint
from pratique.settings import SERVICES

_HOME = Path(__file__).parent / "migrations"


def migrate(opened: store.Store, package: str) -> None:
    """Leave the store with every table of the kernel and of ``package`` (``services.meetings``).

    Raises:
        StoreAway: the database cannot be reached; nothing was changed.
    """
    with opened.begin() as session:
        connection = session.connection()
        if not opened.is_sqlite:
            connection.execute(text("select pg_advisory_xact_lock(hashtext('pratique.migrate'))"))
        for config in _configs(package, connection):
            command.upgrade(config, "head")
            crashpoint("migrate.stepped")
    crashpoint("migrate.committed")


def package_of(name: str) -> str:
    """The package whose migrations the store of this name needs."""
    return f"services.{name}" if name in SERVICES else name


def is_current(opened: store.Store, package: str) -> bool:
    """Whether no migration is missing."""
    with opened.begin() as session:
        return all(
            set(ScriptDirectory.from_config(config).get_heads()) == set(_heads(config, session.connection()))
            for config in _configs(package, session.connection())
        )


def _heads(config: Config, connection: Connection) -> tuple[str, ...]:
    options = {"version_table": config.attributes["version_table"]}
    return MigrationContext.configure(connection, opts=options).get_current_heads()


def _configs(package: str, connection: Connection) -> list[Config]:
    folder = Path(str(import_module(package).__file__)).parent / "migrations"
    return [
        config_for(_HOME / "versions", "pratique_version", connection, store.KERNEL),
        config_for(folder, "service_version", connection, None),
    ]


def config_for(versions: Path, version_table: str, connection: Connection, target: MetaData | None) -> Config:
    """The alembic configuration of one line of migrations; also for writing new ones."""
    config = Config()
    config.set_main_option("script_location", str(_HOME).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, version_table=version_table, target_metadata=target)
    return config
