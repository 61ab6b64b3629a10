"""Whoever may act in some communities sees and changes nothing of others, by whatever name they ask for it.

Every route of the table, for every role, with rows of their own community, of a sibling that shares a person and a
meeting with it, of a foreign one, and of none. What is allowed is undone, so that no case depends on another.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import Client

from chassis import clock
from chassis.actor import ANYONE, Actor, acting
from chassis.rpc.access import guarded
from chassis.rpc.requests import handle
from chassis.settings import SERVICES
from chassis.storage.store import Store
from gateway.app import ROUTES, App
from gateway.auth import actor_of_member, create_token
from gateway.routes import Route
from operations import composition
from pratique.errors import DomainError, Forbidden
from pratique.events.membership import Role
from pratique.permissions import ROLE_PERMISSIONS, Permission, Rule
from pratique.request import Request
from pratique.requests.meetings import ListAgenda, ListRegistrations, PutMeeting, RegisterMember
from pratique.requests.membership import (
    EndNetworkRole,
    GetAuthority,
    GetMember,
    GetOrganization,
    ListMembers,
    ListNetworkRoles,
    ListOrganizations,
    PutMember,
    PutNetworkRole,
    PutOrganization,
)
from pratique.requests.notifications import ListMessages
from pratique.testing import sample_request
from tests.harness.network import AT, Network
from tests.harness.runtimes import shuffled_network

HANDLERS: Mapping[type[Request], Any] = {
    kind: handler for name in SERVICES for kind, handler in composition.service_class(name).handlers.values()
}
GUARDED = [route for route in ROUTES if route.scope and route.request]
#: Of the whole network, so closed to whoever is limited.
OF_NETWORK: set[type[Request]] = {PutNetworkRole, EndNetworkRole, ListNetworkRoles}
#: Roles that are given over communities; the admin's is of the network.
LIMITED = [role for role in Role if role is not Role.NETWORK_ADMIN]
#: Organizations are bodies and no people: all who may read communities read them.
DIRECTORY: set[type[Request]] = {GetOrganization, ListOrganizations}
#: Ids are the caller's: one that nobody has is a new row, which whoever may record people or bodies may make.
MAKES_NEW: set[type[Request]] = {PutMember, PutOrganization}
TOLD_BY_HEADERS = ("ETag", "Location", "Link")


@dataclass
class Rows:
    """Ids of what one community has, by the names that paths and bodies have for them."""

    community_id: str = field(default_factory=lambda: str(uuid4()))
    organization_id: str = field(default_factory=lambda: str(uuid4()))
    member_id: str = field(default_factory=lambda: str(uuid4()))
    meeting_id: str = field(default_factory=lambda: str(uuid4()))
    survey_id: str = field(default_factory=lambda: str(uuid4()))
    set_id: str = field(default_factory=lambda: str(uuid4()))
    scheduled_id: str = field(default_factory=lambda: str(uuid4()))
    role: str = Role.NOTE_TAKER.value

    def ids(self) -> set[str]:
        return {value for name, value in vars(self).items() if name.endswith("_id")}


@dataclass
class World:
    """A network with three communities, which can be asked over HTTP and by RPC's way; nothing that is done stays."""

    network: Network
    own: Rows
    sibling: Rows
    foreign: Rows
    shared_member: str
    joint_meeting: str

    def __post_init__(self) -> None:
        stores = self.network.stores
        self.client = Client(App(self.call, stores["gateway"], self.network.settings, lambda: {"all": True}))

    def call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        """Carry out a request as RPC does, and undo it."""
        kind, handler = composition.service_class(service).handlers[method]
        opened: Store = self.network.stores[service]
        with opened.begin() as transaction:
            try:
                return handle(transaction, kind, handler, json.loads(json.dumps(payload)))
            finally:
                transaction.rollback()

    def ask(self, token: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send one HTTP request."""
        given = {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): each for name, each in headers.items()}}
        return self.client.open(path, method=method, headers=given, **({"json": body} if body is not None else {}))

    def token(self, role: Role | None, *communities: Rows, scopes: tuple[str, ...] = ()) -> str:
        """Return a token of this role, over these communities or over the network."""
        with self.network.stores["gateway"].begin() as session:
            limits = [UUID(each.community_id) for each in communities]
            return create_token(session, "test", scopes, role=role, community_ids=limits)

    def person(self, member_id: str) -> Actor:
        """Return the actor of a person who has signed in."""
        return actor_of_member(self.call("membership", "get_authority", {"member_id": member_id}))

    def is_refused(self, actor: Actor, request: Request) -> bool:
        """Return whether a request is refused to the actor, by RPC's way; other errors are none of access."""
        with acting(actor):
            try:
                self.call(request.service, request.method, request.payload())
            except Forbidden:
                return True
            except DomainError:
                return False
        return False


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("network")
    with clock.fixed(AT), shuffled_network(folder, seed=1) as network:
        own, sibling, foreign = Rows(), Rows(), Rows()
        for rows in (own, sibling, foreign):
            fill(network, rows)
        shared = network.join(own.community_id, "Personne Partagée")
        network.add_to_community(sibling.community_id, shared)
        joint = network.schedule(own.community_id, sibling.community_id)
        network.settle()
        yield World(network, own, sibling, foreign, shared, joint)


def fill(network: Network, rows: Rows) -> None:
    """Let a community have a bit of everything."""
    network.put_community(rows.community_id, kind="open")
    network.ok("PUT", f"/v1/organizations/{rows.organization_id}", {"name": "Maison de la culture"})
    people = [rows.member_id, *(str(uuid4()) for _ in range(5))]
    network.put_members(rows.community_id, people)
    contact = str(uuid4())
    network.put_member(contact, "Personne Déléguée")
    representing = {"capacity": "representative", "organization_id": rows.organization_id}
    network.ok("PUT", f"/v1/communities/{rows.community_id}/memberships/{contact}", representing)
    network.put_role(rows.community_id, rows.member_id, rows.role)
    region = {"name": "Région", "community_ids": [rows.community_id]}
    network.ok("PUT", f"/v1/community-sets/{rows.set_id}", region)
    network.ok("PUT", f"/v1/community-sets/{rows.set_id}/roles/{rows.member_id}/{rows.role}")
    network.settle()
    network.put_meeting(rows.meeting_id, rows.community_id, starts_at=clock.now())
    network.start(rows.meeting_id)
    network.record_attendance(rows.meeting_id, dict.fromkeys(people, "attended"))
    network.wrap_up(rows.meeting_id)
    network.settle()
    rows.survey_id = network.survey(rows.meeting_id)["id"]
    network.ok("PUT", f"/v1/meetings/{rows.meeting_id}/registrations/{people[1]}", {"partstat": "accepted"})
    rows.scheduled_id = network.schedule(rows.community_id)


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


def sampled(kind: type[Request], rows: Rows) -> Request:
    """A request that names these rows."""
    named: dict[str, Any] = {name: UUID(each) for name, each in vars(rows).items() if name.endswith("_id")}
    named |= {"community_ids": (named["community_id"],), "member_ids": (), "ids": (named["meeting_id"],)}
    named |= {"email": f"{rows.member_id[:8]}@example.org"}
    fields = {name: each for name, each in named.items() if name in kind.schema.fields}
    return sample_request(kind, **fields)


TAKING = [kind for kind in HANDLERS if isinstance(kind.needs, Permission)]


@pytest.mark.parametrize("kind", TAKING, ids=lambda kind: kind.__name__)
def test_every_request_has_a_rule_for_whoever_is_limited(kind: type[Request]) -> None:
    """Without one it is refused to them all, in their own communities too."""
    assert kind in import_module(f"services.{kind.service}.access").ACCESS


def test_a_request_without_a_rule_is_refused(world: World) -> None:
    handler = guarded(ListRegistrations, lambda transaction, request: "open", {})
    request = sampled(ListRegistrations, world.own)

    with acting(actor_over(world.own)), pytest.raises(Forbidden):
        handler(None, request)  # type: ignore[arg-type]  # no rule and no handler sees it
    assert handler(None, request) == "open"  # type: ignore[arg-type]  # the network itself


def actor_over(rows: Rows) -> Actor:
    held = [{"role": "coordinator", "community_ids": [rows.community_id]}]
    return actor_of_member({"member_id": str(uuid4()), "roles": held, "community_ids": []})


@pytest.mark.parametrize("kind", TAKING, ids=lambda kind: kind.__name__)
def test_no_request_by_any_way_opens_for_anyone_or_for_whoever_has_no_role(world: World, kind: type[Request]) -> None:
    member = world.person(world.shared_member)
    assert world.is_refused(ANYONE, sampled(kind, world.own)) or not names_anything(kind)
    assert world.is_refused(member, sampled(kind, world.foreign)) or not names_anything(kind)


def names_anything(kind: type[Request]) -> bool:
    """Whether a request concerns a row of somebody; lists without one tell of what the actor may read."""
    return kind.method not in (
        "list_communities",
        "list_community_sets",
        "list_organizations",
        "get_organization",
        "list_meeting_versions",
    )


def test_a_member_reads_themself_their_messages_and_agenda_and_says_whether_they_come(world: World) -> None:
    mine, other = UUID(world.shared_member), UUID(world.own.member_id)
    member, scheduled = world.person(world.shared_member), UUID(world.own.scheduled_id)
    own = (UUID(world.own.community_id),)

    def is_open(kind: type[Request], **said: Any) -> bool:
        return not world.is_refused(member, sample_request(kind, **said))

    assert is_open(GetMember, member_id=mine)
    assert not is_open(GetMember, member_id=other)
    assert is_open(ListMessages, member_id=mine)
    assert not is_open(ListMessages, member_id=other)
    assert is_open(ListAgenda, member_id=mine, community_ids=own)
    assert not is_open(ListAgenda, member_id=other, community_ids=own)
    assert not is_open(ListAgenda, member_id=mine, community_ids=(UUID(world.foreign.community_id),))
    assert is_open(RegisterMember, member_id=mine, meeting_id=scheduled)
    assert not is_open(RegisterMember, member_id=other, meeting_id=scheduled)
    assert not is_open(RegisterMember, member_id=mine, meeting_id=UUID(world.foreign.scheduled_id))
    assert not is_open(RegisterMember, member_id=mine, meeting_id=uuid4())


def test_only_the_network_itself_asks_what_a_person_may_do(world: World) -> None:
    request = GetAuthority(member_id=UUID(world.own.member_id))

    assert GetAuthority.needs is Rule.NETWORK
    assert world.is_refused(actor_over(world.own), request)
    assert world.is_refused(world.person(world.own.member_id), request)


def test_the_facilitator_and_the_note_taker_that_a_meeting_names_run_it_without_a_role(world: World) -> None:
    network = world.network
    leads, notes = (network.join(world.sibling.community_id, name) for name in ("Animatrice", "Secrétaire"))
    meeting_id = str(uuid4())
    named = {"facilitator_id": leads, "note_taker_id": notes}
    network.put_meeting(meeting_id, world.foreign.community_id, starts_at=clock.now(), **named)
    network.start(meeting_id)
    network.settle()
    network.record_attendance(meeting_id, {world.foreign.member_id: "attended"})
    network.wrap_up(meeting_id)
    network.settle()
    rows = Rows(**{**vars(world.foreign), "meeting_id": meeting_id})
    run = [
        "start_meeting",
        "record_attendance",
        "wrap_up_meeting",
        "close_meeting",
        "get_meeting",
        "list_registrations",
        "get_survey",
        "change_room_code",
    ]

    for person in (world.person(leads), world.person(notes)):
        for kind in [each for each in HANDLERS if each.method in run]:
            assert not world.is_refused(person, sampled(kind, rows)), kind
            assert world.is_refused(person, sampled(kind, world.foreign)), kind
        assert world.is_refused(person, sampled(PutMeeting, rows))
        with acting(person):
            assert world.call("evaluation", "get_survey", {"meeting_id": meeting_id})["room_code"]
