"""What must happen later happens once, when it is time, whoever looks first."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, select
from sqlalchemy.exc import StatementError

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.retry import RETRY_AFTER_S
from chassis.scheduling import due
from chassis.storage import store
from chassis.testing import open_at, published
from pratique.event import Cause, Envelope
from pratique.events.evaluation import SurveyClosed
from pratique.events.meetings import MeetingClosed
from pratique.testing import AT, envelope, sample

ONE, TWO = UUID(int=1), UUID(int=2)
HOUR = timedelta(hours=1)


def close_survey(session: store.Transaction, subject: UUID) -> None:
    """A handler whose effect can be counted."""
    session.publish(sample(SurveyClosed, survey_id=subject))


def fail(session: store.Transaction, subject: UUID) -> None:
    close_survey(session, subject)
    raise ValueError("nul \x00 and half \ud800")


HANDLERS = {"close": close_survey, "fail": fail}


def plan(opened: store.Store, kind: str = "close", subject: UUID = ONE, at: datetime = AT + HOUR) -> None:
    with opened.begin() as session:
        due.plan(session, kind, subject, at)


def run_all(opened: store.Store) -> int:
    count = 0
    while due.run_next(opened, HANDLERS):
        count += 1
    return count


def closed(opened: store.Store) -> Counter[UUID]:
    with opened.begin() as session:
        return Counter(event.survey_id for event in published(session, SurveyClosed))


def rows(opened: store.Store) -> list[Row[Any]]:
    with opened.begin() as session:
        return list(session.execute(select(due.DUE).order_by(due.DUE.c.subject)))


def overdue(opened: store.Store) -> int:
    with opened.begin() as session:
        return due.overdue(session)


def test_it_happens_once_and_not_before_its_time(either: store.Store) -> None:
    with clock.fixed(AT):
        plan(either)
        clock.move(HOUR - timedelta(microseconds=1))
        assert (run_all(either), overdue(either)) == (0, 0)
        clock.move(timedelta(microseconds=1))
        assert overdue(either) == 1
        assert run_all(either) == 1
        clock.move(timedelta(days=400))
        assert run_all(either) == 0

    assert closed(either) == {ONE: 1}


def test_planning_again_moves_it(either: store.Store) -> None:
    with clock.fixed(AT):
        plan(either)
        plan(either, at=AT + 3 * HOUR)
        clock.move(2 * HOUR)
        assert run_all(either) == 0
        clock.move(HOUR)
        assert run_all(either) == 1

    assert closed(either) == {ONE: 1}


def test_planning_what_has_happened_does_not_make_it_happen_again(either: store.Store) -> None:
    with clock.fixed(AT):
        plan(either, at=AT)
        assert run_all(either) == 1
        plan(either, at=AT)
        assert run_all(either) == 0


def test_planning_many_leaves_what_is_planned_where_it_is(either: store.Store) -> None:
    with clock.fixed(AT):
        plan(either, subject=ONE, at=AT + 5 * HOUR)
        with either.begin() as session:
            due.plan_many(session, [("close", ONE, AT), ("close", TWO, AT), ("close", TWO, AT)])
            due.plan_many(session, [])
        assert run_all(either) == 1

    assert closed(either) == {TWO: 1}


def test_what_is_cancelled_does_not_happen(either: store.Store) -> None:
    with clock.fixed(AT):
        plan(either)
        plan(either, subject=TWO)
        with either.begin() as session:
            due.cancel_many(session, "close", [ONE])
            due.cancel_many(session, "close", [UUID(int=99)])
        clock.move(HOUR)
        run_all(either)

    assert closed(either) == {TWO: 1}


def test_what_was_planned_in_a_transaction_that_failed_does_not_happen(either: store.Store) -> None:
    with pytest.raises(KeyError), either.begin() as session:
        due.plan(session, "close", ONE, AT)
        raise KeyError

    assert rows(either) == []


def test_the_longest_overdue_comes_first(either: store.Store) -> None:
    with clock.fixed(AT):
        plan(either, subject=ONE, at=AT - HOUR)
        plan(either, subject=TWO, at=AT - 2 * HOUR)
        due.run_next(either, HANDLERS)

    assert closed(either) == {TWO: 1}


def test_what_fails_is_tried_again_ever_later_and_is_dead_after_the_last(either: store.Store) -> None:
    with clock.fixed(AT):
        plan(either, kind="fail", at=AT)
        for attempt, wait_s in enumerate([0, *RETRY_AFTER_S]):
            clock.move(timedelta(seconds=wait_s * 0.79))
            assert attempt == 0 or run_all(either) == 0, "tried too early"
            clock.move(timedelta(seconds=wait_s * 0.42))
            assert run_all(either) == 1
            assert rows(either)[0].attempts == attempt + 1
        clock.move(timedelta(days=400))
        assert (run_all(either), overdue(either)) == (0, 0)

    (row,) = rows(either)
    assert (row.state, row.error) == ("dead", "ValueError: nul  and half ?")
    assert closed(either) == {}


def test_what_fails_keeps_nothing_else_waiting(either: store.Store) -> None:
    with clock.fixed(AT):
        plan(either, kind="fail", at=AT - HOUR)
        plan(either, kind="nobody knows this kind", subject=TWO, at=AT - HOUR)
        plan(either, at=AT)
        assert run_all(either) == 3

    assert closed(either) == {ONE: 1}
    assert "KeyError" in rows(either)[2].error


def causes(opened: store.Store) -> dict[UUID, tuple[UUID, UUID | None]]:
    """Correlation and causation of each closing, by survey."""
    with opened.begin() as session:
        bodies = session.scalars(select(outbox.EVENT_LOG.c.body).where(outbox.EVENT_LOG.c.type == SurveyClosed.type))
        told = [Envelope.from_bytes(body) for body in bodies]
    return {UUID(each.event.subject): (each.correlation_id, each.causation_id) for each in told}


def test_what_is_due_follows_from_what_planned_it(either: store.Store) -> None:
    def plan_closing(session: store.Transaction, event: MeetingClosed) -> None:
        due.plan(session, "close", event.meeting_id, AT)

    @inbox.set_based_on_envelopes
    def plan_closings(session: store.Transaction, closings: Any) -> None:
        rows = [("close", closing.event.meeting_id, AT, closing.as_cause()) for closing in reversed(closings)]
        due.plan_many(session, rows)

    closings = [envelope(sample(MeetingClosed, meeting_id=UUID(int=n)), correlation_id=UUID(int=n)) for n in (1, 2, 3)]
    bodies = [each.to_bytes() for each in closings]
    with clock.fixed(AT):
        inbox.receive(either, {MeetingClosed: plan_closing}, bodies[:1])
        inbox.receive(either, {MeetingClosed: plan_closings}, bodies[1:])
        assert run_all(either) == 3

    assert causes(either) == {UUID(int=n): (UUID(int=n), closings[n - 1].id) for n in (1, 2, 3)}


def test_what_a_command_plans_correlates_with_what_it_publishes(either: store.Store) -> None:
    with clock.fixed(AT):
        with either.begin() as session:
            close_survey(session, ONE)
            due.plan(session, "close", TWO, AT)
        run_all(either)

    told = causes(either)
    assert told[ONE][0] == told[TWO][0]


def test_planning_again_follows_from_the_later_plan(either: store.Store) -> None:
    with clock.fixed(AT):
        for number in (1, 2):
            with either.begin() as session:
                due.plan(session, "close", ONE, AT, because=Cause(UUID(int=number)))
        run_all(either)

    assert causes(either) == {ONE: (UUID(int=2), None)}


def test_a_naive_time_is_refused(either: store.Store) -> None:
    with pytest.raises(StatementError, match="naive"):
        plan(either, at=datetime(2026, 3, 12, 14, 0))  # noqa: DTZ001  (that is what is refused)


def test_planning_wakes_the_loop_at_the_commit(either: store.Store) -> None:
    woken: list[int] = []
    either.on_commit(due.LOOP, lambda: woken.append(1))
    plan(either)

    assert woken == [1]


def test_what_the_store_went_away_from_is_tried_again_a_second_later(either: store.Store) -> None:
    def lose_the_store(session: store.Transaction, subject: UUID) -> None:
        raise store.StoreAway("the store does not answer")

    with clock.fixed(AT):
        plan(either, at=AT)
        with pytest.raises(store.StoreAway):
            due.run_next(either, {"close": lose_the_store})
        clock.move(timedelta(seconds=2))
        assert run_all(either) == 1


@pytest.mark.real
@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_two_runners_share_the_work_and_do_nothing_twice(either: store.Store) -> None:
    other = open_at("meetings", either.url)
    found: list[bool] = []

    def while_another_looks(session: store.Transaction, subject: UUID) -> None:
        close_survey(session, subject)
        if not found:
            found.extend(due.run_next(other, HANDLERS) for _ in range(2))

    with clock.fixed(AT):
        plan(either, subject=ONE, at=AT - HOUR)
        plan(either, subject=TWO, at=AT)
        assert due.run_next(either, {"close": while_another_looks})
        assert run_all(either) == 0
    other.close()

    assert found == [True, False]  # it did the second, and did not touch the first
    assert closed(either) == {ONE: 1, TWO: 1}
