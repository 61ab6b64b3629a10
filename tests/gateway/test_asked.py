"""Pages of surveys name the meeting, its community and the last hour; those that end it name somebody to turn to."""

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from gateway.headings import PAUSE
from pratique.errors import Conflict, Gone, InternalError, NotFound, Unavailable
from pratique.events.membership import Locale
from pratique.testing import AT
from tests.gateway.conftest import (
    BODO,
    HEADING,
    IDENTIFIED,
    MEETING,
    QUESTIONS,
    asked,
    form_of,
    parsed,
    sentence_of,
    words_of,
)

LINK, ROOM = "/s/tok-1", "/r/K7MQ2PXD"
UNTIL = {
    "fr": "jusqu’au mercredi 19 mars à 13 h (heure de l’Est)",
    "en": "until Wednesday, March 19, at 1 p.m. (Eastern Time)",
}
NAMED = {
    "fr": ("Premiers pas", "Le répit · mercredi 12 mars 2200"),
    "en": ("Premiers pas", "Le répit · Wednesday, March 12, 2200"),
}
HUMAN = {
    "fr": "Une question? Parlez-en à Zoé Roy, qui assure l’animation.",
    "en": "A question? Talk to Zoé Roy, who facilitates.",
}
ANYBODY = "Une question? Parlez-en à la personne qui anime votre communauté."
RESULTS = "Si assez de personnes ont répondu d’ici là, les résultats seront envoyés par courriel"


def plain(response: Any) -> str:
    """The words of a page, with spaces that any line may break."""
    return words_of(response).replace("\N{NO-BREAK SPACE}", " ")


def names_the_meeting(response: Any, locale: str = "fr") -> bool:
    return all(words in plain(response) for words in NAMED[locale])


def away(gate: Any, name: str = "notifications.read_meeting_heading") -> None:
    gate.peer.says(name, Unavailable("Away."))


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_questions_say_about_which_meeting_of_which_community_and_until_when(open_survey: Any, locale: str) -> None:
    page = open_survey.ask("GET", f"{LINK}?lang={locale}")
    assert names_the_meeting(page, locale)
    assert UNTIL[locale] in plain(page)
    assert asked(open_survey, "evaluation.identify_survey") == [{"token": "tok-1"}]
    assert asked(open_survey, "notifications.read_meeting_heading") == [{"meeting_id": MEETING}]


def test_the_room_says_it_too_and_that_one_may_answer_later_by_a_link(open_survey: Any) -> None:
    for page in (open_survey.ask("GET", ROOM), open_survey.ask("POST", ROOM, data={"member": BODO})):
        assert names_the_meeting(page)
        assert f"Répondez ici maintenant, ou plus tard par un lien envoyé par courriel, {UNTIL['fr']}" in plain(page)


def test_a_mistake_and_the_other_language_keep_naming_the_meeting(open_survey: Any) -> None:
    filled = form_of(open_survey.ask("GET", LINK)) | {"q.satisfaction": "4"}
    switched = open_survey.ask("POST", f"{LINK}?lang=en", data=filled | {"switch": "1"})
    assert names_the_meeting(switched, "en")
    assert UNTIL["en"] in plain(switched)
    assert form_of(switched)["q.satisfaction"] == "4"
    assert names_the_meeting(open_survey.ask("POST", LINK, data=filled | {"q.satisfaction": "9"}))


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_thanks_say_what_comes_next_and_whom_to_talk_to(open_survey: Any, locale: str) -> None:
    page = open_survey.ask("POST", f"{LINK}?lang={locale}", data={"q.satisfaction": "4"})
    assert sentence_of("thanks", Locale(locale)) in words_of(page)
    assert names_the_meeting(page, locale)
    assert HUMAN[locale] in plain(page)
    assert UNTIL[locale].partition(" ")[2].partition(" (")[0] in plain(page)
    assert (RESULTS in plain(page)) is (locale == "fr")
    assert [each.get("href") for each in parsed(page).find("body/main").iter("a")] == []


def test_a_spent_link_says_of_which_meeting_before_any_question(open_survey: Any) -> None:
    open_survey.peer.says("evaluation.open_ballot", Conflict("Taken."))
    page = open_survey.ask("GET", LINK)
    assert (page.status_code, QUESTIONS[0]["text"] in page.text) == (409, False)
    assert names_the_meeting(page)
    assert HUMAN["fr"] in plain(page)
    assert RESULTS in plain(page)


def test_a_link_of_a_survey_that_is_over_says_when_it_ended(open_survey: Any) -> None:
    over = IDENTIFIED | {"closes_at": "2026-03-02T18:00:00+00:00"}
    open_survey.peer.says("evaluation.identify_survey", over)
    open_survey.peer.says("evaluation.open_ballot", Gone("Closed."))
    with clock.fixed(AT):
        clock.move(timedelta(days=400))
        page = open_survey.ask("GET", LINK)
    assert (page.status_code, QUESTIONS[0]["text"] in page.text) == (410, False)
    assert "Le sondage a pris fin le lundi 2 mars à 13 h (heure de l’Est)." in plain(page)
    assert names_the_meeting(page)
    assert HUMAN["fr"] in plain(page)


