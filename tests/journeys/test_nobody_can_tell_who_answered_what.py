"""K2 and DOMAIN f.3: whoever reads every table, event, mail and log line learns what was said, never who said it."""

import logging
import os
import re
from uuid import UUID

import pytest

from pratique.settings import SERVICES
from tests.journeys import holdings
from tests.journeys.letters import asks, everything_in
from tests.journeys.life import Life, answers_to
from tests.journeys.overhearing import overheard

HEARD = ("this is logged", "this is printed", "this is written past Python")  #: so that silence proves something
EVENTS = {f"{service}.{table}" for service in SERVICES for table in ("event_log", "outbox", "parked", "due")}


class Story:
    """A meeting that seven people attended and six answered, every secret used on the way, and what is held of it."""

    def __init__(self, life: Life) -> None:
        self.tokens: list[str] = []
        self.ballots: list[str] = []
        self.comments: list[str] = []
        self.community = life.found_community(members=8)
        ids = self.community.member_ids
        self.addresses = {each: life.address_of(each) for each in ids}
        life.ok("PUT", f"/v1/communities/{self.community.id}/roles/{ids[7]}/facilitator")
        self._answer(life, ids)
        self.held_while_open = holdings.everything_in(life.stores)
        self._try_what_is_refused(life, ids)
        life.later(hours=49)
        life.later(days=6)
        life.deliver_everything_again()
        self.held_afterwards = holdings.everything_in(life.stores)
        self.mails = life.mails()

    def _answer(self, life: Life, ids: list[str]) -> None:
        """Four answer in the room and two by their link; one does not."""
        meeting_id = life.schedule(self.community.id, facilitator_id=ids[7])
        life.hold(meeting_id, dict.fromkeys(ids, "attended"))
        life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")
        life.settle()
        survey = life.survey(meeting_id)
        self.survey_id, self.room_code = survey["id"], survey["room_code"]
        for member_id in ids[:4]:
            self._say(life, room_code=self.room_code, member_id=member_id)
        self.room_page = life.ask("GET", f"/r/{self.room_code}")
        life.ok("POST", f"/v1/meetings/{meeting_id}/close")
        life.settle()
        for member_id in ids[4:7]:
            (mail,) = [mail for mail in life.mails(to=life.address_of(member_id)) if asks(mail)]
            self.tokens.append(life.link_in(mail))
        self.link_pages = [life.ask("GET", f"/s/{token}") for token in self.tokens[:2]]
        for token in self.tokens[:2]:
            self._say(life, token=token)

    def _say(self, life: Life, **who: str) -> None:
        ballot = life.ok("POST", "/v1/ballots", {"locale": "fr"} | who)
        comment = f"Remarque-{len(self.ballots)}-é"
        said = [*answers_to(ballot["questions"], 4), {"question": "what_should_change", "value": comment}]
        said = [each for each in said if each["question"] != "comment_may_be_shown"]
        life.ok("PUT", f"/v1/ballots/{ballot['ballot_id']}", {"answers": said})
        self.ballots.append(ballot["ballot_id"])
        self.comments.append(comment)

    def _try_what_is_refused(self, life: Life, ids: list[str]) -> None:
        """Look once more, and ask for what cannot be: logs are talkative about mistakes."""
        life.ask("GET", f"/v1/rooms/{self.room_code}")
        life.ask("GET", f"/s/{self.tokens[2]}")
        life.ask("POST", "/v1/ballots", {"token": "no-token-of-ours", "locale": "fr"})
        life.ask("PUT", f"/v1/ballots/{self.ballots[0]}", {"answers": [{"question": "satisfaction", "value": 3}]})
        life.ask("PUT", f"/v1/members/{ids[0]}", {"name": "Une autre", "email": "Remarque"})

    @property
    def secrets(self) -> list[str]:
        """What opens something, or is an answer."""
        return [self.room_code, *self.tokens, *self.ballots, *self.comments]


@pytest.fixture(scope="module")
def told(one_life: Life, tmp_path_factory: pytest.TempPathFactory) -> tuple[Story, str]:
    """The story, and every word that was logged or printed meanwhile."""
    with overheard(tmp_path_factory.mktemp("logs")) as ear:
        logging.getLogger("pratique.journeys").debug(HEARD[0])
        print(HEARD[1])
        os.write(2, f"{HEARD[2]}\n".encode())
        story = Story(one_life)
    return story, ear.words


