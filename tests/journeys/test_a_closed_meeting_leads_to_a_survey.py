"""In the last five minutes most answer; when the meeting closes, the others are asked by mail, once."""

from uuid import uuid4

import pytest

from tests.journeys.life import Community, Life


@pytest.fixture
def absent() -> int:
    """How many registered and did not come; few, since each costs time."""
    return 3


@pytest.fixture
def community(life: Life, absent: int) -> Community:
    """Ten who come, those who do not, a facilitator and a note taker."""
    return life.found_community(members=10 + absent + 2)


@pytest.fixture
def meeting_id(life: Life, community: Community) -> str:
    """A meeting in wrap-up: ten people are there, the others registered and did not come."""
    *members, facilitator_id, note_taker_id = community.member_ids
    people = {"facilitator_id": facilitator_id, "note_taker_id": note_taker_id}
    meeting_id = life.schedule(community.id, **people, link="https://meet.example.org/x", themes=["Le premier pas"])
    for member_id in members[10:]:
        life.ok("PUT", f"/v1/meetings/{meeting_id}/registrations/{member_id}", {"partstat": "accepted"})
    states = dict.fromkeys(members[:9], "attended") | {members[9]: "attended_partly"}
    states |= dict.fromkeys(members[10:], "no_show") | {facilitator_id: "attended"}
    life.hold(meeting_id, states)
    life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")
    life.settle()
    return meeting_id


def answer_in_room(life: Life, meeting_id: str, member_ids: list[str]) -> None:
    code = life.survey(meeting_id)["room_code"]
    for member_id in member_ids:
        life.answer(room_code=code, member_id=member_id)


@pytest.mark.parametrize("absent", [12])
def test_the_room_answers_and_exactly_the_others_are_asked(life: Life, community: Community, meeting_id: str) -> None:
    room = life.ok("GET", f"/v1/rooms/{life.survey(meeting_id)['room_code']}")
    assert {each["member_id"] for each in room["attending"]} == set(community.member_ids[:10])
    answer_in_room(life, meeting_id, community.member_ids[:7])
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    asked = [mail for mail in life.mails() if "/s/" in str(mail.get_body(("plain",)).get_content())]
    assert sorted(str(mail["To"]) for mail in asked) == sorted(
        str(mail["To"])
        for member in community.member_ids[7:10]
        for mail in asked
        if life.address_of(member) in mail["To"]
    )
    assert len(asked) == 3
    life.deliver_everything_again()
    assert len([mail for mail in life.mails() if "/s/" in str(mail.get_body(("plain",)).get_content())]) == 3


def survey_mails(life: Life, member_id: str) -> list[str]:
    mails = life.mails(to=life.address_of(member_id))
    return [life.link_in(mail) for mail in mails if "/s/" in mail.get_body(("plain",)).get_content()]


def test_who_answers_by_link_is_not_reminded_and_the_others_are_once(
    life: Life, community: Community, meeting_id: str
) -> None:
    answer_in_room(life, meeting_id, community.member_ids[:7])
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    quick, slow, never = community.member_ids[7:10]
    life.answer(token=survey_mails(life, quick)[0])
    life.later(hours=49)
    assert [len(survey_mails(life, each)) for each in (quick, slow, never)] == [1, 2, 2]
    life.answer(token=survey_mails(life, slow)[1])
    life.later(days=2)
    life.deliver_everything_again()
    assert [len(survey_mails(life, each)) for each in (quick, slow, never)] == [1, 2, 2]


def test_results_come_out_at_the_end_and_not_before(life: Life, community: Community, meeting_id: str) -> None:
    answer_in_room(life, meeting_id, community.member_ids[:7])
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    survey = life.survey(meeting_id)
    results = f"/v1/surveys/{survey['id']}/results"
    assert life.ok("GET", results) == {"survey_id": survey["id"], "state": "open"}
    before = len(life.mails())
    life.later(days=8)
    released = life.ok("GET", results)
    assert released["state"] == "released"
    assert released["n"] == 7
    assert any(question["mean"] == 4 for question in released["questions"] if question.get("mean"))
    told = [mail for mail in life.mails()[before:] if "/s/" not in mail.get_body(("plain",)).get_content()]
    assert told
    life.deliver_everything_again()
    assert life.ok("GET", results) == released


def test_a_correction_after_closing_asks_that_person_alone(life: Life, community: Community, meeting_id: str) -> None:
    answer_in_room(life, meeting_id, community.member_ids[:7])
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    forgotten = community.member_ids[12]
    entries = [{"member_id": forgotten, "state": "attended"}]
    for _ in range(2):
        life.ok("PUT", f"/v1/meetings/{meeting_id}/attendance", {"entries": entries})
        life.settle()
    assert [len(survey_mails(life, each)) for each in community.member_ids[:14]] == [0] * 7 + [1] * 3 + [0, 0, 1, 0]


def test_who_turns_out_not_to_have_been_there_can_no_longer_answer(
    life: Life, community: Community, meeting_id: str
) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    mistaken = community.member_ids[8]
    token = survey_mails(life, mistaken)[0]
    entries = [{"member_id": mistaken, "state": "no_show"}]
    life.ok("PUT", f"/v1/meetings/{meeting_id}/attendance", {"entries": entries})
    life.settle()
    assert life.ask("POST", "/v1/ballots", {"token": token, "locale": "fr"}).status in (404, 409, 410)
    life.later(hours=49)
    assert len(survey_mails(life, mistaken)) == 1


def test_each_person_answers_once(life: Life, community: Community, meeting_id: str) -> None:
    code = life.survey(meeting_id)["room_code"]
    member_id = community.member_ids[0]
    ballot = life.ok("POST", "/v1/ballots", {"room_code": code, "member_id": member_id, "locale": "en"})
    assert life.ask("POST", "/v1/ballots", {"room_code": code, "member_id": member_id, "locale": "en"}).status == 409
    answers = {"answers": [{"question": ballot["questions"][0]["key"], "value": 5}]}
    life.ok("PUT", f"/v1/ballots/{ballot['ballot_id']}", answers)
    assert life.ask("PUT", f"/v1/ballots/{ballot['ballot_id']}", answers).status == 410


def test_a_survey_that_is_closed_takes_no_more_answers(life: Life, community: Community, meeting_id: str) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    token = survey_mails(life, community.member_ids[0])[0]
    ballot = life.ok("POST", "/v1/ballots", {"token": survey_mails(life, community.member_ids[1])[0], "locale": "fr"})
    life.later(days=8)
    assert life.ask("POST", "/v1/ballots", {"token": token, "locale": "fr"}).status in (404, 410)
    answers = {"answers": [{"question": ballot["questions"][0]["key"], "value": 5}]}
    assert life.ask("PUT", f"/v1/ballots/{ballot['ballot_id']}", answers).status in (404, 410)


def test_the_link_in_the_mail_opens_a_page_that_takes_the_answer(
    life: Life, community: Community, meeting_id: str
) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    token = survey_mails(life, community.member_ids[0])[0]
    page = life.ask("GET", f"/s/{token}", headers={"Accept-Language": "fr"})
    assert page.status == 200
    assert '<html lang="fr"' in page.text
    life.ask("GET", f"/s/{token}")  # a mail scanner looks too, and consumes nothing
    form = "step=answer&q.satisfaction=5"
    sent = life.ask("POST", f"/s/{token}", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert sent.status in (200, 303)
    assert life.ask("POST", "/v1/ballots", {"token": token, "locale": "fr"}).status == 409


def test_unknown_ids_are_not_found(life: Life) -> None:
    assert life.ask("GET", f"/v1/meetings/{uuid4()}/survey").status == 404