def test_a_taken_name_names_the_facilitator_who_can_take_it_back(open_survey: Any) -> None:
    open_survey.peer.says("evaluation.take_ballot", Conflict("Taken."))
    page = open_survey.ask("POST", ROOM, data={"member": BODO, "step": "answer", "q.satisfaction": "5"})
    assert names_the_meeting(page)
    assert HUMAN["fr"] in plain(page)
    assert RESULTS not in plain(page)


@pytest.mark.parametrize(("path", "way_on"), [(LINK, []), (ROOM, ["/?lang=fr"])])
def test_a_link_or_code_that_opens_nothing_names_no_meeting_and_says_what_to_do(
    open_survey: Any, path: str, way_on: list[str]
) -> None:
    for rpc in ("identify_survey", "get_room"):
        open_survey.peer.says(f"evaluation.{rpc}", NotFound("This opens no survey."))
    page = open_survey.ask("GET", path)
    assert (page.status_code, names_the_meeting(page), ANYBODY in plain(page)) == (404, False, True)
    assert [each.get("href") for each in parsed(page).find("body/main").iter("a")] == way_on
    assert (
        asked(open_survey, "evaluation.open_ballot") == asked(open_survey, "notifications.read_meeting_heading") == []
    )


@pytest.mark.parametrize("outcome", [None, Conflict("Taken."), Gone("Closed.")])
def test_as_much_is_asked_whatever_becomes_of_a_link(open_survey: Any, outcome: Exception | None) -> None:
    """So that who hears which service is asked does not hear whether somebody had answered."""
    if outcome:
        open_survey.peer.says("evaluation.open_ballot", outcome)
    open_survey.ask("GET", LINK)
    names = [name for name, _ in open_survey.peer.asked]
    assert names == ["evaluation.identify_survey", "notifications.read_meeting_heading", "evaluation.open_ballot"]


@pytest.mark.parametrize("error", [Unavailable("Away."), NotFound("Not here yet."), InternalError("Broken.")])
def test_where_the_meeting_cannot_be_told_one_answers_all_the_same(open_survey: Any, error: Exception) -> None:
    open_survey.peer.says("notifications.read_meeting_heading", error)
    page = open_survey.ask("GET", LINK)
    assert (page.status_code, parsed(page).find("body/main/h1").text) == (200, "Votre avis sur la rencontre")
    assert UNTIL["fr"] in plain(page)
    sent = open_survey.ask("POST", LINK, data=form_of(page) | {"q.satisfaction": "4"})
    assert (sentence_of("thanks") in sent.text, ANYBODY in plain(sent)) == (True, True)


def test_a_service_that_is_away_is_left_alone_for_a_while_and_then_asked_again(open_survey: Any) -> None:
    """Nobody waits for a mere line as long as a call may take, but for one request in half a minute."""
    answer = open_survey.peer.answers["notifications.read_meeting_heading"]
    away(open_survey)
    with clock.fixed(AT):
        for _ in range(5):
            open_survey.ask("GET", LINK)
        assert len(asked(open_survey, "notifications.read_meeting_heading")) == 1
        clock.move(PAUSE)
        open_survey.ask("GET", LINK)
        open_survey.ask("GET", LINK)
        assert len(asked(open_survey, "notifications.read_meeting_heading")) == 2
        open_survey.peer.answers["notifications.read_meeting_heading"] = answer
        clock.move(PAUSE)
        assert names_the_meeting(open_survey.ask("GET", LINK))
        assert names_the_meeting(open_survey.ask("GET", LINK))


def test_what_was_typed_survives_where_not_even_the_survey_is_found_in_time(open_survey: Any) -> None:
    away(open_survey, "evaluation.identify_survey")
    kept = open_survey.ask("POST", LINK, data={"q.satisfaction": "4"})
    assert (kept.status_code, form_of(kept)["q.satisfaction"]) == (503, "4")


def test_a_meeting_without_a_theme_is_called_by_its_kind_and_one_without_a_lead_names_nobody(open_survey: Any) -> None:
    bare = HEADING | {"theme": "", "kind": "training", "lead": "", "communities": ["Abeilles", "Brebis"]}
    open_survey.peer.says("notifications.read_meeting_heading", bare)
    page = open_survey.ask("POST", LINK, data={"q.satisfaction": "4"})
    assert "Abeilles et Brebis" in plain(page)
    assert "Formation · mercredi 12 mars 2200" in plain(page)
    assert ANYBODY in plain(page)


def test_what_people_wrote_is_shown_and_never_run(open_survey: Any) -> None:
    wild = HEADING | {"theme": "<b>Le répit", "lead": "Zoé <i>Roy", "communities": ["A & B"]}
    open_survey.peer.says("notifications.read_meeting_heading", wild)
    page = open_survey.ask("POST", LINK, data={"q.satisfaction": "4"})
    assert all(words in page.text for words in ("A &amp; B", "&lt;b&gt;Le répit", "Zoé &lt;i&gt;Roy"))
