"""The survey on a phone: what someone sees, in their language, and that no vote is lost or cast twice."""

import dataclasses

import pytest

from gateway.pages.texts import MESSAGES, PROMISE
from pratique.errors import Conflict, Gone, Invalid, NotFound, Unavailable
from pratique.events.membership import Locale
from services.evaluation import questions
from tests.gateway.conftest import ANNE, BALLOT, BODO, QUESTIONS, SURVEY, asked, form_of, parsed, sentence_of
from words.catalogue import sentences

FR = sentences(Locale.FR)


def test_opening_the_link_uses_up_nothing(open_survey):
    for method in ("GET", "HEAD", "GET"):
        assert open_survey.ask(method, "/s/tok-1").status_code == 200
    asked_of_it = {"evaluation.identify_survey", "notifications.read_meeting_heading", "evaluation.open_ballot"}
    assert {name for name, _ in open_survey.peer.asked} == asked_of_it


def test_the_first_line_says_what_anonymous_means_here(open_survey):
    main = parsed(open_survey.ask("GET", "/s/tok-1")).find("body/main")
    heading, promise = list(main)[:2]
    assert heading.find("h1").text == FR("Your view of the meeting")
    assert promise.find("p").text == FR(PROMISE[0])


@pytest.mark.parametrize(
    ("query", "accept", "locale"),
    [
        ("", "", "fr"),
        ("", "en-CA,fr;q=0.3", "en"),
        ("?lang=fr", "en", "fr"),
        ("?lang=en", "fr", "en"),
        ("", "de", "fr"),
    ],
)
def test_the_page_speaks_the_language_asked_for(open_survey, query, accept, locale):
    response = open_survey.ask("GET", f"/s/tok-1{query}", headers={"Accept-Language": accept or None})
    assert parsed(response).get("lang") == locale
    assert response.headers["Content-Language"] == locale
    assert asked(open_survey, "evaluation.open_ballot")[0]["locale"] == locale
    assert sentences(Locale(locale))("Your view of the meeting") in response.text


def test_every_field_has_its_label_and_every_group_its_legend(open_survey):
    room = open_survey.ask("GET", "/r/K7MQ2P")
    for response in (open_survey.ask("GET", "/s/tok-1"), room, open_survey.ask("POST", "/r/X", data={"member": ANNE})):
        page = parsed(response)
        labelled = {label.get("for") for label in page.iter("label")}
        wrapped = {id(field) for label in page.iter("label") for field in label.iter("input")}
        for field in [*page.iter("input"), *page.iter("textarea")]:
            is_hidden = field.get("type") == "hidden"
            assert is_hidden or id(field) in wrapped or field.get("id") in labelled
        assert all("".join(group.find("legend").itertext()).strip() for group in page.iter("fieldset"))
        grouped = {id(field) for group in page.iter("fieldset") for field in group.iter("input")}
        assert all(id(field) in grouped for field in page.iter("input") if field.get("type") == "radio")
        assert page.find("head/title").text
        assert len(list(page.iter("h1"))) == 1


def test_the_page_is_small_and_needs_nothing_else(open_survey):
    response = open_survey.ask("GET", "/s/tok-1")
    assert len(response.data) < 10_000
    tags = {each.tag for each in parsed(response).iter() if isinstance(each.tag, str)}
    assert tags.isdisjoint({"script", "link", "img", "iframe"})


@pytest.mark.parametrize("locale", list(Locale))
def test_a_page_of_all_questions_stays_under_10_kb(open_survey, locale):
    asked_now = [dataclasses.asdict(each) for each in questions.in_language(questions.CURRENT, locale)]
    ballot = {"ballot_id": "b" * 200, "survey_id": SURVEY, "questions": asked_now}
    open_survey.peer.says("evaluation.open_ballot", ballot)
    assert len(open_survey.ask("GET", f"/s/tok-1?lang={locale}").data) < 10_000


def test_the_headers_keep_the_link_to_oneself(open_survey):
    headers = open_survey.ask("GET", "/s/tok-1").headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "Set-Cookie" not in headers


def test_the_style_is_the_one_that_the_policy_lets_in(open_survey):
    import base64
    import hashlib

    response = open_survey.ask("GET", "/s/tok-1")
    style = parsed(response).find("head/style").text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in response.headers["Content-Security-Policy"]


