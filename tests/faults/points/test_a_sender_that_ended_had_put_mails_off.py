"""A mail that was to be tried again, when the sender ended before it could say so, is sent once and late."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis import clock
from chassis.runtime.tables import create_all
from chassis.testing import open_at
from pratique.testing import AT
from services.notifications import models
from services.notifications.delivery import DECISION_HOLDS, deliver
from services.notifications.models import LEASE, State
from services.notifications.post import FilePost, Mail, NotSent
from tests.faults.points.ending import ends_at
from tests.notifications.conftest import WRITE, Fixture

PUTTING_OFF = "mail.before_put_back"
POINTS = {PUTTING_OFF}


class Post(FilePost):
    """A way out that has its troubles."""

    def __init__(self, folder: Path, trouble: Callable[[], None]) -> None:
        super().__init__(folder)
        self._trouble = trouble

    def send(self, mail: Mail) -> None:
        self._trouble()
        super().send(mail)


def be_busy() -> None:
    raise NotSent("451 try again later")


def be_away() -> None:
    raise NotSent("connection refused", is_away=True)


def be_slow() -> None:
    clock.move(DECISION_HOLDS * 2)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Fixture]:
    """Two members to be asked, in a store that outlives its process."""
    opened = open_at("notifications", f"sqlite:///{tmp_path}/notifications.sqlite")
    create_all(opened, models.Base.metadata)
    with clock.fixed(AT):
        made = Fixture(opened, tmp_path / "mail")
        made.invited("Ada", "Bo")
        made.deliver(made.events.asked("rencontre", "Ada", "Bo"))
        yield made
    opened.close()


@pytest.mark.parametrize(("trouble", "already_sent"), [(be_busy, 0), (be_away, 0), (be_slow, 1)])
def test_it_is_sent_once_when_the_lease_has_run_out(
    network: Fixture, trouble: Callable[[], None], already_sent: int
) -> None:
    before = len(network.mails())

    assert ends_at(PUTTING_OFF, lambda: deliver(network.store, Post(network.folder, trouble), WRITE), [network.store])
    network.send()
    assert len(network.mails()) == before + already_sent, "nobody knows yet whether the others were sent"

    for _ in range(2):  # each that was held waits for its own turn
        clock.move(LEASE + timedelta(minutes=1))
        network.send()
    assert len(network.mails()) == before + 2
    assert {message.state for message in network.messages()} == {State.SENT}
