"""K1 and K2 where there was no time for a wrap-up: everybody who was there is asked, and few answers say nothing."""

import re
from typing import Any

import pytest

from chassis import testing
from pratique.event import Event
from pratique.events.evaluation import CountBand, ResultsReleased, ResultsWithheld, SurveyClosed, WithheldReason
from tests.harness.mails import asks, text_of
from tests.harness.network import Network

THERE = 7
LINK = re.compile(r"/results/[\w-]+")


class Evening:
    """A meeting of a community of its own, in a network that it shares with others of its kind."""

    def __init__(self, network: Network) -> None:
        """Of fourteen members the one who leads the meeting and one who was away are facilitators."""
        self._network = network
        self.community = network.create_community(members=14)
        self.ids = self.community.member_ids
        for member_id in (self.ids[10], self.ids[12]):
            network.put_role(self.community.id, member_id)
        network.settle()

    def meet(self) -> None:
        """Seven were there, four were not or nobody knows, one leads, one takes notes."""
        ids = self.ids
        self.meeting_id = self._network.schedule(self.community.id, facilitator_id=ids[10], note_taker_id=ids[11])
        states = dict.fromkeys(ids[:6], "attended") | {ids[6]: "attended_partly", ids[7]: "no_show", ids[8]: "excused"}
        self._network.hold(self.meeting_id, states | {ids[9]: "unknown", ids[10]: "attended"})

    def wrap_up(self) -> None:
        self._network.wrap_up(self.meeting_id)
        self._network.settle()

    def close(self) -> None:
        self._network.close(self.meeting_id)
        self._network.settle()

    def asked(self) -> list[int]:
        """How often each member was asked, in the community's order."""
        return [sum(asks(mail) for mail in self._network.mails(to=self._network.address_of(each))) for each in self.ids]

    def answer_by_link(self, first: int, last: int) -> None:
        """Each by the newest link that they have."""
        for member_id in self.ids[first:last]:
            self._network.answer(token=self._network.survey_links(member_id)[-1])

    def results(self) -> Any:
        return self._network.ok("GET", f"/v1/surveys/{self._network.survey(self.meeting_id)['id']}/results")

    def told_since(self, before: int) -> list[list[str]]:
        """What each member was told since, of no survey to answer."""
        news = [mail for mail in self._network.mails()[before:] if not asks(mail)]
        return [[text_of(mail) for mail in news if self._network.address_of(each) in mail["To"]] for each in self.ids]


