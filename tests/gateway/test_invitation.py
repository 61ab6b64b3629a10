"""The page of an invitation: what one reads and answers by one's own link, and what a link that is none leads to."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import clock
from chassis.actor import ACTOR, Actor
from pratique.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from pratique.events.membership import Locale
from pratique.requests.evaluation import PASSES
from pratique.requests.meetings import INVITATION_LINK
from pratique.testing import AT
from tests.gateway.conftest import ANNE, MEETING, SETTINGS, asked, make_gate, parsed, sentence_of, words_of
from words.catalogue import sentences

FR, EN = sentences(Locale.FR), sentences(Locale.EN)
UNTIL = AT + timedelta(days=9)
TOLD = {
    "name": "Anne <Coté>",
    "kind": "rencontre",
    "communities": "Relève",
    "of_communities": "de la communauté «\u00a0Relève\u00a0»",
    "when": "jeudi 12 mars 2026, de 9 h à 11 h",
    "when_for_you": "",
    "mode": "en personne ou en ligne",
    "place": "Salle 3",
    "link": "https://visio.example/42",
    "themes": "La relève, Le compost",
    "lead": "Zoé Roy",
    "part": "",
    "cancel_reason": "",
}


def link(**said: Any) -> str:
    """The end of Anne's link, or one that differs."""
    made: dict[str, Any] = {"purpose": INVITATION_LINK, "until": UNTIL, "meeting": MEETING, "member": ANNE} | said
    return SETTINGS.seal.lasting_link(made["purpose"], made["until"], UUID(made["meeting"]), UUID(made["member"]))


def invite(gate: Any, **standing: Any) -> None:
    """The services know of the invitation; what was registered is what the page shows next."""
    state = {"state": "scheduled", "starts_at": AT.isoformat(), "ends_at": (AT + timedelta(hours=2)).isoformat()}
    stands = state | {"partstat": None} | standing
    gate.acted_as = []

    def register(meeting_id: str, member_id: str, partstat: str) -> dict[str, Any]:
        gate.acted_as.append(ACTOR.get())
        stands["partstat"] = partstat
        return {"meeting_id": meeting_id, "member_id": member_id, "partstat": partstat, "version": 1}

    gate.token = ""
    gate.peer.answers["meetings.get_standing"] = lambda **asked: stands
    gate.peer.answers["meetings.register_member"] = register
    gate.peer.answers["notifications.read_invitation"] = lambda locale="fr", **asked: TOLD | {"locale": locale}


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with clock.fixed(AT - timedelta(days=1)):
        yield


def test_one_reads_which_meeting_it_is_and_answers_nothing_by_reading(gate: Any) -> None:
    invite(gate)
    for method in ("GET", "HEAD", "GET"):
        assert gate.ask(method, f"/i/{link()}?answer=accepted").status_code == 200
    words = words_of(gate.ask("GET", f"/i/{link()}"))
    for told in ("Anne <Coté>", "Relève", "12 mars 2026", "Salle 3", "https://visio.example/42", "Zoé Roy"):
        assert told in words
    assert asked(gate, "meetings.register_member") == []


@pytest.mark.parametrize(
    ("partstat", "sentence"),
    [
        ("accepted", "Vous avez répondu que vous viendrez."),
        ("declined", "Vous avez répondu que vous ne pourrez pas venir."),
    ],
)
def test_one_answers_by_a_click_and_reads_what_was_answered(gate: Any, partstat: str, sentence: str) -> None:
    invite(gate)
    said = gate.ask("POST", f"/i/{link()}?lang=fr", data={"partstat": partstat})
    assert (said.status_code, said.headers["Location"]) == (303, "?lang=fr")
    [registered] = asked(gate, "meetings.register_member")
    assert registered == {"meeting_id": MEETING, "member_id": ANNE, "partstat": partstat}
    assert gate.acted_as == [Actor(f"member {ANNE}", member_id=UUID(ANNE))]
    page = gate.ask("GET", f"/i/{link()}?lang=fr")
    assert sentence in words_of(page)
    offered = [button.get("value") for button in parsed(page).iter("button")]
    assert offered == [choice for choice in ("accepted", "declined") if choice != partstat]