def test_texts_are_shown_and_never_run(open_survey):
    response = open_survey.ask(
        "POST", "/s/t", data={"q.what_should_change": "</textarea><script>x</script>", "q.satisfaction": "9"}
    )
    assert response.status_code == 422
    assert "<script>" not in response.text
    assert form_of(response)["q.what_should_change"].strip() == "</textarea><script>x</script>"


def test_sending_takes_the_ballot_keeps_the_answers_and_confirms_it(open_survey):
    """Three questions: none of them has a person and their answers."""
    typed = {
        "q.satisfaction": "4",
        "q.would_come_again": "false",
        "q.what_should_change": "Plus court.\r\nMerci",
        "x": "y",
    }
    shown = form_of(open_survey.ask("GET", "/s/tok-1?lang=fr"))
    assert shown["ballot"] == BALLOT
    response = open_survey.ask("POST", "/s/tok-1?lang=fr", data=shown | typed)
    assert (response.status_code, sentence_of("thanks") in response.text) == (200, True)
    assert asked(open_survey, "evaluation.open_ballot") == [{"token": "tok-1", "locale": "fr"}]
    answers = [
        {"question": "satisfaction", "value": 4},
        {"question": "would_come_again", "value": False},
        {"question": "what_should_change", "value": "Plus court.\nMerci"},
    ]
    assert open_survey.peer.asked[-4:] == [
        ("evaluation.check_answers", {"survey_id": SURVEY, "answers": answers}),
        ("evaluation.take_ballot", {"ballot_id": BALLOT}),
        ("evaluation.cast_slip", {"slip": "s-1", "answers": answers}),
        ("evaluation.confirm_ballot", {"ballot_id": BALLOT}),
    ]


def test_a_form_that_lost_its_ballot_gets_another(open_survey):
    response = open_survey.ask("POST", "/s/tok-1", data={"q.satisfaction": "4"})
    assert (response.status_code, sentence_of("thanks") in response.text) == (200, True)
    assert asked(open_survey, "evaluation.take_ballot") == [{"ballot_id": BALLOT}]


@pytest.mark.parametrize("typed", [{}, {"q.satisfaction": ""}, {"q.what_should_change": "   "}])
def test_an_empty_form_takes_no_ballot(open_survey, typed):
    response = open_survey.ask("POST", "/s/tok-1", data=typed)
    assert (response.status_code, FR("Answer at least one question, then send your answers.") in response.text) == (
        422,
        True,
    )
    assert asked(open_survey, "evaluation.take_ballot") == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"q.satisfaction": "6"}, "Choisissez l’une des réponses proposées."),
        ({"q.what_should_change": "x" * 2001}, "Raccourcissez votre texte"),
    ],
)
def test_a_bad_answer_is_told_at_its_field_and_takes_no_ballot(open_survey, typed, words):
    response = open_survey.ask("POST", "/s/tok-1", data={"q.would_come_again": "true", **typed})
    assert (response.status_code, words in response.text) == (422, True)
    assert form_of(response)["q.would_come_again"] == "true"
    page = parsed(response)
    told = next(each for each in page.iter("p") if each.get("class") == "wrong")
    assert told.get("id") in [each.get("aria-describedby") for each in page.iter()]
    assert asked(open_survey, "evaluation.take_ballot") == []


def test_answers_that_the_service_refuses_can_be_mended_on_the_same_ballot(open_survey):
    open_survey.peer.says("evaluation.check_answers", Invalid("Mend it.", {"/answers/1/value": "too rude"}))
    typed = {"q.satisfaction": "4", "q.what_should_change": "…"}
    refused = open_survey.ask("POST", "/s/tok-1", data=typed)
    assert (refused.status_code, FR("Shorten your text to 2,000 characters at most.") in refused.text) == (422, True)
    again = form_of(refused)
    assert (again["ballot"], again["q.satisfaction"], again["q.what_should_change"].strip()) == (BALLOT, "4", "…")
    assert asked(open_survey, "evaluation.take_ballot") == []
    open_survey.peer.says("evaluation.check_answers", None)
    assert (
        sentence_of("thanks") in open_survey.ask("POST", "/s/tok-1", data=again | {"q.what_should_change": "Bon"}).text
    )
    assert len(asked(open_survey, "evaluation.open_ballot")) == 1
    assert asked(open_survey, "evaluation.take_ballot") == [{"ballot_id": BALLOT}]


