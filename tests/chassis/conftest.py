"""A small network of two services, in which faults are injected."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pika
import pytest
from sqlalchemy import Column, MetaData, Table, Uuid, select

from chassis.rpc.methods import serves
from chassis.runtime import tables
from chassis.runtime.container import ServiceRuntime
from chassis.storage import store
from chassis.testing import open_at
from pratique import errors
from pratique.events.meetings import MeetingClosed
from pratique.requests.meetings import CloseMeeting
from pratique.testing import sample
from tests.harness.containers import Running
from tests.harness.waiting import until
from tests.servers import Fresh, Servers

METADATA = MetaData()
SEEN = Table("seen", METADATA, Column("meeting_id", Uuid, primary_key=True))


def close_meeting(session: store.Transaction, command: CloseMeeting) -> None:
    session.publish(sample(MeetingClosed, meeting_id=command.meeting_id))


def remember(session: store.Transaction, event: MeetingClosed) -> None:
    session.execute(SEEN.insert().values(meeting_id=event.meeting_id))


@serves({CloseMeeting: close_meeting})
class Meetings:
    """Announces closings."""

    name = "meetings"
    runtime = ServiceRuntime({}, {})


class Evaluation:
    """Remembers each closing in a table that takes it once."""

    name = "evaluation"
    runtime = ServiceRuntime({MeetingClosed: remember}, {})


def seen(opened: store.Store) -> set[UUID]:
    """The meetings whose closing was reacted to."""
    with opened.begin() as session:
        return set(session.scalars(select(SEEN.c.meeting_id)))


def is_taken(network: Running, meeting_id: UUID) -> bool:
    """Whether the closing was acknowledged; where a connection has just gone it was not, and is to be asked again."""
    try:
        network.call("meetings", "close_meeting", meeting_id=str(meeting_id))
    except errors.Unavailable:
        return False
    return True


def check_alive(network: Running) -> None:
    meeting_id = uuid4()
    until(lambda: is_taken(network, meeting_id))
    until(lambda: meeting_id in seen(network.store("evaluation")))


@pytest.fixture
def wire(prepared: Fresh) -> Iterator[Any]:
    """A channel of a client that is none of ours."""
    connection = pika.BlockingConnection(pika.URLParameters(prepared.broker_url))
    yield connection.channel()
    connection.close()


@pytest.fixture
def prepared(servers: Servers) -> Fresh:
    """Real servers with the tables of the small network."""
    fresh = servers.fresh(is_migrated=False)
    for name in ("meetings", "evaluation"):
        opened = open_at(name, fresh.store_urls[name])
        tables.create_all(opened, METADATA)
        opened.close()
    return fresh
