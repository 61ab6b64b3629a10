"""A coordinator's pages: communities side by side, founding one, its file, its people and their roles."""

import csv
import io
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.actor import Actor, acting
from pratique.errors import Forbidden
from pratique.events.membership import Capacity, Role
from pratique.permissions import Grant, Permission
from pratique.requests.membership import AddPerson
from tests.harness.pages import Visit, actions_of, links_of, parsed, title_of, with_role, words_of
from tests.harness.people import Community
from tests.harness.runtimes import Shuffled

SVG = "{http://www.w3.org/2000/svg}svg"
pytestmark = pytest.mark.parametrize("network", ["shuffled-1"], indirect=True)


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
    assert "Create a community" not in links_of(visit.get("/network"))


@pytest.mark.parametrize("path", ["/network", "/network.csv"])
def test_whoever_coordinates_nothing_is_told_what_to_do(network: Shuffled, path: str) -> None:
    community = network.create_community(members=1)
    for visit in (Visit(network, community.member_ids[0]), with_role(network, "facilitator", community)):
        page = visit.get(path, 403)
        assert title_of(page) == "Your role does not open this page"


FOUNDED = {"name": "Aînés et numérique", "purpose": "Apprendre ensemble.", "timezone": "America/Toronto"}


def test_a_community_is_founded_and_changed_by_clicks(network: Shuffled) -> None:
    visit = with_role(network, "coordinator")
    form = visit.get("/communities/new")
    sent = visit.send(form, "/communities/new", **FOUNDED)
    again = visit.send(form, "/communities/new", **FOUNDED)
    assert (sent.status_code, again.headers["Location"]) == (303, sent.headers["Location"])
    path = sent.headers["Location"].partition("?")[0]
    page = visit.get(f"{path}?told=founded")
    assert title_of(page) == "Aînés et numérique"
    assert "Nobody belongs to it yet." in words_of(page)
    edited = visit.send(visit.get(f"{path}/edit"), f"{path}/edit", name="Aînés, numérique", locale="en")
    assert edited.status_code == 303
    assert title_of(visit.get(path)) == "Aînés, numérique"
    [kept] = network.ok("GET", "/v1/communities")["items"]
    assert (kept["name"], kept["locale"], kept["version"]) == ("Aînés, numérique", "en", 2)


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("name", "", "Fill this in."),
        ("name", "x" * 10_000, "Write at most 200 characters."),
        ("name", "Aînés\u202eenruob", "invisible characters"),
        ("timezone", "Nowhere/Land", ""),
        ("kind", "nonsense", "Choose one of those offered."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    network: Shuffled, field: str, typed: str, words: str
) -> None:
    visit = with_role(network, "coordinator")
    page = parsed(visit.send(visit.get("/communities/new"), "/communities/new", **FOUNDED | {field: typed}), 422)
    assert page.find("head/title").text.startswith("Error:")
    assert f"#{field}" in links_of(page).values()
    assert words in words_of(page)
    assert "Apprendre ensemble." in words_of(page)
    assert network.ok("GET", "/v1/communities")["items"] == []


def test_who_saves_second_is_told_what_changed_and_loses_nothing(network: Shuffled) -> None:
    community = network.create_community(members=1)
    one, other = with_role(network, "coordinator", community), with_role(network, "coordinator", community)
    path = f"/communities/{community.id}/edit"
    first, second = one.get(path), other.get(path)
    assert one.send(first, path, name="Premier nom").status_code == 303
    told = parsed(other.send(second, path, purpose="Autre raison."), 409)
    assert "Somebody else changed this meanwhile" in words_of(told)
    assert "Premier nom" in words_of(told)
    assert other.send(told, path).status_code == 303
    kept = network.ok("GET", f"/v1/communities/{community.id}")
    assert (kept["name"], kept["purpose"]) == ("Cercle d’essai", "Autre raison.")


def test_a_person_is_added_by_their_address_whether_known_or_not(network: Shuffled) -> None:
    community = network.create_community(members=1)
    network.schedule(community.id)
    known = str(uuid4())
    network.put_member(known, "Amina Kaboré", email="amina@example.org")
    visit, path = with_role(network, "coordinator", community), f"/communities/{community.id}/people/new"
    form = visit.get(path)
    nameless = parsed(visit.send(form, path, email="zoe@example.org"), 422)
    assert "We know nobody with this address: write their name." in words_of(nameless)
    assert visit.send(nameless, path, name="Zoé Tremblay").status_code == 303
    added = visit.send(visit.get(path), path, email="AMINA@example.org")
    assert added.headers["Location"].startswith(f"/communities/{community.id}/people/{known}?")
    network.settle()
    people = words_of(visit.get(f"/communities/{community.id}"))
    assert people.index("Amina Kaboré") < people.index("Inès Chartrand") < people.index("Zoé Tremblay")
    assert len(network.mails(to="zoe@example.org")) == len(network.mails(to="amina@example.org")) == 1