@pytest.mark.parametrize("away", ["open_ballot", "check_answers", "take_ballot", "cast_slip"])
def test_what_was_typed_survives_a_service_that_is_away(open_survey, away):
    answer = open_survey.peer.answers[f"evaluation.{away}"]
    open_survey.peer.says(f"evaluation.{away}", Unavailable("Away."))
    typed = {"q.satisfaction": "4", "q.what_should_change": 'Dire "oui" & <non>\nsouvent'}
    kept = open_survey.ask("POST", "/s/tok-1", data=typed)
    assert (kept.status_code, "Vos réponses ne sont pas parties : le service ne répond pas." in kept.text) == (
        503,
        True,
    )
    open_survey.peer.answers[f"evaluation.{away}"] = answer
    assert sentence_of("thanks") in open_survey.ask("POST", "/s/tok-1", data=form_of(kept)).text
    sent = asked(open_survey, "evaluation.cast_slip")[-1]["answers"]
    assert [each["value"] for each in sent] == [4, 'Dire "oui" & <non>\nsouvent']


def test_answers_that_are_kept_are_thanked_for_though_that_cannot_be_confirmed(open_survey):
    open_survey.peer.says("evaluation.confirm_ballot", Unavailable("Away."))
    response = open_survey.ask("POST", "/s/tok-1", data={"q.satisfaction": "4", "ballot": BALLOT})
    assert (response.status_code, sentence_of("thanks") in response.text) == (200, True)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (NotFound("x"), 404, "unknown"),
        (Gone("x"), 410, "closed"),
        (Unavailable("x"), 503, "away"),
        (Invalid("x"), 422, "unread"),
        (RuntimeError("secret dsn"), 500, "broken"),
    ],
)
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_each_failure_is_a_sentence_in_the_right_language(open_survey, error, status, words, locale):
    open_survey.peer.says("evaluation.open_ballot", error)
    response = open_survey.ask("GET", f"/s/tok-1?lang={locale}")
    assert response.status_code == status
    assert sentence_of(words, locale) in response.text
    assert sentences(Locale(locale))(MESSAGES[words].title) in response.text
    assert parsed(response).get("lang") == locale
    assert "secret dsn" not in response.text


def test_who_has_answered_is_told_so_before_any_question(open_survey):
    open_survey.peer.says("evaluation.open_ballot", Conflict("Taken."))
    for response in (open_survey.ask("GET", "/s/tok-1"), open_survey.ask("POST", "/s/tok-1", data={})):
        assert (response.status_code, sentence_of("already") in response.text) == (409, True)
        assert QUESTIONS[0]["text"] not in response.text
    assert asked(open_survey, "evaluation.take_ballot") == []


def test_a_ballot_that_was_spent_meanwhile_is_told_so(open_survey):
    open_survey.peer.says("evaluation.cast_slip", Gone("Spent."))
    response = open_survey.ask("POST", "/s/tok-1", data={"q.satisfaction": "4", "ballot": BALLOT})
    assert (response.status_code, sentence_of("spent") in response.text) == (410, True)


def test_in_the_room_one_chooses_a_name_then_answers(open_survey):
    names = open_survey.ask("GET", "/r/K7MQ2P")
    radios = [each for each in parsed(names).iter("input") if each.get("type") == "radio"]
    assert [each.get("value") for each in radios] == [ANNE, BODO]
    chosen = open_survey.ask("POST", "/r/K7MQ2P", data={"member": BODO})
    assert form_of(chosen)["ballot"] == BALLOT
    assert asked(open_survey, "evaluation.take_ballot") == []
    sent = open_survey.ask("POST", "/r/K7MQ2P", data=form_of(chosen) | {"q.satisfaction": "5"})
    assert sentence_of("thanks") in sent.text
    opened = {"room_code": "K7MQ2P", "member_id": BODO, "locale": "fr"}
    assert asked(open_survey, "evaluation.open_ballot") == [opened]


def test_in_the_room_no_name_is_chosen_for_anyone(open_survey):
    response = open_survey.ask("POST", "/r/K7MQ2P", data={})
    assert (response.status_code, FR("Choose your name from the list.") in response.text) == (422, True)


def test_in_the_room_a_form_is_taken_also_when_the_code_has_just_ended(open_survey):
    chosen = form_of(open_survey.ask("POST", "/r/K7MQ2P", data={"member": BODO}))
    for rpc in ("get_room", "open_ballot"):
        open_survey.peer.says(f"evaluation.{rpc}", NotFound("Ended."))
    sent = open_survey.ask("POST", "/r/K7MQ2P", data=chosen | {"q.satisfaction": "5"})
    assert (sent.status_code, sentence_of("thanks") in sent.text) == (200, True)
    gone = open_survey.ask("GET", "/r/K7MQ2P")
    assert (gone.status_code, sentence_of("no_room") in gone.text) == (404, True)