@pytest.mark.parametrize("chosen", ["accepted", "declined"])
def test_the_choice_of_the_mail_comes_first_and_still_waits_for_a_click(gate: Any, chosen: str) -> None:
    invite(gate)
    page = gate.ask("GET", f"/i/{link()}?answer={chosen}")
    buttons = [(button.get("value"), button.get("class")) for button in parsed(page).iter("button")]
    assert buttons[0][0] == chosen
    assert [kind for _, kind in buttons] == [None, "second"]
    assert FR("One more click, and your answer is given.") in words_of(page)


def test_the_page_speaks_the_person_s_language_or_the_one_asked_for(gate: Any) -> None:
    invite(gate)
    gate.ask("GET", f"/i/{link()}", headers={"Accept-Language": "en"})
    english = gate.ask("GET", f"/i/{link()}?lang=en")
    assert ["locale" in payload for payload in asked(gate, "notifications.read_invitation")] == [False, True]
    assert parsed(english).get("lang") == "en"
    assert EN("Will you come?") in words_of(english)


def test_an_answer_that_is_none_changes_nothing_and_is_asked_for_again(gate: Any) -> None:
    invite(gate)
    for typed in ({}, {"partstat": "tentative"}, {"partstat": "x" * 10_000}, {"partstat": "<script>"}):
        page = gate.ask("POST", f"/i/{link()}", data=typed)
        assert (page.status_code, FR("Choose one of the two answers.") in words_of(page)) == (422, True)
    assert asked(gate, "meetings.register_member") == []


@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        ({"state": "cancelled"}, "Cette rencontre est annulée; elle n’aura pas lieu."),
        ({"state": "closed"}, "Cette rencontre est terminée."),
        ({"ends_at": (AT - timedelta(days=2)).isoformat()}, "L’heure de cette rencontre est passée"),
    ],
)
def test_a_meeting_that_takes_no_answers_says_so_in_a_sentence(
    gate: Any, standing: dict[str, str], sentence: str
) -> None:
    invite(gate, **standing)
    page = gate.ask("GET", f"/i/{link()}")
    assert sentence in words_of(page)
    assert list(parsed(page).iter("button")) == []


def test_while_the_meeting_runs_the_page_leads_on_to_its_room(gate: Any) -> None:
    invite(gate, state="wrap_up", ends_at=(AT - timedelta(days=2)).isoformat())
    page = gate.ask("GET", f"/i/{link()}")
    assert FR("The meeting has begun.") in words_of(page)
    assert "/r/?lang=fr" in [each.get("href") for each in parsed(page).iter("a")]


def test_a_meeting_that_ends_while_one_answers_is_told_and_nothing_is_lost(gate: Any) -> None:
    invite(gate, state="closed")
    gate.peer.says("meetings.register_member", Conflict("This meeting is closed."))
    page = gate.ask("POST", f"/i/{link()}", data={"partstat": "accepted"})
    assert (page.status_code, "Cette rencontre est terminée." in words_of(page)) == (409, True)


def test_a_link_of_which_a_sign_was_altered_leads_to_a_page_that_says_what_to_do(gate: Any) -> None:
    invite(gate)
    text = link()
    for at, sign in enumerate(text):
        page = gate.ask("GET", f"/i/{text[:at]}{'A' if sign != 'A' else 'B'}{text[at + 1 :]}")
        assert (page.status_code, sentence_of("invitation_unknown") in words_of(page)) == (404, True)
    for other in (text[:-1], text[1:], text + "A", text + "=", text.swapcase(), "x", "é" * 102):
        assert gate.ask("GET", f"/i/{other}").status_code == 404
    assert gate.peer.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": PASSES},
        {"purpose": "survey link"},
        {"purpose": "results"},
    ],
)
def test_a_box_of_another_purpose_is_no_invitation(gate: Any, wrong: dict[str, Any]) -> None:
    invite(gate)
    for method in ("GET", "POST"):
        page = gate.ask(method, f"/i/{link(**wrong)}", data={"partstat": "accepted"} if method == "POST" else None)
        assert page.status_code == 404
        assert "Set-Cookie" not in page.headers
    assert gate.peer.asked == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_expired_link_says_what_to_do_gives_no_pass_and_asks_nobody(gate: Any, method: str) -> None:
    invite(gate)
    late = link(until=clock.now())
    page = gate.ask(method, f"/i/{late}?lang=en", data={"partstat": "accepted"} if method == "POST" else None)
    assert (page.status_code, sentence_of("invitation_expired", "en") in words_of(page)) == (410, True)
    assert "Set-Cookie" not in page.headers
    assert gate.peer.asked == []


