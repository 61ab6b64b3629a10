"""K2 and DOMAIN f.3: whoever reads every table, event, mail and log line learns what was said, never who said it."""

import logging
import re
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from pratique.settings import SERVICES
from tests.journeys import holdings
from tests.journeys.letters import asks, everything_in
from tests.journeys.life import Community, Life, answers_to

EVENTS = {f"{service}.{table}" for service in SERVICES for table in ("event_log", "outbox", "parked", "due")}


@dataclass
class Story:
    """A meeting that seven people attended and six answered, and every secret that was used on the way."""

    community: Community
    meeting_id: str
    survey_id: str
    room_code: str
    tokens: list[str] = field(default_factory=list)
    ballots: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> list[str]:
        """What opens something, or is an answer."""
        return [self.room_code, *self.tokens, *self.ballots, *self.comments]


@pytest.fixture
def story(life: Life, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Story:
    """Four answer in the room and two by their link; the survey is open still, and so are the logs."""
    caplog.set_level(logging.INFO)
    for name in ("pratique", "services", "gateway"):
        caplog.set_level(logging.DEBUG, logger=name)
    community = life.found_community(members=8)
    life.ok("PUT", f"/v1/communities/{community.id}/roles/{community.member_ids[7]}/facilitator")
    meeting_id = life.schedule(community.id, facilitator_id=community.member_ids[7])
    life.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")
    life.settle()
    survey = life.survey(meeting_id)
    story = Story(community, meeting_id, survey["id"], survey["room_code"])
    for member_id in community.member_ids[:4]:
        _say(life, story, room_code=story.room_code, member_id=member_id)
    assert life.ask("GET", f"/r/{story.room_code}").status == 200
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    for member_id in community.member_ids[4:7]:
        (mail,) = [mail for mail in life.mails(to=life.address_of(member_id)) if asks(mail)]
        story.tokens.append(life.link_in(mail))
    for token in story.tokens[:2]:
        assert life.ask("GET", f"/s/{token}").status == 200
        _say(life, story, token=token)
    return story


def _say(life: Life, story: Story, **who: str) -> None:
    ballot = life.ok("POST", "/v1/ballots", {"locale": "fr"} | who)
    comment = f"Remarque-{len(story.ballots)}-é"
    said = [*answers_to(ballot["questions"], 4), {"question": "what_should_change", "value": comment}]
    said = [each for each in said if each["question"] != "comment_may_be_shown"]
    life.ok("PUT", f"/v1/ballots/{ballot['ballot_id']}", {"answers": said})
    story.ballots.append(ballot["ballot_id"])
    story.comments.append(comment)


def _end(life: Life) -> None:
    life.later(hours=49)
    life.later(days=6)


def test_an_answer_stands_in_one_table_with_nothing_that_leads_to_a_person(life: Life, story: Story) -> None:
    held = holdings.everything_in(life.stores)
    answers = held["evaluation.response"]
    assert len(answers) == 6
    for comment in story.comments:
        assert holdings.where(held, comment) == {"evaluation.response"}
    written = holdings.words_of(answers)
    markers = [bytes(row["mac"]).hex() for row in held["evaluation.marker"]]
    assert len(markers) == 6
    people = [form for each in story.community.member_ids for form in (each, UUID(each).hex, life.address_of(each))]
    for trace in [*people, *markers, *story.tokens, *story.ballots, story.room_code]:
        assert trace not in written
    marked = holdings.words_of(held["evaluation.marker"])
    assert not any(trace in marked for trace in [*people, *story.tokens, *story.ballots])


def test_a_ballot_is_kept_nowhere(life: Life, story: Story) -> None:
    held = holdings.everything_in(life.stores)
    for ballot_id in story.ballots:
        assert holdings.where(held, ballot_id) == set()
    assert holdings.where(held, story.room_code) == {"evaluation.survey"}


def test_answers_carry_a_day_and_no_hour_and_no_order(life: Life, story: Story) -> None:
    answers = holdings.everything_in(life.stores)["evaluation.response"]
    days = {str(row["answered_on"]) for row in answers}
    assert days == {"2026-03-19"}
    assert not re.search(r"\d\d:\d\d", "\n".join(str(value) for row in answers for value in row.values()))
    assert all(UUID(str(row["id"])).version == 4 for row in answers)


def test_when_the_survey_is_over_nothing_says_who_took_a_ballot(life: Life, story: Story) -> None:
    _end(life)
    life.deliver_everything_again()
    held = holdings.everything_in(life.stores)
    assert held["evaluation.marker"] == held["evaluation.invitation"] == []
    assert [row["ballot_mac"] for row in held["evaluation.response"]] == [None] * 6
    (survey,) = held["evaluation.survey"]
    assert (survey["secret"], survey["room_code"]) == (None, None)
    assert holdings.where(held, story.room_code) == set()
    assert {row["token"] for row in held["notifications.message"]} == {None}
    for comment in story.comments:  # of fewer than ten answers no comment is told either
        assert holdings.where(held, comment) == {"evaluation.response"}


def test_no_event_is_of_an_answer_and_none_counts_them_before_the_end(life: Life, story: Story) -> None:
    before = holdings.everything_in(life.stores)
    asked = [row for table in EVENTS if table.endswith("event_log") for row in before[table]]
    types = {str(row["type"]).split(".")[-2] for row in asked}
    assert {"SurveyOpened", "MeetingClosed", "SurveyInvitationsIssued", "MessageDelivered"} <= types
    assert not types & {"SurveyClosed", "ResultsReleased", "ResultsWithheld"}
    (opened,) = [row for row in asked if ".SurveyOpened." in str(row["type"])]
    assert story.survey_id in holdings.words_of([opened])
    _end(life)
    held = holdings.everything_in(life.stores)
    for secret in [story.room_code, *story.ballots, *story.comments]:
        assert not holdings.where(held, secret) & EVENTS
    for row in held["evaluation.event_log"]:
        if row["type"].split(".")[-2] in ("SurveyClosed", "ResultsReleased"):
            assert not any(each in holdings.words_of([row]) for each in story.community.member_ids)


def test_no_mail_tells_an_answer_or_the_link_of_another(life: Life, story: Story) -> None:
    _end(life)
    life.deliver_everything_again()
    for mail in life.mails():
        words = everything_in(mail)
        assert not any(secret in words for secret in [story.room_code, *story.ballots, *story.comments])
        own = {token for token in story.tokens if token in words}
        assert len(own) == asks(mail)
        others = [each for each in story.community.member_ids if life.address_of(each) not in str(mail["To"])]
        assert not any(life.address_of(each) in words for each in others)


def test_no_log_line_holds_a_secret_an_address_or_an_answer(
    life: Life, story: Story, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    life.ask("GET", f"/v1/rooms/{story.room_code}")
    life.ask("GET", f"/s/{story.tokens[2]}")
    life.ask("POST", "/v1/ballots", {"token": "no-token-of-ours", "locale": "fr"})
    life.ask("PUT", f"/v1/ballots/{story.ballots[0]}", {"answers": [{"question": "satisfaction", "value": 3}]})
    life.ask("PUT", f"/v1/members/{story.community.member_ids[0]}", {"name": "Une autre", "email": "Remarque"})
    _end(life)
    life.deliver_everything_again()
    printed = capfd.readouterr()
    logged = caplog.text + printed.out + printed.err
    for record in (record for phase in ("setup", "call") for record in caplog.get_records(phase)):
        logged += f"\n{record.getMessage()} {record.__dict__}"
    addresses = [life.address_of(each) for each in story.community.member_ids]
    for secret in [*story.secrets, *addresses, "no-token-of-ours", "Personne N", "Remarque", "prt_"]:
        assert secret not in logged