def test_in_the_room_a_taken_name_says_what_to_do_and_leads_back_to_the_list(open_survey):
    open_survey.peer.says("evaluation.take_ballot", Conflict("Taken."))
    typed = {"member": BODO, "step": "answer", "q.satisfaction": "5"}
    response = open_survey.ask("POST", "/r/K7MQ2P", data=typed)
    assert (response.status_code, sentence_of("already_room") in response.text) == (409, True)
    assert "?lang=fr" in [each.get("href") for each in parsed(response).iter("a")]


def names_of(response):
    return [each.find("input").tail for each in parsed(response).iter("label") if each.find("input") is not None]


FR_FIRST_NAMES = "Voici le début de la liste. Cherchez pour y trouver votre nom."


def many(gate, count):
    labels = [{"member_id": f"00000000-0000-4000-8000-{n:012}", "label": f"Nom {n:02}"} for n in range(count - 2)]
    labels += [{"member_id": ANNE, "label": "Élise-Anne T."}, {"member_id": BODO, "label": "Eli B."}]
    gate.peer.says("membership.list_labels", labels)


def test_names_are_in_the_order_of_a_phone_book(open_survey):
    many(open_survey, 6)
    shown = names_of(open_survey.ask("GET", "/r/K7MQ2P"))
    assert shown == ["Eli B.", "Élise-Anne T.", "Nom 00", "Nom 01", "Nom 02", "Nom 03"]


@pytest.mark.parametrize(("count", "is_searched"), [(15, False), (16, True), (60, True)])
def test_many_names_can_be_searched_without_script(open_survey, count, is_searched):
    many(open_survey, count)
    page = open_survey.ask("GET", "/r/K7MQ2P")
    assert len(names_of(page)) == min(count, 30)
    assert (FR_FIRST_NAMES in page.text) is (count > 30)
    assert ("search" in [each.get("type") for each in parsed(page).iter("input")]) is is_searched


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("elise", ["Élise-Anne T."]), ("ELI", ["Eli B.", "Élise-Anne T."]), ("  nom 01 ", ["Nom 01"]), ("", 20)],
)
def test_a_name_is_found_whatever_its_accents_and_capitals(open_survey, wanted, found):
    many(open_survey, 20)
    response = open_survey.ask("POST", "/r/K7MQ2P", data={"step": "find", "find": wanted})
    assert response.status_code == 200
    assert (names_of(response) if isinstance(found, list) else len(names_of(response))) == found
    assert asked(open_survey, "evaluation.open_ballot") == []


def test_a_name_that_is_not_there_says_what_to_do(open_survey):
    many(open_survey, 20)
    response = open_survey.ask("POST", "/r/K7MQ2P?lang=en", data={"step": "find", "find": "<b>Zoé"})
    assert "No name here has “&lt;b&gt;Zoé” in it." in response.text
    assert "?lang=en" in [each.get("href") for each in parsed(response).iter("a")]


@pytest.mark.parametrize(("locale", "begins"), [("fr", "Erreur\u00a0: "), ("en", "Error: ")])
def test_errors_stand_first_are_focused_and_lead_to_their_questions(open_survey, locale, begins):
    typed = {"q.satisfaction": "6", "q.what_should_change": "x" * 2001}
    page = parsed(open_survey.ask("POST", f"/s/tok-1?lang={locale}", data=typed))
    summary = page.find("body/main")[0]
    assert (summary.get("role"), summary.get("autofocus")) == ("alert", "")
    ids = {each.get("id") for each in page.iter()}
    assert {each.get("href") for each in summary.iter("a")} == {"#satisfaction", "#what_should_change"}
    assert {"satisfaction", "what_should_change"} <= ids
    assert page.find("head/title").text.startswith(begins)


def test_a_room_where_nobody_is_marked_says_whom_to_ask(open_survey):
    open_survey.peer.says("membership.list_labels", [])
    assert "Nobody has been marked as present yet." in open_survey.ask("GET", "/r/K7MQ2P?lang=en").text


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_a_form_that_is_no_form_is_an_empty_one(open_survey, content_type):
    response = open_survey.ask("POST", "/s/tok-1", data=b"\xff\x00--x", content_type=content_type)
    assert (response.status_code, FR("Answer at least one question, then send your answers.") in response.text) == (
        422,
        True,
    )
