"""A meeting is called off: whoever was invited is told why, once, and nothing else is ever sent about it."""

from typing import Any

import pytest
from sqlalchemy import select

from chassis.scheduling import due
from services.evaluation.models import Survey
from services.notifications.models import Message, State
from tests.journeys.letters import calendar_of, text_of
from tests.journeys.life import Life

REASON = "La salle est inondée."


class Cancelled:
    """A meeting to which five were invited and which is called off, three times; somebody joins, and weeks pass."""

    def __init__(self, life: Life) -> None:
        self.community = life.found_community(members=4)
        self.community.member_ids.append(life.join(self.community.id, "Jo Example", locale="en"))
        life.settle()
        self.meeting_id = life.schedule(self.community.id, themes=["Le répit"], place="Salle 3")
        self._cancel(life)
        self.mails = self._mails(life)
        self.shown = life.ok("GET", f"/v1/meetings/{self.meeting_id}")
        self._cancel(life)
        self._cancel(life, "Autre chose.")
        life.deliver_everything_again()
        self.shown_again = life.ok("GET", f"/v1/meetings/{self.meeting_id}")
        self.mails_again = self._mails(life)
        self.left_to_do = left_to_do(life)
        self._go_on(life)

    def _cancel(self, life: Life, reason: str = REASON) -> None:
        life.ok("POST", f"/v1/meetings/{self.meeting_id}/cancel", {"reason": reason})
        life.settle()

    def _mails(self, life: Life) -> list[Any]:
        return [life.mails(to=life.address_of(each)) for each in self.community.member_ids]

    def _go_on(self, life: Life) -> None:
        self.sent = len(life.mails())
        late = life.join(self.community.id, "Qui arrive après")
        life.settle()
        self.verbs = [
            life.ask("POST", f"/v1/meetings/{self.meeting_id}/{verb}") for verb in ("start", "wrap-up", "close")
        ]
        life.deliver_everything_again()
        self.messages_of_late = life.ok("GET", f"/v1/members/{late}/messages")["items"]
        life.later(days=20)
        life.deliver_everything_again()
        self.sent_in_the_end = len(life.mails())
        self.mails_of_late = life.mails(to=life.address_of(late))
        self.survey = life.ask("GET", f"/v1/meetings/{self.meeting_id}/survey")


def left_to_do(life: Life) -> list[Any]:
    """What waits in any service, every survey, and every message that is still to leave."""
    found: list[Any] = []
    for store in life.services.values():
        with store.begin() as session:
            found += session.execute(select(due.DUE.c.kind).where(due.DUE.c.state == "waiting")).all()
    with life.stores["evaluation"].begin() as session:
        found += session.scalars(select(Survey.id)).all()
    with life.stores["notifications"].begin() as session:
        unsettled = Message.state.in_((State.QUEUED, State.SENDING))
        found += session.scalars(select(Message.id).where(unsettled)).all()
    return found


@pytest.fixture(scope="module")
def cancelled(one_life: Life) -> Cancelled:
    return Cancelled(one_life)


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


def test_a_meeting_that_has_begun_is_not_called_off(one_life: Life, cancelled: Cancelled) -> None:
    meeting_id = one_life.schedule(cancelled.community.id, themes=["Le répit"], place="Salle 3")
    one_life.ok("POST", f"/v1/meetings/{meeting_id}/start")
    one_life.settle()
    sent = len(one_life.mails())
    assert one_life.ask("POST", f"/v1/meetings/{meeting_id}/cancel", {"reason": REASON}).status == 409
    one_life.settle()
    assert len(one_life.mails()) == sent
    assert one_life.ok("GET", f"/v1/meetings/{meeting_id}")["state"] == "in_progress"
