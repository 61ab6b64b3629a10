"""What the gateway asks membership and meetings, and shows of what they answer."""

import pytest

from pratique.request import example_id
from pratique.requests.membership import MembershipBody

COMMUNITY, MEMBER, MEETING = (example_id(name) for name in ("community", "member", "meeting"))
CARD = {"member_id": MEMBER, "name": "Amina Kaboré", "email": "amina@example.org", "version": 1}


@pytest.mark.parametrize(
    ("path", "rpc", "key"),
    [
        ("/v1/organizations", "membership.list_organizations", "organization_id"),
        (f"/v1/communities/{COMMUNITY}/memberships", "membership.list_memberships", "membership_id"),
        (f"/v1/communities/{COMMUNITY}/roles", "membership.list_roles", "assignment_id"),
        (f"/v1/meetings/{MEETING}/registrations", "meetings.list_registrations", "member_id"),
    ],
)
def test_what_events_name_by_an_id_is_listed_page_by_page(gate, path, rpc, key):
    row = {key: example_id("one"), "version": 1}
    gate.peer.says(rpc, {"rows": [row], "after": example_id("one")})
    first = gate.ask("GET", f"{path}?limit=1")
    assert (first.status_code, first.json) == (200, {"items": [row]})
    gate.peer.says(rpc, {"rows": [], "after": None})
    last = gate.ask("GET", first.headers["Link"].partition(">")[0][1:])
    assert (last.json, gate.peer.asked[-1][1]["after"]) == ({"items": []}, example_id("one"))
    scope = "meetings:read" if rpc.startswith("meetings") else "membership:read"
    other = "membership:read" if rpc.startswith("meetings") else "meetings:read"
    for token, status in ((gate.with_scopes(scope), 200), (gate.with_scopes(other), 403)):
        assert gate.ask("GET", path, headers={"Authorization": f"Bearer {token}"}).status_code == status


def test_an_organization_is_read_with_its_etag(gate):
    gate.peer.says("membership.get_organization", {"organization_id": example_id("one"), "version": 2})
    response = gate.ask("GET", f"/v1/organizations/{example_id('one')}")
    assert (response.status_code, response.headers["ETag"]) == (200, '"2"')


def test_a_person_is_looked_up_by_their_address(gate):
    gate.peer.says("membership.list_members", {"rows": [CARD], "after": None})
    response = gate.ask("GET", "/v1/members?email=Amina%40example.org&other=1")
    assert (response.status_code, response.json) == (200, {"items": [CARD]})
    assert gate.peer.asked == [("membership.list_members", {"email": "Amina@example.org"})]


@pytest.mark.parametrize("query", ["", "?email=", "?email=amina", "?email=a%40b%0Ac"])
def test_without_an_address_nobody_is_looked_up(gate, query):
    response = gate.ask("GET", f"/v1/members{query}")
    assert (response.status_code, response.json["errors"][0]["pointer"]) == (422, "/email")
    assert gate.peer.asked == []


def test_what_is_recorded_is_shown_with_the_id_that_events_name(gate):
    gate.peer.says("membership.put_membership", {"row": {"membership_id": MEETING, "version": 1}, "is_new": True})
    belongs = gate.ask("PUT", f"/v1/communities/{COMMUNITY}/memberships/{MEMBER}", json=MembershipBody.example())
    assert belongs.json["membership_id"] == MEETING
    gate.peer.says("membership.put_role", {"row": {"assignment_id": MEETING, "version": 1}, "is_new": True})
    trusted = gate.ask("PUT", f"/v1/communities/{COMMUNITY}/roles/{MEMBER}/facilitator")
    assert trusted.json["assignment_id"] == MEETING


@pytest.mark.parametrize("verb", ["wrap-up", "close"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, {}),
        ({"json": {}}, {}),
        ({"json": {"with_survey": False}}, {"with_survey": False}),
        ({"json": {"with_survey": True}}, {"with_survey": True}),
    ],
)
def test_whoever_ends_a_meeting_may_say_whether_people_are_asked(gate, verb, options, said):
    rpc = f"meetings.{verb.replace('-', '_')}_meeting"
    gate.peer.says(rpc, {"meeting_id": MEETING, "version": 3})
    assert gate.ask("POST", f"/v1/meetings/{MEETING}/{verb}", **options).status_code == 200
    assert gate.peer.asked == [(rpc, {"meeting_id": MEETING, **said})]


@pytest.mark.parametrize("body", [{"with_survey": "yes"}, {"with_survey": 1}, {"with_survey": None}, {"survey": True}])
def test_what_says_neither_yes_nor_no_is_refused(gate, body):
    assert gate.ask("POST", f"/v1/meetings/{MEETING}/close", json=body).status_code == 422
    assert gate.peer.asked == []
