"""The command line as an operator meets it: real stores, exit codes, sentences."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import click
import pytest
from amqp.exceptions import NotFound
from click.testing import CliRunner, Result
from kombu import Connection
from sqlalchemy import select, update

from chassis import clock, settings
from chassis.messaging import inbox
from chassis.retry import RETRY_AFTER_S
from chassis.scheduling import due
from chassis.storage.store import Store
from chassis.testing import SEAL_KEY, open_at
from operations import VERBS, cli
from pratique import testing
from pratique.events.meetings import MeetingClosed
from tests import servers as private
from tests.harness.waiting import PROGRAM_S

GONE = "amqp://pratique:hunter2@127.0.0.1:9//"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, logging_as_before: None) -> None:
    """No setting from outside; logging as before afterwards."""
    for name in list(os.environ):
        if name.startswith("PRATIQUE_"):
            monkeypatch.delenv(name)


def call(*arguments: str, env: dict[str, str] | None = None, answer: str = "") -> Result:
    """What ``pratique ARGUMENTS`` does and says."""
    return CliRunner().invoke(cli, list(arguments), env=env, input=answer)


def embedded(data: Path, *arguments: str, answer: str = "") -> Result:
    """The same on the stores of the embedded mode."""
    return call("--embedded", "--data", str(data), *arguments, answer=answer)


def _always_fails(session: object, event: object) -> None:
    raise ValueError("the survey has no questions")


def dead_letter(store: Store) -> UUID:
    """An event whose reaction failed to the end, as the bus leaves it; its id."""
    envelope = testing.envelope(testing.sample(MeetingClosed), id=uuid4())
    inbox.receive(store, {MeetingClosed: _always_fails}, [envelope.to_bytes()])
    for days in range(len(RETRY_AFTER_S)):
        with clock.fixed(clock.now() + timedelta(days=days + 1)):
            inbox.retry_next(store, {MeetingClosed: _always_fails})
    return envelope.id


def _verbs(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from _verbs(inner, (*path, name))
    else:
        yield path, command


@pytest.mark.parametrize("path", [path for path, _ in _verbs(cli)], ids=" ".join)
def test_every_verb_explains_itself_with_an_example(path: tuple[str, ...]) -> None:
    result = call(*path, "--help")
    assert result.exit_code == 0
    assert any(line.strip().startswith(("pratique ", "PRATIQUE_")) for line in result.output.splitlines())


def test_help_lists_every_verb() -> None:
    assert all(f"  {verb} " in call("--help").output for verb in VERBS)


@pytest.mark.parametrize(
    "arguments", [("run", "meetings"), ("migrate",), ("dead", "list"), ("doctor",), ("token", "list"), ("ready",)]
)
def test_a_missing_setting_is_one_sentence_and_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.output.startswith("PRATIQUE_BROKER_URL is not set. Set it to ")
    assert len(result.output.splitlines()) == 1


def test_a_missing_store_is_named_with_an_example() -> None:
    result = call("migrate", "meetings", env={"PRATIQUE_BROKER_URL": GONE})
    assert result.exit_code == 2
    assert result.output.startswith("PRATIQUE_STORE_MEETINGS is not set.")


def test_a_secret_file_that_cannot_be_read_is_named() -> None:
    result = call("doctor", env={"PRATIQUE_BROKER_URL_FILE": "/run/secrets/nowhere"})
    assert result.exit_code == 2
    assert "PRATIQUE_BROKER_URL_FILE names /run/secrets/nowhere" in result.output


def test_a_database_that_is_away_is_a_sentence_without_its_password() -> None:
    store = "postgresql+psycopg2://meetings:hunter2@127.0.0.1:9/meetings"
    env = {"PRATIQUE_BROKER_URL": GONE, "PRATIQUE_STORE_MEETINGS": store}
    for arguments in ("migrate", "--wait", "0", "meetings"), ("dead", "list"):
        result = call(*arguments, env=env)
        assert result.exit_code == 1
        assert "The store of meetings does not answer." in result.output
        assert "hunter2" not in result.output


def test_an_unknown_service_is_refused() -> None:
    result = call("run", "meeting")
    assert result.exit_code == 2
    assert "'meeting' is not one of 'membership', 'meetings'" in result.output


def test_migrating_twice_is_the_same_as_once(tmp_path: Path) -> None:
    for _ in range(2):
        result = embedded(tmp_path, "migrate")
        assert result.exit_code == 0
        assert [line.split(":")[0] for line in result.output.splitlines()] == list(settings.STORES)


def test_there_is_no_dead_letter_at_first(data: Path) -> None:
    assert embedded(data, "dead", "list").output == "There is no dead letter.\n"


def test_a_dead_letter_is_listed_and_shown_with_its_cause_and_content(data: Path, evaluation: Store) -> None:
    letter = dead_letter(evaluation)
    listed = embedded(data, "dead", "list").output
    assert str(letter) in listed
    assert "ValueError: the survey has no questions" in listed
    shown = embedded(data, "dead", "show", str(letter)).output
    assert f"{letter} in evaluation: org.pratique.meetings.MeetingClosed.v1, dead" in shown
    assert '"specversion"' in shown


def test_what_is_tried_again_by_itself_is_listed_on_demand(data: Path, evaluation: Store) -> None:
    body = testing.envelope(testing.sample(MeetingClosed)).to_bytes()
    inbox.receive(evaluation, {MeetingClosed: _always_fails}, [body])
    assert embedded(data, "dead", "list").output == "There is no dead letter.\n"
    assert "waiting" in embedded(data, "dead", "list", "--waiting").output


def test_a_replayed_letter_is_handled_by_the_service(data: Path, evaluation: Store) -> None:
    letter, handled = dead_letter(evaluation), []
    result = embedded(data, "dead", "replay", str(letter))
    assert result.exit_code == 0
    assert "dead letter replayed" in result.stderr
    inbox.retry_next(evaluation, {MeetingClosed: lambda session, event: handled.append(event)})
    assert handled == [testing.sample(MeetingClosed)]
    assert embedded(data, "dead", "list", "--waiting").output == "There is no dead letter.\n"


def test_all_letters_of_one_service_are_replayed_and_no_other(data: Path, evaluation: Store) -> None:
    dead_letter(evaluation)
    meetings = open_at("meetings", f"sqlite:///{data / 'meetings'}.sqlite")
    other = dead_letter(meetings)
    meetings.close()
    assert embedded(data, "dead", "replay", "--all", "--service", "evaluation").stdout.endswith("1 replayed\n")
    assert str(other) in embedded(data, "dead", "list").output


def test_an_undecodable_message_is_shown_as_it_came(data: Path, evaluation: Store) -> None:
    inbox.receive(evaluation, {MeetingClosed: _always_fails}, [b"\xff[red]{not json"])
    with evaluation.begin() as session:
        letter = session.scalars(select(inbox.PARKED.c.id)).one()
    assert "(cannot be read)" in embedded(data, "dead", "list").output
    assert "\\xff[red]{not json" in embedded(data, "dead", "show", str(letter)).output


def test_dropping_asks_first_and_forgets_for_good(data: Path, evaluation: Store) -> None:
    letter = dead_letter(evaluation)
    assert embedded(data, "dead", "drop", str(letter), answer="n\n").exit_code == 1
    assert str(letter) in embedded(data, "dead", "list").output
    assert embedded(data, "dead", "drop", str(letter), answer="y\n").exit_code == 0
    assert embedded(data, "dead", "list").output == "There is no dead letter.\n"


def test_what_was_due_and_died_is_replayed_and_done(data: Path, evaluation: Store) -> None:
    survey, closed = uuid4(), []
    with evaluation.begin() as session:
        due.plan(session, "close_survey", survey, clock.now() - timedelta(minutes=1))
        session.execute(update(due.DUE).values(state="dead", attempts=7, error="KeyError: 'x'"))
        letter = session.scalars(select(due.DUE.c.id)).one()
    assert "close_survey" in embedded(data, "dead", "list").output
    assert embedded(data, "dead", "replay", str(letter)).exit_code == 0
    assert due.run_next(evaluation, {"close_survey": lambda session, subject: closed.append(subject)})
    assert closed == [survey]


def test_what_was_due_and_is_dropped_is_not_planned_again(data: Path, evaluation: Store) -> None:
    survey = uuid4()
    with evaluation.begin() as session:
        due.plan(session, "close_survey", survey, clock.now())
        session.execute(update(due.DUE).values(state="dead"))
    assert embedded(data, "dead", "drop", "--all", "--yes").exit_code == 0
    with evaluation.begin() as session:
        due.plan(session, "close_survey", survey, clock.now())
    assert not due.run_next(evaluation, {})
    assert embedded(data, "dead", "list").output == "There is no dead letter.\n"


def test_an_id_that_is_no_dead_letter_is_said_and_changes_nothing(data: Path) -> None:
    for verb in "show", "replay", "drop":
        result = embedded(data, "dead", verb, str(uuid4()))
        assert result.exit_code == 1
        assert "There is no dead letter" in result.output


def test_replay_needs_one_id_or_all(data: Path) -> None:
    for arguments in ("replay",), ("replay", str(uuid4()), "--all"), ("drop",):
        result = embedded(data, "dead", *arguments)
        assert result.exit_code == 2
        assert "Say which: one ID, or --all." in result.output


def findings(result: Result) -> dict[str, dict[str, object]]:
    """The doctor's findings by subject."""
    return {row["subject"]: row for row in json.loads(result.stdout)["findings"]}


