"""An event is published if, and only if, what it tells was committed."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.storage import store
from chassis.storage.event_log import RELAY
from chassis.testing import published
from pratique.event import Envelope, Event
from pratique.events.evaluation import SurveyClosed, SurveyOpened
from pratique.events.meetings import MeetingClosed, MeetingStarted
from pratique.testing import AT, envelope, sample


class Boom(Exception):
    pass


def announce(opened: store.Store, *events: Event) -> None:
    with opened.begin() as session:
        for event in events:
            session.publish(event)


def waiting(opened: store.Store) -> list[Envelope[Any]]:
    """What the relay would send, oldest first."""
    with opened.begin() as session:
        return [Envelope.from_bytes(row.body) for row in outbox.unpublished(session, 1000)]


def versions(opened: store.Store) -> list[int]:
    return [each.event.version for each in waiting(opened)]


def numbered(count: int) -> list[Event]:
    return [sample(MeetingClosed, version=number) for number in range(1, count + 1)]


def confirm_all(opened: store.Store) -> None:
    with opened.begin() as session:
        outbox.confirmed(session, [row.seq for row in outbox.unpublished(session, 1000)])


def logged(opened: store.Store) -> int:
    with opened.begin() as session:
        return int(session.scalar(select(func.count()).select_from(outbox.EVENT_LOG)) or 0)


def fail(session: store.Transaction, events: object) -> None:
    """A reaction that cannot."""
    raise Boom


def violate(session: store.Transaction) -> None:
    """Something that the database refuses."""
    session.execute(insert(outbox.OUTBOX), [{"seq": 1}, {"seq": 1}])


def test_what_is_committed_is_published_in_order(either: store.Store) -> None:
    announce(either, *numbered(50))
    announce(either, sample(MeetingClosed, version=51))

    assert versions(either) == list(range(1, 52))


def test_what_is_rolled_back_is_never_published(either: store.Store) -> None:
    with pytest.raises(Boom), either.begin() as session:
        session.publish(sample(MeetingClosed))
        session.flush()
        raise Boom

    assert waiting(either) == []
    assert logged(either) == 0


def test_a_commit_that_the_database_refuses_publishes_nothing(either: store.Store) -> None:
    with pytest.raises(IntegrityError), either.begin() as session:
        session.publish(sample(MeetingClosed))
        violate(session)

    assert waiting(either) == []


def test_a_session_used_again_after_a_rollback_forgets_its_promises(either: store.Store) -> None:
    with either.begin() as session:
        session.publish(sample(MeetingClosed, version=1))
        session.rollback()
        assert session.published == []


@pytest.mark.parametrize("fails", [True, False])
def test_a_savepoint_takes_back_what_was_promised_in_it_and_nothing_else(either: store.Store, fails: bool) -> None:
    with either.begin() as session:
        session.publish(sample(MeetingClosed, version=1))
        with pytest.raises((Boom, IntegrityError)), session.savepoint():
            session.publish(sample(MeetingClosed, version=2))
            if fails:
                violate(session)
            raise Boom
        session.publish(sample(MeetingClosed, version=3))

    assert versions(either) == [1, 3]


def test_savepoints_within_savepoints_keep_what_was_promised_before_them(either: store.Store) -> None:
    with either.begin() as session:
        session.publish(sample(MeetingClosed, version=1))
        with pytest.raises(Boom), session.savepoint():
            with session.savepoint():
                session.publish(sample(MeetingClosed, version=2))
            raise Boom
        with session.savepoint():
            session.publish(sample(MeetingClosed, version=3))

    assert versions(either) == [1, 3]


def test_what_the_broker_confirmed_is_not_sent_again_but_stays_in_the_log(either: store.Store) -> None:
    announce(either, *numbered(3))
    with either.begin() as session:
        first = outbox.unpublished(session, 1)
        outbox.confirmed(session, [row.seq for row in first])

    assert versions(either) == [2, 3]
    assert logged(either) == 3


def test_confirming_twice_or_nothing_is_harmless(either: store.Store) -> None:
    announce(either, *numbered(2))
    with either.begin() as session:
        outbox.confirmed(session, [])
    for _ in range(2):
        with either.begin() as session:
            outbox.confirmed(session, [1])

    assert versions(either) == [2]


def test_the_backlog_tells_number_and_age(either: store.Store) -> None:
    with clock.fixed(AT):
        announce(either, *numbered(2))
        clock.move(timedelta(seconds=90))
        with either.begin() as session:
            assert outbox.backlog(session) == (2, 90.0)
        confirm_all(either)
        with either.begin() as session:
            assert outbox.backlog(session) == (0, 0.0)


def test_what_was_published_lately_is_offered_again_once(either: store.Store) -> None:
    with clock.fixed(AT):
        announce(either, sample(MeetingClosed, version=1))
        clock.move(timedelta(hours=2))
        announce(either, sample(MeetingClosed, version=2))
        confirm_all(either)
        announce(either, sample(MeetingClosed, version=3))
        with either.begin() as session:
            assert outbox.offer_again(session, clock.now() - timedelta(hours=1)) == 1
            assert outbox.offer_again(session, clock.now() - timedelta(hours=1)) == 0

    assert versions(either) == [2, 3]


def test_pruning_forgets_what_is_old_and_published_and_keeps_the_unpublished(either: store.Store) -> None:
    with clock.fixed(AT):
        announce(either, *numbered(2))
        confirm_all(either)
        announce(either, sample(MeetingClosed, version=3))
        clock.move(timedelta(days=30, seconds=1))
        announce(either, sample(MeetingClosed, version=4))
        with either.begin() as session:
            assert outbox.prune(session, timedelta(days=30)) == 2

    assert versions(either) == [3, 4]
    assert logged(either) == 2


def test_the_relay_is_woken_by_a_commit_and_by_nothing_else(either: store.Store) -> None:
    woken: list[int] = []
    either.on_commit(RELAY, lambda: woken.append(1))

    with pytest.raises(Boom), either.begin() as session:
        session.publish(sample(MeetingClosed))
        raise Boom
    with either.begin():
        pass
    assert woken == []

    announce(either, *numbered(3))
    assert woken == [1]


def test_what_a_command_announces_begins_a_story(either: store.Store) -> None:
    announce(either, *numbered(2))

    announce(either, *numbered(1))
    first, second, other = waiting(either)
    assert (first.correlation_id, first.causation_id) == (first.id, None)
    assert (second.correlation_id, second.causation_id) == (first.id, None)
    assert other.correlation_id == other.id


def test_what_a_reaction_announces_names_its_cause(either: store.Store) -> None:
    def open_survey(session: store.Transaction, event: MeetingClosed) -> None:
        session.publish(sample(SurveyOpened, version=event.version))

    causes = [envelope(event, correlation_id=envelope(event).id) for event in numbered(3)]
    inbox.receive(either, {MeetingClosed: open_survey}, [cause.to_bytes() for cause in causes])

    told = [(each.event.version, each.causation_id, each.correlation_id) for each in waiting(either)]
    assert told == [(each.event.version, each.id, each.correlation_id) for each in causes]


def test_a_reaction_to_many_says_because_of_which(either: store.Store) -> None:
    @inbox.set_based_on_envelopes
    def open_surveys(session: store.Transaction, closings: Any) -> None:
        for closing in reversed(closings):
            session.publish(sample(SurveyOpened, version=closing.event.version), because=closing.as_cause())
        session.publish(sample(SurveyClosed))

    def note_start(session: store.Transaction, event: MeetingStarted) -> None:
        session.publish(sample(SurveyClosed, version=9))

    causes = [envelope(event) for event in numbered(2)]
    start = envelope(sample(MeetingStarted))
    bodies = [each.to_bytes() for each in (start, *causes)]
    inbox.receive(either, {MeetingStarted: note_start, MeetingClosed: open_surveys}, bodies)

    by_version = {(type(each.event), each.event.version): each.causation_id for each in waiting(either)}
    assert by_version == {
        (SurveyOpened, 1): causes[0].id,
        (SurveyOpened, 2): causes[1].id,
        (SurveyClosed, 9): start.id,
        (SurveyClosed, 1): None,
    }


def test_published_shows_what_is_promised_and_what_was_written(either: store.Store) -> None:
    announce(either, sample(MeetingClosed, version=1), sample(MeetingStarted))
    with either.begin() as session:
        session.publish(sample(MeetingClosed, version=2))
        assert [event.version for event in published(session, MeetingClosed)] == [1, 2]
