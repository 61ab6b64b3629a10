"""Sessions of people, item by item of OWASP's list (ASVS 4.0.3, chapter V3); and forms of other sites (V4.2.2)."""

import logging
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from chassis import clock
from chassis.storage import audit
from gateway.app import ROUTES
from gateway.cache import BELIEVED_FOR
from gateway.forgery import FIELD
from gateway.models import IDLE_FOR, ApiToken, PersonSession, SignInLink
from gateway.sessions import SESSION_LASTS
from pratique.errors import Unavailable
from pratique.testing import AT
from tests.gateway.browser import PHONE, Browser, knows
from tests.gateway.conftest import ANNE, BODO, Gate, make_gate, parsed

OF_PEOPLE = [route for route in ROUTES if route.visitor]
CHANGING = [route for route in OF_PEOPLE if route.method != "GET"]
each_page = pytest.mark.parametrize("route", OF_PEOPLE, ids=lambda route: f"{route.method} {route.template}")
each_act = pytest.mark.parametrize("route", CHANGING, ids=lambda route: f"{route.method} {route.template}")
both_languages = pytest.mark.parametrize("locale", ["fr", "en"])


@pytest.fixture
def gate(gate: Gate) -> Gate:
    knows(gate)
    gate.token = ""
    return gate


@pytest.fixture
def earnest(store: Any) -> Gate:
    """The gateway as it is in earnest, behind TLS."""
    gate = make_gate(store, broker_url="amqp://rabbitmq", public_url="https://pratique.example")
    knows(gate)
    return gate


def rows(gate: Gate) -> list[PersonSession]:
    with gate.store.begin() as session:
        return list(session.scalars(select(PersonSession).order_by(PersonSession.created_at)))


def path_of(route: Any) -> str:
    """An address that the route matches."""
    choices = {name: offered[0] for name, _, offered in route.variables if offered}
    return re.sub(r"\{(\w+)\}", lambda found: choices.get(found[1]) or str(uuid4()), route.template)


def cookie_line(gate: Gate, host: str) -> str:
    token, _ = gate.app.sessions.create_link(UUID(ANNE))
    return str(Browser(gate, host=host).post(f"/sign-in/{token}").headers["Set-Cookie"])


def test_v3_1_1_no_address_carries_the_session(gate: Gate) -> None:
    browser = Browser(gate).sign_in()
    for path in ("/home", "/account"):
        assert browser.cookie not in browser.get(path).text
    assert Browser(gate).get(f"/home?pratique_session={browser.cookie}").status_code == 303


def test_v3_2_1_each_signing_in_makes_a_new_session_whatever_cookie_the_browser_brought(gate: Gate) -> None:
    planted = f"prs_{'0' * 12}_{'A' * 43}"
    browser = Browser(gate)
    browser.client.set_cookie(gate.app.visitors.cookie, planted)
    browser.sign_in()
    assert browser.cookie != planted
    victim = Browser(gate)
    victim.client.set_cookie(gate.app.visitors.cookie, planted)
    assert not victim.is_signed_in


def test_v3_2_2_a_session_has_256_bits_of_chance(gate: Gate) -> None:
    cookies = {Browser(gate).sign_in().cookie for _ in range(20)}
    assert len(cookies) == 20
    assert all(re.fullmatch(r"prs_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", each) for each in cookies)


def test_v3_2_3_the_store_has_the_hash_of_a_session_and_of_a_link_and_not_themselves(gate: Gate) -> None:
    token, _ = gate.app.sessions.create_link(UUID(ANNE))
    secret = Browser(gate).sign_in().cookie.split("_", 2)[2]
    with gate.store.begin() as session:
        held = [*session.execute(select(PersonSession.__table__)), *session.execute(select(SignInLink.__table__))]
    assert len(held) == 3
    assert secret not in str(held)
    assert token not in str(held)


def test_v3_3_1_signing_out_ends_the_session_and_going_back_shows_nothing(gate: Gate) -> None:
    browser = Browser(gate).sign_in()
    held = browser.cookie
    shown = browser.get("/home")
    assert shown.headers["Cache-Control"] == "no-store"
    left = browser.press(shown, "/account/sign-out")
    assert (left.status_code, left.headers["Location"], browser.cookie) == (303, "/", "")
    browser.client.set_cookie(gate.app.visitors.cookie, held)
    assert not browser.is_signed_in


