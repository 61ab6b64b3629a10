"""What was deleted is in no file of the database any more, once its table was rewritten."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text

from chassis.settings import embedded
from chassis.storage.store import Store, open_store
from chassis.testing import open_at
from tests.servers import Servers

METADATA = MetaData()
SHEET = Table("sheet", METADATA, Column("id", Integer, primary_key=True), Column("words", String(100)))
OTHER = Table("other", METADATA, Column("id", Integer, primary_key=True))
SECRET, KEPT = "what nobody may find " * 3, "what stays"


def fill(opened: Store) -> None:
    with opened.begin() as session:
        session.execute(insert(SHEET), [{"id": 1, "words": SECRET}, {"id": 2, "words": KEPT}])


def delete(opened: Store) -> None:
    with opened.begin() as session:
        session.execute(SHEET.delete().where(SHEET.c.id == 1))


def kept(opened: Store) -> list[str | None]:
    with opened.begin() as session:
        return list(session.scalars(select(SHEET.c.words)))


@pytest.fixture
def on_postgresql(servers: Servers) -> Iterator[Store]:
    opened = open_at("meetings", servers.fresh(is_migrated=False).store_urls["meetings"])
    METADATA.create_all(opened.engine)
    yield opened
    opened.close()


def files(servers: Servers, opened: Store) -> bytes:
    """Every file in which the table lies, as whoever holds a copy of the disk reads them after a checkpoint."""
    with servers.database.admin() as execute:
        execute("checkpoint")
    with opened.begin() as session:
        path = session.scalar(text("select pg_relation_filepath('sheet')"))
    folder = servers.database.folder / "data" / Path(str(path)).parent
    return b"".join(each.read_bytes() for each in sorted(folder.iterdir()) if each.is_file())


@pytest.mark.real
def test_postgresql_keeps_a_deleted_row_until_the_table_is_rewritten(servers: Servers, on_postgresql: Store) -> None:
    fill(on_postgresql)
    delete(on_postgresql)
    assert SECRET.encode() in files(servers, on_postgresql)

    assert on_postgresql.rewrite([SHEET.name, OTHER.name])

    left = files(servers, on_postgresql)
    assert SECRET.encode() not in left
    assert KEPT.encode() in left
    assert kept(on_postgresql) == [KEPT]


@pytest.mark.real
def test_a_table_in_use_is_not_rewritten_now_and_is_later(servers: Servers, on_postgresql: Store) -> None:
    fill(on_postgresql)
    delete(on_postgresql)
    with on_postgresql.begin() as reading:
        reading.execute(select(SHEET.c.id))
        assert not on_postgresql.rewrite([SHEET.name], wait_ms=50)

    assert on_postgresql.rewrite([SHEET.name])
    assert SECRET.encode() not in files(servers, on_postgresql)


@pytest.mark.real
def test_what_an_open_transaction_may_still_read_is_not_said_to_be_gone(on_postgresql: Store) -> None:
    fill(on_postgresql)
    with on_postgresql.begin() as reading:
        reading.execute(text("set transaction isolation level repeatable read"))
        reading.execute(select(OTHER.c.id))
        delete(on_postgresql)
        assert not on_postgresql.rewrite([SHEET.name])

    assert on_postgresql.rewrite([SHEET.name])


@pytest.mark.real
def test_a_connection_that_rewrote_is_not_met_by_others(on_postgresql: Store) -> None:
    on_postgresql.rewrite([SHEET.name], wait_ms=50)

    with on_postgresql.begin() as session:
        assert session.scalar(text("show lock_timeout")) == "5s"


def test_sqlite_overwrites_what_it_deletes_and_empties_its_log(tmp_path: Path) -> None:
    def held() -> bytes:
        return b"".join(each.read_bytes() for each in tmp_path.iterdir())

    opened = open_at("meetings", f"sqlite:///{tmp_path}/meetings.sqlite")
    METADATA.create_all(opened.engine)
    fill(opened)
    assert opened.rewrite([SHEET.name])
    delete(opened)
    assert SECRET.encode() in held()

    assert opened.rewrite([SHEET.name])

    assert SECRET.encode() not in held()
    assert kept(opened) == [KEPT]
    opened.close()


def test_a_store_in_memory_outlives_it() -> None:
    opened = open_at("meetings", "sqlite://")
    METADATA.create_all(opened.engine)
    fill(opened)

    assert opened.rewrite([SHEET.name])
    assert len(kept(opened)) == 2
    opened.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_embedded_modes_stores_are_closed_to_others(tmp_path: Path) -> None:
    data: Any = tmp_path / "data"
    opened = open_store(embedded(tmp_path, data), "meetings")
    METADATA.create_all(opened.engine)
    fill(opened)

    assert mode(data) == 0o700
    assert {mode(each) for each in data.iterdir()} == {0o600}
    assert (data / "meetings.sqlite-wal").exists()
    opened.close()


def test_a_store_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "meetings.sqlite"
    path.touch(mode=0o644)
    path.chmod(0o644)

    open_at("meetings", f"sqlite:///{path}").close()

    assert mode(path) == 0o600
