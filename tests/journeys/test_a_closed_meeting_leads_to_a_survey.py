"""In the last five minutes most answer; when the meeting closes, the others are asked by mail, once."""

from uuid import uuid4

import pytest

from tests.harness.client import Response
from tests.harness.mails import asks
from tests.harness.network import Network
from tests.harness.people import Community, filled

IN_ROOM, BY_PAGE, BY_REMINDER, UNDECIDED, NEVER = 7, 7, 8, 9, 10
THERE = 11


def gather(network: Network, absent: int) -> tuple[Community, str]:
    """A meeting in wrap-up: eleven are there, the others registered and did not come; one leads, one takes notes."""
    community = network.create_community(members=THERE + absent + 2)
    *members, facilitator_id, note_taker_id = community.member_ids
    people = {"facilitator_id": facilitator_id, "note_taker_id": note_taker_id}
    meeting_id = network.schedule(community.id, **people, link="https://meet.example.org/x", themes=["Le premier pas"])
    for member_id in members[THERE:]:
        network.ok("PUT", f"/v1/meetings/{meeting_id}/registrations/{member_id}", {"partstat": "accepted"})
    states = dict.fromkeys(members[:NEVER], "attended") | {members[NEVER]: "attended_partly"}
    states |= dict.fromkeys(members[THERE:], "no_show") | {facilitator_id: "attended"}
    network.hold(meeting_id, states)
    network.wrap_up(meeting_id)
    network.settle()
    return community, meeting_id


def ask_ballot(network: Network, **who: str) -> Response:
    return network.request("POST", "/v1/ballots", {"locale": "fr"} | who)


def send(network: Network, ballot: Response, value: int = 4) -> Response:
    return network.request("POST", "/v1/answers", filled(ballot.json, value))


class Evening:
    """A meeting and its survey, from the wrap-up until after its end; and what was seen on the way."""

    def __init__(self, network: Network) -> None:
        self.community, self.meeting_id = gather(network, absent=12)
        self.ids = self.community.member_ids
        self._answer_in_room(network)
        network.close(self.meeting_id)
        network.settle()
        self.addresses = {each: network.address_of(each) for each in self.ids}
        self.asked = self._asked(network)
        network.redeliver_everything()
        self.asked_twice_told = self._asked(network)
        self.room_after_closing = network.request("GET", f"/v1/rooms/{self._room_code}")
        self.ballot_after_closing = ask_ballot(network, room_code=self._room_code, member_id=self.ids[NEVER])
        self.survey_id = network.survey(self.meeting_id)["id"]
        self.results = f"/v1/surveys/{self.survey_id}/results"
        self.results_after_closing = network.ok("GET", self.results)
        self._answer_on_page(network)
        self._remind(network)
        self._end(network)

    def _answer_in_room(self, network: Network) -> None:
        """Seven answer; the first of them tries everything twice, and one who has not answered keeps a ballot."""
        code = network.survey(self.meeting_id)["room_code"]
        self.room = network.ok("GET", f"/v1/rooms/{code}")
        self.ballots_of_one = [ask_ballot(network, room_code=code, member_id=self.ids[0]) for _ in range(2)]
        first, second = self.ballots_of_one
        self.sent_by_one = [send(network, ballot) for ballot in (first, first, second)]
        for number, member_id in enumerate(self.ids[1:IN_ROOM]):
            network.answer(3 + number % 3, room_code=code, member_id=member_id)
        self.ballot_after_answering = ask_ballot(network, room_code=code, member_id=self.ids[1])
        self._ballot_of_the_room = ask_ballot(network, room_code=code, member_id=self.ids[NEVER])
        self._room_code = code

    def _asked(self, network: Network) -> list[str]:
        return [str(mail["To"]) for mail in network.mails() if asks(mail)]

    def _answer_on_page(self, network: Network) -> None:
        (token,) = network.survey_links(self.ids[BY_PAGE])
        self.ballot_of_another_visit = ask_ballot(network, token=token)
        self.page = network.request("GET", f"/s/{token}", headers={"Accept-Language": "fr"})
        network.request("GET", f"/s/{token}")  # a mail scanner looks too, and consumes nothing
        form = "step=answer&q.satisfaction=4"
        self.sent = network.request("POST", f"/s/{token}", form, {"Content-Type": "application/x-www-form-urlencoded"})
        self.link_used_again = ask_ballot(network, token=token)
        self.sent_again = send(network, self.ballot_of_another_visit)

    def _remind(self, network: Network) -> None:
        """After two days; one answers by the first of their two links, one asks for a ballot and leaves it lying."""
        network.advance(hours=49)
        self.reminded = [len(network.survey_links(each)) for each in self.ids[BY_PAGE:]]
        self.sent_too_late_for_the_room = send(network, self._ballot_of_the_room)
        first, second = network.survey_links(self.ids[BY_REMINDER])
        self.are_links_alike = first == second
        network.answer(token=first)
        self.other_link_used_again = ask_ballot(network, token=second)
        self.ballot_left = ask_ballot(network, token=network.survey_links(self.ids[UNDECIDED])[0])
        network.advance(days=2)
        network.redeliver_everything()
        self.reminded_in_the_end = [len(network.survey_links(each)) for each in self.ids[BY_PAGE:]]
        self.results_before_the_end = network.ok("GET", self.results)

    def _end(self, network: Network) -> None:
        before = len(network.mails())
        network.advance(days=8)
        self.released = network.ok("GET", self.results)
        self.mails_of_the_end = network.mails()[before:]
        network.redeliver_everything()
        self.results_later = network.ok("GET", self.results)
        self.link_of_late = ask_ballot(network, token=network.survey_links(self.ids[NEVER])[0])
        self.sent_too_late = send(network, self.ballot_left)


@pytest.fixture(scope="module")
def evening(shared_network: Network) -> Evening:
    return Evening(shared_network)


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

    def __init__(self, network: Network) -> None:
        community, meeting_id = gather(network, absent=3)
        self.ids = community.member_ids
        code = network.survey(meeting_id)["room_code"]
        for member_id in self.ids[:IN_ROOM]:
            network.answer(room_code=code, member_id=member_id)
        ballot = ask_ballot(network, room_code=code, member_id=self.ids[IN_ROOM])
        network.close(meeting_id)
        network.settle()
        self.sent_after_closing = send(network, ballot)
        self.forgotten, self.mistaken = THERE + 2, IN_ROOM + 1
        self.asked = self._asked(network)
        for _ in range(2):
            self._correct(network, meeting_id, self.forgotten, "attended")
        self.asked_with_the_forgotten = self._asked(network)
        self._correct(network, meeting_id, self.mistaken, "no_show")
        self.refused = ask_ballot(network, token=network.survey_links(self.ids[self.mistaken])[0])
        network.advance(hours=49)
        self.reminded = self._asked(network)

    def _asked(self, network: Network) -> list[int]:
        return [len(network.survey_links(each)) for each in self.ids]

    def _correct(self, network: Network, meeting_id: str, number: int, state: str) -> None:
        network.record_attendance(meeting_id, {self.ids[number]: state})
        network.settle()


@pytest.fixture(scope="module")
def corrections(shared_network: Network, evening: Evening) -> Corrections:
    """They come after the evening, whose mails are counted."""
    return Corrections(shared_network)


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


def test_unknown_ids_are_not_found(shared_network: Network) -> None:
    assert shared_network.request("GET", f"/v1/meetings/{uuid4()}/survey").status == 404
