"""What a service may count on: its commands are announced, its reactions happen once, and nothing ends it."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import eventlet
import pytest
from eventlet.event import Event as Gate
from sqlalchemy import Column, MetaData, Table, Uuid, select

from chassis import clock, metrics
from chassis.messaging import in_memory, inbox, outbox
from chassis.retry import RETRY_AFTER_S
from chassis.rpc.methods import serves
from chassis.rpc.server import RpcServer
from chassis.runtime import tables
from chassis.runtime.container import ServiceRuntime
from chassis.runtime.readiness import readiness
from chassis.runtime.topology import declare
from chassis.settings import Settings
from chassis.storage import store
from chassis.testing import SEAL_KEY, open_at
from pratique import errors
from pratique.errors import InternalError
from pratique.events.meetings import MeetingClosed, MeetingStarted
from pratique.permissions import Rule
from pratique.request import Answer, Command, Query
from pratique.requests.meetings import CloseMeeting, StartMeeting
from pratique.testing import sample
from tests.harness.containers import Running, running
from tests.harness.waiting import PATIENCE_S, until

METADATA = MetaData()
SEEN = Table("seen", METADATA, Column("meeting_id", Uuid, primary_key=True))
reactions_run: Counter[UUID] = Counter()


class Refuse(Command, needs=Rule.ANYONE):
    """A command that is always refused."""


class Fail(Command, needs=Rule.ANYONE):
    """A command that always fails."""


class OpenBallot(Command, is_counted=False, needs=Rule.ANYONE):
    """A command that no metric counts."""


class CastBallot(Command, is_counted=False, needs=Rule.ANYONE):
    """Another one."""


class Words(Answer):
    """An answer."""

    words: str


class Dawdle(Query, answer=Words, needs=Rule.ANYONE):
    """A query that takes until its gate is opened."""

    gate: UUID


def close_meeting(session: store.Transaction, command: CloseMeeting) -> None:
    session.publish(sample(MeetingClosed, meeting_id=command.meeting_id))


def start_meeting(session: store.Transaction, command: StartMeeting) -> None:
    session.publish(sample(MeetingStarted, meeting_id=command.meeting_id))


def refuse(session: store.Transaction, command: Refuse) -> None:
    session.publish(sample(MeetingClosed))
    raise errors.Invalid("It cannot be.", {"/field": "why"})


def fail(session: store.Transaction, command: Fail) -> None:
    raise ValueError("postgresql://user:password@host/secret")


def do_nothing(session: store.Transaction, command: OpenBallot | CastBallot) -> None:
    pass


gates: dict[UUID, Gate] = {}


def dawdle(session: store.Transaction, query: Dawdle) -> Words:
    gates[query.gate].wait()
    return Words(words="late")


@pytest.fixture
def gate() -> Iterator[UUID]:
    """A gate at which a call of ``dawdle`` waits until the test opens it."""
    id = uuid4()
    gates[id] = Gate()
    yield id
    if not gates[id].ready():
        gates[id].send()


def remember(session: store.Transaction, event: MeetingClosed) -> None:
    reactions_run[event.meeting_id] += 1
    session.execute(SEEN.insert().values(meeting_id=event.meeting_id))


def always_fail(session: store.Transaction, event: MeetingStarted) -> None:
    raise ValueError("this reaction always fails")


@serves(
    {
        CloseMeeting: close_meeting,
        StartMeeting: start_meeting,
        Refuse: refuse,
        Fail: fail,
        OpenBallot: do_nothing,
        CastBallot: do_nothing,
    },
    {Dawdle: dawdle},
    access={},
)
class Meetings:
    name = "meetings"
    runtime = ServiceRuntime({}, {})


class Evaluation:
    name = "evaluation"
    runtime = ServiceRuntime({MeetingClosed: remember, MeetingStarted: always_fail}, {})


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A bus and two stores: in this process, and on real servers."""
    if request.param == "embedded":
        urls = {name: f"sqlite:///{tmp_path / name}.sqlite" for name in ("meetings", "evaluation")}
        given = Settings(broker_url="embedded://", store_urls=urls, home=tmp_path, seal_key=SEAL_KEY)
    else:
        fresh = request.getfixturevalue("servers").fresh(is_migrated=False)
        given = fresh.settings()
    for name in ("meetings", "evaluation"):
        opened = open_at(name, given.store_urls[name])
        tables.create_all(opened, METADATA)
        opened.close()
    yield dataclasses.replace(given, rpc_timeout_s=30.0)
    in_memory.reset()


