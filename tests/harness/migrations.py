"""Stores without a table, and stores of an older release, for tests of migrations."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from chassis.storage.database import POSTGRESQL
from chassis.storage.migrate import migrate
from chassis.storage.store import Store
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
