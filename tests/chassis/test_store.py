"""The same code leaves the same rows in SQLite and in PostgreSQL."""

import enum
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.storage import database, store, types
from pratique.testing import AT


class Colour(enum.StrEnum):
    RED = "red"
    NONE = "none"


class Base(DeclarativeBase):
    metadata = types.metadata()
    type_annotation_map = types.COLUMN_TYPES


class Everything(Base):
    __tablename__ = "everything"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int | None]
    rate: Mapped[float | None]
    is_open: Mapped[bool | None]
    words: Mapped[str | None]
    at: Mapped[datetime | None]
    colour: Mapped[Colour | None]
    other_id: Mapped[UUID | None]
    body: Mapped[bytes | None]
    parts: Mapped[list[str] | None]
    settings: Mapped[dict[str, Any] | None]
    ids: Mapped[list[UUID] | None]


class Jotted(Base):
    __tablename__ = "jotted"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    words: Mapped[str]


TABLE = types.table_of(Everything)
JOTTED = types.table_of(Jotted)
FULL = {
    "id": UUID(int=1),
    "number": -7,
    "rate": 0.25,
    "is_open": False,
    "words": 'd\'été "%s" {x} \\ :name, NULL',
    "at": datetime(2026, 3, 12, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-5))),
    "colour": Colour.NONE,
    "other_id": UUID(int=2**128 - 1),
    "body": b"\x00\xff'\\x",
    "parts": ["a", 'b"', "{c,d}"],
    "settings": {"deep": [1, None, {"é": True}], "x": "\\"},
    "ids": [UUID(int=3)],
}
EMPTY = dict.fromkeys(FULL) | {"id": UUID(int=2)}


@pytest.fixture
def opened(either: store.Store) -> store.Store:
    Base.metadata.create_all(either.engine)
    return either


def everything(opened: store.Store) -> list[dict[str, Any]]:
    with opened.begin() as session:
        rows = session.scalars(select(Everything).order_by(Everything.id))
        return [{name: getattr(row, name) for name in FULL} for row in rows]


@pytest.mark.parametrize("rows", [[FULL, EMPTY], [EMPTY], [FULL]], ids=["both", "nulls", "values"])
def test_rows_come_back_as_they_were_inserted(opened: store.Store, rows: list[dict[str, Any]]) -> None:
    with opened.begin() as session:
        assert session.insert_many(TABLE, rows) == []

    assert everything(opened) == sorted(rows, key=lambda row: row["id"])


def test_rows_inserted_at_once_are_those_inserted_one_by_one(opened: store.Store) -> None:
    with opened.begin() as session:
        session.add(Everything(**FULL))
        session.insert_many(TABLE, [FULL | {"id": UUID(int=2)}])
    first, second = everything(opened)

    assert first | {"id": None} == second | {"id": None}


def test_only_what_was_inserted_is_returned(opened: store.Store) -> None:
    with opened.begin() as session:
        session.insert_many(TABLE, [FULL])
        more = [FULL | {"words": "changed"}, EMPTY]
        inserted = session.insert_many(TABLE, more, ignore_conflicts=True, returning="id")
        nothing = session.insert_many(TABLE, [], returning="id")

    assert (inserted, nothing) == ([EMPTY["id"]], [])
    assert everything(opened)[0]["words"] == FULL["words"]


def test_a_conflict_that_is_not_expected_is_an_error(opened: store.Store) -> None:
    with pytest.raises(IntegrityError), opened.begin() as session:
        session.insert_many(TABLE, [FULL, FULL])

    assert everything(opened) == []


def test_a_thousand_rows_go_in_one_call(opened: store.Store) -> None:
    rows = [FULL | {"id": UUID(int=number)} for number in range(1000)]
    with opened.begin() as session:
        assert len(session.insert_many(TABLE, rows, returning="id")) == 1000


def test_thousands_of_rows_fit_an_sqlite_that_allows_few_variables(tmp_path: Path) -> None:
    opened = store.Store("meetings", f"sqlite:///{tmp_path}/few.sqlite")
    Base.metadata.create_all(opened.engine)
    with opened.begin() as session:
        connection: Any = session.connection().connection.driver_connection
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)  # as SQLite comes
        rows = [FULL | {"id": UUID(int=number)} for number in range(5000)]
        assert len(session.insert_many(TABLE, rows, ignore_conflicts=True, returning="id")) == 5000
    opened.close()


def test_instants_come_back_in_utc(opened: store.Store) -> None:
    with opened.begin() as session:
        session.add(Everything(id=UUID(int=1), at=FULL["at"]))
    (row,) = everything(opened)

    assert row["at"] == FULL["at"]
    assert row["at"].tzinfo == UTC


