"""Signing in by a mailed link: to whom it is mailed, what opens it, and what nobody learns by it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis import clock
from gateway.pages.sign_in import ASKED_BY_CLIENT, MAILED, browser_of
from gateway.sessions import LINK_LASTS
from pratique.errors import NotFound, Unavailable
from pratique.testing import AT
from tests.gateway.browser import LAPTOP, PHONE, Browser, knows
from tests.gateway.conftest import ANNE, BODO, Gate, make_gate, parsed

MAIL = "notifications.mail_sign_in_link"
FOUND = "membership.list_members"
ADDRESS = {"email": "anne@example.org"}


@pytest.fixture
def gate(gate: Gate) -> Gate:
    knows(gate)
    gate.token = ""
    return gate


def mailed(gate: Gate) -> list[dict[str, Any]]:
    """The links that notifications was asked to mail."""
    return [payload for name, payload in gate.peer.asked if name == MAIL]


def link_of(gate: Gate, **form: str) -> str:
    """Ask for a link, and return the secret that was mailed."""
    assert Browser(gate).post("/sign-in", ADDRESS | form).status_code == 200
    return str(mailed(gate)[-1]["token"])


def titles(gate: Gate, browser: Browser, path: str, method: str = "GET") -> str:
    page = parsed(browser.open(method, path))
    return str(page.find("body/main/h1").text)


def test_a_link_is_mailed_to_whoever_has_the_address_and_signs_them_in(gate: Gate) -> None:
    browser = Browser(gate)
    asked = browser.press(browser.get("/sign-in"), "/sign-in", **ADDRESS)
    assert "anne@example.org" in asked.text
    [mail] = mailed(gate)
    assert mail["member_id"] == ANNE
    assert datetime.fromisoformat(mail["expires_at"]) <= clock.now() + LINK_LASTS
    shown = browser.get(f"/sign-in/{mail['token']}")
    entered = browser.post(f"/sign-in/{mail['token']}")
    assert (shown.status_code, entered.status_code, entered.headers["Location"]) == (200, 303, "/home")
    assert parsed(browser.get("/home")).find("body/main/h1").text == "Hello, Anne Boucher"


def test_the_mail_goes_to_the_person_and_not_to_what_was_typed(gate: Gate) -> None:
    """So that no way of writing an address brings a link to another mailbox."""
    link_of(gate, email="ANNE@Example.org")
    assert set(mailed(gate)[0]) == {"link_id", "member_id", "token", "expires_at"}


def waiting_gate(store: Any) -> tuple[Gate, list[Any]]:
    """A gateway that keeps what it would do after its answers, instead of doing it."""
    gate, kept = make_gate(store), []
    gate.app.later = lambda act, *arguments: kept.append((act, arguments))
    knows(gate)
    return gate, kept


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_an_unknown_address_is_answered_as_a_known_one_before_anybody_is_looked_for(store: Any, locale: str) -> None:
    gate, kept = waiting_gate(store)
    answers = []
    for rows in ([{"member_id": ANNE, "version": 1}], []):
        gate.peer.says(FOUND, {"rows": rows, "after": None})
        response = Browser(gate).post(f"/sign-in?lang={locale}", ADDRESS)
        answers.append((response.status_code, response.text, dict(response.headers)))
        assert gate.peer.asked == []
        act, arguments = kept.pop()
        act(*arguments)
        gate.peer.asked.clear()
    assert answers[0] == answers[1]
    assert answers[0][0] == 200


def test_nothing_is_mailed_to_an_address_that_nobody_has(gate: Gate) -> None:
    gate.peer.says(FOUND, {"rows": [], "after": None})
    assert Browser(gate).post("/sign-in", ADDRESS).status_code == 200
    assert mailed(gate) == []


@pytest.mark.parametrize("away", [FOUND, MAIL])
def test_whether_a_service_is_away_is_answered_the_same(gate: Gate, away: str, caplog: Any) -> None:
    usual = Browser(gate).post("/sign-in", ADDRESS)
    gate.peer.says(away, Unavailable("it does not answer"))
    response = Browser(gate).post("/sign-in", ADDRESS)
    assert (response.status_code, response.text) == (usual.status_code, usual.text)
    assert "could not be mailed" in caplog.text
    assert "anne@" not in caplog.text


@pytest.mark.parametrize("typed", ["", "anne", "@", "anne@", "a b@example.org", "x" * 250 + "@example.org", "a@b\nc"])
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_what_is_no_address_is_told_at_the_field_and_stays_there(gate: Gate, typed: str, locale: str) -> None:
    response = Browser(gate).post(f"/sign-in?lang={locale}", {"email": typed})
    page = parsed(response)
    (field,) = [each for each in page.iter("input") if each.get("type") == "email"]
    told = {each.get("id"): each.text for each in page.iter("p")}
    assert (response.status_code, page.get("lang")) == (422, locale)
    assert told[field.get("aria-describedby").split()[-1]]
    assert field.get("value") == typed[:255]
    assert mailed(gate) == []


def test_switching_the_language_keeps_what_was_typed_and_sends_nothing(gate: Gate) -> None:
    form = ADDRESS | {"next": "/account", "switch": "1"}
    page = parsed(Browser(gate).post("/sign-in?lang=fr", form))
    values = {each.get("name"): each.get("value") for each in page.iter("input")}
    assert (page.get("lang"), values) == ("fr", {"email": ADDRESS["email"], "next": "/account"})
    assert gate.peer.asked == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_scanners_that_open_links_in_mails_sign_nobody_in_and_spend_nothing(gate: Gate, method: str) -> None:
    token, browser = link_of(gate), Browser(gate)
    for _ in range(5):
        browser.open(method, f"/sign-in/{token}")
    assert (browser.cookie, browser.is_signed_in) == ("", False)
    assert browser.post(f"/sign-in/{token}").status_code == 303


def test_a_link_works_once(gate: Gate) -> None:
    token, first, second = link_of(gate), Browser(gate), Browser(gate)
    assert [each.post(f"/sign-in/{token}").status_code for each in (first, second)] == [303, 404]
    assert [each.is_signed_in for each in (first, second)] == [True, False]
    assert titles(gate, second, f"/sign-in/{token}?lang=en") == "This link no longer works"


def test_a_link_expires_after_a_quarter_of_an_hour(gate: Gate) -> None:
    with clock.fixed(AT):
        token, browser = link_of(gate), Browser(gate)
        clock.move(LINK_LASTS - timedelta(seconds=1))
        assert browser.get(f"/sign-in/{token}").status_code == 200
        clock.move(timedelta(seconds=1))
        assert [browser.open(method, f"/sign-in/{token}").status_code for method in ("GET", "POST")] == [404, 404]
        assert not browser.is_signed_in


@pytest.mark.parametrize("alter", ["made up", "cut", "longer", "changed", "hash", "percent"])
def test_a_forged_link_opens_nothing_and_is_told_like_a_spent_one(gate: Gate, alter: str) -> None:
    token, browser = link_of(gate), Browser(gate)
    forged = {
        "made up": "A" * 43,
        "cut": token[:-1],
        "longer": token + "A",
        "changed": ("B" if token[0] == "A" else "A") + token[1:],
        "hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "percent": "%00" + token,
    }[alter]
    for method in ("GET", "POST"):
        assert browser.open(method, f"/sign-in/{forged}").status_code == 404
    assert (browser.cookie, browser.is_signed_in) == ("", False)


def test_a_link_of_another_network_opens_nothing(gate: Gate, store: Any) -> None:
    from chassis.testing import memory_store
    from gateway.models import Base

    with memory_store("gateway", Base.metadata) as other:
        elsewhere = make_gate(other)
        token, _ = elsewhere.app.sessions.create_link(UUID(ANNE))
    assert Browser(gate).post(f"/sign-in/{token}").status_code == 404


def test_every_answer_about_a_link_stays_out_of_caches_and_referrers(gate: Gate) -> None:
    token, browser = link_of(gate), Browser(gate)
    for method in ("GET", "POST", "GET"):
        response = browser.open(method, f"/sign-in/{token}")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"


def test_whoever_was_on_the_way_to_a_page_is_led_there(gate: Gate) -> None:
    browser = Browser(gate)
    asked = browser.get("/account?lang=en")
    assert (asked.status_code, asked.headers["Location"]) == (303, "/sign-in?next=%2Faccount%3Flang%3Den")
    browser.press(browser.get(asked.headers["Location"]), "/sign-in", **ADDRESS)
    entered = browser.post(f"/sign-in/{mailed(gate)[-1]['token']}")
    assert entered.headers["Location"] == "/account?lang=en"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/home",
        "//evil.example/home",
        "/\\evil.example",
        "\\\\evil.example",
        "/home\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "home",
        "/home/../../evil",
        "/@evil.example",
        "/v1/communities",
        "/sign-in",
        "/account/sign-out",
        "/home?" + "x" * 200,
        "/home#x",
        "/%2F/evil.example",
    ],
)
def test_a_link_never_leads_anywhere_but_to_a_page_of_ours(gate: Gate, elsewhere: str) -> None:
    shown = Browser(gate).get("/sign-in", query_string={"next": elsewhere})
    assert [each.get("name") for each in parsed(shown).iter("input")] == ["email"]
    token = link_of(gate, next=elsewhere)
    assert Browser(gate).post(f"/sign-in/{token}").headers["Location"] == "/home"


def test_one_person_is_mailed_three_links_in_a_quarter_of_an_hour_and_hears_the_same(gate: Gate) -> None:
    with clock.fixed(AT):
        answers = {Browser(gate).post("/sign-in?lang=en", ADDRESS).text for _ in range(MAILED + 2)}
        assert (len(answers), len(mailed(gate))) == (1, MAILED)
        knows(gate, BODO)
        Browser(gate).post("/sign-in", ADDRESS)
        assert [mail["member_id"] for mail in mailed(gate)] == [ANNE] * MAILED + [BODO]
        knows(gate)
        clock.move(timedelta(minutes=15))
        link_of(gate)
        assert len(mailed(gate)) == MAILED + 2


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_one_address_of_the_internet_may_not_ask_without_end(gate: Gate, locale: str) -> None:
    gate.peer.says(FOUND, {"rows": [], "after": None})
    with clock.fixed(AT):
        codes = [Browser(gate).post("/sign-in", ADDRESS).status_code for _ in range(ASKED_BY_CLIENT)]
        refused = Browser(gate).post(f"/sign-in?lang={locale}", ADDRESS)
        assert (set(codes), refused.status_code, refused.headers["Retry-After"]) == ({200}, 429, "600")
        assert parsed(refused).get("lang") == locale
        assert len(gate.peer.asked) == ASKED_BY_CLIENT
        other = Browser(gate).post("/sign-in", ADDRESS, environ_base={"REMOTE_ADDR": "192.0.2.7"})
        clock.move(timedelta(minutes=10))
        assert [other.status_code, Browser(gate).post("/sign-in", ADDRESS).status_code] == [200, 200]


def test_another_site_can_neither_ask_for_links_nor_sign_somebody_in(gate: Gate) -> None:
    """Signed in as the attacker, one would write into their account (CWE-352, login)."""
    token, browser = link_of(gate), Browser(gate)
    before = len(mailed(gate))
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        for path in ("/sign-in", f"/sign-in/{token}"):
            assert browser.post(path, ADDRESS, headers=headers).status_code == 403
    assert browser.open("POST", f"/sign-in/{token}", headers={"Origin": "https://evil.example"}).status_code == 403
    assert (len(mailed(gate)), browser.cookie) == (before, "")
    assert browser.post(f"/sign-in/{token}").status_code == 303


def test_signing_in_again_ends_the_session_that_the_browser_had(gate: Gate) -> None:
    browser = Browser(gate).sign_in()
    former = browser.cookie
    browser.sign_in()
    assert (browser.cookie != former, browser.is_signed_in) == (True, True)
    browser.client.set_cookie(gate.app.visitors.cookie, former)
    assert not browser.is_signed_in


def test_whoever_has_neither_role_nor_community_is_told_what_to_do(gate: Gate) -> None:
    assert "Write to whoever coordinates" in Browser(gate).sign_in().get("/home?lang=en").text


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_whoever_is_not_known_any_more_is_told_so_and_signed_out_everywhere(gate: Gate, locale: str) -> None:
    with clock.fixed(AT):
        browser, other = Browser(gate).sign_in(), Browser(gate).sign_in()
        assert browser.is_signed_in
        gate.peer.says("membership.get_authority", NotFound("There is no such member."))
        clock.move(timedelta(seconds=5))
        response = browser.get(f"/home?lang={locale}")
        assert (response.status_code, parsed(response).get("lang"), browser.cookie) == (403, locale, "")
        knows(gate)
        assert not other.is_signed_in


@pytest.mark.parametrize(
    ("agent", "label"),
    [(LAPTOP, "Firefox, Linux"), (PHONE, "Safari, iPhone"), ("curl/8", ""), ("", ""), ("<b>Chrome" * 50, "Chrome")],
)
def test_of_a_browser_its_name_and_system_are_kept_and_nothing_more(agent: str, label: str) -> None:
    assert browser_of(agent) == label


class TestEmbedded:
    """The links on which ``make run`` ends."""

    @staticmethod
    def path(gate: Gate, purpose: str = "sign-in") -> str:
        return f"/sign-in/as/{gate.app.settings.seal.link(purpose, UUID(ANNE))}"

    def test_a_link_signs_in_at_once_and_as_often_as_it_is_opened(self, gate: Gate) -> None:
        for _ in range(2):
            browser = Browser(gate)
            response = browser.get(self.path(gate))
            assert (response.status_code, response.headers["Location"]) == (303, "/home")
            assert browser.is_signed_in

    @pytest.mark.parametrize("host", ["http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost:8000"])
    def test_this_machine_s_own_names_are_let_in(self, gate: Gate, host: str) -> None:
        assert Browser(gate, host=host).get(self.path(gate)).status_code == 303

    @pytest.mark.parametrize("host", ["http://pratique.example", "http://192.0.2.1"])
    def test_under_any_other_name_it_opens_nothing(self, store: Any, host: str) -> None:
        gate = make_gate(store, public_url=host)
        knows(gate)
        response = Browser(gate, host=host).get(self.path(gate))
        assert (response.status_code, response.headers.get("Set-Cookie")) == (404, None)

    def test_what_was_sealed_for_another_purpose_opens_nothing(self, gate: Gate) -> None:
        for path in (self.path(gate, "results"), "/sign-in/as/x", "/sign-in/as/" + "A" * 99):
            assert Browser(gate).get(path).status_code == 404

    def test_in_earnest_there_is_no_such_page(self, store: Any) -> None:
        gate = make_gate(store, broker_url="amqp://rabbitmq")
        knows(gate)
        response = Browser(gate).get(self.path(gate))
        assert (response.status_code, response.headers.get("Set-Cookie")) == (404, None)
        assert "/sign-in/as/{token}" not in gate.ask("GET", "/openapi.json").json["paths"]


def test_two_who_press_the_button_at_once_make_one_session(gate: Gate) -> None:
    """Both have read that the link is good; the row decides."""
    token, _ = gate.app.sessions.create_link(UUID(ANNE))
    assert [gate.app.sessions.is_link(token) for _ in range(2)] == [True, True]
    spent = [gate.app.sessions.spend_link(token, "") for _ in range(2)]
    assert [each is not None for each in spent] == [True, False]
    assert len(gate.app.sessions.list_live(UUID(ANNE))) == 1


def test_the_pages_never_say_json(gate: Gate) -> None:
    for path in (f"/sign-in/{uuid4().hex}", "/account", "/home"):
        response = Browser(gate).get(path)
        assert response.mimetype == "text/html" or response.status_code == 303
