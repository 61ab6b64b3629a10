"""A membership ends, with a reason, and begins again."""

from typing import Any
from uuid import UUID

import pytest

from chassis.storage.transaction import Transaction
from chassis.testing import published
from pratique.errors import NotFound
from pratique.event import Event
from pratique.events.membership import Capacity, EndReason, MembershipActivated, MembershipEnded
from pratique.requests.membership import (
    EndMembership,
    GetAuthority,
    ListMemberships,
    ListRoster,
    PutMembership,
)
from services.membership.models import Membership
from tests.membership.conftest import COMMUNITY, MEMBER, ask

WHO: dict[str, Any] = {"community_id": COMMUNITY, "member_id": MEMBER}


def test_a_membership_ends_once_and_is_on_no_roster_any_more(session: Transaction, membership: Membership) -> None:
    for reason in (EndReason.REMOVED, EndReason.LEFT):
        ask(session, EndMembership, **WHO, reason=reason)

    (ended,) = published(session, MembershipEnded)
    assert (ended.membership_id, ended.reason, ended.version) == (membership.membership_id, EndReason.REMOVED, 2)
    assert ask(session, ListMemberships, community_id=COMMUNITY).rows == []
    assert ask(session, ListRoster, community_ids=(COMMUNITY,)).rows == []
    assert ask(session, GetAuthority, member_id=MEMBER).community_ids == []


@pytest.mark.usefixtures("membership")
def test_without_a_reason_they_left(session: Transaction) -> None:
    ask(session, EndMembership, **WHO)

    assert [each.reason for each in published(session, MembershipEnded)] == [EndReason.LEFT]


@pytest.mark.usefixtures("membership")
def test_who_left_joins_again_without_a_version_and_in_another_capacity(session: Transaction) -> None:
    ask(session, EndMembership, **WHO)

    joined = [ask(session, PutMembership, **WHO, capacity=Capacity.INDIVIDUAL).is_new for _ in range(2)]

    told = [each for each in published(session, Event) if isinstance(each, MembershipActivated | MembershipEnded)]
    assert joined == [True, False]
    assert [(type(each).__name__, each.version) for each in told] == [
        ("MembershipActivated", 1),
        ("MembershipEnded", 2),
        ("MembershipActivated", 3),
    ]
    assert len({each.membership_id for each in told}) == 1
    assert len(ask(session, ListMemberships, community_id=COMMUNITY).rows) == 1


@pytest.mark.usefixtures("membership")
def test_who_never_belonged_cannot_leave(session: Transaction) -> None:
    with pytest.raises(NotFound):
        ask(session, EndMembership, community_id=COMMUNITY, member_id=UUID(int=0xBAD))
