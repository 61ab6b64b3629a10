"""A store gets its new tables, columns and indexes while services use it."""

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import inspect, text

from chassis.storage import migrate as migrations
from chassis.storage.migrate import is_current, migrate
from chassis.storage.store import Store, StoreAway
from chassis.testing import open_at
from operations import composition
from tests.harness.migrations import open_empty
from tests.servers import Fresh

pytestmark = pytest.mark.real
NAME = "notifications"
ADDS_A_COLUMN = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "next", {before}
def upgrade():
    op.add_column("{table}", sa.Column("later", sa.Text, nullable=True))
"""


@pytest.fixture
def opened(scratch_url: str) -> Iterator[Store]:
    with open_empty(NAME, scratch_url) as made:
        migrate(made, composition.migrations_of(NAME))
        yield made


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release that adds a column to the log of events, and one to the messages."""
    kernel, own = tmp_path / "kernel", tmp_path / "notifications"
    for folder, table, real in (
        (kernel / "versions", "event_log", Path(migrations.__file__).parent / "migrations" / "versions"),
        (own, "message", Path("services/notifications/migrations").absolute()),
    ):
        folder.mkdir(parents=True)
        for file in real.glob("0*.py"):
            (folder / file.name).write_text(file.read_text())
        before = next(
            line.partition(" = ")[2]
            for line in sorted(real.glob("0*.py"))[-1].read_text().splitlines()
            if line.startswith("revision = ")
        )
        (folder / "9999_next.py").write_text(ADDS_A_COLUMN.format(table=table, before=before))
    monkeypatch.setattr(migrations, "_HOME", kernel)
    return own


def columns(opened: Store, table: str) -> set[str]:
    return {column["name"] for column in inspect(opened.engine).get_columns(table)}


def test_a_store_is_migrated_while_a_service_writes_to_it(opened: Store, next_version: Path) -> None:
    is_over, written, failures = threading.Event(), count(), list[Exception]()

    def serve() -> None:
        """As every service does: a row of its own first, then, in the same transaction, the log of events."""
        while not is_over.is_set():
            try:
                with opened.begin() as session:
                    session.execute(text("update message set attempts = attempts"))
                    session.execute(text("select pg_sleep(0.02)"))
                    session.execute(
                        text("insert into event_log (id, type, subject, body, at) values (:id, 't', 's', '', now())"),
                        {"id": uuid4()},
                    )
                next(written)
            except Exception as error:  # noqa: BLE001  (whatever it is, it is a failure)
                failures.append(error)

    services = [threading.Thread(target=serve) for _ in range(3)]
    for service in services:
        service.start()
    try:
        migrate(opened, next_version)
    finally:
        is_over.set()
        for service in services:
            service.join()

    assert failures == []
    assert next(written) > 0
    assert is_current(opened, next_version)
    assert "later" in columns(opened, "event_log") & columns(opened, "message")


def test_a_table_that_stays_in_use_is_said_and_what_was_done_before_stays(opened: Store, next_version: Path) -> None:
    with opened.begin() as long_one:
        long_one.execute(text("lock table message in row exclusive mode"))
        with pytest.raises(StoreAway, match="a table of the store of notifications is in use"):
            migrate(opened, next_version)
        assert "later" in columns(opened, "event_log")

    migrate(opened, next_version)
    assert is_current(opened, next_version)


@pytest.mark.real
def test_bodies_of_events_are_kept_uncompressed(fresh: Fresh) -> None:
    opened = open_at("evaluation", fresh.store_urls["evaluation"])
    kept = "select attstorage from pg_attribute where attrelid = 'event_log'::regclass and attname = 'body'"
    with opened.begin() as session:
        assert session.scalar(text(kept)) == "e"
    opened.close()


def test_a_folder_that_is_not_there_is_no_store_without_migrations(opened: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        migrate(opened, tmp_path / "services.notifications")