def test_the_doctor_says_what_lags_and_what_to_do(data: Path, evaluation: Store) -> None:
    dead_letter(evaluation)
    with evaluation.begin() as session, clock.fixed(clock.now() - timedelta(hours=1)):
        due.plan(session, "close_survey", uuid4(), clock.now())
        session.publish(testing.sample(MeetingClosed))
    result = embedded(data, "doctor", "--json")
    assert result.exit_code == 1
    found = findings(result)
    wrong = {subject for subject, row in found.items() if not row["is_well"]}
    assert wrong == {"outbox evaluation", "letters evaluation", "due evaluation", "gateway"}
    assert all(found[subject]["hint"] for subject in wrong)
    assert found["store meetings"]["words"] == "reachable, migrated"
    assert found["letters evaluation"]["hint"] == "read them: `pratique dead list --service evaluation`"


def test_the_doctor_prints_a_table_for_people(data: Path) -> None:
    result = embedded(data, "doctor")
    assert result.exit_code == 1
    assert "WRONG" in result.output
    assert "store evaluation" in result.output


def test_the_doctor_names_stores_that_were_never_made_and_makes_none(tmp_path: Path) -> None:
    found = findings(embedded(tmp_path / "new", "doctor", "--json"))
    assert found["store meetings"]["words"] == "its file does not exist"
    assert not (tmp_path / "new").exists()


