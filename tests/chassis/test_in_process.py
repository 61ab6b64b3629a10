"""Events are carried from store to store without a broker, and what follows from them too."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
from sqlalchemy import MetaData

from chassis.messaging.in_process import deliver_all
from chassis.messaging.inbox import Reactions
from chassis.storage import store
from chassis.testing import memory_store, published
from pratique.events.evaluation import SurveyInvitationsIssued, SurveyOpened
from pratique.events.meetings import MeetingClosed
from pratique.events.notifications import MessageDelivered
from pratique.testing import sample


def open_survey(session: store.Transaction, event: MeetingClosed) -> None:
    session.publish(sample(SurveyOpened, version=event.version))
    session.publish(sample(SurveyInvitationsIssued, version=event.version))


def deliver(session: store.Transaction, event: SurveyInvitationsIssued) -> None:
    session.publish(sample(MessageDelivered, version=event.version))


REACTIONS: Mapping[str, Reactions] = {
    "meetings": {},
    "evaluation": {MeetingClosed: open_survey},
    "notifications": {SurveyInvitationsIssued: deliver},
}


@pytest.fixture
def stores() -> Iterator[dict[str, store.Store]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(memory_store(name, MetaData())) for name in REACTIONS}


def close(stores: dict[str, store.Store], count: int) -> None:
    with stores["meetings"].begin() as session:
        for number in range(1, count + 1):
            session.publish(sample(MeetingClosed, version=number))


def delivered(stores: dict[str, store.Store]) -> list[int]:
    with stores["notifications"].begin() as session:
        return sorted(event.version for event in published(session, MessageDelivered))


def test_what_follows_from_what_follows_is_carried_too(stores: dict[str, store.Store]) -> None:
    close(stores, 3)

    assert deliver_all(stores, REACTIONS) == 3 + 6 + 3
    assert delivered(stores) == [1, 2, 3]
    assert deliver_all(stores, REACTIONS) == 0


def test_repeated_and_reversed_deliveries_change_nothing(stores: dict[str, store.Store]) -> None:
    close(stores, 3)
    deliver_all(stores, REACTIONS, arrange=lambda bodies: [*reversed(bodies), *bodies])

    assert delivered(stores) == [1, 2, 3]


def test_more_than_one_window_is_carried_whole(stores: dict[str, store.Store]) -> None:
    close(stores, 501)
    deliver_all(stores, REACTIONS)

    assert delivered(stores) == list(range(1, 502))
