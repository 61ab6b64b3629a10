"""K2 and DOMAIN f.3: whoever reads every table, event, mail and log line never learns who said what.

While a survey is open not even what was said; afterwards not even who was asked, nor with the network's seal key.
"""

import logging
import os
from collections import Counter
from uuid import UUID

import pytest

from chassis.sealing import Seal
from chassis.settings import SERVICES
from chassis.testing import SEAL_KEY
from tests.harness import stored_rows
from tests.harness.mails import asks, everything_in, link_in
from tests.harness.network import Network
from tests.harness.people import answers_to
from tests.journeys.log_capture import overheard

HEARD = ("this is logged", "this is printed", "this is written past Python")  #: so that silence proves something
EVENTS = {f"{service}.{table}" for service in SERVICES for table in ("event_log", "outbox", "parked", "due")}
ASKING = {"SurveyInvitationsIssued", "SurveyReminderDue", "InvitationRevoked"}
SEAL = Seal.of(SEAL_KEY)
THERE = 7


class Scenario:
    """Two meetings that seven people attended; six answered after one, and three after the other, which is too few.

    Every secret is used on the way; and what is held of it.
    """

    def __init__(self, network: Network) -> None:
        self.room_codes: list[str] = []
        self.ballots: list[str] = []
        self.comments: list[str] = []
        self.community = network.create_community(members=8)
        self.ids = self.community.member_ids[:THERE]
        facilitator_id = self.community.member_ids[THERE]
        self.addresses = {each: network.address_of(each) for each in self.community.member_ids}
        network.put_role(self.community.id, facilitator_id)
        self.survey_ids = [self._meet(network, in_room=4, later=2), self._meet(network, in_room=2, later=1)]
        self.held_while_open = stored_rows.all_rows(network.stores)
        self._try_what_is_refused(network)
        network.advance(hours=49)
        network.advance(days=6)
        network.redeliver_everything()
        self.held_afterwards = stored_rows.all_rows(network.stores)
        self.states = [network.ok("GET", f"/v1/surveys/{each}/results")["state"] for each in self.survey_ids]
        self.mails = network.mails()
        self.links = {link_in(mail) for mail in self.mails if asks(mail)}
        network.advance(days=90)
        self.held_in_the_end = stored_rows.all_rows(network.stores)

    def _meet(self, network: Network, in_room: int, later: int) -> str:
        """Some answer in the room and some by their link; the others do not. The survey is the second, or the first."""
        before = len(network.mails())
        facilitator_id = self.community.member_ids[THERE]
        starts_at = "2026-03-19T14:00:00+00:00"
        ends_at = "2026-03-19T15:00:00+00:00"
        meeting_id = network.schedule(
            self.community.id, facilitator_id=facilitator_id, starts_at=starts_at, ends_at=ends_at
        )
        network.start(meeting_id)
        network.record_attendance(meeting_id, dict.fromkeys(self.community.member_ids, "attended"))
        network.wrap_up(meeting_id)
        network.settle()
        survey = network.survey(meeting_id)
        self.room_codes.append(survey["room_code"])
        for member_id in self.ids[:in_room]:
            self._say(network, room_code=survey["room_code"], member_id=member_id)
        self.room_page = network.request("GET", f"/r/{survey['room_code']}")
        network.close(meeting_id)
        network.settle()
        mails = {mail["To"].addresses[0].addr_spec: mail for mail in network.mails()[before:] if asks(mail)}
        self.tokens = [link_in(mails[self.addresses[each]]) for each in self.ids[in_room:]]
        self.link_pages = [network.request("GET", f"/s/{token}") for token in self.tokens[:later]]
        for token in self.tokens[:later]:
            self._say(network, token=token)
        return str(survey["id"])

    def _say(self, network: Network, **who: str) -> None:
        ballot = network.ballot(**who)
        comment = f"Remarque-{len(self.ballots)}-é"
        said = [*answers_to(ballot["questions"], 4), {"question": "what_should_change", "value": comment}]
        said = [each for each in said if each["question"] != "comment_may_be_shown"]
        network.ok("POST", "/v1/answers", {"ballot_id": ballot["ballot_id"], "answers": said})
        self.ballots.append(ballot["ballot_id"])
        self.comments.append(comment)

    def _try_what_is_refused(self, network: Network) -> None:
        """Look once more, and ask for what cannot be: logs are talkative about mistakes."""
        network.request("GET", f"/v1/rooms/{self.room_codes[0]}")
        network.request("GET", f"/s/{self.tokens[-1]}")
        network.request("POST", "/v1/ballots", {"token": "no-token-of-ours", "locale": "fr"})
        network.request(
            "POST", "/v1/ballots", {"room_code": self.room_codes[0], "member_id": self.ids[0], "locale": "fr"}
        )
        answers = [{"question": "satisfaction", "value": 3}]
        network.request("POST", "/v1/answers", {"ballot_id": self.ballots[0], "answers": answers})
        network.request("POST", "/v1/answers", {"ballot_id": self.ballots[0] + "x", "answers": answers})
        network.request("PUT", f"/v1/members/{self.ids[0]}", {"name": "Une autre", "email": "Remarque"})

    @property
    def secrets(self) -> list[str]:
        """What opens something, or is an answer."""
        return [*self.room_codes, *self.links, *self.ballots, *self.comments]

    @property
    def people(self) -> list[str]:
        """Everyone, in every form."""
        ids = self.community.member_ids
        return [form for each in ids for form in (each, UUID(each).hex, self.addresses[each])]