def test_staff_is_added_with_a_role_that_lasts_until_a_day(network: Shuffled) -> None:
    community = network.create_community(members=1)
    visit, path = with_role(network, "coordinator", community), f"/communities/{community.id}/people/new"
    typed = {"email": "paul@example.org", "name": "Paul Roy", "part": "staff"}
    assert "needs a role" in words_of(parsed(visit.send(visit.get(path), path, **typed), 422))
    added = visit.send(visit.get(path), path, **typed, role="note_taker")
    person = added.headers["Location"].partition("?")[0]
    page = visit.get(person)
    assert "Does not belong to this community." in words_of(page)
    given = visit.send(page, f"{person}/roles", role="facilitator", **{"ends_at.day": "2026-03-20"})
    assert given.status_code == 303
    assert "Until March 20, 2026." in words_of(visit.get(person))
    staff = Visit(network, person.rpartition("/")[2])
    assert "Facilitator" in words_of(staff.get("/home"))
    end = links_of(visit.get(person))["End this role (Note taker)"].partition("?")[0]
    asked = visit.get(end)
    assert "Its pages are closed to them within seconds." in words_of(asked)
    assert visit.send(asked, end).status_code == 303
    network.advance(days=9)
    assert "Facilitator" not in words_of(staff.get("/home"))
    visit.get(person, 404)


def test_a_role_that_ends_before_it_begins_is_refused_at_its_field(network: Shuffled) -> None:
    community = network.create_community(members=1)
    visit, person = with_role(network, "coordinator", community), f"/communities/{community.id}/people"
    person = f"{person}/{community.member_ids[0]}"
    days = {"begins_at.day": "2026-04-02", "ends_at.day": "2026-04-01"}
    page = parsed(visit.send(visit.get(person), f"{person}/roles", role="facilitator", **days), 422)
    assert page.find("head/title").text.startswith("Error:")
    assert "Last day: Choose a last day that is to come, and not before the first one." in words_of(page)
    assert network.ok("GET", f"/v1/communities/{community.id}/roles")["items"][1:] == []


def test_who_is_added_twice_is_said_to_belong_already_and_has_the_role_that_was_chosen(network: Shuffled) -> None:
    community = network.create_community(members=1)
    network.put_community(community.id, kind="open", headers={"If-Match": "*"})
    visit, path = with_role(network, "coordinator", community), f"/communities/{community.id}/people/new"
    address = network.address_of(community.member_ids[0])
    typed = {"email": address, "part": "representative", "organization": "Maison", "role": "note_taker"}
    added = visit.send(visit.get(path), path, **typed)
    page = words_of(visit.get(added.headers["Location"].partition("&")[0]))
    assert "They belonged to this community already." in page
    assert "Belongs to it in their own name." in page
    assert "Note taker" in page


def test_what_is_no_address_is_said_in_words_that_help_in_both_languages(network: Shuffled) -> None:
    community = network.create_community(members=1)
    path = f"/communities/{community.id}/people/new"
    for locale, words in (("en", "Write one email address"), ("fr", "Écrivez une seule adresse de courriel")):
        visit = with_role(network, "coordinator", community, locale)
        assert words in words_of(parsed(visit.send(visit.get(path), path, email="amina"), 422))


def test_who_leaves_may_lose_their_roles_with_their_membership(network: Shuffled) -> None:
    community = network.create_community(members=2)
    visit = with_role(network, "coordinator", community)
    for member_id, typed in zip(community.member_ids, ({"roles": "true"}, {}), strict=True):
        network.put_role(community.id, member_id, "facilitator")
        path = f"/communities/{community.id}/people/{member_id}/end"
        asked = visit.get(path)
        assert "End it too: Facilitator" in words_of(asked)
        assert visit.send(asked, path, **typed).status_code == 303
    listed = words_of(visit.get(f"/communities/{community.id}"))
    assert ("Personne N0" in listed, "Personne N1 · staff" in listed) == (False, True)


def test_what_a_browser_leaves_out_is_as_the_form_had_it(network: Shuffled) -> None:
    community = network.create_community(members=1, locale="en")
    visit, people = with_role(network, "coordinator", community), f"/communities/{community.id}/people"
    typed = {"email": "paul@example.org", "name": "Paul Roy", "locale": ""}
    added = visit.send(visit.get(f"{people}/new"), f"{people}/new", **typed)
    person = added.headers["Location"].partition("?")[0]
    assert network.ok("GET", f"/v1/members/{person.rpartition('/')[2]}")["locale"] == "en"
    assert visit.send(visit.get(person), f"{person}/roles", role="facilitator", scope="").status_code == 303
    roles = {each["role"] for each in network.ok("GET", f"/v1/communities/{community.id}/roles")["items"]}
    assert roles == {"coordinator", "facilitator"}


def test_nobody_gives_more_than_they_have(network: Shuffled) -> None:
    community = network.create_community(members=1)
    visit = with_role(network, "coordinator", community)
    person = f"/communities/{community.id}/people/{community.member_ids[0]}"
    page = visit.get(person)
    assert "Network administrator" not in words_of(page)
    for typed in ({"role": "network_admin", "scope": "network"}, {"role": "coordinator", "scope": "network"}):
        assert visit.send(page, f"{person}/roles", **typed).status_code == 403
    assert network.ok("GET", "/v1/roles")["items"] == []


