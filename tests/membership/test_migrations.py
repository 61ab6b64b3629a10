"""What a store holds already is carried into the tables of a newer release."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import select, text

from chassis.storage.store import Store
from pratique.errors import Conflict
from pratique.events.membership import Locale, Role
from pratique.requests.membership import EndMembership, GetAuthority, PutMember, PutNetworkRole, PutRole
from pratique.testing import AT
from services.membership.models import Member, Membership, RoleAssignment
from tests.harness.migrations import migrate_to, open_empty
from tests.membership.conftest import ask

PEOPLE = ["amina@example.org", "louis@example.org", "Amina@EXAMPLE.org", "amina@example.org"]


@pytest.fixture
def opened(empty_url: str) -> Iterator[Store]:
    """A store without a table."""
    with open_empty("membership", empty_url) as made:
        yield made


def put(opened: Store, number: int, email: str, if_version: int | None) -> None:
    with opened.begin() as session:
        ask(
            session,
            PutMember,
            member_id=UUID(int=number),
            name=f"Personne {number}",
            email=email,
            locale=Locale.FR,
            timezone="America/Toronto",
            if_version=if_version,
        )


def test_people_who_share_an_address_stay_and_must_be_mended_at_their_next_change(opened: Store) -> None:
    migrate_to(opened, "0001")
    with opened.begin() as session:
        for number, email in enumerate(PEOPLE, 1):
            words = {"id": UUID(int=number).hex, "name": f"Personne {number}", "email": email}
            session.execute(text("insert into member values (:id, :name, :email, 'fr', 'America/Toronto', 1)"), words)
    migrate_to(opened)

    with opened.begin() as session:
        kept = session.scalars(select(Member).order_by(Member.member_id)).all()
    assert [each.email for each in kept] == PEOPLE
    assert [each.email_key for each in kept] == ["amina@example.org", "louis@example.org", None, None]
    put(opened, 1, PEOPLE[0], None)
    for number in (3, 4):
        with pytest.raises(Conflict):
            put(opened, number, PEOPLE[number - 1], 1)
    put(opened, 3, "aminata@example.org", 1)
    put(opened, 1, "amina.kone@example.org", 1)
    put(opened, 4, PEOPLE[3], 1)
    with opened.begin() as session:
        keys = session.scalars(select(Member.email_key).order_by(Member.member_id)).all()
    assert keys == ["amina.kone@example.org", "louis@example.org", "aminata@example.org", "amina@example.org"]


def test_roles_that_there_are_stay_as_they_are_and_need_no_membership_any_more(opened: Store) -> None:
    migrate_to(opened, "0003")
    community, member, had = UUID(int=0xC), UUID(int=0xA), UUID(int=0xB)
    with opened.begin() as session:
        values = {"community": community.hex, "member": member.hex, "had": had.hex, "at": f"{AT:%Y-%m-%d %H:%M:%S.%f}"}
        values |= {"belongs": Membership.id_of(community, member).hex, "email": "ada@example.org"}
        for statement in (
            "insert into community values (:community, 'Cercle', '', 'open', 'fr', 'America/Toronto', 1)",
            "insert into member values (:member, 'Ada', :email, 'fr', 'America/Toronto', 1, :email)",
            "insert into membership values (:belongs, :community, :member, 'individual', null, 1)",
            "insert into role_assignment values (:member, :community, :member, 'facilitator', :at, null, 1)",
            "insert into role_assignment values (:had, :community, :member, 'coordinator', :at, :at, 2)",
        ):
            session.execute(text(statement), values)
    migrate_to(opened)

    with opened.begin() as session:
        roles = session.scalars(select(RoleAssignment).order_by(RoleAssignment.assignment_id)).all()
        assert [(each.role, each.assigned_at, each.ended_at, each.has_begun, each.version) for each in roles] == [
            (Role.FACILITATOR, AT, None, True, 1),
            (Role.COORDINATOR, AT, AT, True, 2),
        ]
        held = ask(session, GetAuthority, member_id=member).roles
        assert [(each.role, each.community_ids) for each in held] == [(Role.FACILITATOR, [community])]
    put(opened, 7, "louis@example.org", None)
    with opened.begin() as session:
        assert ask(session, PutRole, community_id=community, member_id=UUID(int=7), role=Role.FACILITATOR).is_new
        assert ask(session, PutNetworkRole, member_id=UUID(int=7), role=Role.COORDINATOR).is_new
        assert ask(session, EndMembership, community_id=community, member_id=member).ended_at is not None
