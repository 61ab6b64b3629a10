"""In the last five minutes most answer; when the meeting closes, the others are asked by mail, once."""

from uuid import uuid4

import pytest

from tests.journeys.letters import asks
from tests.journeys.life import Answer, Community, Life, filled

IN_ROOM, BY_PAGE, BY_REMINDER, UNDECIDED, NEVER = 7, 7, 8, 9, 10
THERE = 11


def gather(life: Life, absent: int) -> tuple[Community, str]:
    """A meeting in wrap-up: eleven are there, the others registered and did not come; one leads, one takes notes."""
    community = life.found_community(members=THERE + absent + 2)
    *members, facilitator_id, note_taker_id = community.member_ids
    people = {"facilitator_id": facilitator_id, "note_taker_id": note_taker_id}
    meeting_id = life.schedule(community.id, **people, link="https://meet.example.org/x", themes=["Le premier pas"])
    for member_id in members[THERE:]:
        life.ok("PUT", f"/v1/meetings/{meeting_id}/registrations/{member_id}", {"partstat": "accepted"})
    states = dict.fromkeys(members[:NEVER], "attended") | {members[NEVER]: "attended_partly"}
    states |= dict.fromkeys(members[THERE:], "no_show") | {facilitator_id: "attended"}
    life.hold(meeting_id, states)
    life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")
    life.settle()
    return community, meeting_id


def links(life: Life, member_id: str) -> list[str]:
    """The survey links that this person was sent, oldest first."""
    return [life.link_in(mail) for mail in life.mails(to=life.address_of(member_id)) if asks(mail)]


def ask_ballot(life: Life, **who: str) -> Answer:
    return life.ask("POST", "/v1/ballots", {"locale": "fr"} | who)


def send(life: Life, ballot: Answer, value: int = 4) -> Answer:
    return life.ask("POST", "/v1/answers", filled(ballot.json, value))


class Evening:
    """A meeting and its survey, from the wrap-up until after its end; and what was seen on the way."""

    def __init__(self, life: Life) -> None:
        self.community, self.meeting_id = gather(life, absent=12)
        self.ids = self.community.member_ids
        self._answer_in_room(life)
        life.ok("POST", f"/v1/meetings/{self.meeting_id}/close")
        life.settle()
        self.addresses = {each: life.address_of(each) for each in self.ids}
        self.asked = self._asked(life)
        life.deliver_everything_again()
        self.asked_twice_told = self._asked(life)
        self.room_after_closing = life.ask("GET", f"/v1/rooms/{self._room_code}")
        self.ballot_after_closing = ask_ballot(life, room_code=self._room_code, member_id=self.ids[NEVER])
        self.survey_id = life.survey(self.meeting_id)["id"]
        self.results = f"/v1/surveys/{self.survey_id}/results"
        self.results_after_closing = life.ok("GET", self.results)
        self._answer_on_page(life)
        self._remind(life)
        self._end(life)

    def _answer_in_room(self, life: Life) -> None:
        """Seven answer; the first of them tries everything twice, and one who has not answered keeps a ballot."""
        code = life.survey(self.meeting_id)["room_code"]
        self.room = life.ok("GET", f"/v1/rooms/{code}")
        self.ballots_of_one = [ask_ballot(life, room_code=code, member_id=self.ids[0]) for _ in range(2)]
        first, second = self.ballots_of_one
        self.sent_by_one = [send(life, ballot) for ballot in (first, first, second)]
        for number, member_id in enumerate(self.ids[1:IN_ROOM]):
            life.answer(3 + number % 3, room_code=code, member_id=member_id)
        self.ballot_after_answering = ask_ballot(life, room_code=code, member_id=self.ids[1])
        self._ballot_of_the_room = ask_ballot(life, room_code=code, member_id=self.ids[NEVER])
        self._room_code = code

    def _asked(self, life: Life) -> list[str]:
        return [str(mail["To"]) for mail in life.mails() if asks(mail)]

    def _answer_on_page(self, life: Life) -> None:
        (token,) = links(life, self.ids[BY_PAGE])
        self.ballot_of_another_visit = ask_ballot(life, token=token)
        self.page = life.ask("GET", f"/s/{token}", headers={"Accept-Language": "fr"})
        life.ask("GET", f"/s/{token}")  # a mail scanner looks too, and consumes nothing
        form = "step=answer&q.satisfaction=4"
        self.sent = life.ask("POST", f"/s/{token}", form, {"Content-Type": "application/x-www-form-urlencoded"})
        self.link_used_again = ask_ballot(life, token=token)
        self.sent_again = send(life, self.ballot_of_another_visit)

    def _remind(self, life: Life) -> None:
        """After two days; one answers by the first of their two links, one asks for a ballot and leaves it lying."""
        life.later(hours=49)
        self.reminded = [len(links(life, each)) for each in self.ids[BY_PAGE:]]
        self.sent_too_late_for_the_room = send(life, self._ballot_of_the_room)
        first, second = links(life, self.ids[BY_REMINDER])
        self.are_links_alike = first == second
        life.answer(token=first)
        self.other_link_used_again = ask_ballot(life, token=second)
        self.ballot_left = ask_ballot(life, token=links(life, self.ids[UNDECIDED])[0])
        life.later(days=2)
        life.deliver_everything_again()
        self.reminded_in_the_end = [len(links(life, each)) for each in self.ids[BY_PAGE:]]
        self.results_before_the_end = life.ok("GET", self.results)

    def _end(self, life: Life) -> None:
        before = len(life.mails())
        life.later(days=8)
        self.released = life.ok("GET", self.results)
        self.mails_of_the_end = life.mails()[before:]
        life.deliver_everything_again()
        self.results_later = life.ok("GET", self.results)
        self.link_of_late = ask_ballot(life, token=links(life, self.ids[NEVER])[0])
        self.sent_too_late = send(life, self.ballot_left)