def test_instants_are_compared_as_instants(opened: store.Store) -> None:
    with opened.begin() as session:
        session.add(Everything(id=UUID(int=1), at=AT))
        in_montreal = AT.astimezone(timezone(timedelta(hours=-5)))
        assert session.scalars(select(Everything.id).where(Everything.at == in_montreal)).all() == [UUID(int=1)]
        assert session.scalars(select(Everything.id).where(Everything.at < in_montreal)).all() == []


@pytest.mark.parametrize("how", ["one", "many", "compared"])
def test_a_naive_datetime_is_refused(opened: store.Store, how: str) -> None:
    naive = AT.replace(tzinfo=None)
    with pytest.raises((StatementError, ValueError), match="naive"), opened.begin() as session:
        if how == "one":
            session.add(Everything(id=UUID(int=1), at=naive))
            session.flush()
        elif how == "many":
            session.insert_many(TABLE, [{"id": UUID(int=1), "at": naive}])
        else:
            session.scalars(select(Everything).where(Everything.at == naive))

    assert everything(opened) == []


def test_enums_are_kept_by_their_value(opened: store.Store) -> None:
    with opened.begin() as session:
        session.insert_many(TABLE, [FULL])
        assert session.scalar(text("select colour from everything")) == "none"


def test_a_transaction_is_all_or_nothing(opened: store.Store) -> None:
    with pytest.raises(KeyError), opened.begin() as session:
        session.add(Everything(id=UUID(int=1)))
        session.flush()
        raise KeyError

    assert everything(opened) == []


def test_rows_are_found_among_ids_or_words(opened: store.Store) -> None:
    words = ["", "NULL", 'd\'été "%s" {x}, \\']
    with opened.begin() as session:
        session.insert_many(TABLE, [{"id": UUID(int=n), "words": each} for n, each in enumerate([*words, "no"])])
        by_id = select(Everything.id).where(session.is_one_of(Everything.id, {UUID(int=1), UUID(int=9)}))
        by_words = select(Everything.words).where(session.is_one_of(Everything.words, words))
        among_none = select(Everything.id).where(session.is_one_of(Everything.id, []))

        assert session.scalars(by_id).all() == [UUID(int=1)]
        assert Counter(session.scalars(by_words)) == Counter(words)
        assert session.scalars(among_none).all() == []


def jotted(opened: store.Store) -> list[tuple[UUID, datetime, str]]:
    with opened.begin() as session:
        return [(row.id, row.at, row.words) for row in session.scalars(select(Jotted).order_by(Jotted.id))]


def test_what_is_noted_is_there_at_once_and_the_first_note_stays(opened: store.Store) -> None:
    with opened.asynchronous_inserts(JOTTED) as note:
        note({"id": UUID(int=1), "at": AT, "words": "first"})
        assert jotted(opened) == [(UUID(int=1), AT, "first")]
        note({"id": UUID(int=1), "at": AT, "words": "second"})

    assert jotted(opened) == [(UUID(int=1), AT, "first")]


def test_a_loop_is_woken_once_per_commit_and_not_by_a_failure(opened: store.Store) -> None:
    woken: list[str] = []
    opened.on_commit(types.LoopName("due"), lambda: woken.append("due"))
    opened.on_commit(types.LoopName("mail"), lambda: woken.append("mail"))
    with pytest.raises(KeyError), opened.begin() as session:
        session.wake(types.LoopName("due"))
        raise KeyError
    with opened.begin() as session:
        session.wake(types.LoopName("due"))
        session.wake(types.LoopName("due"))
        assert woken == []

    assert woken == ["due"]


def test_a_mistake_in_a_statement_is_not_the_store_being_away(opened: store.Store) -> None:
    with pytest.raises(Exception, match="no_such_table") as caught, opened.begin() as session:
        session.execute(text("select * from no_such_table"))

    assert not isinstance(caught.value, store.StoreAway)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid"])
def test_a_database_that_cannot_be_reached_is_away(host: str) -> None:
    opened = store.Store("meetings", f"postgresql+psycopg2://nobody:secret@{host}/nothing")

    with pytest.raises(store.StoreAway) as caught, opened.begin() as session:
        session.execute(text("select 1"))

    assert "secret" not in str(caught.value)


on_postgresql = pytest.mark.parametrize(
    "empty_url", [pytest.param("postgresql", marks=pytest.mark.real)], indirect=True
)


