"""K1 and K2 where there was no time for a wrap-up: everybody who was there is asked, and few answers say nothing."""

import re

import pytest

from pratique import testing
from pratique.events.evaluation import CountBand, ResultsReleased, ResultsWithheld, SurveyClosed, WithheldReason
from tests.journeys.letters import asks, text_of
from tests.journeys.life import Community, Life

THERE = 7


@pytest.fixture
def community(life: Life) -> Community:
    """Of fourteen members the one who leads the meeting and one who was away are the community's facilitators."""
    made = life.found_community(members=14)
    for member_id in (made.member_ids[10], made.member_ids[12]):
        life.ok("PUT", f"/v1/communities/{made.id}/roles/{member_id}/facilitator")
    life.settle()
    return made


@pytest.fixture
def meeting_id(life: Life, community: Community) -> str:
    """A meeting under way: seven were there, four were not or nobody knows, one leads, one takes notes."""
    ids = community.member_ids
    meeting_id = life.schedule(community.id, facilitator_id=ids[10], note_taker_id=ids[11])
    states = dict.fromkeys(ids[:6], "attended") | {ids[6]: "attended_partly", ids[7]: "no_show", ids[8]: "excused"}
    life.hold(meeting_id, states | {ids[9]: "unknown", ids[10]: "attended"})
    return meeting_id


def close(life: Life, meeting_id: str) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()


def asked(life: Life, community: Community) -> list[int]:
    """How often each member was asked, in the community's order."""
    return [sum(asks(mail) for mail in life.mails(to=life.address_of(each))) for each in community.member_ids]


def answer_by_link(life: Life, community: Community, number: int) -> None:
    for member_id in community.member_ids[:number]:
        (mail,) = [mail for mail in life.mails(to=life.address_of(member_id)) if asks(mail)]
        life.answer(token=life.link_in(mail))


def told_of_results(life: Life, community: Community, before: int) -> list[list[str]]:
    """What each member was told since, of no survey to answer."""
    news = [mail for mail in life.mails()[before:] if not asks(mail)]
    return [[text_of(mail) for mail in news if life.address_of(each) in mail["To"]] for each in community.member_ids]


def test_everybody_who_was_there_is_asked_and_nobody_else(life: Life, community: Community, meeting_id: str) -> None:
    assert life.ask("GET", f"/v1/meetings/{meeting_id}/survey").status == 404
    close(life, meeting_id)
    survey = life.survey(meeting_id)
    assert (survey["state"], survey["room_code"], survey["eligible_band"]) == ("open", None, "5_to_9")
    assert asked(life, community) == [1] * THERE + [0] * 7
    life.deliver_everything_again()
    assert asked(life, community) == [1] * THERE + [0] * 7
    assert life.survey(meeting_id)["id"] == survey["id"]


def test_who_has_not_answered_is_reminded_once(life: Life, community: Community, meeting_id: str) -> None:
    close(life, meeting_id)
    answer_by_link(life, community, 3)
    life.later(hours=49)
    life.later(days=3)
    life.deliver_everything_again()
    assert asked(life, community) == [1] * 3 + [2] * 4 + [0] * 7


def test_enough_answers_are_released_and_members_are_told_where(
    life: Life, community: Community, meeting_id: str
) -> None:
    close(life, meeting_id)
    answer_by_link(life, community, 5)
    before = len(life.mails())
    life.later(days=8)
    life.deliver_everything_again()
    results = life.ok("GET", f"/v1/surveys/{life.survey(meeting_id)['id']}/results")
    assert (results["state"], results["n"]) == ("released", 5)
    told = told_of_results(life, community, before)
    assert [len(each) for each in told] == [1] * 14
    assert all("5 personnes ont répondu" in " ".join(text.split()) for (text,) in told)
    assert all("auprès de la personne qui anime la communauté" in " ".join(text.split()) for (text,) in told)


def test_too_few_answers_are_told_to_facilitators_alone_and_nowhere_as_a_number(
    life: Life, community: Community, meeting_id: str
) -> None:
    close(life, meeting_id)
    answer_by_link(life, community, 4)
    before = len(life.mails())
    life.later(days=8)
    life.deliver_everything_again()
    survey = life.survey(meeting_id)
    results = life.ok("GET", f"/v1/surveys/{survey['id']}/results")
    told = {"survey_id": survey["id"], "state": "withheld", "reason": "below_k", "responses": "under_5"}
    assert results == told
    assert (survey["state"], survey["room_code"], survey["eligible_band"]) == ("withheld", None, "5_to_9")
    mails = told_of_results(life, community, before)
    assert [len(each) for each in mails] == [0] * 10 + [1, 0, 1, 0]
    for (text,) in (mails[10], mails[12]):
        assert "trop peu de personnes ont répondu" in " ".join(text.split())
        assert not re.search(r"\b(4|quatre|7|sept)\b", text)
    with life.stores["evaluation"].begin() as session:
        (closed,) = testing.published(session, SurveyClosed)
        (withheld,) = testing.published(session, ResultsWithheld)
        assert testing.published(session, ResultsReleased) == []
    assert (closed.eligible, closed.responses) == (CountBand.FROM_5, CountBand.UNDER_5)
    assert (closed.rate_in_meeting, closed.rate_after) == (None, None)
    assert withheld.reason is WithheldReason.BELOW_K


def test_where_nobody_came_nobody_is_asked(life: Life, community: Community) -> None:
    meeting_id = life.schedule(community.id)
    life.hold(meeting_id, dict.fromkeys(community.member_ids[:9], "no_show"))
    close(life, meeting_id)
    life.later(days=8)
    life.deliver_everything_again()
    results = life.ok("GET", f"/v1/surveys/{life.survey(meeting_id)['id']}/results")
    assert (results["state"], results["reason"]) == ("withheld", "no_attendance")
    assert asked(life, community) == [0] * 14


def test_a_meeting_that_nobody_closes_is_given_up_a_day_after_its_end(
    life: Life, community: Community, meeting_id: str
) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")
    life.settle()
    for member_id in community.member_ids[:6]:
        life.answer(room_code=life.survey(meeting_id)["room_code"], member_id=member_id)
    before = len(life.mails())
    life.later(hours=24)  # it lasts an hour: 25 are over soon
    survey = life.survey(meeting_id)
    assert survey["state"] == "open"
    life.later(hours=2)
    results = life.ok("GET", f"/v1/surveys/{survey['id']}/results")
    assert (results["state"], results["reason"]) == ("withheld", "no_attendance")
    assert "n" not in results
    life.later(days=8)
    life.deliver_everything_again()
    assert asked(life, community) == [0] * 14
    assert [len(each) for each in told_of_results(life, community, before)] == [0] * 10 + [1, 0, 1, 0]


def test_closing_late_what_was_given_up_asks_nobody(life: Life, community: Community, meeting_id: str) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")
    life.settle()
    life.later(hours=30)
    close(life, meeting_id)
    life.deliver_everything_again()
    assert life.survey(meeting_id)["state"] == "withheld"
    assert asked(life, community) == [0] * 14