@pytest.fixture
def network(settings: Settings) -> Iterator[Running]:
    with running(settings, [Meetings, Evaluation]) as started:
        yield started


@pytest.fixture
def impatient(network: Running, settings: Settings) -> Iterator[Running]:
    """Another caller of the same services, who waits a second for an answer."""
    with running(dataclasses.replace(settings, rpc_timeout_s=1.0), []) as started:
        yield started


def in_hand(network: Running) -> bool:
    """Whether meetings works on a call."""
    return bool(network.container("meetings")._worker_threads)


def seen(opened: store.Store) -> set[UUID]:
    with opened.begin() as session:
        return set(session.scalars(select(SEEN.c.meeting_id)))


def test_what_a_command_announces_reaches_its_reaction_once(network: Running) -> None:
    meetings = {uuid4() for _ in range(30)}
    for meeting_id in meetings:
        network.call("meetings", "close_meeting", meeting_id=str(meeting_id))
    until(lambda: seen(network.store("evaluation")) == meetings)
    assert {reactions_run[meeting_id] for meeting_id in meetings} == {1}
    until(lambda: _backlog(network.store("meetings")) == 0)  # a moment later: when the broker has confirmed them


def test_a_refused_command_announces_nothing_and_says_why(network: Running) -> None:
    with pytest.raises(errors.Invalid, match="It cannot be") as refused:
        network.call("meetings", "refuse")
    assert refused.value.fields == {"/field": "why"}
    with network.store("meetings").begin() as session:
        assert session.execute(select(outbox.EVENT_LOG)).all() == []


