"""A facilitator plans by clicks: what is missing and what is wrong is said, and nobody's typing is lost."""

from typing import Any

import pytest

from tests.harness.pages import Visit, links_of, parsed, words_of
from tests.harness.people import Community
from tests.harness.runtimes import Shuffled

DAY = "2026-03-19"  #: a week after the network begins
both = pytest.mark.parametrize("locale", ["fr", "en"])


pytestmark = pytest.mark.parametrize("network", ["shuffled-1"], indirect=True)


def typed(**changes: str) -> dict[str, str]:
    plan = {"starts_at.day": DAY, "starts_at.hour": "14:00", "ends_at.hour": "15:30", "mode": "in_person"}
    return plan | {"place": "Salle 3", "themes": "Le répit\r\nL’entraide"} | changes


def meetings_of(network: Shuffled, community: Community) -> list[Any]:
    return list(network.ok("GET", f"/v1/communities/{community.id}/meetings")["items"])


def test_a_meeting_is_planned_and_everyone_is_invited(network: Shuffled, community: Community, visit: Visit) -> None:
    page = visit.get("/meetings/new")
    assert "Cercle d’essai" in words_of(page)
    before = visit.send(page, "/meetings/new", preview="1", **typed())
    assert "8 people would get it." in before.text
    assert "Salle 3" in before.text
    assert meetings_of(network, community) == []
    for _ in range(2):  # sent twice, it is one meeting
        answer = visit.send(page, "/meetings/new", **typed())
        assert answer.status_code == 303
    [meeting] = meetings_of(network, community)
    assert answer.headers["Location"].startswith(f"/meetings/{meeting['meeting_id']}")
    assert (meeting["starts_at"], meeting["timezone"]) == (f"{DAY}T18:00:00+00:00", "America/Toronto")
    assert (meeting["themes"], meeting["facilitator_id"]) == (["Le répit", "L’entraide"], str(visit_id(page)))
    network.settle()
    assert len(network.mails()) == 8


def visit_id(page: Any) -> str:
    """Who is chosen to lead on a form that nobody touched."""
    (select,) = [each for each in page.iter("select") if each.get("name") == "facilitator_id"]
    return next(each.get("value") for each in select.iter("option") if each.get("selected") is not None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"starts_at.day": "", "starts_at.hour": ""}, "Fill this in."),
        ({"ends_at.hour": "13:00"}, "The end must come after the start."),
        ({"place": "Salle\u202e3"}, "invisible characters"),
        ({"themes": "x" * 10_000}, 'id="themes-wrong"'),
        ({"capacity": "a few"}, "Write a whole number"),
        ({"mode": "telepathy"}, "Choose one of those offered."),
        ({"place": "<script>alert(1)</script>" * 20}, "Write at most 300 characters."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    network: Shuffled, community: Community, visit: Visit, wrong: dict[str, str], words: str
) -> None:
    page = visit.get("/meetings/new")
    answer = visit.send(page, "/meetings/new", **typed(note_taker_id="", **wrong))
    assert answer.status_code == 422
    assert words in answer.text
    assert "Error:" in answer.text.partition("</title>")[0]
    assert "<script>alert" not in answer.text
    assert "L’entraide" in answer.text or "themes" in wrong
    assert meetings_of(network, community) == []


def test_another_language_keeps_what_was_typed(community: Community, visit: Visit) -> None:
    answer = visit.send(visit.get("/meetings/new"), "/meetings/new", switch="fr", **typed())
    assert answer.headers["Content-Language"] == "fr"
    assert "Salle 3" in answer.text
    assert "Planifier une rencontre" in answer.text


def test_two_who_change_a_plan_at_once_keep_both_or_are_told(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    network.put_role(community.id, community.member_ids[0])
    network.settle()
    meeting_id = network.schedule(community.id, place="Salle 3")
    one, other = visit, Visit(network, community.member_ids[0])
    path = f"/meetings/{meeting_id}/prepare"
    pages = [each.get(path) for each in (one, other)]
    assert one.send(pages[0], path, place="Salle 9").status_code == 303
    told = other.send(pages[1], path, themes="Le répit")
    assert told.status_code == 409
    assert "This changed meanwhile" in told.text
    assert "Place: Salle 9" in told.text
    assert other.send(parsed(told, 409), path).status_code == 303
    [meeting] = meetings_of(network, community)
    assert (meeting["place"], meeting["themes"]) == ("Salle 9", ["Le répit"])


@both
def test_home_says_what_is_next_what_is_missing_and_what_was_left_open(
    network: Shuffled, community: Community, visit: Visit, locale: str
) -> None:
    visit = Visit(network, visit.member_id, locale)
    assert "/meetings/new" in {href.partition("?")[0] for href in links_of(visit.get("/home")).values()}
    meeting_id = network.schedule(community.id, mode="hybrid")
    words = words_of(visit.get("/home"))
    for missing in {"fr": ("le lieu", "les thématiques"), "en": ("the place", "the themes")}[locale]:
        assert missing in words
    network.advance(days=7)
    network.start(meeting_id)
    assert {"fr": "Continuer", "en": "Continue"}[locale] in links_of(visit.get("/home"))
    network.advance(hours=3)
    assert {"fr": "que personne n’a closes", "en": "that nobody has closed"}[locale] in words_of(visit.get("/home"))


def test_whoever_only_belongs_schedules_nothing(network: Shuffled, community: Community) -> None:
    member = Visit(network, community.member_ids[1])
    assert member.read("/meetings/new").status_code == 403
    answer = member.post("/meetings/new", member.get("/home"), community_ids=community.id, **typed())
    assert answer.status_code == 403
    assert meetings_of(network, community) == []
