"""One address is one person's; whoever changes one leaves a trace; and a program lets so many belong in a day."""

import dataclasses
from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import func, select

from chassis.actor import Actor, acting
from chassis.storage.audit import AUDIT
from chassis.storage.transaction import Transaction
from chassis.testing import published
from pratique.errors import Conflict, QuotaSpent
from pratique.events.membership import Capacity, MemberContactChanged, MembershipActivated
from pratique.requests.membership import PutMembership
from services.membership.models import Member
from tests.membership.conftest import ask

COMMUNITY, MEMBER, STRANGER = UUID(int=0xC), UUID(int=0xA), UUID(int=0xBAD)
PutMember = Callable[..., Member]
SAME = [
    ("amina@example.org", "amina@example.org"),
    ("amina@example.org", "Amina@EXAMPLE.org"),
    ("élodie@example.org", "e\u0301lodie@example.org"),
    ("jo@exämple.org", "jo@xn--exmple-cua.org"),
    ("jo@exämple.org", "JO@EXÄMPLE.org"),
    ("a@" + "b" * 64, "A@" + "B" * 64),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_one_address_is_one_person_however_it_is_written(
    session: Transaction, put_member: PutMember, first: str, second: str
) -> None:
    put_member(email=first)
    with pytest.raises(Conflict, match="give this person another") as caught:
        put_member(member_id=STRANGER, name="Louis Roy", email=second)

    assert set(caught.value.fields) == {"/email"}
    assert not any(told in str(caught.value) for told in ("Amina", str(MEMBER)))
    assert session.scalar(select(func.count()).select_from(Member)) == 1
    assert len(published(session, MemberContactChanged)) == 1


def test_nobody_takes_the_address_of_another_by_a_change(session: Transaction, put_member: PutMember) -> None:
    put_member()
    put_member(member_id=STRANGER, email="louis@example.org")
    with pytest.raises(Conflict):
        put_member(member_id=STRANGER, email="AMINA@example.org", if_version=1)

    assert session.get_one(Member, STRANGER, populate_existing=True).email == "louis@example.org"


def test_an_address_that_is_free_again_may_be_given_to_another(put_member: PutMember) -> None:
    put_member()
    put_member(email="amina.kone@example.org", if_version=1)

    assert put_member(member_id=STRANGER, email="amina@example.org").email == "amina@example.org"


@pytest.mark.parametrize("email", ["amina+cop@example.org", "aminata@example.org", "amina@example.com"])
def test_addresses_that_only_look_alike_are_two(session: Transaction, put_member: PutMember, email: str) -> None:
    put_member()
    put_member(member_id=STRANGER, email=email)

    assert session.scalar(select(func.count()).select_from(Member)) == 2


def test_a_changed_address_leaves_a_trace_and_tells_the_one_before(session: Transaction, put_member: PutMember) -> None:
    put_member()
    put_member(name="Amina Diallo", if_version=1)
    with acting(Actor.network("token abc jeton")):
        put_member(name="Amina Diallo", email="boite@autre.example.org", if_version=2)

    (noted,) = session.execute(select(AUDIT)).all()
    assert (noted.actor, noted.action, noted.subject) == ("token abc jeton", "member.address_changed", str(MEMBER))
    assert (noted.before, noted.after) == ({"email": "a…@example.org"}, {"email": "b…@autre.example.org"})
    formers = [event.former_email for event in published(session, MemberContactChanged)]
    assert formers == [None, None, "amina@example.org"]


def test_another_way_of_writing_the_same_address_is_no_other_address(
    session: Transaction, put_member: PutMember
) -> None:
    put_member()
    put_member(email="Amina@example.org", if_version=1)

    assert [event.former_email for event in published(session, MemberContactChanged)] == [None, None]


@pytest.mark.usefixtures("membership")
def test_a_program_that_has_used_up_its_mails_of_the_day_lets_nobody_belong(
    session: Transaction, put_member: PutMember
) -> None:
    session._settings = dataclasses.replace(session.settings, mails_a_day=2)
    belong = partial(ask, session, PutMembership, community_id=COMMUNITY, capacity=Capacity.INDIVIDUAL)
    people = [put_member(member_id=UUID(int=each), email=f"n{each}@example.org").member_id for each in range(1, 5)]
    with acting(Actor.network("token abc jeton")):
        for member_id in people[:2]:
            belong(member_id=member_id)
            belong(member_id=member_id)
        with pytest.raises(QuotaSpent):
            belong(member_id=people[2])
    belong(member_id=people[3])

    assert len(published(session, MembershipActivated)) == 4, "one by the fixture, two, and one that no token asked for"