def test_v3_3_2_a_session_ends_thirty_days_after_it_began_however_often_it_is_used(gate: Gate) -> None:
    with clock.fixed(AT):
        browser = Browser(gate).sign_in()
        for _ in range(29):
            clock.move(timedelta(days=1))
            assert browser.is_signed_in
        clock.move(SESSION_LASTS - timedelta(days=29, seconds=1))
        assert browser.is_signed_in
        clock.move(timedelta(seconds=1))
        assert not browser.is_signed_in


def test_v3_3_2_a_session_that_nobody_uses_ends_after_fourteen_days(gate: Gate) -> None:
    with clock.fixed(AT):
        used, idle = Browser(gate).sign_in(), Browser(gate).sign_in()
        clock.move(IDLE_FOR)
        assert used.is_signed_in
        clock.move(timedelta(days=1))
        assert (used.is_signed_in, idle.is_signed_in) == (True, False)


def test_v3_3_3_signing_out_everywhere_ends_all_sessions_and_links_of_the_person_and_of_nobody_else(
    gate: Gate,
) -> None:
    token, _ = gate.app.sessions.create_link(UUID(ANNE))
    here, there, other = Browser(gate).sign_in(), Browser(gate).sign_in(), Browser(gate).sign_in(BODO)
    here.press(here.get("/account"), "/account/sign-out-everywhere")
    assert [each.is_signed_in for each in (here, there, other)] == [False, False, True]
    assert Browser(gate).post(f"/sign-in/{token}").status_code == 404
    with gate.store.begin() as session:
        [row] = session.execute(select(audit.AUDIT).where(audit.AUDIT.c.action == "sessions.ended")).all()
    assert (row.actor, row.action, row.subject) == (f"member {ANNE}", "sessions.ended", ANNE)


@both_languages
def test_v3_3_4_a_person_sees_where_they_are_signed_in_and_ends_any_of_these(gate: Gate, locale: str) -> None:
    here, phone = Browser(gate).sign_in(), Browser(gate, agent=PHONE).sign_in()
    Browser(gate, agent="curl").sign_in(BODO)
    page = here.get(f"/account?lang={locale}")
    assert parsed(page).get("lang") == locale
    assert ("Firefox, Linux" in page.text, "Safari, iPhone" in page.text) == (True, True)
    assert page.text.count("/end") == 2
    other = next(row.session_id for row in rows(gate) if "iPhone" in row.label)
    ended = here.press(page, f"/account/sessions/{other}/end")
    assert ended.headers["Location"] == "/account"
    assert (here.is_signed_in, phone.is_signed_in) == (True, False)


def test_v3_3_4_nobody_ends_a_session_of_somebody_else(gate: Gate) -> None:
    victim, other = Browser(gate).sign_in(), Browser(gate).sign_in(BODO)
    [id] = [row.session_id for row in rows(gate) if str(row.member_id) == ANNE]
    token = re.search(rf'name="{FIELD}" value="([^"]+)"', other.get("/account").text)
    assert token
    other.post(f"/account/sessions/{id}/end", {FIELD: token[1]})
    assert victim.is_signed_in


@pytest.mark.parametrize(
    ("item", "attribute"),
    [("3.4.1", "Secure"), ("3.4.2", "HttpOnly"), ("3.4.3", "SameSite=Lax"), ("3.4.4", "__Host-"), ("3.4.5", "Path=/")],
)
def test_v3_4_the_cookie_is_kept_from_scripts_from_other_sites_and_from_lines_in_the_clear(
    earnest: Gate, item: str, attribute: str
) -> None:
    parts = cookie_line(earnest, "https://pratique.example").split("; ")
    found = parts[0].startswith(attribute) if attribute.endswith("-") else attribute in parts
    assert found, item
    assert not any(part.startswith("Domain") for part in parts)


def test_in_the_embedded_mode_the_cookie_travels_without_tls(gate: Gate) -> None:
    line = cookie_line(gate, "http://localhost")
    assert line.startswith("pratique_session=prs_")
    assert ("Secure" in line, "HttpOnly" in line, "SameSite=Lax" in line) == (False, True, True)