def test_an_unexpected_error_crosses_without_its_text(network: Running) -> None:
    with pytest.raises(InternalError) as failed:
        network.call("meetings", "fail")
    assert "password" not in str(failed.value)
    network.call("meetings", "close_meeting", meeting_id=str(uuid4()))


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [({}, "/meeting_id"), ({"meeting_id": "x"}, "/meeting_id"), ({"meeting_id": str(uuid4()), "x": 1}, "/x")],
)
def test_a_malformed_call_names_the_argument(network: Running, payload: dict[str, object], pointer: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        network.call("meetings", "close_meeting", **payload)
    assert list(refused.value.fields) == [pointer]


def calls_counted() -> dict[str, float]:
    """How many calls of meetings the metrics tell, by the name that they tell them by."""
    samples = [each for metric in metrics.RPC_SECONDS.collect() for each in metric.samples]
    mine = [each for each in samples if each.name.endswith("_count") and each.labels["service"] == "meetings"]
    return {each.labels["method"]: each.value for each in mine}


def test_methods_that_are_not_counted_leave_no_figure(network: Running) -> None:
    for method in ("open_ballot", "close_meeting", "cast_ballot"):
        network.call("meetings", method, **({"meeting_id": str(uuid4())} if method == "close_meeting" else {}))

    assert "close_meeting" in calls_counted()
    assert not calls_counted().keys() & {"open_ballot", "cast_ballot"}


def test_a_slow_service_costs_its_caller_the_deadline_and_no_more(
    network: Running, impatient: Running, gate: UUID
) -> None:
    with pytest.raises(errors.Unavailable, match="did not answer"):
        impatient.call("meetings", "dawdle", gate=str(gate))  # which is still at it when the caller has given up
    gates[gate].send()
    until(lambda: not in_hand(network))  # the late answer has gone, and is dropped
    network.call("meetings", "close_meeting", meeting_id=str(uuid4()))


def test_a_service_that_never_ran_is_unavailable(impatient: Running) -> None:
    with pytest.raises(errors.Unavailable):
        impatient.call("membership", "get_member", member_id=str(uuid4()))


def test_a_reaction_that_always_fails_harms_no_other_and_ends_as_a_dead_letter(network: Running) -> None:
    good, bad = uuid4(), uuid4()
    with clock.fixed(clock.now()):
        with network.store("meetings").begin() as session:
            start_meeting(session, StartMeeting(meeting_id=bad))
            close_meeting(session, CloseMeeting(meeting_id=good))
        evaluation = network.store("evaluation")
        until(lambda: good in seen(evaluation))

        def state() -> list[tuple[str, int]]:
            with evaluation.begin() as session:
                return [(row.state, row.attempts) for row in session.execute(select(inbox.PARKED))]

        def has_been_tried(times: int) -> bool:
            return state()[0][1] == times

        until(lambda: state() == [("waiting", 0)])
        for attempt in range(1, 7):
            clock.move(timedelta(seconds=RETRY_AFTER_S[min(attempt, 5)] * 1.3))
            until(partial(has_been_tried, attempt))
        assert state() == [("dead", 6)]
    assert len(seen(evaluation)) == 1


def test_a_service_is_ready_only_while_it_consumes(network: Running) -> None:
    container = network.container("evaluation")
    assert readiness(container) == {"reactions": True, "store": True}
    network.extension("evaluation", ServiceRuntime).consumers[0].kill()
    assert readiness(container)["reactions"] is False


def test_stopping_lets_work_in_flight_finish(settings: Settings, gate: UUID) -> None:
    with running(settings, [Meetings, Evaluation]) as network:
        asked = eventlet.spawn(network.call, "meetings", "dawdle", gate=str(gate))
        until(lambda: in_hand(network))
        stopping = eventlet.spawn(network.container("meetings").stop)
        until(lambda: network.extension("meetings", RpcServer).listener.is_stopping)
        gates[gate].send()
        assert asked.wait() == {"words": "late"}
        stopping.wait()


def test_a_worker_that_never_ends_does_not_keep_the_service_from_stopping(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, gate: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chassis.runtime.container.STOP_S", 1.0)
    with running(settings, [Meetings]) as network, running(settings, []) as other:
        asking = eventlet.spawn(other.call, "meetings", "dawdle", gate=str(gate))
        until(lambda: in_hand(network))
        with eventlet.Timeout(PATIENCE_S):
            network.container("meetings").stop()
        assert "meetings did not drain within 1 s and is ended" in caplog.text
        assert not gates[gate].ready()
        asking.kill()


def test_what_was_committed_before_a_crash_is_published_after_the_restart(settings: Settings) -> None:
    meeting_id = uuid4()
    opened = open_at("meetings", settings.store_urls["meetings"])
    with opened.begin() as session:
        close_meeting(session, CloseMeeting(meeting_id=meeting_id))
    opened.close()
    with running(settings, [Evaluation]) as network, running(settings, [Meetings]):
        until(lambda: seen(network.store("evaluation")) == {meeting_id})


def test_the_queue_of_a_service_that_has_not_run_yet_keeps_its_events(settings: Settings) -> None:
    declare(settings, [Meetings, Evaluation])
    meeting_id = uuid4()
    with running(settings, [Meetings]) as network:
        network.call("meetings", "close_meeting", meeting_id=str(meeting_id))
        opened = network.store("meetings")
        until(lambda: _backlog(opened) == 0)
    with running(settings, [Evaluation]) as network:
        until(lambda: seen(network.store("evaluation")) == {meeting_id})


def _backlog(opened: store.Store) -> int:
    with opened.begin() as session:
        return outbox.backlog(session)[0]
