"""Every reaction, due work, mail and command ends its process once, at each point; what remains is as without."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.faults.points.conftest import NewNetwork, Undisturbed
from tests.faults.points.interrupted import ROWS, Interrupted
from tests.faults.points.sameness import alike, efforts, unsettled
from tests.faults.points.scenario import run_scenario
from tests.harness.stored_rows import all_rows


@dataclass(frozen=True)
class Round:
    """Where in one run of the scenario each kind of work ends its process."""

    points: Mapping[str, str]
    is_parked_first: bool = False  #: whether events are set aside before they are handled
    by_smtp: bool = False
    has_copies: bool = False  #: whether one mail of each kind comes twice, since its fate was unknown

    def __str__(self) -> str:
        return " ".join([*self.points.values(), *["retried"] * self.is_parked_first, *["smtp"] * self.by_smtp])


def _round(reaction: str, mail: str, due: str = "", command: str = "", **how: bool) -> Round:
    points = {"reaction": reaction, "mail": mail, "due": due, "command": command}
    return Round({kind: point for kind, point in points.items() if point}, **how)


ROUNDS = [
    _round("inbox.claimed", "mail.before_claim", "due.claimed", "rpc.before_commit"),
    _round("inbox.before_commit", "mail.claimed", "due.before_commit", "outbox.written"),
    _round("inbox.committed", "mail.recorded", "due.committed", "rpc.committed"),
    _round("outbox.written", "mail.handed_over", "outbox.written"),
    _round("outbox.written", "mail.noted", "outbox.written"),
    _round("inbox.before_park", "mail.handed_over", is_parked_first=True, by_smtp=True, has_copies=True),
    _round("inbox.parked", "mail.accepted", is_parked_first=True, by_smtp=True, has_copies=True),
    _round("inbox.attempt_counted", "mail.accepted", is_parked_first=True, by_smtp=True, has_copies=True),
    _round("inbox.claimed", "outbox.written", is_parked_first=True, by_smtp=True),
    _round("inbox.before_commit", "mail.recorded", is_parked_first=True, by_smtp=True),
    _round("inbox.committed", "mail.claimed", is_parked_first=True, by_smtp=True),
    _round("inbox.committed", "mail.noted", is_parked_first=True, by_smtp=True),
]
ON_POSTGRESQL = (ROUNDS[1], ROUNDS[6])  #: the rounds that are run there too, each of which takes seconds
_ABOUT_BALLOTS = ("open_ballot", "check_answers", "take_ballot", "cast_slip", "confirm_ballot")
#: What publishes nothing, apart from reactions.
SILENT = {
    "command": {("membership", "put_organization"), ("notifications", "mail_sign_in_link")}
    | {("evaluation", method) for method in (*_ABOUT_BALLOTS, "change_room_code", "void_room")},
    "mail": {("notifications", template) for template in ("survey_invitation", "survey_reminder", "sign_in")},
    "due": {("evaluation", "forget"), ("notifications", "sign_in_over")},
}
#: Commands that do it again when they are asked again, each time on record.
AGAIN = {("evaluation", "change_room_code"), ("evaluation", "mail_survey_link")}
#: Mails that are of no use any more when the lease of a sender that has ended runs out; whoever waits asks again.
TOO_LATE = {("notifications", "sign_in")}
POINTS = {point for each in ROUNDS for point in each.points.values()}


def end_each(network: Interrupted, undisturbed: Undisturbed, round: Round) -> None:
    """Run the scenario, in which each row of each kind ends its process once at its point."""
    network.points, network.is_parked_first = round.points, round.is_parked_first
    left_out = {
        ("reaction", "outbox.written"): ROWS["reaction"] - undisturbed.publishing,
        ("command", "rpc.committed"): AGAIN,
    } | {(kind, "outbox.written"): rows for kind, rows in SILENT.items()}
    network.rows = {kind: ROWS[kind] - left_out.get((kind, point), set()) for kind, point in round.points.items()}
    if network.stores["notifications"].database.is_shared:  # else whoever held a mail is known to have ended
        network.rows = {**network.rows, "mail": network.rows["mail"] - TOO_LATE}
    run_scenario(network)
    never = {kind: rows - network.ended[kind] for kind, rows in network.rows.items()}
    assert not any(never.values()), f"these never came to their point: {never}"


@pytest.mark.parametrize(
    ("new_network", "round"),
    [("sqlite", each) for each in ROUNDS]
    + [pytest.param("postgresql", each, marks=pytest.mark.real) for each in ON_POSTGRESQL],
    indirect=["new_network"],
    ids=str,
    scope="session",
)
def test_whatever_ended_halfway_is_done_once(new_network: NewNetwork, undisturbed: Undisturbed, round: Round) -> None:
    with new_network(round.by_smtp) as network:
        end_each(network, undisturbed, round)
        held, mails = all_rows(network.stores), network.mails()
        assert list(network.settings.mail_dir.glob("*.part")) == []

    assert unsettled(held) == []
    left = alike(held)
    assert sorted((left - undisturbed.rows).elements()) == []
    assert sorted((undisturbed.rows - left).elements()) == []
    assert max(efforts(held).values()) <= 2
    told = {str(mail["Message-ID"]): (str(mail["To"]), str(mail["Subject"])) for mail in mails}
    assert Counter(told.values()) == undisturbed.mails
    copies = Counter(str(mail["Message-ID"]) for mail in mails)
    assert (max(copies.values()), copies.total() - len(copies)) == (
        (2, len(network.rows["mail"])) if round.has_copies else (1, 0)
    )
