"""Pages of sets of communities and of roles over more than one: making a set, founding in it, giving and ending."""

from typing import Any
from uuid import uuid4

import pytest

from tests.harness.pages import Visit, links_of, parsed, title_of, with_role, words_of
from tests.harness.runtimes import Shuffled

pytestmark = pytest.mark.parametrize("network", ["shuffled-1"], indirect=True)
FOUNDED = {"name": "Aînés et numérique", "purpose": "Apprendre ensemble.", "timezone": "America/Toronto"}


def region(network: Shuffled, *community_ids: str) -> str:
    """Record a set of these communities, and return its path."""
    set_id = str(uuid4())
    network.ok("PUT", f"/v1/community-sets/{set_id}", {"name": "Estrie", "community_ids": list(community_ids)})
    return f"/sets/{set_id}"


def regional(network: Shuffled, path: str, role: str = "coordinator") -> Visit:
    """Return the visit of a person who belongs nowhere and has a role over this set."""
    member_id = str(uuid4())
    network.put_member(member_id, "Maya Roy")
    network.ok("PUT", f"/v1/community-{path.removeprefix('/')}/roles/{member_id}/{role}")
    network.settle()
    return Visit(network, member_id)


def kept(network: Shuffled, path: str) -> Any:
    """Return a set as the API answers it."""
    return network.ok("GET", f"/v1/community-{path.removeprefix('/')}")


def test_a_set_is_made_changed_and_trusted_to_a_person_by_clicks(network: Shuffled) -> None:
    one, two = network.create_community(members=1), network.create_community(members=1)
    visit = with_role(network, "coordinator")
    assert links_of(visit.get("/network"))["Sets of communities"].startswith("/sets?")
    form = visit.get("/sets/new")
    assert "Fill this in." in words_of(parsed(visit.send(form, "/sets/new", name=""), 422))
    made = visit.send(form, "/sets/new", name="Estrie", community_ids=[one.id])
    again = visit.send(form, "/sets/new", name="Estrie", community_ids=[one.id])
    assert made.headers["Location"] == again.headers["Location"]
    path = made.headers["Location"].partition("?")[0]
    assert "1 community" in words_of(visit.get("/sets"))

    changed = visit.send(visit.get(f"{path}/edit"), f"{path}/edit", community_ids=[one.id, two.id])
    assert changed.status_code == 303
    assert sorted(kept(network, path)["community_ids"]) == sorted([one.id, two.id])

    typed = {"email": "paul@example.org", "role": "facilitator", "ends_at.day": "2026-03-20"}
    nameless = parsed(visit.send(visit.get(path), f"{path}/roles", **typed), 422)
    assert "We know nobody with this address: write their name." in words_of(nameless)
    given = visit.send(nameless, f"{path}/roles", name="Paul Roy")
    page = visit.get(given.headers["Location"].partition("&")[0])
    assert "Paul Roy · Facilitator paul@example.org Until March 20, 2026." in words_of(page)
    network.settle()
    person = links_of(visit.get(f"/communities/{two.id}"))["Paul Roy"].partition("?")[0]
    assert links_of(visit.get(person))["Estrie"].startswith(path)

    end = links_of(page)["End this role (Paul Roy, Facilitator)"].partition("?")[0]
    asked = visit.get(end)
    assert "Meetings that name them as who leads or takes notes name them still" in words_of(asked)
    assert visit.send(asked, end).headers["Location"].startswith(f"{path}?told=taken")
    assert "Nobody yet." in words_of(visit.get(path))
    visit.get(end, 404)


def test_whoever_coordinates_a_set_founds_its_communities_the_first_one_too(network: Shuffled) -> None:
    foreign = network.create_community(members=1)
    path = region(network)
    visit = regional(network, path)
    assert "Communities that are yet to be created" in words_of(visit.get("/home"))
    assert links_of(visit.get("/network"))["Create a community"].startswith("/communities/new?")
    form = visit.get(links_of(visit.get(path))["Create a community in it"].partition("&lang")[0])
    sent = visit.send(form, "/communities/new", **FOUNDED)
    again = visit.send(form, "/communities/new", **FOUNDED)
    assert sent.headers["Location"] == again.headers["Location"] == f"{path}?told=founded&lang=en"
    (founded,) = kept(network, path)["community_ids"]
    page = visit.get(links_of(visit.get(path))["Aînés et numérique"].partition("?")[0])
    assert (title_of(page), "Add a person" in links_of(page)) == ("Aînés et numérique", True)
    assert visit.get(f"/communities/{founded}/people/new") is not None
    visit.get(f"/communities/{foreign.id}", 403)

    beside = parsed(visit.send(visit.get("/communities/new"), "/communities/new", **FOUNDED | {"set_id": ""}), 422)
    assert "Choose the set that is to have it." in words_of(beside)
    elsewhere = visit.get("/communities/new")
    assert visit.send(elsewhere, "/communities/new", **FOUNDED, set_id=region(network)[6:]).status_code == 403
    assert len(network.ok("GET", "/v1/communities")["items"]) == 2