def test_the_doctor_survives_that_everything_is_away() -> None:
    env = {
        "PRATIQUE_BROKER_URL": GONE,
        "PRATIQUE_STORE_MEETINGS": "postgresql+psycopg2://meetings:hunter2@127.0.0.1:9/meetings",
        "PRATIQUE_SMTP_URL": "smtp://127.0.0.1:9",
        "PRATIQUE_HTTP_PORT": "9",
        "PRATIQUE_SEAL_KEY": SEAL_KEY,
    }
    result = call("doctor", "--json", env=env)
    assert result.exit_code == 1
    assert "hunter2" not in result.output
    found = findings(result)
    assert {subject for subject, row in found.items() if not row["is_well"]} == {
        "store meetings",
        "broker",
        "mail",
        "gateway",
    }
    assert "PRATIQUE_STORE_EVALUATION is not set" in str(found["store evaluation"]["words"])


def test_without_the_seal_key_nothing_runs_and_the_doctor_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/meetings.sqlite"
    for key in ({}, {"PRATIQUE_SEAL_KEY": "5e5e"}):
        env = {"PRATIQUE_BROKER_URL": GONE, "PRATIQUE_STORE_MEETINGS": url, "PRATIQUE_HTTP_PORT": "9", **key}
        found = findings(call("doctor", "--json", env=env))["seal key"]
        assert (found["is_well"], found["words"]) == (False, "not set here, or none")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PRATIQUE_")}
        command = [sys.executable, "-W", "ignore", "-c", "from operations import main; main()", "run", "meetings"]
        done = subprocess.run(
            command, env=inherited | env, capture_output=True, text=True, timeout=PROGRAM_S, check=False
        )
        assert done.returncode == 2
        assert done.stderr.startswith("PRATIQUE_SEAL_KEY must be 64 hexadecimal digits, the same for every process")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.real
def test_the_doctor_looks_at_real_servers_and_queues(servers: private.Servers) -> None:
    fresh = servers.fresh(is_migrated=False)
    env = fresh.environ()
    found = findings(call("doctor", "--json", env=env))
    assert found["broker"]["words"] == "reachable"
    assert found["queue meetings"]["hint"] == "run `pratique migrate meetings`, which declares it"
    assert found["store meetings"]["hint"] == "run `pratique migrate meetings`"

    full = servers.fresh()
    with Connection(full.broker_url) as connection:
        channel = connection.default_channel
        channel.queue_declare("meetings", durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        with pytest.raises(NotFound):
            connection.channel().queue_declare("evaluation", passive=True)
    found = findings(call("doctor", "--json", env=full.environ()))
    assert found["queue meetings"]["words"] == "0 waiting, 0 consuming"
    assert "pratique run meetings" in str(found["queue meetings"]["hint"])
    assert found["store meetings"]["words"] == "reachable, migrated"


@pytest.mark.real
def test_servers_that_refuse_the_password_are_found(servers: private.Servers) -> None:
    fresh = servers.fresh(is_migrated=False)
    env = fresh.environ() | {
        "PRATIQUE_STORE_MEETINGS": fresh.store_urls["meetings"].replace("meetings:", "meetings:not"),
        "PRATIQUE_BROKER_URL": fresh.broker_url.replace("pratique:", "pratique:not"),
    }
    found = findings(call("doctor", "--json", env=env))
    assert found["store meetings"]["words"] == "does not answer or refuses the role"
    assert found["broker"]["words"] == "does not answer or refuses the user (AccessRefused)"
