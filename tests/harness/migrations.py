"""Stores with all tables, without a table, and of an older release, for tests."""

import atexit
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url, text

from chassis.settings import Settings
from chassis.storage.database import POSTGRESQL
from chassis.storage.migrate import migrate
from chassis.storage.store import Store, open_store
from chassis.testing import open_at
from operations import composition

NEWEST = "9999"


@contextmanager
def open_empty(name: str, url: str) -> Iterator[Store]:
    """Open the store of a service without a table, and close it; whatever a database on PostgreSQL holds is dropped."""
    with closing(open_at(name, url)) as opened:
        if opened.database is POSTGRESQL:
            with opened.begin() as session:
                session.execute(text("drop schema public cascade"))
                session.execute(text("create schema public"))
        yield opened


def migrate_to(store: Store, newest: str = NEWEST) -> None:
    """Bring a store to the release whose newest migration of its service has this number."""
    with TemporaryDirectory() as folder:
        for file in composition.migrations_of(store.name).glob("0*.py"):
            if file.name[:4] <= newest:
                shutil.copy(file, folder)
        migrate(store, Path(folder))


def migrate_all(settings: Settings) -> None:
    """Bring all stores of these settings up to date; one on SQLite that is not there yet becomes a copy.

    Migrating a network takes half a second of processor, copying a file none, and hundreds of tests begin with it.
    """
    for name, url in settings.store_urls.items():
        file = make_url(url).database
        if url.startswith("sqlite:///") and file and not Path(file).exists():
            Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(_migrated(name), file)
            continue
        with closing(open_store(settings, name)) as opened:
            migrate(opened, composition.migrations_of(name))


@cache
def _migrated(name: str) -> Path:
    """Return a file with the tables of this store, made once in each process that asks."""
    folder = TemporaryDirectory(prefix="pratique-migrated-")
    atexit.register(folder.cleanup)
    file = Path(folder.name, f"{name}.sqlite")
    with closing(open_at(name, f"sqlite:///{file}")) as opened:
        migrate(opened, composition.migrations_of(name))
    return file
