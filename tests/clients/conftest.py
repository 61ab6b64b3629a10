"""A network that lives in a process of its own, for clients that know nothing of us but what we publish."""

from collections.abc import Iterator

import pytest

from pratique.request import example_id
from pratique.requests.meetings import MeetingBody
from pratique.requests.membership import CommunityBody, MemberBody, MembershipBody, OrganizationBody
from tests.faults.hostile.living import Living, living


@pytest.fixture(scope="module")
def network() -> Iterator[Living]:
    """The embedded mode without its sample, with the things that the description's examples speak of."""
    with living() as made:
        _fill(made)
        yield made


def _fill(made: Living) -> None:
    community, member, organization = example_id("community"), example_id("member"), example_id("organization")
    put = {
        f"/v1/organizations/{organization}": OrganizationBody.example(),
        f"/v1/communities/{community}": CommunityBody.example(),
        f"/v1/members/{member}": MemberBody.example(),
        f"/v1/communities/{community}/memberships/{member}": MembershipBody.example()
        | {"capacity": "representative", "organization_id": organization},
    }
    for path, body in put.items():
        status, told = made.ask("PUT", path, body)
        assert status == 201, told
    made.stores.settle()
    meeting = MeetingBody.example() | {
        "starts_at": "2098-03-12T14:00:00-04:00",
        "ends_at": "2098-03-12T16:00:00-04:00",
        "facilitator_id": None,
        "note_taker_id": None,
    }
    status, told = made.ask("PUT", f"/v1/meetings/{example_id('meeting')}", meeting)
    assert status == 201, told
    made.stores.settle()