def test_roles_over_the_network_are_given_and_ended_and_the_last_admin_stays(network: Shuffled) -> None:
    visit = with_role(network, "network_admin")
    page = visit.get(links_of(visit.get("/network"))["Roles over the whole network"].partition("?")[0])
    typed = {"email": "zoe@example.org", "name": "Zoé Roy", "role": "evaluator"}
    given = visit.send(page, "/network/roles", **typed)
    listed = links_of(visit.get(given.headers["Location"].partition("&")[0]))
    own = listed["End this role (Inès Chartrand, Network administrator)"].partition("?")[0]
    assert "It is your own role" in words_of(visit.get(own))
    refused = visit.send(visit.get(own), own)
    assert "nobody else administers the network" in words_of(visit.get(refused.headers["Location"].partition("&")[0]))
    end = listed["End this role (Zoé Roy, Evaluator)"].partition("?")[0]
    assert visit.send(visit.get(end), end).status_code == 303
    assert "zoe@example.org" not in words_of(visit.get("/network/roles"))


def test_who_saves_a_set_second_is_told_what_is_kept_and_loses_nothing(network: Shuffled) -> None:
    one, two = network.create_community(members=1), network.create_community(members=1)
    path, visit = region(network, one.id), with_role(network, "coordinator")
    first = second = visit.get(f"{path}/edit")
    assert visit.send(first, f"{path}/edit", name="Estrie et Beauce").status_code == 303
    told = parsed(visit.send(second, f"{path}/edit", community_ids=[one.id, two.id]), 409)
    assert "Name: Estrie et Beauce" in words_of(told)
    assert visit.send(told, f"{path}/edit").status_code == 303
    found = kept(network, path)
    assert (found["name"], len(found["community_ids"])) == ("Estrie", 2)


def test_whoever_ends_their_own_role_over_a_set_is_led_home_and_sees_it_no_more(network: Shuffled) -> None:
    community = network.create_community(members=1)
    path = region(network, community.id)
    visit = regional(network, path)
    end = links_of(visit.get(path))["End this role (Maya Roy, Coordinator)"].partition("?")[0]
    assert visit.send(visit.get(end), end).headers["Location"].startswith("/home")
    visit.get(path, 403)


def test_pages_of_sets_are_closed_to_whoever_coordinates_none_of_it(network: Shuffled) -> None:
    own, foreign = network.create_community(members=1), network.create_community(members=1)
    path, mixed = region(network, foreign.id), region(network, own.id, foreign.id)
    visits = [with_role(network, "coordinator", own), regional(network, path, "facilitator")]
    for visit in visits:
        home = visit.get("/home")
        member_id = visit.member_id
        for page in (path, mixed, f"{path}/roles/{member_id}/facilitator/end", "/network/roles", "/communities/new"):
            assert title_of(visit.get(page, 403)) == "Your role does not open this page"
        typed = {"email": "new@example.org", "name": "Nouvelle", "role": "facilitator", "community_ids": [foreign.id]}
        for page in (f"{path}/edit", f"{path}/roles", "/network/roles", f"{path}/roles/{member_id}/facilitator/end"):
            assert visit.post(page, home, **typed).status_code in (403, 422)
    assert kept(network, path)["version"] == 1
    assert len(network.ok("GET", f"/v1/community-{path[1:]}/roles")["items"]) == 1
    assert [each["role"] for each in network.ok("GET", "/v1/roles")["items"]] == []


def test_whoever_coordinates_some_communities_makes_a_set_of_those_alone(network: Shuffled) -> None:
    own, foreign = network.create_community(members=1), network.create_community(members=1)
    visit = with_role(network, "coordinator", own)
    page = visit.get("/sets/new")
    empty = parsed(visit.send(page, "/sets/new", name="Miennes"), 422)
    assert "Choose at least one of your communities." in words_of(empty)
    foreigners = parsed(visit.send(page, "/sets/new", name="Toutes", community_ids=[foreign.id]), 422)
    assert "Choose at least one of your communities." in words_of(foreigners)
    assert visit.send(page, "/sets/new", name="Miennes", community_ids=[own.id]).status_code == 303
    assert [each["community_ids"] for each in network.ok("GET", "/v1/community-sets")["items"]] == [[own.id]]


def test_pages_of_sets_speak_french(network: Shuffled) -> None:
    path = region(network)
    visit = with_role(network, "coordinator", locale="fr")
    assert title_of(visit.get("/sets")) == "Ensembles de communautés"
    assert "Qui a quel rôle" in words_of(visit.get(path))
    assert title_of(visit.get("/network/roles")) == "Rôles pour tout le réseau"
