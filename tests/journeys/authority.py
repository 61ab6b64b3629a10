"""A network with three communities, to see who may do what in which; nothing that is tried there stays."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from werkzeug.test import Client

from chassis import clock
from chassis.actor import Actor, acting
from chassis.rpc.requests import handle
from chassis.storage.store import Store
from gateway.app import App
from gateway.auth import actor_of_member, create_token
from operations import composition
from pratique.errors import DomainError, Forbidden
from pratique.events.membership import Role
from pratique.request import Request
from tests.harness.network import AT, Network
from tests.harness.runtimes import shuffled_network


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


def undone(network: Network, service: str, method: str, payload: Mapping[str, Any]) -> Any:
    """Carry out a request as RPC does, and undo it; return what it answers."""
    kind, handler = composition.service_class(service).handlers[method]
    opened: Store = network.stores[service]
    with opened.begin() as transaction:
        try:
            return handle(transaction, kind, handler, json.loads(json.dumps(payload)))
        finally:
            transaction.rollback()


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
        return undone(self.network, service, method, payload)

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


@contextmanager
def three_communities(folder: Path) -> Iterator[World]:
    """A network at ``AT`` with three communities, for the length of a ``with`` block."""
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