@pytest.fixture(scope="module")
def told(shared_network: Network, tmp_path_factory: pytest.TempPathFactory) -> tuple[Scenario, str]:
    """The scenario that ran, and every word that was logged or printed meanwhile."""
    with overheard(tmp_path_factory.mktemp("logs")) as ear:
        logging.getLogger("pratique.journeys").debug(HEARD[0])
        print(HEARD[1])
        os.write(2, f"{HEARD[2]}\n".encode())
        scenario = Scenario(shared_network)
    return scenario, ear.words


@pytest.fixture
def scenario(told: tuple[Scenario, str]) -> Scenario:
    return told[0]


def test_the_pages_open_and_the_surveys_end(scenario: Scenario) -> None:
    assert [page.status for page in (scenario.room_page, *scenario.link_pages)] == [200, 200]
    assert scenario.states == ["released", "withheld"]


def test_a_copy_made_while_the_survey_is_open_tells_no_answer(scenario: Scenario) -> None:
    held = scenario.held_while_open
    assert [len(held[f"evaluation.{table}"]) for table in ("sheet", "marker", "survey_key")] == [9, 9, 2]
    for secret in [*scenario.links, *scenario.ballots, *scenario.comments, "what_should_change", '"satisfaction"']:
        assert stored_rows.where(held, secret) == set()
    volatile = [row for table in ("sheet", "marker", "survey_key") for row in held[f"evaluation.{table}"]]
    assert not any(each in stored_rows.words_of(volatile) for each in scenario.people)


def test_sheets_differ_in_nothing_that_leads_to_a_person(scenario: Scenario) -> None:
    sheets, markers = (scenario.held_while_open[f"evaluation.{table}"] for table in ("sheet", "marker"))
    assert {frozenset(row) for row in sheets} == {frozenset({"survey_id", "mark", "box"})}
    assert len({len(row["box"]) for row in sheets}) == 1
    assert {frozenset(row) for row in markers} == {frozenset({"survey_id", "mac", "ballot_mark", "is_cast"})}
    assert {bool(row["is_cast"]) for row in markers} == {True}
    marks = Counter(bytes(mark) for row in markers for mark in (row["mac"], row["ballot_mark"]))
    marks.update(bytes(row["mark"]) for row in sheets)
    assert set(marks.values()) == {1}


def test_not_even_the_network_s_key_joins_a_sheet_to_a_person(scenario: Scenario) -> None:
    held = stored_rows.opened(scenario.held_while_open, SEAL)
    for comment in scenario.comments:
        assert stored_rows.where(held, comment) == {"evaluation.sheet"}
    written = stored_rows.words_of(held["evaluation.sheet"])
    marks = [bytes(row[mark]).hex() for row in held["evaluation.marker"] for mark in ("mac", "ballot_mark")]
    for trace in [*scenario.people, *marks, *scenario.links, *scenario.ballots, *scenario.room_codes]:
        assert trace not in written


def test_a_ballot_is_kept_nowhere(scenario: Scenario) -> None:
    for held in (scenario.held_while_open, scenario.held_afterwards):
        for ballot_id in scenario.ballots:
            assert stored_rows.where(stored_rows.opened(held, SEAL), ballot_id) == set()


def test_when_the_meeting_is_closed_its_room_code_is_gone(scenario: Scenario) -> None:
    for code in scenario.room_codes:
        assert stored_rows.where(scenario.held_while_open, code) == set()


def test_when_the_survey_is_over_no_sheet_and_no_mark_is_left(scenario: Scenario) -> None:
    held = scenario.held_afterwards
    assert held["evaluation.sheet"] == held["evaluation.marker"] == held["evaluation.survey_key"] == []
    for secret in scenario.secrets:
        assert stored_rows.where(held, secret) == set()