class EnoughAnswer(Evening):
    """Three answer at once and two when they are reminded."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.meet()
        self.survey_before = network.request("GET", f"/v1/meetings/{self.meeting_id}/survey")
        self.close()
        self.survey, self.asked_at_first = network.survey(self.meeting_id), self.asked()
        network.redeliver_everything()
        self.survey_again, self.asked_again = network.survey(self.meeting_id), self.asked()
        self.answer_by_link(0, 3)
        network.advance(hours=49)
        network.advance(days=3)
        network.redeliver_everything()
        self.reminded = self.asked()
        self.answer_by_link(3, 5)
        before = len(network.mails())
        network.advance(days=8)
        network.redeliver_everything()
        self.released, self.told = self.results(), self.told_since(before)
        links = [LINK.search(text) for texts in self.told for text in texts]
        self.pages = [network.request("GET", link[0], headers={"Authorization": ""}) for link in links if link]


@pytest.fixture(scope="module")
def enough(shared_network: Network) -> EnoughAnswer:
    return EnoughAnswer(shared_network)


def test_everybody_who_was_there_is_asked_and_nobody_else(enough: EnoughAnswer) -> None:
    assert enough.survey_before.status == 404
    survey = enough.survey
    assert (survey["state"], survey["room_code"], survey["eligible_band"]) == ("open", None, "5_to_9")
    assert enough.asked_at_first == [1] * THERE + [0] * 7
    assert enough.asked_again == [1] * THERE + [0] * 7
    assert enough.survey_again["id"] == survey["id"]


def test_who_has_not_answered_is_reminded_once(enough: EnoughAnswer) -> None:
    assert enough.reminded == [1] * 3 + [2] * 4 + [0] * 7


def test_enough_answers_are_released_and_those_who_were_there_are_told_where(enough: EnoughAnswer) -> None:
    assert (enough.released["state"], enough.released["n"]) == ("released", 5)
    assert [len(each) for each in enough.told] == [1] * THERE + [0] * 3 + [1] + [0] * 3
    assert all("5 personnes ont répondu" in " ".join(text.split()) for texts in enough.told for text in texts)
    assert [page.status for page in enough.pages] == [200] * (THERE + 1)
    assert all("5 personnes ont répondu" in page.text for page in enough.pages)


def test_too_few_answers_are_told_to_facilitators_alone_and_nowhere_as_a_number(shared_network: Network) -> None:
    evening = Evening(shared_network)
    evening.meet()
    evening.close()
    evening.answer_by_link(0, 4)
    before = len(shared_network.mails())
    shared_network.advance(days=8)
    shared_network.redeliver_everything()
    survey = shared_network.survey(evening.meeting_id)
    assert evening.results() == {"survey_id": survey["id"], "state": "withheld", "reason": "below_k"}
    assert (survey["state"], survey["room_code"], survey["eligible_band"]) == ("withheld", None, "5_to_9")
    mails = evening.told_since(before)
    assert [len(each) for each in mails] == [0] * 10 + [1, 0, 1, 0]
    for (text,) in (mails[10], mails[12]):
        assert "si peu de personnes ont répondu" in " ".join(text.split())
        assert not re.search(r"\b(4|quatre|7|sept)\b", text)
    with shared_network.stores["evaluation"].begin() as session:
        published = testing.published(session, Event)
    ends = [each for each in published if isinstance(each, SurveyClosed | ResultsWithheld | ResultsReleased)]
    closed, withheld = [each for each in ends if str(each.survey_id) == survey["id"]]
    assert isinstance(closed, SurveyClosed)
    assert isinstance(withheld, ResultsWithheld)
    assert (closed.eligible, closed.responses) == (CountBand.FROM_5, None)
    assert (closed.rate_in_meeting, closed.rate_after) == (None, None)
    assert withheld.reason is WithheldReason.BELOW_K


def test_where_nobody_came_nobody_is_asked(shared_network: Network) -> None:
    evening = Evening(shared_network)
    evening.meeting_id = shared_network.schedule(evening.community.id)
    shared_network.hold(evening.meeting_id, dict.fromkeys(evening.ids[:9], "no_show"))
    evening.close()
    shared_network.advance(days=8)
    shared_network.redeliver_everything()
    results = evening.results()
    assert (results["state"], results["reason"]) == ("withheld", "no_attendance")
    assert evening.asked() == [0] * 14


class LeftOpen(Evening):
    """Five of seven answer in the room, and nobody closes the meeting."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.meet()
        self.wrap_up()
        self.room_code = network.survey(self.meeting_id)["room_code"]
        for number, member_id in enumerate(self.ids[:5]):
            network.answer(3 + number % 3, room_code=self.room_code, member_id=member_id)
        before = len(network.mails())
        network.advance(hours=24)  # it lasts an hour: 25 are over soon
        self.asked_in_time = self.asked()
        network.advance(hours=2)
        network.redeliver_everything()
        self.survey, self.asked_anyway = network.survey(self.meeting_id), self.asked()
        self.told_of_it = self.told_since(before)
        self.room = network.request("GET", f"/v1/rooms/{self.room_code}")


class NeverClosed(LeftOpen):
    """One of the two who are asked answers by their link; nobody ever closes the meeting."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.answer_by_link(5, 6)
        network.advance(hours=49)
        network.advance(days=2)
        network.redeliver_everything()
        self.reminded, self.results_while_open = self.asked(), self.results()
        before = len(network.mails())
        network.advance(days=4)
        network.redeliver_everything()
        self.released, self.told = self.results(), self.told_since(before)


@pytest.fixture(scope="module")
def never_closed(shared_network: Network) -> NeverClosed:
    return NeverClosed(shared_network)


def test_a_day_after_a_meeting_that_nobody_closes_those_who_were_there_are_asked(never_closed: NeverClosed) -> None:
    assert never_closed.asked_in_time == [0] * 14
    assert never_closed.asked_anyway == [0] * 5 + [1] * 2 + [0] * 7
    assert (never_closed.survey["state"], never_closed.survey["room_code"]) == ("open", None)
    assert never_closed.room.status == 404
    assert never_closed.reminded == [0] * 5 + [1, 2] + [0] * 7


def test_whoever_facilitates_is_told_that_a_meeting_was_left_open(never_closed: NeverClosed) -> None:
    assert [len(each) for each in never_closed.told_of_it] == [0] * 10 + [1, 0, 1, 0]
    for (text,) in (never_closed.told_of_it[10], never_closed.told_of_it[12]):
        assert not re.search(r"\b(2|deux|5|cinq|7|sept)\b", text), "nobody learns who has answered"


def test_a_survey_of_a_meeting_that_nobody_closes_ends_like_any_other(never_closed: NeverClosed) -> None:
    assert never_closed.results_while_open["state"] == "open"
    assert (never_closed.released["state"], never_closed.released["n"]) == ("released", 6)
    assert [len(each) for each in never_closed.told] == [1] * 7 + [0] * 3 + [1] + [0] * 3


def test_closing_late_asks_nobody_twice(shared_network: Network) -> None:
    evening = LeftOpen(shared_network)
    evening.close()
    shared_network.redeliver_everything()
    assert shared_network.survey(evening.meeting_id)["state"] == "open"
    assert evening.asked() == evening.asked_anyway
    shared_network.advance(hours=49)
    assert evening.asked() == [0] * 5 + [2] * 2 + [0] * 7
    shared_network.advance(days=8)
    assert evening.results()["state"] == "released"
