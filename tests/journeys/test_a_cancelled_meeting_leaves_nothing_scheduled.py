"""A meeting is called off: whoever was invited is told why, once, and nothing else is ever sent about it."""

import pytest
from sqlalchemy import select

from pratique import due
from services.evaluation.models import Survey
from services.notifications.models import Message, State
from tests.journeys.letters import calendar_of, text_of
from tests.journeys.life import Community, Life

REASON = "La salle est inondée."


@pytest.fixture
def community(life: Life) -> Community:
    made = life.found_community(members=4)
    made.member_ids.append(life.join(made.id, "Jo Example", locale="en"))
    life.settle()
    return made


@pytest.fixture
def meeting_id(life: Life, community: Community) -> str:
    return life.schedule(community.id, themes=["Le répit"], place="Salle 3")


def cancel(life: Life, meeting_id: str, reason: str = REASON) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/cancel", {"reason": reason})
    life.settle()


def test_who_was_invited_is_told_why_and_their_calendar_forgets_it(
    life: Life, community: Community, meeting_id: str
) -> None:
    cancel(life, meeting_id)
    for member_id in community.member_ids:
        invitation, notice = life.mails(to=life.address_of(member_id))
        asked, planned = calendar_of(invitation)
        method, entry = calendar_of(notice)
        assert (asked, method, entry["STATUS"]) == ("REQUEST", "CANCEL", "CANCELLED")
        assert (entry["UID"], entry["DTSTART"].dt) == (planned["UID"], planned["DTSTART"].dt)
        assert int(entry["SEQUENCE"]) > int(planned["SEQUENCE"])
        assert REASON in text_of(notice)
    subjects = [str(life.mails(to=life.address_of(each))[1]["Subject"]) for each in community.member_ids]
    assert [subject.partition(":")[0].strip() for subject in subjects] == ["Annulée"] * 4 + ["Cancelled"]


def test_cancelling_twice_tells_once(life: Life, community: Community, meeting_id: str) -> None:
    cancel(life, meeting_id)
    first = life.ok("GET", f"/v1/meetings/{meeting_id}")
    cancel(life, meeting_id)
    cancel(life, meeting_id, "Autre chose.")
    life.deliver_everything_again()
    assert life.ok("GET", f"/v1/meetings/{meeting_id}") == first
    assert [len(life.mails(to=life.address_of(each))) for each in community.member_ids] == [2] * 5


def test_nothing_is_sent_about_it_afterwards(life: Life, community: Community, meeting_id: str) -> None:
    cancel(life, meeting_id)
    sent = len(life.mails())
    life.join(community.id, "Qui arrive après")
    life.settle()
    for verb in ("start", "wrap-up", "close"):
        assert life.ask("POST", f"/v1/meetings/{meeting_id}/{verb}").status == 409
    life.later(days=20)
    life.deliver_everything_again()
    assert len(life.mails()) == sent
    assert life.ask("GET", f"/v1/meetings/{meeting_id}/survey").status == 404


def test_no_service_keeps_anything_to_do(life: Life, community: Community, meeting_id: str) -> None:
    cancel(life, meeting_id)
    life.deliver_everything_again()
    for store in life.services.values():
        with store.begin() as session:
            assert session.execute(select(due.DUE.c.kind).where(due.DUE.c.state == "waiting")).all() == []
    with life.stores["evaluation"].begin() as session:
        assert session.scalars(select(Survey)).all() == []
    with life.stores["notifications"].begin() as session:
        unsettled = Message.state.in_((State.QUEUED, State.SENDING))
        assert session.scalars(select(Message).where(unsettled)).all() == []


def test_who_joins_after_the_cancellation_is_not_invited_and_the_record_says_why(
    life: Life, community: Community, meeting_id: str
) -> None:
    cancel(life, meeting_id)
    late = life.join(community.id, "Qui arrive après")
    life.settle()
    life.deliver_everything_again()
    assert life.mails(to=life.address_of(late)) == []
    (dropped,) = life.ok("GET", f"/v1/members/{late}/messages")["items"]
    said = (dropped["template"], dropped["state"], dropped["drop_reason"])
    assert said == ("meeting_invitation", "dropped", "cancelled")


def test_a_meeting_that_has_begun_is_not_called_off(life: Life, meeting_id: str) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/start")
    life.settle()
    sent = len(life.mails())
    assert life.ask("POST", f"/v1/meetings/{meeting_id}/cancel", {"reason": REASON}).status == 409
    life.settle()
    assert len(life.mails()) == sent
    assert life.ok("GET", f"/v1/meetings/{meeting_id}")["state"] == "in_progress"