@pytest.fixture
def story(told: tuple[Story, str]) -> Story:
    return told[0]


def test_the_pages_open(story: Story) -> None:
    assert [page.status for page in (story.room_page, *story.link_pages)] == [200, 200, 200]


def test_an_answer_stands_in_one_table_with_nothing_that_leads_to_a_person(story: Story) -> None:
    held = story.held_while_open
    answers = held["evaluation.response"]
    assert len(answers) == 6
    for comment in story.comments:
        assert holdings.where(held, comment) == {"evaluation.response"}
    written = holdings.words_of(answers)
    markers = [bytes(row["mac"]).hex() for row in held["evaluation.marker"]]
    assert len(markers) == 6
    people = [form for each in story.community.member_ids for form in (each, UUID(each).hex, story.addresses[each])]
    for trace in [*people, *markers, *story.tokens, *story.ballots, story.room_code]:
        assert trace not in written
    marked = holdings.words_of(held["evaluation.marker"])
    assert not any(trace in marked for trace in [*people, *story.tokens, *story.ballots])


def test_a_ballot_is_kept_nowhere(story: Story) -> None:
    held = story.held_while_open
    for ballot_id in story.ballots:
        assert holdings.where(held, ballot_id) == set()
    assert holdings.where(held, story.room_code) == {"evaluation.survey"}


def test_answers_carry_a_day_and_no_hour_and_no_order(story: Story) -> None:
    answers = story.held_while_open["evaluation.response"]
    days = {str(row["answered_on"]) for row in answers}
    assert days == {"2026-03-19"}
    assert not re.search(r"\d\d:\d\d", "\n".join(str(value) for row in answers for value in row.values()))
    assert all(UUID(str(row["id"])).version == 4 for row in answers)


def test_when_the_survey_is_over_nothing_says_who_took_a_ballot(story: Story) -> None:
    held = story.held_afterwards
    assert held["evaluation.marker"] == held["evaluation.invitation"] == []
    assert [row["ballot_mac"] for row in held["evaluation.response"]] == [None] * 6
    (survey,) = held["evaluation.survey"]
    assert (survey["secret"], survey["room_code"]) == (None, None)
    assert holdings.where(held, story.room_code) == set()
    assert {row["token"] for row in held["notifications.message"]} == {None}
    for comment in story.comments:  # of fewer than ten answers no comment is told either
        assert holdings.where(held, comment) == {"evaluation.response"}


def test_no_event_is_of_an_answer_and_none_counts_them_before_the_end(story: Story) -> None:
    before = story.held_while_open
    asked = [row for table in EVENTS if table.endswith("event_log") for row in before[table]]
    types = {str(row["type"]).split(".")[-2] for row in asked}
    assert {"SurveyOpened", "MeetingClosed", "SurveyInvitationsIssued", "MessageDelivered"} <= types
    assert not types & {"SurveyClosed", "ResultsReleased", "ResultsWithheld"}
    (opened,) = [row for row in asked if ".SurveyOpened." in str(row["type"])]
    assert story.survey_id in holdings.words_of([opened])
    held = story.held_afterwards
    for secret in [story.room_code, *story.ballots, *story.comments]:
        assert not holdings.where(held, secret) & EVENTS
    for row in held["evaluation.event_log"]:
        if row["type"].split(".")[-2] in ("SurveyClosed", "ResultsReleased"):
            assert not any(each in holdings.words_of([row]) for each in story.community.member_ids)


def test_no_mail_tells_an_answer_or_the_link_of_another(story: Story) -> None:
    for mail in story.mails:
        words = everything_in(mail)
        assert not any(secret in words for secret in [story.room_code, *story.ballots, *story.comments])
        own = {token for token in story.tokens if token in words}
        assert len(own) == asks(mail)
        others = [each for each in story.community.member_ids if story.addresses[each] not in str(mail["To"])]
        assert not any(story.addresses[each] in words for each in others)


def test_no_log_line_holds_a_secret_an_address_or_an_answer(told: tuple[Story, str]) -> None:
    story, logged = told
    assert all(words in logged for words in HEARD)
    for secret in [*story.secrets, *story.addresses.values(), "no-token-of-ours", "Personne N", "Remarque", "prt_"]:
        assert secret not in logged
