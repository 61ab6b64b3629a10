"""What a coordinator does by clicks: founding a community, adding people, giving roles and ending them."""

from uuid import uuid4

import pytest

from gateway.pages.roles import role_name
from pratique.events.membership import Locale, Role
from tests.browser.chromium import LAPTOP
from tests.browser.circle import Circle
from tests.browser.person import Person
from tests.browser.site import Site
from tests.browser.window import Windows
from tests.harness.waiting import until

FOUNDED = "Aînés et numérique"


@pytest.fixture
def circle(network: Site) -> Circle:
    """A community of the test's own."""
    return Circle(network)


def facilitator(person: Person) -> str:
    return role_name(Role.FACILITATOR, Locale(person.window.locale))


def test_a_community_is_founded_its_people_added_and_one_of_them_trusted_with_it(
    staff: Person, windows: Windows, network: Site
) -> None:
    founder = str(uuid4())
    network.client.put_member(founder, "Inès Chartrand")
    network.client.ok("PUT", f"/v1/roles/{founder}/coordinator")
    network.sign_in_member(staff.window, founder)
    staff.wait_for("/communities/new")
    staff.open(f"/home?lang={staff.window.locale}")
    staff.follow("Create a community")
    staff.field("Name").fill(FOUNDED)
    staff.field("Why it meets").fill("Apprendre ensemble.")
    staff.push("Create the community")
    assert staff.heading == FOUNDED
    assert staff.reads("Nobody belongs to it yet.")
    community = staff.page.url
    for name in ("Zoé Tremblay", "Amina Kaboré"):
        staff.open(community)
        staff.follow("Add a person")
        staff.field("Email address").fill(f"{uuid4().hex[:8]}@example.org")
        staff.field("Name").fill(name)
        staff.push("Add this person")
        assert staff.heading == name
    amina = staff.page.url
    staff.field("Role").select_option(label=facilitator(staff))
    staff.push("Give this role")
    assert staff.reads("The role is given. It opens its pages within seconds of its beginning.")
    with windows.lend(network.origin, staff.window.locale, LAPTOP, has_script=False) as other:
        network.sign_in_member(other, amina.partition("?")[0].rpartition("/")[2])
        Person(other).wait_for("/meetings/new")
    staff.follow("End this role")
    staff.push("End this role")
    assert staff.reads("The role has ended. Its pages are closed to them within seconds.")
    staff.open(community)
    assert all(name in staff.text for name in ("Zoé Tremblay", "Amina Kaboré"))
    assert facilitator(staff) not in staff.text


def test_a_role_that_ends_shuts_every_door(staff: Person, windows: Windows, network: Site, circle: Circle) -> None:
    meeting = circle.plan_a_meeting()
    of_it = [f"{meeting}{page}" for page in ("", "/prepare", "/cancel", "/wall", "/corrections", "/results")]
    doors = ["/meetings/new", circle.path, *of_it]
    network.sign_in_member(staff.window, circle.facilitator_id)
    for each in doors:
        staff.wait_for(each)
    with windows.lend(network.origin, staff.window.locale, LAPTOP, has_script=False) as other:
        coordinator = Person(other)
        network.sign_in_member(other, circle.coordinator_id)
        coordinator.wait_for(circle.path)
        coordinator.page.get_by_role("link", name="Zoé Émond").click()
        coordinator.follow("End this role")
        coordinator.push("End this role")
    until(lambda: not staff.opens(doors[0]), every_s=0.2, what="the end of the role")
    assert [each for each in doors if staff.opens(each)] == []
    staff.open(f"/home?lang={staff.window.locale}")
    assert staff.page.get_by_role("link", name=staff.words("Schedule a meeting")).count() == 0