def test_a_membership_ends_after_what_follows_was_said(network: Shuffled) -> None:
    community = network.create_community(members=2)
    visit = with_role(network, "coordinator", community)
    leaving = community.member_ids[0]
    path = f"/communities/{community.id}/people/{leaving}/end"
    page = visit.get(path)
    assert "What they attended stays" in words_of(page)
    assert visit.send(page, path, reason="nonsense").status_code == 422
    assert visit.send(page, path, reason="removed").headers["Location"].startswith(f"/communities/{community.id}?")
    listed = words_of(visit.get(f"/communities/{community.id}"))
    assert ("Personne N0" in listed, "Personne N1" in listed) == (False, True)


def test_many_people_are_searched_and_paged(network: Shuffled) -> None:
    community = network.create_community(members=53)
    visit = with_role(network, "coordinator", community)
    page = visit.get(f"/communities/{community.id}")
    assert len(visit.read(f"/communities/{community.id}").data) < 40_000
    following = visit.get(links_of(page)["Next people"].partition("&lang")[0])
    names = {f"Personne N{number}" for number in range(53)} | {"Inès Chartrand"}
    assert {each for each in {**links_of(page), **links_of(following)} if each in names} == names
    found = visit.get(f"/communities/{community.id}?search=ines")
    assert ("Inès Chartrand" in links_of(found), "Personne N1" in links_of(found)) == (True, False)


def test_a_foreign_coordinator_and_a_facilitator_change_nothing(network: Shuffled) -> None:
    own, foreign = network.create_community(members=1), network.create_community(members=1)
    visits = [with_role(network, "coordinator", own), with_role(network, "facilitator", foreign)]
    person = f"/communities/{foreign.id}/people/{foreign.member_ids[0]}"
    for visit in visits:
        home = visit.get("/home")
        for path in ("/communities/new", f"/communities/{foreign.id}/edit", f"/communities/{foreign.id}/people/new"):
            assert title_of(visit.get(path, 403)) == "Your role does not open this page"
            typed = FOUNDED | {"kind": "open", "locale": "fr", "email": "new@example.org", "part": "individual"}
            assert visit.post(path, home, **typed).status_code == 403
        for path in (f"{person}/roles", f"{person}/roles/facilitator/end", f"{person}/end"):
            assert visit.post(path, home, role="facilitator", reason="left").status_code == 403
        visit.get(person, 403)
        unknown = visit.get(f"/communities/{uuid4()}", 403)
        assert title_of(unknown) == "Your role does not open this page"
    visits[0].get(f"/communities/{foreign.id}", 403)
    read = visits[1].get(f"/communities/{foreign.id}")
    assert not {each for each in actions_of(read) if each.startswith("/communities")}
    assert len(network.ok("GET", f"/v1/communities/{foreign.id}/memberships")["items"]) == 1


def test_pages_of_communities_speak_french(network: Shuffled) -> None:
    community = network.create_community(members=1)
    visit = with_role(network, "coordinator", community, "fr")
    page = visit.get(f"/communities/{community.id}")
    assert "Raison d’être" in words_of(page)
    assert "Ajouter une personne" in links_of(page)
    assert title_of(visit.get("/network")) == "Les communautés côte à côte"


def test_who_may_not_give_the_role_adds_nobody_and_records_nothing(network: Shuffled) -> None:
    community = network.create_community(members=1, kind="open")
    command = AddPerson(
        community_id=UUID(community.id),
        member_id=uuid4(),
        name="Zoé Roy",
        email="zoe@example.org",
        capacity=Capacity.REPRESENTATIVE,
        organization="Centre des aînés",
        role=Role.FACILITATOR,
    )
    grants = (Grant(frozenset({Permission.MEMBERSHIP_WRITE}), frozenset({command.community_id})),)
    with acting(Actor("token 3f9c01d2ab47 intranet", grants)), pytest.raises(Forbidden):
        network.call(command.service, command.method, command.payload())
    assert network.ok("GET", "/v1/members?email=zoe@example.org")["items"] == []
    assert network.ok("GET", "/v1/organizations")["items"] == []


def test_an_organization_is_recorded_once_whatever_its_accents(network: Shuffled) -> None:
    community = network.create_community(members=0, kind="open")
    visit, path = with_role(network, "coordinator"), f"/communities/{community.id}/people/new"
    for name, organization in (("zoe", "Centre des aînés"), ("amina", "centre des aines")):
        typed = {"email": f"{name}@example.org", "name": name, "part": "representative", "organization": organization}
        assert visit.send(visit.get(path), path, **typed).status_code == 303
    assert [each["name"] for each in network.ok("GET", "/v1/organizations")["items"]] == ["Centre des aînés"]
    assert len(network.ok("GET", f"/v1/communities/{community.id}/memberships")["items"]) == 2
