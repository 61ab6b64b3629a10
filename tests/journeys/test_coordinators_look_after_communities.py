"""A coordinator's pages: communities side by side, founding one, its file, its people and their roles."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from gateway.pages.network import harmless
from tests.harness.network import AT
from tests.harness.pages import Visit, links_of, title_of, words_of
from tests.harness.people import Community
from tests.harness.runtimes import Shuffled, shuffled_network

SVG = "{http://www.w3.org/2000/svg}svg"


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Shuffled]:
    with clock.fixed(AT), shuffled_network(tmp_path, 1) as made:
        yield made


def with_role(network: Shuffled, role: str, community: Community | None = None, locale: str = "en") -> Visit:
    """A person who belongs nowhere and has a role in this community, or in the whole network."""
    member_id = str(uuid4())
    network.put_member(member_id, "Inès Chartrand")
    path = f"/v1/communities/{community.id}/roles" if community else "/v1/roles"
    network.ok("PUT", f"{path}/{member_id}/{role}", {})
    network.settle()
    return Visit(network, member_id, locale)


def held(network: Shuffled, community: Community, there: int) -> None:
    """Hold a meeting at which so many of the members are, and the others are not."""
    meeting_id = network.schedule(community.id)
    states = ["attended" if number < there else "no_show" for number, _ in enumerate(community.member_ids)]
    network.hold(meeting_id, dict(zip(community.member_ids, states, strict=True)))
    network.close(meeting_id)
    network.advance(hours=2)


def table_of(page: Any) -> list[list[str]]:
    """The cells of the one table of a page, row by row, without its head."""
    return [
        [" ".join("".join(cell.itertext()).replace("\xa0", " ").split()) for cell in row]
        for row in list(page.iter("tr"))[1:]
    ]


def test_communities_stand_side_by_side_and_in_a_table_to_keep(network: Shuffled) -> None:
    shrinking, quiet = network.create_community(members=4), network.create_community(members=1)
    network.put_community(quiet.id, name="=2+5", headers={"If-Match": "*"})
    for there in (4, 3, 2, 1):
        held(network, shrinking, there)
    visit = with_role(network, "coordinator")
    page = visit.get("/network")
    falling, nothing = "Fewer people at each of the last three meetings", ["0", "–", "–", "0", "–"]
    assert table_of(page) == [
        ["=2+5", *nothing],
        [f"Cercle d’essai{falling}", "4", "1", "1 4 · 3 · 2 · 1", "4", "62%"],
    ]
    label = next(each.get("aria-label") for each in page.iter(SVG))
    assert label == "People at each meeting: 4, 3, 2, 1"
    sheet = visit.read("/network.csv?lang=en&sort=meetings")
    assert (sheet.mimetype, sheet.headers["Cache-Control"]) == ("text/csv", "no-store")
    head, *rows = csv.reader(io.StringIO(sheet.data.decode("utf-8-sig")))
    assert head[0] == "Community"
    assert rows == [
        ["Cercle d’essai", "4", "1", "4 3 2 1", "4", "62"],
        ["'=2+5", "0", "", "", "0", ""],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1"])
def test_nothing_in_a_table_is_taken_for_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless("Aînés-numérique = ensemble") == "Aînés-numérique = ensemble"


def test_a_period_shows_what_was_held_in_it(network: Shuffled) -> None:
    community = network.create_community(members=1)
    held(network, community, 1)
    visit = with_role(network, "coordinator", community)
    for period, count in (("12m", "1"), ("2026", "1"), ("2025", "0"), ("nonsense", "1")):
        assert table_of(visit.get(f"/network?period={period}"))[0][1] == count


def test_a_coordinator_of_one_community_sees_no_other(network: Shuffled) -> None:
    own, foreign = network.create_community(members=1), network.create_community(members=1)
    network.put_community(foreign.id, name="Ailleurs", headers={"If-Match": "*"})
    visit = with_role(network, "coordinator", own)
    assert "Ailleurs" not in words_of(visit.get("/network"))
    assert "Ailleurs" not in visit.read("/network.csv").text
    assert "Found a community" not in links_of(visit.get("/network"))


@pytest.mark.parametrize("path", ["/network", "/network.csv"])
def test_whoever_coordinates_nothing_is_told_what_to_do(network: Shuffled, path: str) -> None:
    community = network.create_community(members=1)
    for visit in (Visit(network, community.member_ids[0]), with_role(network, "facilitator", community)):
        page = visit.get(path, 403)
        assert title_of(page) == "Your role does not open this page"