def test_somebody_who_belongs_to_the_meeting_no_more_reads_nothing_of_it(gate: Any) -> None:
    invite(gate)
    gate.peer.says("meetings.get_standing", NotFound("There is no meeting."))
    page = gate.ask("GET", f"/i/{link()}")
    assert (page.status_code, "Salle 3" in page.text, "Set-Cookie" in page.headers) == (404, False, False)
    for refusal in (Invalid("none of its communities", {"/member_id": "none"}), Forbidden("This takes a role.")):
        gate.peer.says("meetings.register_member", refusal)
        assert gate.ask("POST", f"/i/{link()}", data={"partstat": "accepted"}).status_code == 404


def test_a_service_that_is_away_is_told_in_words(gate: Any) -> None:
    invite(gate)
    gate.peer.says("meetings.get_standing", Unavailable("away"))
    page = gate.ask("GET", f"/i/{link()}")
    assert (page.status_code, page.mimetype) == (503, "text/html")


def test_words_of_people_are_shown_and_never_run(gate: Any) -> None:
    invite(gate)
    hostile = {
        "place": "<script>alert(1)</script>",
        "link": "javascript:alert(1)",
        "themes": '"><b>',
        "name": "{0}{name}",
    }
    gate.peer.answers["notifications.read_invitation"] = lambda **asked: TOLD | hostile | {"locale": "fr"}
    page = gate.ask("GET", f"/i/{link()}")
    assert "<script" not in page.text
    assert "javascript:" not in str([each.get("href") for each in parsed(page).iter("a")])
    assert "{0}{name}" in words_of(page)


def test_the_page_is_small_has_no_script_and_keeps_its_address_to_itself(gate: Any) -> None:
    invite(gate)
    page = gate.ask("GET", f"/i/{link()}")
    assert len(page.data) < 10_000
    tags = {each.tag for each in parsed(page).iter() if isinstance(each.tag, str)}
    assert tags.isdisjoint({"script", "link", "img", "iframe"})
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


def test_the_pass_is_a_cookie_for_rooms_alone_that_ends_with_the_link(gate: Any, store: Any) -> None:
    for is_embedded, url in ((True, "http://127.0.0.1:8000"), (False, "https://pratique.example.org")):
        there = make_gate(store, broker_url="embedded://" if is_embedded else "amqp://x", public_url=url)
        invite(there)
        [cookie] = there.ask("GET", f"/i/{link()}").headers.getlist("Set-Cookie")
        name = f"pass-{MEETING.replace('-', '')}-"
        assert cookie.startswith(name if is_embedded else f"__Secure-{name}")
        assert ANNE[:8] not in cookie.removeprefix(name)[:8], "a cookie's name tells nobody whose it is"
        attributes = cookie.split("; ")[1:]
        assert {"HttpOnly", "SameSite=Lax", "Path=/r"} <= set(attributes)
        assert ("Secure" in attributes) is not is_embedded
        assert f"Max-Age={10 * 24 * 3600}" in attributes
        value = cookie.split("; ")[0].partition("=")[2]
        until, ids = SETTINGS.seal.read_lasting_link(PASSES, value)
        assert (until, [str(id) for id in ids]) == (UNTIL, [MEETING, ANNE])