@pytest.fixture(scope="module")
def evening(one_life: Life) -> Evening:
    return Evening(one_life)


def test_the_room_shows_who_is_there(evening: Evening) -> None:
    assert {each["member_id"] for each in evening.room["attending"]} == set(evening.ids[:THERE])


def test_each_person_answers_once(evening: Evening) -> None:
    assert [sent.status for sent in evening.sent_by_one] == [204, 410, 409]
    assert evening.link_used_again.status == evening.other_link_used_again.status == 409
    assert evening.ballot_of_another_visit.status == 201
    assert evening.sent_again.status == 409


def test_in_the_room_a_ballot_tells_nobody_who_has_answered(evening: Evening) -> None:
    assert [ballot.status for ballot in evening.ballots_of_one] == [201, 201]
    assert evening.ballot_after_answering.status == 201


def test_the_room_ends_with_the_meeting(evening: Evening) -> None:
    assert evening.room_after_closing.status == 404
    assert evening.ballot_after_closing.status == 404
    assert evening.sent_too_late_for_the_room.status == 404


def test_the_room_answers_and_exactly_the_others_are_asked(evening: Evening) -> None:
    others = [evening.addresses[each] for each in evening.ids[IN_ROOM:THERE]]
    assert len(evening.asked) == 4
    assert [sum(address in to for to in evening.asked) for address in others] == [1] * 4
    assert evening.asked_twice_told == evening.asked


def test_the_link_in_the_mail_opens_a_page_that_takes_the_answer(evening: Evening) -> None:
    assert evening.page.status == 200
    assert '<html lang="fr"' in evening.page.text
    assert evening.sent.status in (200, 303)


def test_the_first_link_stays_valid_beside_that_of_the_reminder(evening: Evening) -> None:
    assert not evening.are_links_alike
    assert evening.other_link_used_again.status == 409


