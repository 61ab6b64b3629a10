"""What is no reaction: migrations, retention, dead letters and tokens, ended at each point and begun again."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import inspect, select

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.messaging.inbox import PARKED
from chassis.retry import RETRY_AFTER_S
from chassis.runtime.retention import retention
from chassis.settings import STORES, embedded
from chassis.storage.migrate import is_current, migrate
from chassis.storage.store import Store
from chassis.storage.transaction import Transaction
from chassis.storage.types import CHASSIS_TABLES
from operations import cli, composition
from operations.up import _token
from pratique import testing
from pratique.events.meetings import MeetingClosed
from tests.faults.points.ending import ends_at
from tests.harness.migrations import open_empty

MIGRATING = ("migrate.stepped", "migrate.committed")
RETENTION = ("retention.before_commit", "retention.committed")
DEAD_LETTERING = ("inbox.before_dead_letter", "inbox.dead_lettered")
DECIDING = ("dead.before_commit", "dead.committed")
MAKING_A_TOKEN = ("token.before_commit", "token.committed")
KEEPING_A_TOKEN = "token.before_keep"
POINTS = {*MIGRATING, *RETENTION, *DEAD_LETTERING, *DECIDING, *MAKING_A_TOKEN, KEEPING_A_TOKEN}


pytestmark = pytest.mark.usefixtures("logging_as_before")


def call(data: Path, *arguments: str) -> str:
    """What ``pratique --embedded ARGUMENTS`` says."""
    done = CliRunner().invoke(cli, ["--embedded", "--data", str(data), *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("point", MIGRATING)
@pytest.mark.parametrize(
    ("kind", "name"),
    [*(("sqlite", name) for name in STORES), pytest.param("postgresql", "evaluation", marks=pytest.mark.real)],
)
def test_a_store_whose_migration_ended_is_migrated_by_the_next(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, name: str, point: str
) -> None:
    url = f"sqlite:///{tmp_path}/store" if kind == "sqlite" else request.getfixturevalue("scratch_url")
    with open_empty(name, url) as opened:
        assert ends_at(point, lambda: migrate(opened, composition.migrations_of(name)), [opened])
        if point == "migrate.stepped":
            assert inspect(opened.engine).get_table_names() == []
        migrate(opened, composition.migrations_of(name))
        assert is_current(opened, composition.migrations_of(name))
        assert set(inspect(opened.engine).get_table_names()) > set(CHASSIS_TABLES.tables)


@pytest.mark.parametrize("point", RETENTION)
def test_retention_that_ended_forgets_what_is_old_and_nothing_else(evaluation: Store, point: str) -> None:
    old, new = (testing.envelope(testing.sample(MeetingClosed), id=uuid4()) for _ in range(2))
    with clock.fixed(clock.now() - timedelta(days=200)):
        inbox.receive(evaluation, {MeetingClosed: _publish}, [old.to_bytes()])
        published = _unpublished(evaluation)
        with evaluation.begin() as session:
            outbox.confirmed(session, published)
    inbox.receive(evaluation, {MeetingClosed: _publish}, [new.to_bytes()])
    assert ends_at(point, retention(evaluation), [evaluation])
    retention(evaluation)()
    with evaluation.begin() as session:
        assert set(session.scalars(select(inbox.INBOX.c.event_id))) == {new.id}
        assert set(session.scalars(select(outbox.EVENT_LOG.c.seq))) == set(_offered(session))


def _publish(session: Transaction, event: MeetingClosed) -> None:
    session.publish(event)


def _unpublished(opened: Store) -> list[int]:
    with opened.begin() as session:
        return _offered(session)


def _offered(session: object) -> list[int]:
    return [row.seq for row in outbox.unpublished(session, 10)]  # type: ignore[arg-type]


@pytest.mark.parametrize("point", DEAD_LETTERING)
def test_what_nobody_can_read_is_one_dead_letter(evaluation: Store, point: str) -> None:
    receive: Callable[[], object] = lambda: inbox.receive(evaluation, {}, [b"no event"])  # noqa: E731
    assert ends_at(point, receive, [evaluation])
    receive()
    with evaluation.begin() as session:
        assert session.scalars(select(PARKED.c.state)).all() == ["dead"]


def _fails(session: object, event: object) -> None:
    raise ValueError("the survey has no questions")


@pytest.fixture
def letter(evaluation: Store) -> str:
    """The id of an event whose reaction failed to the end."""
    sealed = testing.envelope(testing.sample(MeetingClosed), id=uuid4())
    inbox.receive(evaluation, {MeetingClosed: _fails}, [sealed.to_bytes()])
    for days in range(len(RETRY_AFTER_S)):
        with clock.fixed(clock.now() + timedelta(days=days + 1)):
            inbox.retry_next(evaluation, {MeetingClosed: _fails})
    return str(sealed.id)


def test_a_last_try_that_ended_after_its_commit_leaves_no_dead_letter(evaluation: Store) -> None:
    sealed = testing.envelope(testing.sample(MeetingClosed), id=uuid4())
    inbox.receive(evaluation, {MeetingClosed: _fails}, [sealed.to_bytes()])
    *earlier, last = [clock.now() + timedelta(days=days + 1) for days in range(len(RETRY_AFTER_S))]
    for at in earlier:
        with clock.fixed(at):
            inbox.retry_next(evaluation, {MeetingClosed: _fails})
    with clock.fixed(last):
        assert ends_at("inbox.committed", lambda: inbox.retry_next(evaluation, {MeetingClosed: _publish}), [evaluation])
    assert len(_unpublished(evaluation)) == 1
    with evaluation.begin() as session:
        assert session.execute(select(PARKED)).all() == []


@pytest.mark.parametrize("point", DECIDING)
def test_a_replay_that_ended_is_asked_for_again_and_takes_effect_once(
    data: Path, evaluation: Store, letter: str, point: str
) -> None:
    assert ends_at(point, lambda: call(data, "dead", "replay", letter), [evaluation])
    call(data, "dead", "replay", letter)
    with clock.fixed(clock.now() + timedelta(seconds=1)):
        while inbox.retry_next(evaluation, {MeetingClosed: _publish}):
            pass
    assert len(_unpublished(evaluation)) == 1
    assert "There is no dead letter." in call(data, "dead", "list", "--waiting")


@pytest.mark.parametrize("point", MAKING_A_TOKEN)
def test_a_token_that_nobody_saw_can_be_revoked_by_its_id(data: Path, point: str) -> None:
    make = ("token", "create", "intranet", "--scope", "meetings:read")
    assert ends_at(point, lambda: call(data, *make))
    unseen = re.findall(r"\b[0-9a-f]{12}\b", call(data, "token", "list"))
    assert len(unseen) == (1 if point == "token.committed" else 0)
    for id in unseen:
        assert call(data, "token", "revoke", id) == f"{id} is revoked\n"
    assert call(data, *make).startswith("prt_")


def test_the_embedded_modes_token_is_whole_after_the_next_start(data: Path) -> None:
    settings = embedded(data, data)
    assert ends_at(KEEPING_A_TOKEN, lambda: _token(settings))
    token = _token(settings)
    assert token.startswith("prt_")
    assert _token(settings) == token
    assert {path.name for path in data.glob("token*")} == {"token"}
