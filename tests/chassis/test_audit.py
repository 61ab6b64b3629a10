"""What was changed by whom stays on record: the database itself refuses to change it."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from chassis import clock
from chassis.actor import Actor, acting
from chassis.messaging import inbox
from chassis.runtime.retention import retention
from chassis.storage import audit
from chassis.storage.database import POSTGRESQL
from chassis.storage.migrate import migrate
from chassis.storage.store import Store
from chassis.testing import open_at
from operations import cli, composition, whoami
from pratique.events.meetings import MeetingClosed
from pratique.testing import envelope, sample


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A migrated store, with the one record that somebody closed a meeting."""
    url = f"sqlite:///{tmp_path}/meetings.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh").store_urls["meetings"]
    made = open_at("meetings", url)
    migrate(made, composition.migrations_of("meetings"))
    with made.begin() as session:
        audit.record(session, "meeting.closed", UUID(int=1), before={"state": "wrap_up"}, after={"state": "closed"})
    yield made
    made.close()


def kept(opened: Store) -> list[tuple[str, str, object]]:
    with opened.begin() as session:
        rows = session.execute(select(audit.AUDIT).order_by(audit.AUDIT.c.seq))
        return [(row.action, row.subject, row.after) for row in rows]


def attempt(opened: Store, statement: str) -> str:
    """What the database says to a statement that it must refuse."""
    with pytest.raises(DBAPIError) as refused, opened.begin() as session:
        session.execute(text(statement))
    return str(refused.value.orig)


CLOSED = ("meeting.closed", str(UUID(int=1)), {"state": "closed"})


def test_a_record_can_be_neither_changed_nor_removed(opened: Store) -> None:
    for statement in ("update audit set actor = 'nobody'", "update audit set at = at", "delete from audit"):
        assert "append-only" in attempt(opened, statement) or "permission denied" in attempt(opened, statement)
    if opened.database is POSTGRESQL:
        for statement in (
            "truncate audit",
            "insert into audit select * from audit on conflict (seq) do update set actor = 'x'",
        ):
            words = attempt(opened, statement)
            assert "permission denied" in words or "append-only" in words
        with opened.begin() as session:  # the trigger holds also for an owner who took the right back
            session.execute(text("grant update, truncate on audit to current_user"))
        for statement in ("update audit set actor = 'nobody'", "truncate audit"):
            assert "append-only" in attempt(opened, statement)
    assert kept(opened) == [CLOSED]


def test_a_record_is_forgotten_after_24_months_and_not_before_whatever_the_application_believes(opened: Store) -> None:
    with clock.fixed(clock.now() - timedelta(days=740)), opened.begin() as session:
        audit.record(session, "role.ended", "old")
    with clock.fixed(clock.now() + timedelta(days=3000)), pytest.raises(DBAPIError), opened.begin() as session:
        audit.prune(session)
    assert len(kept(opened)) == 2
    retention(opened)()
    assert kept(opened) == [CLOSED]


def test_a_change_that_is_undone_leaves_no_record(opened: Store) -> None:
    with pytest.raises(ZeroDivisionError), opened.begin() as session:
        audit.record(session, "role.ended", "x")
        raise ZeroDivisionError
    assert kept(opened) == [CLOSED]


def test_each_record_names_its_actor_or_the_network_itself(opened: Store) -> None:
    with acting(Actor.network("token 12 intranet" + "x" * 500)), opened.begin() as session:
        audit.record(session, "role.ended", "x")
        first, second = audit.list_records(session, clock.now() - timedelta(days=1), 10)
    assert first.actor == "pratique"
    assert second.actor.startswith("token 12 intranetx")
    assert len(second.actor) == 200


def test_what_an_operator_does_with_dead_letters_and_tokens_is_on_record(tmp_path: Path) -> None:
    def call(*arguments: str) -> Result:
        done = CliRunner().invoke(
            cli, ["--embedded", "--data", str(tmp_path), *arguments], env=dict(os.environ) | {"LOGNAME": "olga"}
        )
        assert done.exit_code == 0, done.output
        return done

    call("migrate")
    opened = open_at("evaluation", f"sqlite:///{tmp_path / 'evaluation'}.sqlite")
    inbox.receive(opened, {}, [b"no json", envelope(sample(MeetingClosed), id=uuid4()).to_bytes()[:-9]])
    opened.close()
    with_secret = call("token", "create", "intranet", "--scope", "meetings:read").stdout.strip()
    _, token_id, secret = with_secret.split("_", 2)  # a secret may hold more of them
    call("token", "revoke", token_id)
    call("token", "revoke", token_id)
    call("dead", "replay", "--all")
    call("dead", "drop", "--all", "--yes")
    call("republish", "evaluation", "--since", "2026-03-12T14:00:00+00:00")
    lines = call("audit", "list", "--json").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert {row["actor"] for row in rows} == {"operator olga"}
    assert [row["action"] for row in rows if row["store"] == "gateway"] == ["token.created", "token.revoked"]
    assert [row["action"] for row in rows if row["store"] == "evaluation"] == [
        *["letter.replayed"] * 2,
        "events.republished",
    ]
    assert rows[-1]["after"] == {"since": "2026-03-12T14:00:00+00:00", "count": 0}
    assert rows[0]["after"] == {"name": "intranet", "scopes": ["meetings:read"]}
    assert secret not in "".join(lines)
    shown = call("audit", "list", "--service", "gateway").stdout
    assert "token.revoked" in shown
    assert "letter" not in shown
    assert call("audit", "list", "--since", "2999-01-01").stdout == "Nothing was recorded.\n"


def test_an_operator_without_a_name_as_in_a_container_is_a_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert whoami() == "uid 54321"
    for arguments in (["migrate"], ["republish", "--since", "2026-03-12T14:00:00+00:00"]):
        done = CliRunner().invoke(cli, ["--embedded", "--data", str(tmp_path), *arguments])
        assert done.exit_code == 0, done.output
    assert (
        "operator uid 54321" in CliRunner().invoke(cli, ["--embedded", "--data", str(tmp_path), "audit", "list"]).stdout
    )
