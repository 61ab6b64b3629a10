"""The page of a survey's results: what was released, in words and tables that anyone can read."""

from uuid import UUID

import pytest

from chassis.sealing import Seal
from pratique.errors import NotFound, Unavailable
from pratique.events.membership import Locale
from tests.gateway.conftest import SETTINGS, make_gate, parsed, sentence_of
from words.catalogue import sentences

SURVEY = UUID("00000000-0000-4000-8000-000000000007")
SCALE = {str(value): f"niveau {value}" for value in range(1, 6)}
YES_NO = {"yes": "Oui", "no": "Non"}


def cell(key, text, options, **told):
    return {"question": key, "type": "scale1_5", "text": text, "options": options, "is_withheld": False, **told}


SATISFACTION = cell(
    "satisfaction",
    "Dans l’ensemble, cette rencontre vous a-t-elle plu?",
    SCALE,
    n=12,
    distribution={"1": 0, "2": 1, "3": 2, "4": 4, "5": 5},
    mean=4.08,
    interval=[3.46, 4.7],
)
AGAIN = cell(
    "would_come_again",
    "Reviendriez-vous à une rencontre comme celle-ci?",
    YES_NO,
    n=11,
    distribution={"yes": 9, "no": 2},
    share=0.82,
    interval=[0.52, 0.95],
)
UNANIMOUS = cell("useful", "Est-ce utile dans votre travail?", SCALE, n=8, nearly_all="5")
UNANIMOUS_YES = cell("again", "Reviendriez-vous?", YES_NO, n=8, nearly_all="yes")
WITHHELD = {**cell("free", "Avez-vous pu vous exprimer librement?", SCALE), "is_withheld": True}
RELEASED = {
    "survey_id": str(SURVEY),
    "state": "released",
    "release_id": "00000000-0000-4000-8000-000000000008",
    "n": 12,
    "questions": [SATISFACTION, AGAIN, UNANIMOUS, UNANIMOUS_YES, WITHHELD],
    "comments": ["Plus de <b>temps</b>.", "Merci!\nÀ refaire."],
    "suppressed_count": 1,
}
FR = sentences(Locale.FR)
LINK = "/results/" + SETTINGS.seal.link("results", SURVEY)


@pytest.fixture
def released(gate):
    gate.peer.says("evaluation.read_results", RELEASED)
    return gate


def look(gate, path, status=200):
    response = gate.ask("GET", path, headers={"Authorization": None})
    assert response.status_code == status, response.text
    return response


def words(response):
    return " ".join("".join(parsed(response).find("body").itertext()).split())


def test_the_link_opens_the_results_in_the_asked_language(released):
    for locale in ("fr", "en"):
        page = parsed(look(released, f"{LINK}?lang={locale}"))
        assert page.get("lang") == locale
        assert released.peer.asked[-1] == ("evaluation.read_results", {"survey_id": str(SURVEY), "locale": locale})
        assert page.find("body/main/h1").text == sentences(Locale(locale))("Survey results")


def test_each_distribution_is_a_table_with_words_and_numbers(released):
    tables = list(parsed(look(released, LINK)).iter("table"))
    rows = [[["".join(each.itertext()) for each in row][:2] for row in table.find("tbody")] for table in tables]
    assert rows == [
        [["niveau 1", "0"], ["niveau 2", "1"], ["niveau 3", "2"], ["niveau 4", "4"], ["niveau 5", "5"]],
        [["Oui", "9"], ["Non", "2"]],
    ]
    assert [table.find("caption").text for table in tables] == ["12 réponses", "11 réponses"]
    assert all(head.get("scope") for table in tables for head in table.iter("th"))


def test_mean_share_and_how_sure_they_are_stand_in_words(released):
    french, english = words(look(released, LINK)), words(look(released, f"{LINK}?lang=en"))
    assert "En moyenne : 4,1 sur 5." in french
    assert "entre 3,5 et 4,7" in french
    assert "82 % ont dit oui." in french
    assert "On average: 4.1 out of 5." in english
    assert "82% said yes." in english
    assert "between 52% and 95%" in english


def test_near_unanimity_is_a_sentence_without_a_number(released):
    page = parsed(look(released, f"{LINK}?lang=en"))
    said = [p.text for p in page.iter("p") if p.text and "or all but one" in p.text]
    assert len(said) == 2
    assert "“niveau 5”" in said[0]
    assert "“Oui”" in said[1]


def test_a_withheld_question_is_a_sentence(released):
    shown = words(look(released, LINK))
    assert "Avez-vous pu vous exprimer librement? Les réponses à cette question ne sont pas montrées" in shown


