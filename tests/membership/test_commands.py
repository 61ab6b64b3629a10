"""What people ask of membership, and what the others hear of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from chassis import clock
from chassis.rpc.requests import read
from chassis.storage.transaction import Transaction
from chassis.testing import published
from pratique.errors import Conflict, DomainError, Invalid, NotFound, PreconditionRequired, Stale
from pratique.event import Event
from pratique.events.membership import (
    Capacity,
    CommunityChanged,
    CommunityDescribed,
    CommunityFounded,
    CommunityKind,
    Locale,
    MemberContactChanged,
    MemberRegistered,
    MembershipActivated,
    Role,
    RoleAssigned,
    RoleEnded,
)
from pratique.requests.membership import EndRole, PutMember, PutMembership, PutOrganization, PutRole
from services.membership.models import Community, Member, Membership, Organization, RoleAssignment
from tests.membership.conftest import ask

COMMUNITY, MEMBER, ORGANIZATION, STRANGER = UUID(int=0xC), UUID(int=0xA), UUID(int=0x0F), UUID(int=0xBAD)
MakeCommunity = Callable[..., Community]
MakeMember = Callable[..., Member]


def names_of(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_community_is_founded_once_however_often_it_is_said(
    session: Transaction, put_community: MakeCommunity
) -> None:
    for _ in range(3):
        put_community()

    assert names_of(published(session, Event)) == ["CommunityFounded", "CommunityDescribed"]
    assert published(session, CommunityFounded) == [
        CommunityFounded(
            community_id=COMMUNITY,
            community_ids=(COMMUNITY,),
            kind=CommunityKind.OPEN,
            locale=Locale.FR,
            timezone="America/Toronto",
            version=1,
        )
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "Médiation"}, ["CommunityDescribed"]),
        ({"purpose": "Autre chose."}, ["CommunityDescribed"]),
        ({"kind": CommunityKind.COHORT}, ["CommunityChanged"]),
        ({"locale": Locale.EN}, ["CommunityChanged", "CommunityDescribed"]),
        ({"timezone": "Europe/Paris"}, ["CommunityChanged", "CommunityDescribed"]),
    ],
)
def test_what_changed_in_a_community_is_what_is_announced(
    session: Transaction, put_community: MakeCommunity, change: dict[str, object], expected: list[str]
) -> None:
    put_community()
    put_community(**change, if_version=1)

    announced = published(session, Event)[2:]

    assert names_of(announced) == expected
    assert {event.version for event in announced} == {2}


def test_a_change_needs_the_version_that_was_read(session: Transaction, put_member: MakeMember) -> None:
    put_member()
    with pytest.raises(PreconditionRequired):
        put_member(name="Amina Diallo")
    with pytest.raises(Stale):
        put_member(name="Amina Diallo", if_version=2)

    assert session.get_one(Member, MEMBER, populate_existing=True).name == "Amina Koné"
    assert len(published(session, MemberContactChanged)) == 1


def test_the_public_bus_never_hears_a_name_an_address_or_a_purpose(
    session: Transaction, put_community: MakeCommunity, put_member: MakeMember, membership: Membership
) -> None:
    put_community(name="Secret", purpose="Secret", if_version=1)
    put_member(name="Secret", email="secret@example.org", if_version=1)
    ask(session, PutRole, community_id=COMMUNITY, member_id=MEMBER, role=Role.FACILITATOR)

    public = str([event.dump() for event in published(session, Event) if not event.is_private])

    assert "MembershipActivated" in names_of(published(session, Event))
    for words in ("Secret", "secret@", "Amina", "amina@", "Médiation", "Partager"):
        assert words not in public


def test_only_notifications_hears_who_a_person_is(session: Transaction, put_member: MakeMember) -> None:
    put_member()
    put_member(email="amina.kone@example.org", if_version=1)
    put_member(email="amina.kone@example.org")

    assert [event.version for event in published(session, MemberRegistered)] == [1]
    contacts = published(session, MemberContactChanged)
    assert [(event.email, event.version) for event in contacts] == [
        ("amina@example.org", 1),
        ("amina.kone@example.org", 2),
    ]
    assert all(event.is_private for event in contacts)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"email": "amina"}, "/email"),
        ({"email": "@example.org"}, "/email"),
        ({"email": "amina@"}, "/email"),
        ({"email": "a@b@example.org"}, "/email"),
        ({"email": "amina kone@example.org"}, "/email"),
        ({"email": "amina@example.org\n"}, "/email"),
        ({"email": "amina@example.org\r\nBcc: all@example.org"}, "/email"),
        ({"email": "amina@example.org,louis@example"}, "/email"),
        ({"email": "a,b@example.org"}, "/email"),
        ({"email": "amina\x00@example.org"}, "/email"),
        ({"email": "amina\ud800@example.org"}, "/email"),
        ({"email": "a" * 250 + "@b.ca"}, "/email"),
        ({"name": ""}, "/name"),
        ({"name": " \u00a0 "}, "/name"),
        ({"name": "A" * 201}, "/name"),
        ({"name": "Amina\nKoné"}, "/name"),
        ({"name": "Amina\u202eénoK"}, "/name"),
        ({"name": "Gagnez sur exemple.com"}, "/name"),
        ({"email": "amina\u200b@example.org"}, "/email"),
        ({"timezone": "America/Atlantis"}, "/timezone"),
        ({"timezone": ""}, "/timezone"),
        ({"timezone": "../etc/passwd"}, "/timezone"),
    ],
)
def test_a_person_that_cannot_be_is_refused_at_the_field(
    session: Transaction, put_member: MakeMember, fields: dict[str, str], pointer: str
) -> None:
    with pytest.raises(Invalid) as caught:
        put_member(**fields)

    assert set(caught.value.fields) == {pointer}
    assert session.scalar(select(func.count()).select_from(Member)) == 0
    assert published(session, Event) == []


@pytest.mark.parametrize(
    "email", ["a@b", "amina.kone+pratique@sous.example.org", "élodie@exemple.québec", "o'neil@e.ca"]
)
def test_unusual_addresses_are_accepted(put_member: MakeMember, email: str) -> None:
    assert put_member(email=email).email == email


def test_the_longest_name_and_address_fit(put_member: MakeMember) -> None:
    member = put_member(name="é" * 200, email="a" * 249 + "@b.ca")

    assert (len(member.name), len(member.email)) == (200, 254)


def test_all_faults_of_a_community_are_told_at_once(put_community: MakeCommunity) -> None:
    with pytest.raises(Invalid) as caught:
        put_community(name="", purpose="\x07", timezone="Nowhere")

    assert set(caught.value.fields) == {"/name", "/purpose", "/timezone"}


def test_what_mails_show_of_a_community_and_an_organisation_leads_nowhere(
    session: Transaction, put_community: MakeCommunity
) -> None:
    with pytest.raises(Invalid) as caught:
        put_community(name="Voir www.exemple.test")
    assert set(caught.value.fields) == {"/name"}
    with pytest.raises(Invalid) as caught:
        ask(session, PutOrganization, organization_id=ORGANIZATION, name="amina@exemple.test")
    assert set(caught.value.fields) == {"/name"}


def test_a_purpose_may_have_several_lines(put_community: MakeCommunity) -> None:
    assert put_community(purpose="Apprendre.\nEnsemble.").purpose == "Apprendre.\nEnsemble."


def test_languages_are_french_and_english(session: Transaction) -> None:
    said = {"member_id": str(MEMBER), "name": "A", "email": "a@b.ca", "locale": "de", "timezone": "Europe/Berlin"}

    with pytest.raises(Invalid) as caught:
        read(PutMember, said)

    assert set(caught.value.fields) == {"/locale"}


def test_an_organization_needs_a_name_and_announces_nothing(session: Transaction, organization: Organization) -> None:
    with pytest.raises(Invalid):
        ask(session, PutOrganization, organization_id=STRANGER, name="")
    saved = ask(
        session, PutOrganization, organization_id=ORGANIZATION, name="Maison de la culture", sector="arts", if_version=1
    )

    assert (saved.is_new, saved.row.sector, saved.row.version) == (False, "arts", 2)
    assert published(session, Event) == []


def test_belonging_is_announced_once_and_again_when_the_capacity_changes(
    session: Transaction, membership: Membership
) -> None:
    for _ in range(2):
        saved = ask(
            session,
            PutMembership,
            community_id=COMMUNITY,
            member_id=MEMBER,
            capacity=Capacity.INDIVIDUAL,
            if_version=1,
        )

    assert (saved.is_new, saved.row.membership_id) == (False, membership.membership_id)
    announced = published(session, MembershipActivated)
    assert [(event.capacity.value, event.organization_id, event.version) for event in announced] == [
        ("representative", ORGANIZATION, 1),
        ("individual", None, 2),
    ]
    assert {event.membership_id for event in announced} == {membership.membership_id}


@pytest.mark.parametrize(
    ("kind", "capacity", "organization_id", "pointer"),
    [
        (CommunityKind.OPEN, Capacity.REPRESENTATIVE, None, "/organization_id"),
        (CommunityKind.OPEN, Capacity.INDIVIDUAL, ORGANIZATION, "/organization_id"),
        (CommunityKind.INDIVIDUALS, Capacity.REPRESENTATIVE, ORGANIZATION, "/capacity"),
    ],
)
@pytest.mark.usefixtures("organization")
def test_a_capacity_that_does_not_fit_is_refused(
    session: Transaction,
    put_community: MakeCommunity,
    put_member: MakeMember,
    kind: CommunityKind,
    capacity: Capacity,
    organization_id: UUID | None,
    pointer: str,
) -> None:
    put_community(kind=kind)
    put_member()

    with pytest.raises(Invalid) as caught:
        ask(
            session,
            PutMembership,
            community_id=COMMUNITY,
            member_id=MEMBER,
            capacity=capacity,
            organization_id=organization_id,
        )

    assert set(caught.value.fields) == {pointer}
    assert published(session, MembershipActivated) == []


@pytest.mark.parametrize("unknown", ["community_id", "member_id", "organization_id"])
@pytest.mark.usefixtures("membership")
def test_what_a_membership_names_and_nobody_knows_is_said(session: Transaction, unknown: str) -> None:
    said: dict[str, Any] = {
        "community_id": COMMUNITY,
        "member_id": MEMBER,
        "organization_id": ORGANIZATION,
        unknown: STRANGER,
    }

    with pytest.raises(NotFound, match=str(STRANGER)):
        ask(session, PutMembership, capacity=Capacity.REPRESENTATIVE, **said)


@pytest.mark.usefixtures("membership")
def test_a_community_of_individuals_cannot_hold_representatives(
    session: Transaction, put_community: MakeCommunity
) -> None:
    with pytest.raises(Conflict, match="1 of its members"):
        put_community(kind=CommunityKind.INDIVIDUALS, if_version=1)

    assert published(session, CommunityChanged) == []


@pytest.mark.usefixtures("membership")
def test_a_role_is_announced_once_ended_once_and_announced_anew_when_given_again(session: Transaction) -> None:
    role: dict[str, Any] = {"community_id": COMMUNITY, "member_id": MEMBER, "role": Role.FACILITATOR}
    given = [ask(session, PutRole, **role).is_new for _ in range(2)]
    ended = [ask(session, EndRole, **role).version for _ in range(2)]
    clock.move(timedelta(days=1))
    again = ask(session, PutRole, **role)

    assert (given, ended, again.is_new, again.row.ended_at) == ([True, False], [2, 2], True, None)
    announced = [event for event in published(session, Event) if isinstance(event, RoleAssigned | RoleEnded)]
    assert [(type(event).__name__, event.version) for event in announced] == [
        ("RoleAssigned", 1),
        ("RoleEnded", 2),
        ("RoleAssigned", 3),
    ]
    assert len({event.assignment_id for event in announced}) == 1
    assert session.scalar(select(func.count()).select_from(RoleAssignment)) == 1


@pytest.mark.usefixtures("membership")
def test_two_roles_of_one_member_are_two_assignments(session: Transaction) -> None:
    roles = [role for role in Role if role is not Role.NETWORK_ADMIN]
    for role in roles:
        ask(session, PutRole, community_id=COMMUNITY, member_id=MEMBER, role=role)

    assert len({event.assignment_id for event in published(session, RoleAssigned)}) == len(roles)


@pytest.mark.usefixtures("membership")
def test_a_role_is_for_people_and_communities_that_are_known(session: Transaction) -> None:
    cases: list[tuple[UUID, UUID, type[DomainError]]] = [
        (STRANGER, MEMBER, NotFound),
        (COMMUNITY, UUID(int=0xF00), NotFound),
    ]
    for community_id, member_id, error in cases:
        with pytest.raises(error):
            ask(session, PutRole, community_id=community_id, member_id=member_id, role=Role.COORDINATOR)

    assert published(session, RoleAssigned) == []


@pytest.mark.usefixtures("membership")
def test_a_role_that_nobody_had_cannot_end(session: Transaction) -> None:
    with pytest.raises(NotFound, match="coordinator"):
        ask(session, EndRole, community_id=COMMUNITY, member_id=MEMBER, role=Role.COORDINATOR)


def test_a_community_is_described_privately(session: Transaction, put_community: MakeCommunity) -> None:
    put_community()

    (described,) = published(session, CommunityDescribed)
    assert described.is_private
    assert (described.name, described.purpose) == ("Médiation culturelle", "Partager nos pratiques.")
