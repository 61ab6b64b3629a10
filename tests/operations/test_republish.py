"""`pratique republish` as an operator meets it after a queue or a broker's disk was lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from chassis import clock
from chassis.messaging import outbox
from chassis.settings import SERVICES
from chassis.storage import audit
from chassis.testing import SEAL_KEY, open_at
from operations import cli
from pratique.events.meetings import MeetingClosed
from pratique.testing import sample

AT = datetime(2026, 3, 12, 14, 0, tzinfo=UTC)
SINCE = "2026-03-12T13:00:00+00:00"


@pytest.fixture
def environ(data: Path, logging_as_before: None) -> dict[str, str]:
    """The settings of a deployment in which each service published one event that the broker confirmed."""
    for name in SERVICES:
        opened = open_at(name, f"sqlite:///{data / name}.sqlite")
        with clock.fixed(AT), opened.begin() as session:
            session.publish(sample(MeetingClosed))
        with opened.begin() as session:
            outbox.confirmed(session, [row.seq for row in outbox.unpublished(session, 10)])
        opened.close()
    urls = {f"PRATIQUE_STORE_{name.upper()}": f"sqlite:///{data / name}.sqlite" for name in SERVICES}
    return {"PRATIQUE_BROKER_URL": "amqp://pratique:x@127.0.0.1:9//", "PRATIQUE_SEAL_KEY": SEAL_KEY, **urls}


def call(environ: dict[str, str], *arguments: str) -> Result:
    """What ``pratique ARGUMENTS`` does and says."""
    return CliRunner().invoke(cli, list(arguments), env=environ)


def waiting(data: Path) -> dict[str, int]:
    """How many events each service is about to publish."""
    found = {}
    for name in SERVICES:
        opened = open_at(name, f"sqlite:///{data / name}.sqlite")
        with opened.begin() as session:
            found[name] = outbox.backlog(session)[0]
        opened.close()
    return found


def test_every_service_publishes_once_more_what_it_had_published_since(environ: dict[str, str], data: Path) -> None:
    done = call(environ, "republish", "--since", "2026-03-12T15:00:00+00:00")
    assert (done.exit_code, waiting(data)) == (0, dict.fromkeys(SERVICES, 0))
    done = call(environ, "republish", "--since", SINCE)
    assert (done.exit_code, waiting(data)) == (0, dict.fromkeys(SERVICES, 1))
    assert all(f"{name}: 1 events are published again" in done.stdout for name in SERVICES)


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        ("postgresql+psycopg2://meetings:hunter2@127.0.0.1:9/meetings", "the store of meetings does not answer"),
        ("", "PRATIQUE_STORE_MEETINGS is not set."),
    ],
    ids=["away", "not set"],
)
def test_a_store_that_fails_keeps_no_other_service_from_it_and_is_named(
    environ: dict[str, str], data: Path, store: str, reason: str
) -> None:
    done = call(environ | {"PRATIQUE_STORE_MEETINGS": store}, "republish", "--since", SINCE)
    assert waiting(data) == {**dict.fromkeys(SERVICES, 1), "meetings": 0}
    assert done.exit_code == 1
    assert f"meetings: NOT republished: {reason}" in done.stderr
    last = "Not republished: meetings. Mend what is said above, then: "
    assert done.stderr.splitlines()[-1] == f"{last}pratique republish meetings --since {SINCE}"
    assert "hunter2" not in done.output


def test_a_store_without_its_tables_is_named_without_the_statement(environ: dict[str, str], data: Path) -> None:
    opened = open_at("evaluation", f"sqlite:///{data / 'evaluation'}.sqlite")
    with opened.begin() as session:
        session.execute(text("alter table outbox rename to gone"))
    opened.close()
    done = call(environ, "republish", "--since", SINCE)
    assert done.exit_code == 1
    assert "evaluation: NOT republished: no such table: outbox\n" in done.stderr
    assert "notifications: 1 events are published again" in done.stdout


def test_the_former_name_does_the_same_and_says_the_new_one(environ: dict[str, str], data: Path) -> None:
    done = call(environ, "again", "meetings", "--since", SINCE)
    assert (done.exit_code, waiting(data)["meetings"]) == (0, 1)
    assert "now called `pratique republish`" in done.stderr
    assert "\n  again" not in call(environ, "--help").output


def test_it_leaves_a_record_of_who_did_it(environ: dict[str, str], data: Path) -> None:
    call(environ | {"LOGNAME": "olga"}, "republish", "meetings", "--since", SINCE)
    opened = open_at("meetings", f"sqlite:///{data / 'meetings'}.sqlite")
    with opened.begin() as session:
        (record,) = audit.list_records(session, clock.now() - timedelta(days=1), 10)
    opened.close()
    assert (record.action, record.actor, record.after) == (
        "events.republished", "operator olga", {"since": SINCE, "count": 1}
    )  # fmt: skip