def test_comments_are_words_and_never_markup(released):
    page = parsed(look(released, LINK))
    assert [quote.text for quote in page.iter("blockquote")] == RELEASED["comments"]
    assert not list(page.iter("b"))


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            {"state": "open"},
            "This survey is still open. Its results will appear here once it has ended, if enough people have "
            "answered for nobody to be recognized.",
        ),
        (
            {"state": "withheld", "reason": "below_k"},
            "The survey has ended. Its results are not shown: too few people answered to be sure that nobody "
            "could be recognized.",
        ),
        (
            {"state": "withheld", "reason": "no_attendance"},
            "The survey has ended without results: no attendance was recorded, so nobody was asked.",
        ),
        (
            {"state": "withheld", "reason": "something_new"},
            "The survey has ended. Its results are not shown, so that nobody can be recognized.",
        ),
    ],
)
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_what_is_not_told_is_said_in_a_sentence_and_no_number(gate, told, sentence, locale):
    gate.peer.says("evaluation.read_results", {"survey_id": str(SURVEY), **told})
    response = look(gate, f"{LINK}?lang={locale}")
    assert parsed(response).find("body/main/p").text == sentences(Locale(locale))(sentence)
    assert not list(parsed(response).iter("table"))


def test_every_page_says_what_anonymous_means_and_whom_to_ask(gate):
    for told in (RELEASED, {"survey_id": str(SURVEY), "state": "open"}):
        gate.peer.says("evaluation.read_results", told)
        shown = words(look(gate, LINK))
        assert "Rien n’est montré de moins de cinq réponses. Les commentaires" in shown
        assert "Une question? Parlez-en à la personne qui anime votre communauté" in shown


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "%C3%A9",
        SETTINGS.seal.link("results"),
        SETTINGS.seal.link("results", SURVEY, SURVEY),
        SETTINGS.seal.link("survey", SURVEY),
        Seal(b"\x01" * 32).link("results", SURVEY),
        SETTINGS.seal.link("results", SURVEY)[:-2],
        str(SURVEY),
    ],
)
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_a_link_that_is_none_of_ours_is_a_page_in_ones_language(gate, token, locale):
    response = look(gate, f"/results/{token}?lang={locale}", 404)
    assert parsed(response).find("body/main/p").text == sentence_of("results_unknown", locale)
    assert gate.peer.asked == []


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [(NotFound("No."), 404, "results_unknown"), (Unavailable("Away."), 503, "results_away")],
)
def test_what_goes_wrong_is_told_to_a_person(gate, error, status, name):
    gate.peer.says("evaluation.read_results", error)
    response = look(gate, LINK, status)
    assert sentence_of(name) in words(response)
    assert "Away." not in response.text


def test_the_page_is_light_private_and_without_script(released):
    response = look(released, LINK)
    assert len(response.data) < 10_000
    assert "<script" not in response.text
    assert " style=" not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_a_full_release_of_six_questions_stays_under_10_kb(gate):
    gate.peer.says("evaluation.read_results", RELEASED | {"questions": [SATISFACTION] * 5 + [AGAIN], "comments": []})
    assert len(look(gate, LINK).data) < 10_000


def test_without_a_token_the_api_s_own_results_stay_closed(gate):
    assert gate.ask("GET", f"/v1/surveys/{SURVEY}/results", headers={"Authorization": None}).status_code == 401


def test_it_is_the_same_in_earnest(store):
    gate = make_gate(store, broker_url="amqp://rabbitmq")
    gate.peer.says("evaluation.read_results", RELEASED)
    assert FR("Survey results") in look(gate, LINK).text


@pytest.mark.parametrize("path", ["/results/%0F", "/s/%EF%BF%BD", "/r/%00", "/mails/%0F"])
def test_whoever_has_a_browser_gets_a_page_for_an_address_that_can_be_none(gate, path):
    assert parsed(look(gate, path, 404)).find("body/main/h1") is not None
    assert gate.peer.asked == []


@pytest.mark.parametrize(
    ("numbers", "french", "english"),
    [
        ((7, 5), "7 ont répondu pendant la rencontre, et 5 après.", "7 answered during the meeting, and 5 after it."),
        ((12, 0), "Toutes ont répondu pendant la rencontre.", "All of them answered during the meeting."),
        ((0, 12), "Toutes ont répondu après la rencontre.", "All of them answered after the meeting."),
        ((), "", ""),
    ],
)
def test_when_they_answered_is_told_in_a_sentence_where_it_is_told(gate, numbers, french, english):
    told = dict(zip(("n_in_meeting", "n_after"), numbers, strict=False))
    gate.peer.says("evaluation.read_results", {**RELEASED, **told})
    for locale, sentence in ((Locale.FR, french), (Locale.EN, english)):
        note = parsed(look(gate, f"{LINK}?lang={locale}")).find(".//p[@class='note']")
        lead = "%(n)s people answered. These results are the same for everyone and will not change."
        assert note.text == f"{sentences(locale)(lead, n=12)} {sentence}".strip()
