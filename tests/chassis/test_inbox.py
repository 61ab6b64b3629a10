"""Each event has its effect once, whatever the broker repeats, reorders or garbles."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, Row, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from chassis import clock
from chassis.messaging import dead_letters, inbox, outbox
from chassis.retry import RETRY_AFTER_S
from chassis.storage import store
from chassis.testing import memory_store, published
from pratique.errors import NotYet
from pratique.event import Envelope
from pratique.events.evaluation import ResultsWithheld, SurveyOpened
from pratique.events.meetings import MeetingClosed, MeetingStarted
from pratique.testing import AT, envelope, sample


def closings(count: int) -> list[Envelope[Any]]:
    return [envelope(sample(MeetingClosed, version=number)) for number in range(1, count + 1)]


def bodies(envelopes: Sequence[Envelope[Any]]) -> list[bytes]:
    return [each.to_bytes() for each in envelopes]


def open_survey(session: store.Transaction, event: MeetingClosed) -> None:
    """A reaction whose effect can be counted: it announces something of the same version."""
    session.publish(sample(SurveyOpened, version=event.version))


def surveys(opened: store.Store) -> Counter[int]:
    with opened.begin() as session:
        return Counter(event.version for event in published(session, SurveyOpened))


def parked(opened: store.Store) -> list[Row[Any]]:
    with opened.begin() as session:
        return list(session.execute(select(inbox.PARKED).order_by(inbox.PARKED.c.type, inbox.PARKED.c.id)))


def failing_for(*numbers: int) -> Callable[[store.Transaction, MeetingClosed], None]:
    """A reaction that fails for closings of these versions, after it has written."""

    def react(session: store.Transaction, event: MeetingClosed) -> None:
        open_survey(session, event)
        session.flush()
        if event.version in numbers:
            raise ValueError(f"cannot bear {event.version}")

    return react


@contextmanager
def away(opened: store.Store) -> Iterator[None]:
    """While the block runs, the store does not answer."""
    begin = opened.begin

    @contextmanager
    def refused(is_reading: bool = False) -> Iterator[store.Transaction]:
        raise store.StoreAway("the store does not answer")
        yield

    opened.begin = refused  # type: ignore[method-assign]
    try:
        yield
    finally:
        opened.begin = begin  # type: ignore[method-assign]


def test_a_repeated_delivery_has_no_effect(either: store.Store) -> None:
    reactions: inbox.Reactions = {MeetingClosed: open_survey}
    batch = closings(3)

    new = inbox.receive(either, reactions, bodies([*batch, batch[0], batch[2]]))
    again = inbox.receive(either, reactions, bodies(batch))

    assert new == batch
    assert again == []
    assert surveys(either) == {1: 1, 2: 1, 3: 1}


def test_nothing_delivered_is_nothing_done(either: store.Store) -> None:
    assert inbox.receive(either, {MeetingClosed: open_survey}, []) == []


def test_an_event_without_a_reaction_is_passed_over(either: store.Store) -> None:
    assert inbox.receive(either, {MeetingStarted: open_survey}, bodies(closings(1))) == []
    assert parked(either) == []
    assert surveys(either) == {}


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 7), max_size=8), max_size=6), st.sets(st.integers(1, 8)))
def test_any_deliveries_in_any_order_give_each_effect_once(batches: list[list[int]], bad: set[int]) -> None:
    known = closings(8)
    delivered = {known[index].event.version for batch in batches for index in batch}
    with memory_store("evaluation", MetaData()) as opened, clock.fixed(AT):
        for batch in batches:
            inbox.receive(opened, {MeetingClosed: failing_for(*bad)}, [known[index].to_bytes() for index in batch])
        assert surveys(opened) == Counter(delivered - bad)
        assert {Envelope.from_bytes(row.body).event.version for row in parked(opened)} == delivered & bad

        clock.move(timedelta(hours=1))
        while inbox.retry_next(opened, {MeetingClosed: open_survey}):
            pass
        assert surveys(opened) == Counter(delivered)
        assert parked(opened) == []


def test_one_bad_event_harms_no_other(either: store.Store) -> None:
    batch = closings(20)

    done = inbox.receive(either, {MeetingClosed: failing_for(7)}, bodies(batch))

    assert [each.event.version for each in done] == [number for number in range(1, 21) if number != 7]
    assert surveys(either) == Counter(number for number in range(1, 21) if number != 7)
    (row,) = parked(either)
    assert (row.id, row.state, row.attempts, row.type) == (batch[6].id, "waiting", 0, MeetingClosed.type)
    assert row.error == "ValueError: cannot bear 7"
    assert Envelope.from_bytes(row.body) == batch[6]


def test_an_event_that_breaks_the_transaction_harms_no_other(either: store.Store) -> None:
    def react(session: store.Transaction, event: MeetingClosed) -> None:
        open_survey(session, event)
        if event.version == 2:
            session.execute(insert(outbox.OUTBOX), [{"seq": 900}, {"seq": 900}])

    inbox.receive(either, {MeetingClosed: react}, bodies(closings(3)))

    assert surveys(either) == {1: 1, 3: 1}
    assert parked(either)[0].error.startswith(IntegrityError.__name__)


def test_a_parked_event_is_tried_again_on_the_ladder_and_is_dead_after_the_last(either: store.Store) -> None:
    reactions: inbox.Reactions = {MeetingClosed: failing_for(1)}
    with clock.fixed(AT):
        inbox.receive(either, reactions, bodies(closings(1)))
        for attempt, wait_s in enumerate(RETRY_AFTER_S):
            clock.move(timedelta(seconds=wait_s * 0.79))
            assert not inbox.retry_next(either, reactions), "tried too early"
            clock.move(timedelta(seconds=wait_s * 0.42))
            assert inbox.retry_next(either, reactions)
            (row,) = parked(either)
            assert row.attempts == attempt + 1
            assert row.state == ("dead" if attempt + 1 == len(RETRY_AFTER_S) else "waiting")
        clock.move(timedelta(days=30))
        assert not inbox.retry_next(either, reactions)

    assert surveys(either) == {}


def test_a_retry_that_succeeds_leaves_nothing_parked_even_at_the_last_attempt(either: store.Store) -> None:
    with clock.fixed(AT):
        inbox.receive(either, {MeetingClosed: failing_for(1)}, bodies(closings(1)))
        with either.begin() as session:
            session.execute(update(inbox.PARKED).values(attempts=len(RETRY_AFTER_S) - 1))
        clock.move(timedelta(hours=3))
        assert inbox.retry_next(either, {MeetingClosed: open_survey})
        assert not inbox.retry_next(either, {MeetingClosed: open_survey})

    assert parked(either) == []
    assert surveys(either) == {1: 1}


def test_a_parked_event_that_is_delivered_again_meanwhile_has_its_effect_once(either: store.Store) -> None:
    with clock.fixed(AT):
        batch = bodies(closings(1))
        inbox.receive(either, {MeetingClosed: failing_for(1)}, batch)
        inbox.receive(either, {MeetingClosed: failing_for(1)}, batch)
        inbox.receive(either, {MeetingClosed: open_survey}, batch)
        clock.move(timedelta(hours=1))
        while inbox.retry_next(either, {MeetingClosed: open_survey}):
            pass

    assert surveys(either) == {1: 1}
    assert parked(either) == []


def test_what_comes_before_its_predecessor_waits_for_it(either: store.Store) -> None:
    def withhold(session: store.Transaction, event: ResultsWithheld) -> None:
        if not published(session, SurveyOpened):
            raise NotYet("its survey has not arrived")
        session.publish(sample(ResultsWithheld))

    reactions: inbox.Reactions = {MeetingClosed: open_survey, ResultsWithheld: withhold}
    with clock.fixed(AT):
        inbox.receive(either, reactions, [envelope(sample(ResultsWithheld)).to_bytes()])
        inbox.receive(either, reactions, bodies(closings(1)))
        clock.move(timedelta(seconds=2))
        assert inbox.retry_next(either, reactions)

    with either.begin() as session:
        assert len(published(session, ResultsWithheld)) == 1
    assert parked(either) == []


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"{}", b"[" * 100_000])
def test_what_cannot_be_decoded_is_dead_at_once_and_once(either: store.Store, body: bytes) -> None:
    for _ in range(2):
        inbox.receive(either, {MeetingClosed: open_survey}, [body, *bodies(closings(1)), body])

    (row,) = parked(either)
    assert (row.state, row.type, bytes(row.body)) == ("dead", "", body)
    assert row.error
    assert surveys(either) == {1: 2}


def test_what_still_cannot_be_decoded_when_it_is_replayed_is_a_dead_letter_again(either: store.Store) -> None:
    """It does not wait, out of sight, for attempts that cannot help."""
    inbox.receive(either, {}, [b"half of an event"])
    with either.begin() as session:
        dead_letters.replay(session, dead_letters.list_letters(session, "x"))
        assert dead_letters.count(session) == {"dead": 0, "waiting": 1}

    assert inbox.retry_next(either, {})
    with either.begin() as session:
        assert dead_letters.count(session) == {"dead": 1, "waiting": 0}


def test_an_error_that_no_store_can_hold_is_kept_in_other_words(either: store.Store) -> None:
    def react(session: store.Transaction, event: MeetingClosed) -> None:
        raise ValueError("nul \x00, half \ud800, long " + "x" * 10_000)

    with clock.fixed(AT):
        inbox.receive(either, {MeetingClosed: react}, bodies(closings(1)))
        assert parked(either)[0].error.startswith("ValueError: nul , half ?, long xxx")
        clock.move(timedelta(seconds=2))
        assert inbox.retry_next(either, {MeetingClosed: react})

    (row,) = parked(either)
    assert (row.attempts, row.error[:16]) == (1, "ValueError: nul ")


def test_a_set_based_reaction_gets_the_new_ones_together(either: store.Store) -> None:
    calls: list[list[int]] = []

    @inbox.set_based
    def open_surveys(session: store.Transaction, events: Sequence[MeetingClosed]) -> None:
        calls.append([event.version for event in events])
        for event in events:
            session.publish(sample(SurveyOpened, version=event.version))

    batch = closings(5)
    inbox.receive(either, {MeetingClosed: open_surveys}, bodies(batch[:2]))
    inbox.receive(either, {MeetingClosed: open_surveys}, bodies(batch))

    assert calls == [[1, 2], [3, 4, 5]]
    assert surveys(either) == dict.fromkeys(range(1, 6), 1)


def test_while_the_store_is_away_nothing_is_done_and_the_caller_knows(either: store.Store) -> None:
    batch = [b"garbage", *bodies(closings(2))]
    with away(either), pytest.raises(store.StoreAway):
        inbox.receive(either, {MeetingClosed: open_survey}, batch)
    assert (parked(either), surveys(either)) == ([], {})

    assert len(inbox.receive(either, {MeetingClosed: open_survey}, batch)) == 2


def test_a_store_that_goes_away_in_a_reaction_parks_nothing(either: store.Store) -> None:
    def react(session: store.Transaction, event: MeetingClosed) -> None:
        open_survey(session, event)
        raise store.StoreAway("the store does not answer")

    with pytest.raises(store.StoreAway):
        inbox.receive(either, {MeetingClosed: react}, bodies(closings(2)))

    assert (parked(either), surveys(either)) == ([], {})


@pytest.mark.real
@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_a_connection_that_is_cut_in_a_reaction_is_the_store_being_away(either: store.Store) -> None:
    def react(session: store.Transaction, event: MeetingClosed) -> None:
        session.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(store.StoreAway):
        inbox.receive(either, {MeetingClosed: react}, bodies(closings(2)))

    assert len(inbox.receive(either, {MeetingClosed: open_survey}, bodies(closings(2)))) == 2
    assert parked(either) == []


@pytest.mark.real
@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_a_reaction_whose_statement_takes_too_long_is_parked_and_blocks_nothing(either: store.Store) -> None:
    def react(session: store.Transaction, event: MeetingClosed) -> None:
        open_survey(session, event)
        if event.version == 1:
            session.execute(text("set local statement_timeout = '10ms'"))
            session.execute(text("select pg_sleep(5)"))

    inbox.receive(either, {MeetingClosed: react}, bodies(closings(2)))

    assert surveys(either) == {2: 1}
    assert parked(either)[0].error.startswith(OperationalError.__name__)


def test_what_was_delivered_too_often_is_set_aside_unread_and_tried_later(either: store.Store) -> None:
    with clock.fixed(AT):
        inbox.park_unread(either, [b"garbage", *bodies(closings(1))])
        assert {(row.state, row.type) for row in parked(either)} == {("dead", ""), ("waiting", MeetingClosed.type)}
        clock.move(timedelta(seconds=2))
        assert inbox.retry_next(either, {MeetingClosed: open_survey})

    assert surveys(either) == {1: 1}


def test_a_parked_event_that_nobody_reacts_to_any_more_goes(either: store.Store) -> None:
    with clock.fixed(AT):
        inbox.receive(either, {MeetingClosed: failing_for(1)}, bodies(closings(1)))
        clock.move(timedelta(seconds=2))
        assert inbox.retry_next(either, {})

    assert parked(either) == []


def test_an_old_event_that_comes_back_after_pruning_is_left_to_natural_keys(either: store.Store) -> None:
    batch = bodies(closings(1))
    with clock.fixed(AT):
        inbox.receive(either, {MeetingClosed: open_survey}, batch)
        clock.move(timedelta(days=91))
        for pruned in (1, 0):
            with either.begin() as session:
                assert inbox.prune(session, timedelta(days=90)) == pruned
        assert len(inbox.receive(either, {MeetingClosed: open_survey}, batch)) == 1


def test_retries_begin_with_what_has_waited_longest(either: store.Store) -> None:
    tried: list[UUID] = []

    def react(session: store.Transaction, event: MeetingClosed) -> None:
        tried.append(event.meeting_id)

    with clock.fixed(AT):
        first, second = (envelope(sample(MeetingClosed, meeting_id=UUID(int=number))) for number in (1, 2))
        inbox.park(either, first, first.to_bytes(), "why")
        clock.move(timedelta(seconds=10))
        inbox.park(either, second, second.to_bytes(), "why")
        clock.move(timedelta(seconds=10))
        while inbox.retry_next(either, {MeetingClosed: react}):
            pass

    assert tried == [UUID(int=1), UUID(int=2)]
