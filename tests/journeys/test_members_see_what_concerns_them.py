"""A member's own pages: their home, what was sent to them, their calendar."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from icalendar import Calendar

from chassis import clock
from gateway.calendars import READ_IN_AN_HOUR, WRONG_IN_AN_HOUR
from tests.harness.pages import Visit, parsed, title_of, words_of
from tests.harness.runtimes import Shuffled

pytestmark = pytest.mark.parametrize("network", ["shuffled-1"], indirect=True)


def test_the_next_meeting_is_shown_and_answered_and_the_last_word_counts(network: Shuffled) -> None:
    community = network.create_community(members=2)
    meeting_id = network.schedule(community.id, themes=["Le répit"], place="Salle 3")
    visit = Visit(network, community.member_ids[0])
    home = visit.get("/home")
    assert title_of(home) == "Hello, Personne N0"
    for words in ("Le répit", "Cercle d’essai", "Salle 3", "Thursday, March 19, 2026", "You have not answered yet."):
        assert words in words_of(home)
    for said, told in (("accepted", "You said that you are coming."), ("declined", "You said that you cannot come.")):
        sent = visit.send(home, f"/home/answers/{meeting_id}", partstat=said)
        assert (sent.status_code, sent.headers["Location"]) == (303, f"/home?said={said}&lang=en")
        network.settle()
        assert told in words_of(visit.get("/home"))
    rows = network.ok("GET", f"/v1/meetings/{meeting_id}/registrations")["items"]
    assert [(each["member_id"], each["partstat"]) for each in rows] == [(community.member_ids[0], "declined")]


def test_past_meetings_say_whether_one_was_there(network: Shuffled) -> None:
    community = network.create_community(members=2)
    meeting_id = network.schedule(community.id)
    there, away = community.member_ids
    network.hold(meeting_id, {there: "attended", away: "no_show"})
    network.close(meeting_id)
    network.settle()
    assert "You were there." in words_of(Visit(network, there).get("/home"))
    assert "You were not there." in words_of(Visit(network, away).get("/home"))
    assert "None is planned yet." in words_of(Visit(network, there).get("/home"))


def test_whoever_belongs_nowhere_is_told_what_to_do(network: Shuffled) -> None:
    member_id = str(uuid4())
    network.put_member(member_id)
    assert "Write to whoever coordinates" in words_of(Visit(network, member_id).get("/home"))


def test_nobody_answers_for_a_community_that_is_not_theirs(network: Shuffled) -> None:
    own, foreign = network.create_community(members=1), network.create_community(members=1)
    meeting_id = network.schedule(foreign.id, themes=["Secret"])
    network.schedule(own.id)
    visit = Visit(network, own.member_ids[0])
    home = visit.get("/home")
    assert "Secret" not in words_of(home)
    assert visit.post(f"/home/answers/{meeting_id}", home, partstat="accepted").status_code == 403
    assert visit.post(f"/home/answers/{uuid4()}", home, partstat="accepted").status_code == 403
    assert network.ok("GET", f"/v1/meetings/{meeting_id}/registrations")["items"] == []


@pytest.mark.parametrize("said", ["", "tentative", "<script>"])
def test_an_answer_that_is_none_changes_nothing(network: Shuffled, said: str) -> None:
    community = network.create_community(members=1)
    meeting_id = network.schedule(community.id)
    visit = Visit(network, community.member_ids[0])
    assert visit.send(visit.get("/home"), f"/home/answers/{meeting_id}", partstat=said).status_code == 422
    assert network.ok("GET", f"/v1/meetings/{meeting_id}/registrations")["items"] == []


def test_the_home_of_a_busy_member_stays_small_in_both_languages(network: Shuffled) -> None:
    community = network.create_community(members=1)
    for week in range(1, 12):
        network.schedule(community.id, starts_at=clock.now() + timedelta(days=7 * week), themes=["Thématique " * 5])
    for locale in ("fr", "en"):
        page = Visit(network, community.member_ids[0]).read(f"/home?lang={locale}")
        assert len(page.data) < 10_000
        assert "<script" not in page.text


def test_one_reads_what_was_sent_to_oneself_and_why_something_was_not(network: Shuffled) -> None:
    community = network.create_community(members=2)
    meeting_id = network.schedule(community.id, themes=["Le répit"])
    one, other = community.member_ids
    told = words_of(Visit(network, one).get("/messages"))
    for words in ("Invitation to a meeting", "Le répit · Thursday, March 19, 2026", "Sent on Thursday, March 12, 2026"):
        assert words in told
    network.ok("POST", f"/v1/meetings/{meeting_id}/cancel", {"reason": "Tempête."})
    network.settle()
    assert "Cancellation of a meeting" in words_of(Visit(network, one).get("/messages"))
    assert "Annulation d’une rencontre" in words_of(Visit(network, other, "fr").get("/messages"))


def test_nothing_on_surveys_is_among_what_was_sent(network: Shuffled) -> None:
    community = network.create_community(members=6)
    meeting_id = network.schedule(community.id)
    network.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    network.close(meeting_id)
    network.settle()
    assert network.survey_links(community.member_ids[0])
    page = Visit(network, community.member_ids[0]).get("/messages")
    assert [len(list(each)) for each in page.iter("ul") if each.get("class") == "people"] == [1]


def calendar_address(visit: Visit) -> str:
    """Make an address, and return its path; it is on the page this once."""
    page = parsed(visit.send(visit.get("/calendar"), "/calendar"))
    return urlsplit(str(next(page.iter("code")).text)).path


def summaries(visit: Visit, path: str) -> list[str]:
    read = visit.read(path)
    assert read.status_code == 200, read.text
    calendar = Calendar.from_ical(read.data)
    return [str(each["SUMMARY"]) for each in calendar.walk("VEVENT")]


def test_a_calendar_follows_ones_meetings_and_shows_nobody(network: Shuffled) -> None:
    community, foreign = network.create_community(members=2), network.create_community(members=1)
    meeting_id = network.schedule(community.id, themes=["Le répit"], place="Salle 3", facilitator_id=None)
    network.schedule(foreign.id, themes=["Secret"])
    visit = Visit(network, community.member_ids[0])
    path = calendar_address(visit)
    read = visit.read(path)
    assert (read.status_code, read.mimetype, read.headers["Cache-Control"]) == (200, "text/calendar", "no-store")
    calendar = Calendar.from_ical(read.data)
    [event] = calendar.walk("VEVENT")
    assert (event["UID"], str(event["SUMMARY"]), event["LOCATION"]) == (
        meeting_id,
        "Le répit · Cercle d’essai",
        "Salle 3",
    )
    assert event.decoded("DTSTART") == clock.now() + timedelta(days=7)
    assert (str(calendar["NAME"]), "ATTENDEE" in event, "ORGANIZER" in event) == (
        "Rencontres de mes communautés",
        False,
        False,
    )
    assert "Personne" not in read.text
    network.ok("POST", f"/v1/meetings/{meeting_id}/cancel", {"reason": "Tempête."})
    assert summaries(visit, path) == ["Annulée\N{NO-BREAK SPACE}: Le répit · Cercle d’essai"]


def test_another_address_ends_the_former_and_ending_it_ends_all(network: Shuffled) -> None:
    community = network.create_community(members=1)
    visit = Visit(network, community.member_ids[0])
    first, second = calendar_address(visit), calendar_address(visit)
    assert (visit.read(first).status_code, visit.read(second).status_code) == (404, 200)
    page = visit.get("/calendar")
    assert "Last read by a calendar on March 12, 2026." in words_of(page)
    assert second.rpartition("/")[2].removesuffix(".ics") not in visit.read("/calendar").text
    assert visit.send(page, "/calendar/end").status_code == 303
    assert visit.read(second).status_code == 404


def test_an_address_that_is_asked_for_too_often_is_slowed(network: Shuffled) -> None:
    community = network.create_community(members=1)
    visit = Visit(network, community.member_ids[0])
    path = calendar_address(visit)
    asked = [visit.read(path).status_code for _ in range(READ_IN_AN_HOUR + 1)]
    assert asked == [200] * READ_IN_AN_HOUR + [429]
    guessed = [visit.read(f"/calendar/{number:043}.ics").status_code for number in range(WRONG_IN_AN_HOUR + 1)]
    assert guessed == [404] * WRONG_IN_AN_HOUR + [429]


def test_whoever_left_a_community_no_longer_follows_it(network: Shuffled) -> None:
    community = network.create_community(members=2)
    network.schedule(community.id)
    visit = Visit(network, community.member_ids[0])
    path = calendar_address(visit)
    assert len(summaries(visit, path)) == 1
    network.ok("DELETE", f"/v1/communities/{community.id}/memberships/{community.member_ids[0]}")
    network.advance(seconds=6)
    assert summaries(visit, path) == []
