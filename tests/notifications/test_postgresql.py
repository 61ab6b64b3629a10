"""A whole scenario on a real PostgreSQL, where statements, locks and arrays are others than on SQLite."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.storage.migrate import migrate
from operations import composition
from pratique.events.notifications import Template
from pratique.testing import AT
from services.notifications.models import State
from tests.harness.migrations import open_empty
from tests.notifications.conftest import Fixture
from tests.notifications.test_changes import move
from tests.notifications.test_reactions import ONCE_EACH, whole_story

pytestmark = pytest.mark.real


@pytest.fixture
def network(scratch_url: str, tmp_path: Path) -> Iterator[Any]:
    """Notifications on PostgreSQL, migrated."""
    with open_empty("notifications", scratch_url) as opened, clock.fixed(AT):
        migrate(opened, composition.migrations_of("notifications"))
        yield Fixture(opened, tmp_path / "mail")


def test_everyone_gets_each_message_once_and_a_closed_survey_leaves_no_name(network: Any) -> None:
    story = whole_story(network.events)
    network.deliver(*story)
    for event in story:
        network.deliver(event)
    network.send()
    assert network.letters() == ONCE_EACH

    network.deliver(network.events.survey_closed("rencontre", "Relève"))
    network.deliver(network.events.asked("rencontre", "Bo", version=7))
    network.send()
    assert network.messages(Template.SURVEY_INVITATION) == []
    assert network.letters() == ONCE_EACH


def test_changes_of_meetings_and_addresses_are_told(network: Any) -> None:
    network.invited("Ada", "Bo")
    network.deliver(
        *move(network), network.events.role("Bo", "Relève"), network.events.left_open("rencontre", "Relève")
    )
    network.deliver(
        network.events.contact("Ada", version=2, email="zoe@membres.example", former_email="ada@membres.example")
    )
    network.deliver(network.events.asked("rencontre", "Ada", "Bo"))
    network.send()
    assert network.told(Template.MEETING_CHANGED) == ["bo", "zoe"]
    assert network.told(Template.MEETING_LEFT_OPEN) == ["bo"]
    assert network.told(Template.ADDRESS_CHANGED) == ["ada"]
    assert network.told(Template.SURVEY_INVITATION) == ["bo"]
    [held] = network.about_survey("Ada")
    assert (held.state, held.due_at) == (State.QUEUED, AT + timedelta(hours=48))
