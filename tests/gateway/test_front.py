"""The front page, and the switch between languages: a code leads to its room, and nothing that was typed is lost."""

import pytest

from pratique.errors import Unavailable
from pratique.events.membership import Locale
from tests.gateway.conftest import BALLOT, form_of, make_gate, parsed
from words.catalogue import sentences


@pytest.mark.parametrize(("locale", "other"), [("fr", "en"), ("en", "fr")])
@pytest.mark.parametrize("path", ["/", "/r/"])
def test_the_first_page_asks_for_the_room_s_code_in_one_s_language(store, path, locale, other):
    gate = make_gate(store, broker_url="amqp://rabbitmq")
    page = parsed(gate.ask("GET", path, headers={"Authorization": None, "Accept-Language": locale}))
    assert page.get("lang") == locale
    assert page.find("body/main/h1").text == sentences(Locale(locale))("Enter the code of the room")
    assert [each.get("name") for each in page.iter("input")] == ["code"]
    links = {each.get("href") for each in page.iter("a")}
    assert {f"?lang={other}", "/openapi.json"} == {each for each in links if not each.endswith(f"?lang={locale}")}


@pytest.mark.parametrize("typed", ["K7MQ2PXY", "k7mq-2pxy", " k7mq 2pxy ", "K7MQ.2PXY"])
def test_a_code_leads_to_its_room_however_it_is_typed(open_survey, typed):
    response = open_survey.ask("POST", "/r/?lang=en", data={"code": typed})
    assert (response.status_code, response.headers["Location"]) == (303, "/r/K7MQ2PXY?lang=en")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("typed", ["", "  ", "été", "a/../b", "<b>", "//evil.example"])
def test_what_is_no_code_is_told_at_the_field_and_stays_there(open_survey, typed):
    response = open_survey.ask("POST", "/r/?lang=en", data={"code": typed})
    page = parsed(response)
    (field,) = page.iter("input")
    told = {each.get("id"): each.text for each in page.iter("p")}
    assert response.status_code == 422
    assert "Type the code as it is shown" in " ".join(
        told.get(each, "") for each in field.get("aria-describedby").split()
    )
    assert field.get("value").strip() == typed.strip()


def test_the_address_of_a_room_without_its_code_leads_to_the_page_that_asks_for_it(open_survey):
    response = open_survey.ask("GET", "/r")
    assert (response.status_code, response.headers["Location"]) == (308, "/r/")


TYPED = {"step": "answer", "ballot": BALLOT, "q.satisfaction": "4", "q.what_should_change": "Moins de <bruit>"}


@pytest.mark.parametrize("path", ["/s/tok-1", "/r/K7MQ2P"])
def test_switching_the_language_keeps_what_was_typed_and_sends_nothing(open_survey, path):
    response = open_survey.ask("POST", f"{path}?lang=en", data=TYPED | {"switch": "1"})
    assert (response.status_code, parsed(response).get("lang")) == (200, "en")
    assert form_of(response) == TYPED
    assert "Your answers are not sent yet. Correct what is marked, then send them." not in response.text
    asked_of_evaluation = {name for name, _ in open_survey.peer.asked if name.startswith("evaluation.")}
    assert asked_of_evaluation == {"evaluation.identify_survey", "evaluation.read_questions"}


def test_switching_the_language_while_the_service_is_away_loses_nothing(open_survey):
    open_survey.peer.says("evaluation.read_questions", Unavailable("evaluation does not answer"))
    response = open_survey.ask("POST", "/s/tok-1?lang=en", data=TYPED | {"switch": "1"})
    assert (response.status_code, parsed(response).get("lang")) == (503, "en")
    assert form_of(response) == TYPED


def test_enter_sends_the_answers_and_does_not_switch_the_language(open_survey):
    """A browser presses the first button of a form."""
    page = parsed(open_survey.ask("GET", "/s/tok-1"))
    first, switch, send = page.iter("button")
    assert (first.get("name"), switch.get("name"), send.get("name")) == (None, "switch", None)
    assert first.get("form") == switch.get("form") == page.find("body/main/form").get("id")
    assert switch.get("formaction") == "?lang=en"


def test_the_address_in_the_picture_leads_on_to_the_room_and_refuses_as_a_page(open_survey):
    led = open_survey.ask("GET", "/R/K7MQ2PXY")
    assert (led.status_code, led.headers["Location"]) == (303, "/r/K7MQ2PXY")
    refused = open_survey.ask("GET", "/R/%00")
    assert (refused.status_code, refused.mimetype) == (404, "text/html")
