"""A meeting is called off: whoever was invited is told why, once, and nothing else is ever sent about it."""

from typing import Any

import pytest
from sqlalchemy import select

from chassis.scheduling import due
from services.evaluation.models import Survey
from services.notifications.models import Message, State
from tests.harness.mails import calendar_of, text_of
from tests.harness.network import Network

REASON = "La salle est inondée."


class Cancelled:
    """A meeting to which five were invited and which is called off, three times; somebody joins, and weeks pass."""

    def __init__(self, network: Network) -> None:
        self.community = network.create_community(members=4)
        self.community.member_ids.append(network.join(self.community.id, "Jo Example", locale="en"))
        network.settle()
        self.meeting_id = network.schedule(self.community.id, themes=["Le répit"], place="Salle 3")
        self._cancel(network)
        self.mails = self._mails(network)
        self.shown = network.ok("GET", f"/v1/meetings/{self.meeting_id}")
        self._cancel(network)
        self._cancel(network, "Autre chose.")
        network.redeliver_everything()
        self.shown_again = network.ok("GET", f"/v1/meetings/{self.meeting_id}")
        self.mails_again = self._mails(network)
        self.left_to_do = left_to_do(network)
        self._go_on(network)

    def _cancel(self, network: Network, reason: str = REASON) -> None:
        network.ok("POST", f"/v1/meetings/{self.meeting_id}/cancel", {"reason": reason})
        network.settle()

    def _mails(self, network: Network) -> list[Any]:
        return [network.mails(to=network.address_of(each)) for each in self.community.member_ids]

    def _go_on(self, network: Network) -> None:
        self.sent = len(network.mails())
        late = network.join(self.community.id, "Qui arrive après")
        network.settle()
        self.verbs = [
            network.request("POST", f"/v1/meetings/{self.meeting_id}/{verb}") for verb in ("start", "wrap-up", "close")
        ]
        network.redeliver_everything()
        self.messages_of_late = network.ok("GET", f"/v1/members/{late}/messages")["items"]
        network.advance(days=20)
        network.redeliver_everything()
        self.sent_in_the_end = len(network.mails())
        self.mails_of_late = network.mails(to=network.address_of(late))
        self.survey = network.request("GET", f"/v1/meetings/{self.meeting_id}/survey")


def left_to_do(network: Network) -> list[Any]:
    """What waits in any service, every survey, and every message that is still to leave."""
    found: list[Any] = []
    for store in network.services.values():
        with store.begin() as session:
            found += session.execute(select(due.DUE.c.kind).where(due.DUE.c.state == "waiting")).all()
    with network.stores["evaluation"].begin() as session:
        found += session.scalars(select(Survey.id)).all()
    with network.stores["notifications"].begin() as session:
        unsettled = Message.state.in_((State.QUEUED, State.SENDING))
        found += session.scalars(select(Message.id).where(unsettled)).all()
    return found


@pytest.fixture(scope="module")
def cancelled(shared_network: Network) -> Cancelled:
    return Cancelled(shared_network)


def test_who_was_invited_is_told_why_and_their_calendar_forgets_it(cancelled: Cancelled) -> None:
    for invitation, notice in cancelled.mails:
        asked, planned = calendar_of(invitation)
        method, entry = calendar_of(notice)
        assert (asked, method, entry["STATUS"]) == ("REQUEST", "CANCEL", "CANCELLED")
        assert (entry["UID"], entry["DTSTART"].dt) == (planned["UID"], planned["DTSTART"].dt)
        assert int(entry["SEQUENCE"]) > int(planned["SEQUENCE"])
        assert REASON in text_of(notice)
    subjects = [str(notice["Subject"]) for _, notice in cancelled.mails]
    assert [subject.partition(":")[0].strip() for subject in subjects] == ["Annulée"] * 4 + ["Cancelled"]


def test_cancelling_twice_tells_once(cancelled: Cancelled) -> None:
    assert cancelled.shown_again == cancelled.shown
    assert [len(mails) for mails in cancelled.mails_again] == [2] * 5


def test_nothing_is_sent_about_it_afterwards(cancelled: Cancelled) -> None:
    assert [answer.status for answer in cancelled.verbs] == [409] * 3
    assert cancelled.sent_in_the_end == cancelled.sent
    assert cancelled.survey.status == 404


def test_no_service_keeps_anything_to_do(cancelled: Cancelled) -> None:
    assert cancelled.left_to_do == []


def test_who_joins_after_the_cancellation_is_not_invited_and_the_record_says_why(cancelled: Cancelled) -> None:
    assert cancelled.mails_of_late == []
    (dropped,) = cancelled.messages_of_late
    said = (dropped["template"], dropped["state"], dropped["drop_reason"])
    assert said == ("meeting_invitation", "dropped", "cancelled")


def test_a_meeting_that_has_begun_is_not_called_off(shared_network: Network, cancelled: Cancelled) -> None:
    meeting_id = shared_network.schedule(cancelled.community.id, themes=["Le répit"], place="Salle 3")
    shared_network.start(meeting_id)
    shared_network.settle()
    sent = len(shared_network.mails())
    assert shared_network.request("POST", f"/v1/meetings/{meeting_id}/cancel", {"reason": REASON}).status == 409
    shared_network.settle()
    assert len(shared_network.mails()) == sent
    assert shared_network.ok("GET", f"/v1/meetings/{meeting_id}")["state"] == "in_progress"
