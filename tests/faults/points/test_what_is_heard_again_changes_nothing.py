"""The inbox forgets what it has seen, and all of it comes again: behind each reaction stands a key of the domain."""

from collections import Counter

import pytest
from sqlalchemy import delete, insert, select

from chassis.messaging import inbox
from chassis.testing import heard
from tests.faults.points.conftest import NewNetwork, Undisturbed
from tests.faults.points.interrupted import ROWS, Interrupted, Row
from tests.faults.points.sameness import alike, unsettled
from tests.faults.points.scenario import run_scenario
from tests.harness.stored_rows import all_rows


class Forgetful:
    """Makes every service react anew, whenever it hears something, to all that it has ever heard, in both orders."""

    def __init__(self, network: Interrupted) -> None:
        self.again: Counter[Row] = Counter()  #: how often each reaction was done once more
        self._network, self._heard = network, dict[str, list[bytes]]()
        self._receive, network._receive = network._receive, self.receive  # type: ignore[method-assign]

    def receive(self, name: str, table: inbox.Reactions, bodies: list[bytes]) -> None:
        """Hear these for the first time, and then everything again."""
        self._receive(name, table, bodies)
        consumed = [body for body in bodies if type(heard(body).event) in table]
        known = self._heard.setdefault(name, [])
        known += consumed
        for batch in [consumed, known, known[::-1]] if consumed else []:
            self._react_anew(name, table, batch)

    def _react_anew(self, name: str, table: inbox.Reactions, bodies: list[bytes]) -> None:
        opened = self._network.stores[name]
        with opened.begin() as session:
            seen = [row._asdict() for row in session.execute(select(inbox.INBOX))]
            session.execute(delete(inbox.INBOX))
        new = inbox.receive(opened, table, bodies)
        self.again.update((name, type(envelope.event).__name__) for envelope in new)
        with opened.begin() as session:
            session.execute(delete(inbox.INBOX))
            session.execute(insert(inbox.INBOX), seen)


@pytest.mark.parametrize("new_network", ["sqlite"], indirect=True, scope="session")
def test_who_reacts_anew_to_all_that_was_ever_heard_changes_no_row_and_says_nothing(
    new_network: NewNetwork, undisturbed: Undisturbed
) -> None:
    with new_network() as network:
        forgetful = Forgetful(network)
        run_scenario(network)
        held, mails = all_rows(network.stores), network.mails()

    assert forgetful.again.keys() == ROWS["reaction"]
    assert unsettled(held) == []
    left = alike(held)
    assert sorted((left - undisturbed.rows).elements()) == []
    assert sorted((undisturbed.rows - left).elements()) == []
    assert Counter((str(mail["To"]), str(mail["Subject"])) for mail in mails) == undisturbed.mails