def test_when_the_survey_is_over_nothing_tells_who_was_asked(scenario: Scenario) -> None:
    """Of seven people who were there everything is held alike, whether they answered in the room, later, or never."""
    held = stored_rows.opened(scenario.held_afterwards, SEAL)
    traces = {
        table: [sum(stored_rows.names([row], UUID(each)) for row in rows) for each in scenario.ids]
        for table, rows in held.items()
    }
    assert {table: counts for table, counts in traces.items() if len(set(counts)) > 1} == {}
    assert {table for table, counts in traces.items() if counts[0]} >= {
        "evaluation.attendance",
        "notifications.message",
    }
    assert all(stored_rows.where(held, link) == set() for link in scenario.links)
    types = [str(row["type"]).split(".")[-2] for table in EVENTS for row in held[table] if "type" in row]
    assert "SurveyClosed" in types
    assert not ASKING & set(types)
    assert held["notifications.revocation"] == held["notifications.receipt"] == []
    assert {row["template"] for row in held["notifications.message"]} == {
        "meeting_invitation", "results_released", "results_withheld"
    }  # fmt: skip


def test_of_withheld_results_answers_are_kept_by_question_for_ninety_days(scenario: Scenario) -> None:
    kept = scenario.held_afterwards["evaluation.kept_answers"]
    assert {UUID(str(row["survey_id"])) for row in kept} == {UUID(scenario.survey_ids[1])}
    opened = stored_rows.opened(scenario.held_afterwards, SEAL)
    for comment in scenario.comments[6:]:
        assert stored_rows.where(opened, comment) == {"evaluation.kept_answers"}
    for comment in scenario.comments[:6]:  # of fewer than ten answers no comment is told either
        assert stored_rows.where(opened, comment) == set()
    written = stored_rows.words_of(opened["evaluation.kept_answers"])
    assert not any(each in written for each in scenario.people)
    assert scenario.held_in_the_end["evaluation.kept_answers"] == []
    for comment in scenario.comments:
        assert stored_rows.where(stored_rows.opened(scenario.held_in_the_end, SEAL), comment) == set()


def test_no_event_is_of_an_answer_and_none_counts_them_before_the_end(scenario: Scenario) -> None:
    before = stored_rows.opened(scenario.held_while_open, SEAL)
    asked = [row for table in EVENTS if table.endswith("event_log") for row in before[table]]
    types = Counter(str(row["type"]).split(".")[-2] for row in asked)
    assert (types["SurveyOpened"], types["SurveyInvitationsIssued"]) == (2, 2)
    assert {"MeetingClosed", "MessageDelivered"} <= set(types)
    assert not set(types) & {"SurveyClosed", "ResultsReleased", "ResultsWithheld"}
    about = [row for row in asked if row["subject"] in scenario.survey_ids]
    assert len(about) == 4
    held = stored_rows.opened(scenario.held_afterwards, SEAL)
    for secret in [*scenario.room_codes, *scenario.ballots, *scenario.comments]:
        assert not stored_rows.where(before, secret) & EVENTS
        assert not stored_rows.where(held, secret) & EVENTS
    for row in held["evaluation.event_log"]:
        assert not any(each in stored_rows.words_of([row]) for each in scenario.people)


def test_no_public_event_is_of_a_mail_that_asks(scenario: Scenario) -> None:
    rows = scenario.held_while_open["notifications.event_log"]
    assert rows
    assert not any("survey_" in stored_rows.words_of([row]) for row in rows)


def test_no_mail_tells_an_answer_or_the_link_of_another(scenario: Scenario) -> None:
    assert len(scenario.links) == sum(asks(mail) for mail in scenario.mails) == (3 + 5) + (1 + 4)
    for mail in scenario.mails:
        words = everything_in(mail)
        assert not any(secret in words for secret in [*scenario.room_codes, *scenario.ballots, *scenario.comments])
        own = {link for link in scenario.links if link in words}
        assert len(own) == asks(mail)


def test_no_mail_tells_the_address_of_another_but_where_to_write_to_whoever_leads_the_meeting(
    scenario: Scenario,
) -> None:
    lead = scenario.addresses[scenario.community.member_ids[THERE]]
    for mail in scenario.mails:
        to, replies = str(mail["To"]), str(mail["Reply-To"] or "")
        assert (lead in replies) == bool(replies) == (not asks(mail) and lead not in to)
        del mail["Reply-To"]
        words = everything_in(mail)
        assert [each for each in scenario.addresses.values() if each in words and each not in to] == []


def test_no_log_line_holds_a_secret_an_address_or_an_answer(told: tuple[Scenario, str]) -> None:
    scenario, logged = told
    assert all(words in logged for words in HEARD)
    for secret in [
        *scenario.secrets,
        *scenario.addresses.values(),
        "no-token-of-ours",
        "Personne N",
        "Remarque",
        "prt_",
    ]:
        assert secret not in logged