def test_v3_5_2_a_person_s_cookie_opens_no_route_of_programs_and_a_token_no_page_of_people(
    gate: Gate, store: Any
) -> None:
    browser = Browser(gate).sign_in()
    assert browser.get("/v1/communities", headers={"Accept": "application/json"}).status_code == 401
    token = gate.with_scopes("*")
    assert Browser(gate).get("/home", headers={"Authorization": f"Bearer {token}"}).status_code == 303
    with store.begin() as session:
        assert session.scalar(select(ApiToken.token_id))


def test_v3_5_3_a_cookie_that_was_altered_at_any_place_opens_nothing(gate: Gate) -> None:
    browser = Browser(gate).sign_in()
    held = browser.cookie
    for at in range(len(held)):
        browser.client.set_cookie(
            gate.app.visitors.cookie, held[:at] + ("A" if held[at] != "A" else "B") + held[at + 1 :]
        )
        assert not browser.is_signed_in, at
    for forged in (held + "A", held[:-1], "", "é", f"{held}, {held}", "prs_"):
        browser.client.set_cookie(gate.app.visitors.cookie, forged)
        assert not browser.is_signed_in, forged
    browser.client.set_cookie(gate.app.visitors.cookie, held)
    assert browser.is_signed_in


@each_page
def test_v4_1_1_no_page_of_people_opens_for_nobody(gate: Gate, route: Any) -> None:
    response = Browser(gate).open(route.method, path_of(route))
    if route.method == "GET":
        assert (response.status_code, response.headers["Location"][:14]) == (303, "/sign-in?next=")
    else:
        assert (response.status_code, response.mimetype) == (401, "text/html")
    assert gate.peer.asked == []


@each_act
@pytest.mark.parametrize(
    "forgery",
    [
        {"headers": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}},
        {"headers": {"Sec-Fetch-Site": "same-site", "Origin": "https://pages.pratique.example"}},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Origin": "http://localhost.evil.example"}},
        {"form": {FIELD: ""}},
        {"form": {}},
        {"form": {FIELD: "forged"}},
        {"form": "another session"},
        {"form": "another network"},
    ],
    ids=str,
)
def test_v4_2_2_a_form_of_another_site_changes_nothing_and_says_what_to_do(
    gate: Gate, route: Any, forgery: dict[str, Any]
) -> None:
    browser, other = Browser(gate).sign_in(), Browser(gate).sign_in(BODO)
    [own] = [row.session_id for row in rows(gate) if str(row.member_id) == ANNE]
    [others] = [row.session_id for row in rows(gate) if str(row.member_id) == BODO]
    good, foreign = gate.app.visitors.tokens.of(own), gate.app.visitors.tokens.of(others)
    if forgery.get("form") == "another network":
        foreign = make_gate(gate.store, seal_key="7a" * 32).app.visitors.tokens.of(own)
    form = forgery.get("form", {FIELD: good})
    sent = form if isinstance(form, dict) else {FIELD: foreign}
    path = (
        path_of(route).replace(path_of(route).split("/")[-2], own) if "session_id" in route.template else path_of(route)
    )
    for locale, words in (("fr", "un autre site a essayé"), ("en", "another site tried")):
        response = browser.open("POST", f"{path}?lang={locale}", data=sent, headers=forgery.get("headers", {}))
        assert (response.status_code, response.mimetype, words in response.text) == (403, "text/html", True)
    assert (browser.is_signed_in, other.is_signed_in) == (True, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "null"},
        {},
    ],
    ids=str,
)
def test_a_form_of_a_page_of_ours_passes_in_old_browsers_too(gate: Gate, headers: dict[str, str]) -> None:
    browser = Browser(gate).sign_in()
    token = gate.app.visitors.tokens.of(rows(gate)[0].session_id)
    response = browser.open("POST", "/account/sign-out", data={FIELD: token}, headers=headers)
    assert response.status_code == 303
    assert not browser.is_signed_in


def test_a_session_that_ends_elsewhere_is_over_within_five_seconds(gate: Gate, store: Any) -> None:
    """By another gateway, or by the operator."""
    with clock.fixed(AT):
        browser = Browser(gate).sign_in()
        assert browser.is_signed_in
        make_gate(store).app.sessions.end_all(UUID(ANNE))
        clock.move(BELIEVED_FOR)
        assert not browser.is_signed_in