@on_postgresql
def test_a_connection_that_is_cut_is_the_store_being_away_and_the_next_one_works(either: store.Store) -> None:
    with pytest.raises(store.StoreAway), either.begin() as session:
        session.execute(text("select pg_terminate_backend(pg_backend_pid())"))
    with either.begin() as session:
        assert session.scalar(text("select 1")) == 1


@on_postgresql
def test_a_connection_that_was_cut_while_it_rested_is_replaced_unnoticed(
    either: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "TRUST_S", -1)  # whatever rests, rests too long
    with either.begin() as session:
        pid = session.scalar(text("select pg_backend_pid()"))
    other = store.Store("other", either.url)
    with other.begin() as session:
        session.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
    other.close()
    with either.begin() as session:
        assert session.scalar(text("select pg_backend_pid()")) != pid


def _cut_all(opened: store.Store) -> None:
    """Cut every connection to the database but the one that does so."""
    others = "from pg_stat_activity where usename = user and pid <> pg_backend_pid()"
    with opened.begin() as session:
        session.execute(text(f"select pg_terminate_backend(pid) {others}"))


@on_postgresql
def test_a_note_is_written_over_another_connection_where_one_was_cut(opened: store.Store) -> None:
    with opened.asynchronous_inserts(JOTTED) as note:
        note({"id": UUID(int=1), "at": AT, "words": "before"})
        _cut_all(opened)
        note({"id": UUID(int=2), "at": AT, "words": "after"})

    assert [words for _, _, words in jotted(opened)] == ["before", "after"]


@on_postgresql
def test_a_note_whose_every_connection_is_cut_says_that_the_store_is_away(opened: store.Store) -> None:
    cut = "begin perform pg_terminate_backend(pg_backend_pid()); return new; end"
    with opened.begin() as session:
        session.execute(text(f"create function cut() returns trigger language plpgsql as $$ {cut} $$"))
        session.execute(text("create trigger cut before insert on jotted for each row execute function cut()"))

    with pytest.raises(store.StoreAway), opened.asynchronous_inserts(JOTTED) as note:
        note({"id": UUID(int=1), "at": AT, "words": "never"})


@on_postgresql
def test_reading_holds_no_transaction_open_and_leaves_none_to_the_next(either: store.Store) -> None:
    now = text("select transaction_timestamp()")
    with either.begin(is_reading=True) as session:
        assert session.scalar(now) < session.scalar(now)
    with either.begin() as session:
        assert session.scalar(now) == session.scalar(now)


def test_what_is_read_is_what_was_committed(either: store.Store) -> None:
    Base.metadata.create_all(either.engine)
    with either.begin() as session:
        session.add(Everything(**FULL))
    with either.begin(is_reading=True) as session:
        assert session.scalar(select(TABLE.c.number)) == FULL["number"]


@on_postgresql
def test_a_database_that_is_away_is_so_for_who_reads_too(either: store.Store) -> None:
    with pytest.raises(store.StoreAway), either.begin(is_reading=True) as session:
        session.execute(text("select pg_terminate_backend(pg_backend_pid())"))


@on_postgresql
def test_a_statement_that_takes_too_long_is_its_own_fault(either: store.Store) -> None:
    with pytest.raises(OperationalError, match="timeout"), either.begin() as session:
        session.execute(text("set local statement_timeout = '10ms'"))
        session.execute(text("select pg_sleep(5)"))


@on_postgresql
def test_a_disk_that_is_full_is_the_store_being_away(either: store.Store) -> None:
    with pytest.raises(store.StoreAway), either.begin() as session:
        session.execute(text("do $$ begin raise exception 'no space left' using errcode = 'disk_full'; end $$"))


@on_postgresql
def test_a_pool_that_is_used_up_is_the_store_being_away(either: store.Store) -> None:
    small = store.Store("meetings", either.url, pool_size=1)
    small.engine.pool._timeout = 0.05  # type: ignore[attr-defined]  # five seconds are long in a test
    sessions = [small.begin() for _ in range(4)]  # one and what may be beyond it
    for each in sessions:
        each.__enter__().connection()
    with pytest.raises(store.StoreAway), small.begin() as session:
        session.connection()
    for each in sessions:
        each.__exit__(None, None, None)
    small.close()


def test_an_sqlite_store_makes_its_folder_and_outlives_its_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a/b/meetings.sqlite"
    for _ in range(2):
        opened = store.Store("meetings", url)
        with opened.begin() as session:
            session.execute(text("create table if not exists thing (id integer)"))
            session.execute(text("insert into thing values (1)"))
        opened.close()
    opened = store.Store("meetings", url)
    with opened.begin() as session:
        assert session.scalar(text("select count(*) from thing")) == 2
    opened.close()
