"""Migrations leave what the models say, and carry over what a store holds already."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from chassis import clock
from chassis.storage.database import SQLITE
from chassis.storage.store import Store
from pratique.events.meetings import MeetingDescribed
from pratique.events.notifications import Template
from pratique.testing import AT
from services.notifications import models
from tests.harness.migrations import migrate_to, open_empty
from tests.notifications.conftest import Fixture, named


@pytest.fixture
def opened(empty_url: str) -> Iterator[Store]:
    """A store without a table."""
    with open_empty("notifications", empty_url) as made:
        yield made


def test_migrated_tables_are_those_of_the_models() -> None:
    with open_empty("notifications", "sqlite://") as opened:
        migrate_to(opened)
        with opened.begin() as session:
            options = {
                "compare_server_default": True,
                "include_name": lambda name, kind, _: kind != "table" or name in models.Base.metadata.tables,
            }
            inspected = MigrationContext.configure(session.connection(), opts=options)
            assert compare_metadata(inspected, models.Base.metadata) == []


def put(session: Any, opened: Store, table: str, **values: Any) -> None:
    """A row as the release before wrote it; ids as each database has them."""
    plain = {
        name: value.hex if opened.database is SQLITE and hasattr(value, "hex") else str(value)
        for name, value in values.items()
    }
    names = ", ".join(plain)
    session.execute(text(f"insert into {table} ({names}) values ({', '.join(f':{name}' for name in plain)})"), plain)


def a_message(template: str, member: str, subject: str, state: str) -> dict[str, Any]:
    about = {"template": template, "subject_id": named(subject), "meeting_id": named("rencontre"), "state": state}
    times = dict.fromkeys(("relevant_until", "due_at", "created_at"), "2026-04-12 14:00:00")
    return {
        **{"id": uuid4(), "dedup_key": f"{template}:{member}", "member_id": named(member), **about, **times},
        **{"priority": 1, "source_version": 1},
    }


def test_nobody_whom_a_survey_asked_stays_and_nobody_is_invited_again(opened: Store, tmp_path: Path) -> None:
    events, survey = Fixture(opened, tmp_path / "mail").events, "survey of rencontre"
    migrate_to(opened, "0003")
    with opened.begin() as session:
        for member in ("Ada", "Bo"):
            put(session, opened, "message", **a_message("survey_invitation", member, survey, "sent"))
            invitation = a_message("meeting_invitation", member, "rencontre", "sent")
            put(session, opened, "message", **invitation)
            put(session, opened, "receipt", message_id=uuid4(), at="2026-03-12 14:00:00")
            put(session, opened, "revocation", invitation_id=uuid4(), version=1, survey_id=named(survey))
    migrate_to(opened)

    network = Fixture(opened, tmp_path / "mail")
    with clock.fixed(AT):
        told = [events.community("Relève"), *(events.contact(name) for name in ("Ada", "Bo"))]
        told += [events.joins(name, "Relève") for name in ("Ada", "Bo")]
        told += [events.scheduled("rencontre", "Relève"), events.described("rencontre")]
        network.deliver(*told)
        assert [(each.template, each.state) for each in network.messages()] == [("meeting_invitation", "sent")] * 2
        network.deliver(events.cancelled("rencontre", "Relève"), events.described("rencontre", version=2))
        network.send()
        assert network.told(Template.MEETING_CANCELLED) == ["ada", "bo"]
    with opened.begin() as session:
        for table in ("receipt", "revocation"):
            assert session.scalar(text(f"select count(*) from {table}")) == 0


def test_what_was_told_of_a_meeting_stays(opened: Store) -> None:
    migrate_to(opened, "0004")
    told = {"place": "Salle 2", "link": "https://meet.example.org/r", "cancel_reason": "", "version": 3}
    with opened.begin() as session:
        for number in range(3):
            row = {"meeting_id": named(f"rencontre {number}"), "themes": json.dumps(["Relève", f"no {number}"])}
            put(session, opened, "meeting_words", **row, **told)

    migrate_to(opened)

    with opened.begin() as session:
        for number in range(3):
            words = session.get(models.MeetingWords, named(f"rencontre {number}"))
            assert words is not None
            assert words.version == 3
            described = MeetingDescribed.read(words.described)
            assert (described.themes, described.place) == (("Relève", f"no {number}"), "Salle 2")
            assert (described.meeting_id, described.link) == (words.meeting_id, told["link"])
