"""A membership store in memory, and people to put into it."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from chassis import clock
from chassis.storage.transaction import Transaction
from chassis.testing import crossed, memory_store
from pratique.events.membership import Capacity, CommunityKind, Locale
from pratique.request import Request
from pratique.requests.membership import PutCommunity, PutMember, PutMembership, PutOrganization
from pratique.testing import AT
from services.membership.commands import COMMANDS
from services.membership.models import Base, Community, Member, Membership, Organization
from services.membership.queries import QUERIES

HANDLERS = {**COMMANDS, **QUERIES}
COMMUNITY, MEMBER, ORGANIZATION = UUID(int=0xC), UUID(int=0xA), UUID(int=0x0F)


def ask(session: Transaction, kind: type[Request], /, **said: Any) -> Any:
    """What comes of one command or query, as a caller would send it."""
    return HANDLERS[kind](session, crossed(kind(**said)))


@pytest.fixture
def session() -> Iterator[Transaction]:
    with clock.fixed(AT), memory_store("membership", Base.metadata) as opened, opened.begin() as session:
        yield session


@pytest.fixture
def organization(session: Transaction) -> Organization:
    return ask(session, PutOrganization, organization_id=ORGANIZATION, name="Maison de la culture").row


@pytest.fixture
def put_community(session: Transaction) -> Callable[..., Community]:
    def put(**said: Any) -> Community:
        usual = {
            "community_id": COMMUNITY,
            "name": "Médiation culturelle",
            "purpose": "Partager nos pratiques.",
            "kind": CommunityKind.OPEN,
            "locale": Locale.FR,
            "timezone": "America/Toronto",
        }
        return ask(session, PutCommunity, **{**usual, **said}).row

    return put


@pytest.fixture
def put_member(session: Transaction) -> Callable[..., Member]:
    def put(**said: Any) -> Member:
        usual = {
            "member_id": MEMBER,
            "name": "Amina Koné",
            "email": "amina@example.org",
            "locale": Locale.FR,
            "timezone": "America/Toronto",
        }
        return ask(session, PutMember, **{**usual, **said}).row

    return put


@pytest.fixture
def membership(
    session: Transaction,
    organization: Organization,
    put_community: Callable[..., Community],
    put_member: Callable[..., Member],
) -> Membership:
    put_community()
    put_member()
    saved = ask(
        session,
        PutMembership,
        community_id=COMMUNITY,
        member_id=MEMBER,
        capacity=Capacity.REPRESENTATIVE,
        organization_id=ORGANIZATION,
    )
    return saved.row
