"""Tokens: shown once, stored hashed, revoked at once; every route guarded or public on purpose."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis import clock
from chassis.settings import EMBEDDED, Settings
from gateway import auth
from gateway.app import PUBLIC, routes_of
from gateway.models import ApiToken
from pratique.errors import Invalid, NotFound, Unauthenticated
from pratique.permissions import Permission, completed
from pratique.testing import AT

ROUTES = routes_of(Settings(broker_url=EMBEDDED, store_urls={}, home=Path()))
GUARDED = [route for route in ROUTES if route.scope]
A_UUID = "00000000-0000-4000-8000-000000000001"


def concrete(route):
    path = route.template
    for name, kind, choices in route.variables:
        path = path.replace(f"{{{name}}}", choices[0] if choices else A_UUID if kind == "uuid" else "x")
    return path


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_every_route_names_a_scope_or_asks_for_a_person_or_is_public_on_purpose(route):
    if route.visitor:
        assert route.scope is None
        assert (route.method, route.template) not in PUBLIC
    elif route.scope is None:
        assert (route.method, route.template) in PUBLIC
    else:
        assert route.scope in auth.SCOPES
        assert (route.method, route.template) not in PUBLIC


def test_nothing_is_listed_as_public_that_does_not_exist():
    assert {(route.method, route.template) for route in ROUTES} >= PUBLIC


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.template}")
def test_a_guarded_route_refuses_strangers_and_other_scopes(gate, route):
    stranger = gate.ask(route.method, concrete(route), headers={"Authorization": None})
    assert stranger.status_code == 401
    assert stranger.headers["WWW-Authenticate"].startswith("Bearer")
    others = [scope for scope in auth.SCOPES if route.scope not in completed([Permission(scope)])]
    token = gate.with_scopes(*others)
    refused = gate.ask(route.method, concrete(route), headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 403
    assert route.scope in refused.json["detail"]
    assert gate.peer.asked == []


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.template}")
def test_a_guarded_route_lets_its_own_scope_pass(gate, route):
    token = gate.with_scopes(route.scope)
    response = gate.ask(route.method, concrete(route), headers={"Authorization": f"Bearer {token}"})
    assert response.status_code not in (401, 403)


def test_the_store_holds_no_secret(store):
    with store.begin() as session:
        text = auth.create_token(session, "dashboard", ["meetings:read"])
        row = session.connection().execute(sa.select(ApiToken.__table__)).one()
    secret = text.split("_", 2)[2]
    assert len(secret) >= 43
    assert secret not in str(row)


def test_a_token_must_name_scopes_that_exist(store):
    with store.begin() as session:
        with pytest.raises(Invalid, match="meetings:wirte"):
            auth.create_token(session, "x", ["meetings:wirte"])
        with pytest.raises(Invalid):
            auth.create_token(session, "x", [])
        with pytest.raises(Invalid):
            auth.create_token(session, " ", ["*"])
        assert auth.list_tokens(session) == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic dXNlcjpwYXNz",
        "Bearer prt_000000000000_" + "a" * 43,
        "Bearer prt_é_x",
        "Bearer " + "A" * 5000,
    ],
)
def test_what_is_no_token_is_refused(gate, header):
    assert gate.ask("GET", "/v1/communities", headers={"Authorization": header}).status_code == 401


def test_the_right_id_with_a_wrong_secret_is_refused(gate):
    wrong = gate.token[:-4] + ("AAAA" if not gate.token.endswith("AAAA") else "BBBB")
    assert gate.ask("GET", "/v1/communities", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401


def test_the_scheme_is_read_in_any_case(gate):
    gate.peer.says("membership.list_communities", {"rows": [], "after": None})
    header = {"Authorization": f"bearer {gate.token}"}
    assert gate.ask("GET", "/v1/communities", headers=header).status_code == 200


def test_a_revoked_token_opens_nothing_after_five_seconds(store):
    tokens = auth.TokenStore(store)
    with clock.fixed(AT):
        with store.begin() as session:
            text = auth.create_token(session, "old", ["*"])
        assert tokens.authenticate(f"Bearer {text}").may("meetings:write")
        with store.begin() as session:
            auth.revoke_token(session, text.split("_")[1])
        clock.move(timedelta(seconds=5))
        with pytest.raises(Unauthenticated):
            tokens.authenticate(f"Bearer {text}")


def test_a_token_just_looked_up_is_believed_without_the_store(store):
    tokens = auth.TokenStore(store)
    statements = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *rest: statements.append(rest[2]))
    with clock.fixed(AT):
        with store.begin() as session:
            text = auth.create_token(session, "busy", ["*"])
        tokens.authenticate(f"Bearer {text}")
        asked = len(statements)
        clock.move(timedelta(seconds=4))
        for _ in range(10):
            tokens.authenticate(f"Bearer {text}")
    assert len(statements) == asked


def test_revoking_twice_keeps_the_first_instant_and_an_unknown_id_is_not_found(store):
    with clock.fixed(AT), store.begin() as session:
        token_id = auth.create_token(session, "old", ["*"]).split("_")[1]
        first = auth.revoke_token(session, token_id).revoked_at
        clock.move(timedelta(hours=1))
        assert auth.revoke_token(session, token_id).revoked_at == first == AT
        with pytest.raises(NotFound):
            auth.revoke_token(session, "nosuch")


def test_an_expired_token_opens_nothing(store):
    tokens = auth.TokenStore(store)
    with clock.fixed(AT):
        with store.begin() as session:
            text = auth.create_token(session, "guest", ["*"], expires_at=AT + timedelta(days=1))
        tokens.authenticate(f"Bearer {text}")
        clock.move(timedelta(days=1))
        with pytest.raises(Unauthenticated):
            tokens.authenticate(f"Bearer {text}")


def test_use_is_noted_by_the_day_only(store):
    tokens = auth.TokenStore(store)
    with clock.fixed(AT):
        with store.begin() as session:
            text = auth.create_token(session, "busy", ["*"])
        tokens.authenticate(f"Bearer {text}")
        with store.begin() as session:
            assert [token.last_used_on for token in auth.list_tokens(session)] == [AT.date()]
