"""A transaction publishes, locks and wakes, and takes all of it back when it fails."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from chassis.messaging import inbox, outbox
from chassis.storage import store
from chassis.storage.transaction import Transaction
from pratique.event import Envelope
from pratique.events.evaluation import SurveyOpened
from pratique.events.meetings import MeetingClosed
from pratique.testing import envelope, sample

ONE, TWO = UUID(int=1), UUID(int=2)
on_postgresql = pytest.mark.parametrize(
    "empty_url", [pytest.param("postgresql", marks=pytest.mark.real)], indirect=True
)


def hurry(transaction: Transaction) -> None:
    """Let it wait for no lock."""
    transaction.execute(text("set local lock_timeout = '20ms'"))


def test_a_savepoint_that_would_keep_what_was_published_in_it_is_refused(either: store.Store) -> None:
    with either.begin() as transaction, pytest.raises(TypeError, match="savepoint"):
        transaction.begin_nested()


def test_a_commit_that_would_lose_what_was_published_is_refused(either: store.Store) -> None:
    with either.begin() as transaction, pytest.raises(TypeError, match="with block"):
        transaction.commit()


def test_a_store_opened_without_settings_says_so_to_who_asks_for_them() -> None:
    opened = store.Store("meetings", "sqlite://")
    with opened.begin() as transaction, pytest.raises(LookupError, match="open_store"):
        transaction.seal  # noqa: B018
    opened.close()


def test_what_a_reaction_to_many_publishes_of_itself_correlates_with_nothing(either: store.Store) -> None:
    @inbox.set_based
    def open_surveys(transaction: Transaction, events: Sequence[MeetingClosed]) -> None:
        for event in events:
            transaction.publish(sample(SurveyOpened, version=event.version))

    closings = [envelope(sample(MeetingClosed, version=number)) for number in (1, 2)]
    inbox.receive(either, {MeetingClosed: open_surveys}, [each.to_bytes() for each in closings])

    with either.begin() as transaction:
        told = [Envelope.from_bytes(row.body) for row in outbox.unpublished(transaction, 10)]
    assert [each.correlation_id for each in told] == [each.id for each in told]


@on_postgresql
def test_one_transaction_at_a_time_holds_the_lock_of_a_name(either: store.Store) -> None:
    with either.begin() as first:
        assert first.try_lock("a")
        with either.begin() as second:
            assert not second.try_lock("a")
            assert second.try_lock("b")
        with pytest.raises(OperationalError, match="lock timeout"), either.begin() as second:
            hurry(second)
            second.lock("a")
    with either.begin() as second:
        assert second.try_lock("a")


@on_postgresql
def test_locks_of_ids_are_shared_by_those_who_share_and_by_nobody_else(either: store.Store) -> None:
    with either.begin() as first:
        first.lock_each([ONE, TWO], is_shared=True)
        with either.begin() as second:
            hurry(second)
            second.lock_each([TWO], is_shared=True)
        with pytest.raises(OperationalError, match="lock timeout"), either.begin() as second:
            hurry(second)
            second.lock_each([TWO])


@on_postgresql
def test_the_lock_of_an_id_is_the_one_that_the_release_before_takes(either: store.Store) -> None:
    """Replicas of both run at once while a deployment is upgraded."""
    with either.begin() as before:
        before.execute(text("select pg_advisory_xact_lock(hashtextextended(:id, 0))"), {"id": str(ONE)})
        before.execute(text("select pg_advisory_xact_lock(hashtext('pratique.relay'))"))
        with either.begin() as now:
            assert not now.try_lock("pratique.relay")
        with pytest.raises(OperationalError, match="lock timeout"), either.begin() as now:
            hurry(now)
            now.lock_each([ONE])


@on_postgresql
def test_locks_of_no_ids_are_none(either: store.Store) -> None:
    with either.begin() as transaction:
        transaction.lock_each([])
