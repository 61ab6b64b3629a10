"""An administrator's pages: tokens of programs, and who did what."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis import clock
from tests.harness.pages import links_of, parsed, title_of, with_role, words_of
from tests.harness.runtimes import Shuffled

pytestmark = pytest.mark.parametrize("network", ["shuffled-1"], indirect=True)


def test_a_token_is_shown_once_opens_what_it_may_and_nothing_once_revoked(network: Shuffled) -> None:
    own, foreign = network.create_community(members=1), network.create_community(members=1)
    visit = with_role(network, "network_admin")
    typed = {"name": "Intranet", "role": "facilitator", "community_ids": own.id, "expires_at.day": "2026-06-30"}
    made = parsed(visit.send(visit.get("/admin/tokens"), "/admin/tokens", **typed))
    text = next(each.text for each in made.iter("code") if (each.text or "").startswith("prt_"))
    listed = visit.get("/admin/tokens")
    assert text not in visit.read("/admin/tokens").text
    assert "Facilitator · Cercle d’essai" in words_of(listed)
    assert "Until June 30, 2026." in words_of(listed)

    def status(community_id: str) -> int:
        headers = {"Authorization": f"Bearer {text}"}
        return network.request("GET", f"/v1/communities/{community_id}/meetings", headers=headers).status

    assert (status(own.id), status(foreign.id)) == (200, 403)
    action = f"/admin/tokens/{text.split('_')[1]}/revoke"
    assert visit.send(listed, action).status_code == 303
    network.advance(seconds=6)
    assert status(own.id) == 401
    assert "Revoked on March 12, 2026." in words_of(visit.get("/admin/tokens"))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": ""}, "Fill this in."),
        ({"role": "king"}, "Choose one of those offered."),
        ({"expires_at.day": "2020-01-01"}, "Choose a day to come, or none."),
        ({"community_ids": str(uuid4())}, "Choose one of those offered."),
        ({"community_ids": "nonsense"}, ""),
    ],
)
def test_a_token_that_cannot_be_is_not_made(network: Shuffled, typed: dict[str, str], words: str) -> None:
    network.create_community(members=1)
    visit = with_role(network, "network_admin")
    usual = {"name": "Intranet", "role": "facilitator"}
    page = parsed(visit.send(visit.get("/admin/tokens"), "/admin/tokens", **usual | typed), 422)
    assert page.find("head/title").text.startswith("Error:")
    assert words in words_of(page)
    assert words_of(page).count("Revoke") == 1  # the one by which the test speaks


def test_whoever_coordinates_makes_no_tokens_and_reads_no_audit(network: Shuffled) -> None:
    visit = with_role(network, "coordinator")
    home = visit.get("/home")
    for path in ("/admin/tokens", "/admin/audit"):
        assert title_of(visit.get(path, 403)) == "Your role does not open this page"
    assert visit.post("/admin/tokens", home, name="Mine", role="network_admin").status_code == 403
    assert visit.post("/admin/tokens/0123456789ab/revoke", home).status_code == 403


def test_who_did_what_names_the_person_and_is_filtered(network: Shuffled) -> None:
    community = network.create_community(members=1)
    visit = with_role(network, "network_admin")
    person = f"/communities/{community.id}/people/{community.member_ids[0]}"
    assert visit.send(visit.get(person), f"{person}/roles", role="facilitator").status_code == 303
    told = words_of(visit.get("/admin/audit"))
    assert "Inès C." in told
    assert "role.assigned" in told
    assert "token.created" in told
    roles = words_of(visit.get("/admin/audit?topic=role."))
    assert ("role.assigned" in roles, "token.created" in roles) == (True, False)
    assert "journey" in words_of(visit.get("/admin/audit?who=JOURNEY"))
    assert "Inès C." not in words_of(visit.get("/admin/audit?who=journey"))
    assert "No record fits." in words_of(visit.get("/admin/audit?who=%25"))
    visit.get("/admin/audit?before=nonsense", 422)


def test_every_record_is_on_one_page_and_no_other(network: Shuffled) -> None:
    visit = with_role(network, "network_admin")
    for number in range(60):
        network.put_community(community_id := str(uuid4()), name=f"Cercle {number}")
        network.put_role(community_id, visit.member_id)
        clock.move(timedelta(seconds=1))
    network.settle()
    path, seen = "/admin/audit?topic=role.", list[str]()
    while path:
        page = visit.get(path)
        assert len(visit.read(path).data) < 40_000
        seen += ["".join(row[2].itertext()) for row in list(page.iter("tr"))[1:]]
        path = links_of(page).get("Earlier records", "").partition("&lang")[0]
    assert len(seen) == len(set(seen)) == 61