def test_a_role_that_ends_is_gone_from_the_pages_within_five_seconds(gate: Gate) -> None:
    with clock.fixed(AT):
        knows(gate, roles=[{"role": "coordinator", "community_ids": None}])
        browser = Browser(gate).sign_in()
        assert "Coordinator" in browser.get("/home?lang=en").text
        knows(gate)
        clock.move(timedelta(seconds=5))
        assert "Coordinator" not in browser.get("/home?lang=en").text


def test_membership_is_asked_once_in_five_seconds(gate: Gate) -> None:
    with clock.fixed(AT):
        browser = Browser(gate).sign_in()
        for _ in range(10):
            browser.get("/account")
        assert [name for name, _ in gate.peer.asked] == ["membership.get_authority"]


@both_languages
def test_while_membership_is_away_a_page_says_so_and_nobody_is_signed_out(gate: Gate, locale: str) -> None:
    with clock.fixed(AT):
        browser = Browser(gate).sign_in()
        gate.peer.says("membership.get_authority", Unavailable("it does not answer"))
        response = browser.get(f"/home?lang={locale}")
        assert (response.status_code, response.mimetype, parsed(response).get("lang")) == (503, "text/html", locale)
        knows(gate)
        assert browser.is_signed_in


@both_languages
def test_whoever_is_signed_out_at_work_is_told_that_nothing_was_saved(gate: Gate, locale: str) -> None:
    browser = Browser(gate).sign_in()
    page = browser.get("/account")
    gate.app.sessions.end_all(UUID(ANNE))
    response = browser.press(page, "/account/sign-out-everywhere")
    assert (response.status_code, browser.cookie) == (401, "")
    assert 'href="/sign-in' in response.text


def test_a_page_speaks_the_person_s_language_before_the_browser_s(gate: Gate) -> None:
    browser = Browser(gate).sign_in()
    seen = [
        parsed(browser.get(path, headers={"Accept-Language": "fr"})).get("lang") for path in ("/home", "/home?lang=fr")
    ]
    assert seen == ["en", "fr"]


def test_what_is_over_is_deleted(gate: Gate) -> None:
    with clock.fixed(AT):
        Browser(gate).sign_in()
        clock.move(SESSION_LASTS)
        gate.app.sessions.create_link(UUID(BODO))
        assert rows(gate) == []
        with gate.store.begin() as session:
            assert [link.member_id for link in session.scalars(select(SignInLink))] == [UUID(BODO)]


def test_of_a_person_nothing_is_kept_but_their_id_and_days(gate: Gate) -> None:
    Browser(gate).sign_in().get("/home")
    [row] = rows(gate)
    kept = {"member_id", "label", "created_at", "last_seen_on", "expires_at", "ended_at", "session_id", "secret_sha256"}
    assert set(PersonSession.__table__.columns.keys()) == kept
    assert set(SignInLink.__table__.columns.keys()) == {
        "token_sha256",
        "member_id",
        "leads_to",
        "expires_at",
        "used_at",
    }
    assert "Mozilla" not in row.label


def test_no_name_address_or_secret_of_a_visit_reaches_a_log(gate: Gate, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    browser = Browser(gate).sign_in()
    browser.get("/home")
    gate.peer.says("membership.get_authority", RuntimeError("a fault of ours"))
    with clock.fixed(clock.now() + timedelta(minutes=1)):
        assert browser.get("/account").status_code == 500
    assert "a fault of ours" in caplog.text
    for secret in (browser.cookie, browser.cookie.split("_", 2)[2], "Anne Boucher"):
        assert secret not in caplog.text


@pytest.mark.parametrize("path", ["/", "/s/tok-1", "/r/K7MQ2PXY", "/results/x"])
def test_pages_of_surveys_look_at_no_session_and_leave_no_trace_in_it(open_survey: Gate, path: str) -> None:
    """Or the day of a last visit would be that of an answer."""
    with clock.fixed(AT):
        knows(open_survey)
        browser = Browser(open_survey).sign_in()
        clock.move(timedelta(days=1))
        known, unknown = browser.get(path), Browser(open_survey).get(path)
        assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
        assert "membership.get_authority" not in [name for name, _ in open_survey.peer.asked]
        assert [row.last_seen_on for row in rows(open_survey)] == [AT.date()]
