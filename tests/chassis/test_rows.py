"""PUT, projections and pages, on a table of their own."""

from collections.abc import Iterator
from itertools import permutations
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.storage import rows, types
from chassis.storage.transaction import Transaction
from chassis.testing import memory_store
from pratique.errors import Invalid, PreconditionRequired, Stale

KEY = UUID(int=1)


class Base(DeclarativeBase):
    metadata = types.metadata()
    type_annotation_map = types.COLUMN_TYPES


class Thing(Base):
    __tablename__ = "thing"
    thing_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]


@pytest.fixture
def session() -> Iterator[Transaction]:
    with memory_store("things", Base.metadata) as opened, opened.begin() as session:
        yield session


def thing(name: str) -> Thing:
    return Thing(thing_id=KEY, name=name)


def test_the_first_put_creates_and_the_same_again_changes_nothing(session: Transaction) -> None:
    first = rows.put(session, thing("a"), None)
    again = rows.put(session, thing("a"), None)

    assert (first.is_new, first.row.version) == (True, 1)
    assert (again.is_new, again.is_unchanged, again.row.version) == (False, True, 1)


def test_a_change_needs_the_version_that_was_read(session: Transaction) -> None:
    rows.put(session, thing("a"), None)
    with pytest.raises(PreconditionRequired):
        rows.put(session, thing("b"), None)
    with pytest.raises(Stale):
        rows.put(session, thing("b"), 7)

    saved = rows.put(session, thing("b"), 1)

    assert (saved.is_new, saved.changed, saved.row.name, saved.row.version) == (False, frozenset({"name"}), "b", 2)
    assert saved.former == {"name": "a"}


@pytest.mark.parametrize("if_version", [rows.ANY_VERSION, 1, 7])
def test_a_version_of_what_is_not_there_creates_nothing(if_version: int) -> None:
    with memory_store("things", Base.metadata) as opened:
        with pytest.raises(Stale, match="leave If-Match out"), opened.begin() as session:
            rows.put(session, thing("a"), if_version)
        with opened.begin() as session:
            assert session.scalars(select(Thing)).all() == []


def test_whatever_version_it_has_may_be_changed_by_whoever_says_so(session: Transaction) -> None:
    for name in ("a", "b", "c"):
        saved = rows.put(session, thing(name), None if name == "a" else rows.ANY_VERSION)

    assert (saved.row.name, saved.row.version) == ("c", 3)


def test_a_projection_keeps_the_newest_whatever_the_order(session: Transaction) -> None:
    for number, order in enumerate(permutations((1, 2, 3, 3))):
        key = UUID(int=100 + number)
        said = [{"thing_id": key, "name": str(version), "version": version} for version in order]
        cut = number % 5
        rows.keep_newest(session, Thing, said[:cut])
        rows.keep_newest(session, Thing, said[cut:])

    assert {(each.name, each.version) for each in session.scalars(select(Thing))} == {("3", 3)}


def test_pages_cover_all_rows_once(session: Transaction) -> None:
    session.add_all([Thing(thing_id=UUID(int=number), name=str(number), version=1) for number in range(5)])
    statement = select(Thing).order_by(Thing.thing_id)
    seen = []
    page = rows.page(session, statement, 2, lambda row: str(row.thing_id))
    while page.after:
        seen += [row.name for row in page.rows]
        rest = statement.where(Thing.thing_id > UUID(page.after))
        page = rows.page(session, rest, 2, lambda row: str(row.thing_id))
    seen += [row.name for row in page.rows]

    assert seen == ["0", "1", "2", "3", "4"]


def test_pages_by_id_cover_all_rows_once(session: Transaction) -> None:
    session.add_all([Thing(thing_id=UUID(int=number), name=str(number), version=1) for number in range(5)])
    page, seen = rows.page_by_id(session, select(Thing), Thing.thing_id, None, 2), []
    while page.after:
        seen += [row.name for row in page.rows]
        page = rows.page_by_id(session, select(Thing), Thing.thing_id, page.after, 2)
    seen += [row.name for row in page.rows]

    assert seen == ["0", "1", "2", "3", "4"]
    with pytest.raises(Invalid) as caught:
        rows.page_by_id(session, select(Thing), Thing.thing_id, "no key", 2)
    assert set(caught.value.fields) == {"/after"}


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_limit_has_bounds(session: Transaction, limit: int) -> None:
    with pytest.raises(Invalid) as caught:
        rows.page(session, select(Thing), limit, lambda row: str(row.thing_id))

    assert set(caught.value.fields) == {"/limit"}


def test_a_change_passes_only_to_whoever_has_seen_the_row_as_it_is() -> None:
    rows.check_version(3, 3)
    with pytest.raises(PreconditionRequired):
        rows.check_version(3, None)
    rows.check_version(3, rows.ANY_VERSION)
    for other in (2, 4, -1):
        with pytest.raises(Stale):
            rows.check_version(3, other)