def test_who_answers_by_link_is_not_reminded_and_the_others_are_once(evening: Evening) -> None:
    nobody_else = [0] * (len(evening.ids) - THERE)
    assert evening.reminded == [1, 2, 2, 2, *nobody_else]
    assert evening.reminded_in_the_end == [1, 2, 2, 2, *nobody_else]


def test_results_come_out_at_the_end_and_not_before(evening: Evening) -> None:
    still_open = {"survey_id": evening.survey_id, "state": "open"}
    assert evening.results_after_closing == evening.results_before_the_end == still_open
    assert evening.released["state"] == "released"
    assert evening.released["n"] == 9  # seven in the room, one on the page, one when reminded
    satisfaction = next(each for each in evening.released["questions"] if each["question"] == "satisfaction")
    assert (satisfaction["n"], satisfaction["mean"]) == (9, 4)
    assert satisfaction["distribution"] == {"1": 0, "2": 0, "3": 2, "4": 5, "5": 2}
    assert [mail for mail in evening.mails_of_the_end if not asks(mail)]
    assert evening.results_later == evening.released


def test_a_survey_that_is_closed_takes_no_more_answers(evening: Evening) -> None:
    assert evening.ballot_left.status == 201
    assert evening.link_of_late.status == evening.sent_too_late.status == 410


class Corrections:
    """Another meeting, closed; then someone who was forgotten is entered twice, and one entered by mistake goes."""

    def __init__(self, life: Life) -> None:
        community, meeting_id = gather(life, absent=3)
        self.ids = community.member_ids
        code = life.survey(meeting_id)["room_code"]
        for member_id in self.ids[:IN_ROOM]:
            life.answer(room_code=code, member_id=member_id)
        ballot = ask_ballot(life, room_code=code, member_id=self.ids[IN_ROOM])
        life.ok("POST", f"/v1/meetings/{meeting_id}/close")
        life.settle()
        self.sent_after_closing = send(life, ballot)
        self.forgotten, self.mistaken = THERE + 2, IN_ROOM + 1
        self.asked = self._asked(life)
        for _ in range(2):
            self._correct(life, meeting_id, self.forgotten, "attended")
        self.asked_with_the_forgotten = self._asked(life)
        self._correct(life, meeting_id, self.mistaken, "no_show")
        self.refused = ask_ballot(life, token=links(life, self.ids[self.mistaken])[0])
        life.later(hours=49)
        self.reminded = self._asked(life)

    def _asked(self, life: Life) -> list[int]:
        return [len(links(life, each)) for each in self.ids]

    def _correct(self, life: Life, meeting_id: str, number: int, state: str) -> None:
        entries = [{"member_id": self.ids[number], "state": state}]
        life.ok("PUT", f"/v1/meetings/{meeting_id}/attendance", {"entries": entries})
        life.settle()


@pytest.fixture(scope="module")
def corrections(one_life: Life, evening: Evening) -> Corrections:
    """They come after the evening, whose mails are counted."""
    return Corrections(one_life)


def test_a_correction_after_closing_asks_that_person_alone(corrections: Corrections) -> None:
    assert corrections.asked == [0] * 7 + [1] * 4 + [0] * 5
    assert corrections.asked_with_the_forgotten == [0] * 7 + [1] * 4 + [0, 0, 1, 0, 0]


def test_who_turns_out_not_to_have_been_there_can_no_longer_answer(corrections: Corrections) -> None:
    assert corrections.refused.status in (404, 409, 410)
    assert corrections.reminded[corrections.mistaken] == 1
    assert corrections.reminded == [0] * 7 + [1, 1, 2, 2] + [0, 0, 2, 0, 0]  # all others who have not answered


def test_whoever_had_begun_when_the_room_closed_can_still_send(corrections: Corrections) -> None:
    assert corrections.sent_after_closing.status == 204
    assert corrections.reminded[IN_ROOM] == 1


def test_unknown_ids_are_not_found(one_life: Life) -> None:
    assert one_life.ask("GET", f"/v1/meetings/{uuid4()}/survey").status == 404
