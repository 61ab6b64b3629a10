"""Whoever may act in some communities sees and changes nothing of others, by whatever name they ask for it.

Every route of the table, for every role, with rows of their own community, of a sibling that shares a person and a
meeting with it, of a foreign one, and of none. What is allowed is undone, so that no case depends on another.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from gateway.app import ROUTES
from gateway.routes import Route
from pratique.events.membership import Role
from pratique.permissions import ROLE_PERMISSIONS, Permission
from pratique.request import Request
from pratique.requests.meetings import PutMeeting
from pratique.requests.membership import (
    EndNetworkRole,
    FoundInSet,
    GetOrganization,
    ListMembers,
    ListNetworkRoles,
    ListOrganizations,
    PutMember,
    PutNetworkRole,
    PutOrganization,
)
from tests.journeys.authority import Rows, World

GUARDED = [route for route in ROUTES if route.scope and route.request]
#: Of the whole network, or of a set as a whole, over which no token is; so closed to whoever is limited.
OF_NETWORK: set[type[Request]] = {PutNetworkRole, EndNetworkRole, ListNetworkRoles, FoundInSet}
#: Roles that are given over communities; the admin's is of the network.
LIMITED = [role for role in Role if role is not Role.NETWORK_ADMIN]
#: Organizations are bodies and no people: all who may read communities read them.
DIRECTORY: set[type[Request]] = {GetOrganization, ListOrganizations}
#: Ids are the caller's: one that nobody has is a new row, which whoever may record people or bodies may make.
MAKES_NEW: set[type[Request]] = {PutMember, PutOrganization}
TOLD_BY_HEADERS = ("ETag", "Location", "Link")


def path_of(route: Route, rows: Rows) -> str:
    path = route.template
    for name, _, _ in route.variables:
        path = path.replace(f"{{{name}}}", getattr(rows, name))
    return path


def body_of(route: Route, rows: Rows) -> Any:
    if route.body is None:
        return None
    named = vars(rows) | {"community_ids": [rows.community_id]}
    return _named(route.body.example(), named)


def _named(shown: Any, named: Mapping[str, Any]) -> Any:
    """An example with these ids in the place of its own; none where a person from outside may be named."""
    if isinstance(shown, dict):
        free = {"facilitator_id", "note_taker_id"}
        return {name: None if name in free else named.get(name, _named(each, named)) for name, each in shown.items()}
    return [_named(each, named) for each in shown] if isinstance(shown, list) else shown


def told(response: Any, rows: Rows) -> tuple[int, str]:
    """Status and words of an answer, without the ids that were asked for."""
    text = response.text
    for each in rows.ids():
        text = text.replace(each, "ID")
    return response.status_code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)


def ways(route: Route) -> list[dict[str, str]]:
    """The headers with which a request may come: none, and those of whoever has seen the row, or says so."""
    if route.method == "GET":
        return [{}, {"If-None-Match": '"1"'}, {"If-None-Match": "*"}]
    return [{}, {"If-Match": "*"}] if route.is_versioned else [{}]


def is_given(route: Route, role: Role) -> bool:
    """Whether a role gives what a route takes; to find people by their address takes the right to record some."""
    if route.request in OF_NETWORK:
        return False
    needs = {Permission(route.scope or "")} | ({Permission.MEMBERSHIP_WRITE} if route.request is ListMembers else set())
    return needs <= ROLE_PERMISSIONS[role]


def query_of(route: Route, rows: Rows) -> str:
    return f"?email={rows.member_id[:8]}@example.org" if route.request is ListMembers else ""


@pytest.mark.parametrize("role", LIMITED)
def test_every_route_opens_for_ones_own_community_as_the_role_says(world: World, role: Role) -> None:
    token, wrong = world.token(role, world.own), []
    for route in GUARDED:
        path = path_of(route, world.own) + query_of(route, world.own)
        answer = world.ask(token, route.method, path, body_of(route, world.own))
        if (answer.status_code != 403) != is_given(route, role) or answer.status_code in (400, 422, 500):
            wrong.append(f"{route.method} {route.template}: {answer.status_code} {answer.text}")

    assert wrong == []


@pytest.mark.parametrize("role", LIMITED)
@pytest.mark.parametrize("whose", ["sibling", "foreign"])
def test_no_route_opens_for_another_community_nor_tells_whether_there_is_such_a_row(
    world: World, role: Role, whose: str
) -> None:
    token, others, unknown, wrong = world.token(role, world.own), getattr(world, whose), Rows(), []
    for route in [each for each in GUARDED if each.request not in DIRECTORY and each.variables]:
        for headers in ways(route):
            path, body = path_of(route, others), body_of(route, others)
            answer = world.ask(token, route.method, path, body, **headers)
            same = world.ask(token, route.method, path_of(route, unknown), body_of(route, unknown), **headers)
            if answer.status_code != 403 or any(name in answer.headers for name in TOLD_BY_HEADERS):
                wrong.append(f"{route.method} {path} {headers}: {answer.status_code}")
            if route.request not in MAKES_NEW and told(answer, others) != told(same, unknown):
                wrong.append(f"{route.method} {path} {headers}: {answer.text} or {same.text}")

    assert wrong == []


@pytest.mark.parametrize("role", LIMITED)
def test_an_own_row_with_a_foreign_id_beside_it_opens_nothing_foreign(world: World, role: Role) -> None:
    """In paths with two ids, and in bodies. Whom to let in, or to trust, may be anybody from elsewhere."""
    token, wrong = world.token(role, world.own), []
    mixed = Rows(**{**vars(world.foreign), "community_id": world.own.community_id, "meeting_id": world.own.meeting_id})
    asked = [("PUT", f"/v1/meetings/{world.own.scheduled_id}", planned(world.foreign))]
    asked += [("PUT", f"/v1/meetings/{uuid4()}", planned(world.own, world.foreign))]
    asked += [("PUT", f"/v1/meetings/{world.foreign.scheduled_id}", planned(world.own))]
    for method, path, body in asked:
        if (answer := world.ask(token, method, path, body)).status_code != 403:
            wrong.append(f"{method} {path} {body}: {answer.status_code} {answer.text}")
    for route in [each for each in GUARDED if len(each.variables) > 1]:
        answer = world.ask(token, route.method, path_of(route, mixed), body_of(route, mixed))
        if answer.status_code < 300 and world.foreign.community_id in answer.text:
            wrong.append(f"{route.method} {route.template}: {answer.text}")

    assert wrong == []


def planned(*rows: Rows) -> dict[str, Any]:
    body = PutMeeting.body.example() if PutMeeting.body else {}
    return body | {
        "community_ids": [each.community_id for each in rows],
        "facilitator_id": None,
        "note_taker_id": None,
    }


@pytest.mark.parametrize("role", LIMITED)
def test_lists_show_ones_own_communities_alone_on_every_page(world: World, role: Role) -> None:
    token, foreign, wrong = world.token(role, world.own), world.foreign.ids() - {world.foreign.organization_id}, []
    for route in [each for each in GUARDED if each.is_list and each.request is not ListOrganizations]:
        path = path_of(route, world.own) + (query_of(route, world.foreign) or "?limit=1")
        while path:
            answer = world.ask(token, route.method, path)
            seen = answer.text + str(answer.headers)
            if route.request is not ListMembers:  # which finds whoever has an address, to be let in
                wrong += [f"{path}: {each}" for each in foreign if each in seen]
            path = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]

    assert wrong == []


@pytest.mark.parametrize("role", Role)
def test_a_role_over_the_network_opens_every_community_as_the_role_says(world: World, role: Role) -> None:
    token, wrong = world.token(role), []
    for route in GUARDED:
        for rows in (world.own, world.foreign):
            answer = world.ask(token, route.method, path_of(route, rows) + query_of(route, rows), body_of(route, rows))
            if (answer.status_code != 403) != (Permission(route.scope or "") in ROLE_PERMISSIONS[role]):
                wrong.append(f"{route.method} {route.template}: {answer.status_code} {answer.text}")

    assert wrong == []


def test_a_joint_meeting_is_run_by_whoever_may_in_one_community_and_planned_by_whoever_may_in_all(world: World) -> None:
    one, two = world.token(Role.COORDINATOR, world.own), world.token(Role.COORDINATOR, world.own, world.sibling)
    path = f"/v1/meetings/{world.joint_meeting}"

    assert world.ask(one, "GET", path).status_code == 200
    assert world.ask(one, "POST", f"{path}/start").status_code == 200
    assert world.ask(one, "POST", f"{path}/cancel", {"reason": "Grève"}).status_code == 403
    assert world.ask(two, "POST", f"{path}/cancel", {"reason": "Grève"}).status_code == 200
    assert world.ask(one, "PUT", path, planned(world.own, world.sibling)).status_code == 403
    assert world.ask(two, "PUT", f"/v1/meetings/{uuid4()}", planned(world.own, world.sibling)).status_code == 201


def test_the_address_of_a_person_takes_authority_wherever_they_belong(world: World) -> None:
    card = {"name": "Personne Partagée", "email": "autre@example.org", "locale": "fr", "timezone": "America/Toronto"}
    path, latest = f"/v1/members/{world.shared_member}", {"If-Match": "*"}
    one, two = world.token(Role.COORDINATOR, world.own), world.token(Role.COORDINATOR, world.own, world.sibling)

    assert world.ask(one, "GET", path).status_code == 200
    assert world.ask(one, "PUT", path, card, **latest).status_code == 403
    assert world.ask(two, "PUT", path, card, **latest).status_code == 200


def test_whoever_has_a_row_already_hears_that_it_is_unchanged_in_their_own_community_alone(world: World) -> None:
    token = world.token(Role.FACILITATOR, world.own)
    for rows, status in ((world.own, 304), (world.foreign, 403)):
        path = f"/v1/meetings/{rows.meeting_id}"
        version = world.network.request("GET", path).headers["ETag"]
        assert world.ask(token, "GET", path, **{"If-None-Match": version}).status_code == status
