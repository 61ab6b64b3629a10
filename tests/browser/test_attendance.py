"""Attendance by tapping: each tap is saved at once, shown while it is not, undone by another; by keyboard too."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from pratique.events.meetings import MeetingState
from tests.browser.chromium import PHONE
from tests.browser.person import Person
from tests.browser.site import Site
from tests.browser.window import Window, Windows

UNSAVED = "Not saved yet"


@pytest.fixture
def opened(windows: Windows, network: Site) -> Iterator[Window]:
    """The cockpit of a meeting under way, on a facilitator's phone."""
    with windows.lend(network.origin, "en", PHONE) as made:
        network.sign_in(made, "facilitator")
        Person(made).open(f"{network.meeting(MeetingState.IN_PROGRESS)}?lang=en")
        yield made


def ticks(opened: Window, selector: str = ":not(:checked)") -> Locator:
    return opened.page.locator(f"#roll input[name=there]{selector}")


def kept(opened: Window, network: Site, member_id: str) -> str:
    """What the service has of a person."""
    path = opened.page.url.partition("?")[0].removeprefix(network.origin)
    rows: list[dict[str, Any]] = network.client.ok("GET", f"/v1{path}")["attendance"]
    return next((each["state"] for each in rows if each["member_id"] == member_id), "unknown")


def test_a_tap_is_saved_and_another_takes_it_back(opened: Window, network: Site) -> None:
    member_id = ticks(opened).first.get_attribute("value") or ""
    tick, status = opened.page.locator(f"#roll input[value='{member_id}']"), opened.page.get_by_role("status")
    tick.check()
    expect(status).to_contain_text("Saved.")
    assert kept(opened, network, member_id) == "attended"
    tick.focus()
    opened.page.keyboard.press("Space")
    expect(opened.page.locator("[data-waiting]")).to_have_count(0)
    expect(status).to_contain_text("Saved.")
    assert kept(opened, network, member_id) == "unknown"
    assert opened.faults == []


def test_what_is_not_saved_is_shown_and_saved_once_it_can_be(opened: Window, network: Site) -> None:
    ids = [ticks(opened).nth(number).get_attribute("value") or "" for number in range(3)]
    opened.page.route("**/attendance*", lambda route: route.abort())
    for member_id in ids:
        opened.page.locator(f"#roll input[value='{member_id}']").check()
    expect(opened.page.get_by_role("status")).to_contain_text(UNSAVED)
    expect(opened.page.locator("[data-waiting]")).to_have_count(3)
    opened.page.locator(f"#roll input[value='{ids[2]}']").uncheck()
    opened.page.unroute("**/attendance*")
    expect(opened.page.locator("[data-waiting]")).to_have_count(0)
    assert [kept(opened, network, each) for each in ids] == ["attended", "attended", "unknown"]
    for member_id in ids[:2]:
        opened.page.locator(f"#roll input[value='{member_id}']").uncheck()
    expect(opened.page.locator("[data-waiting]")).to_have_count(0)


def test_a_search_leaves_those_whose_name_or_organization_has_the_letters(opened: Window) -> None:
    rows = opened.page.locator(".people li")
    name = rows.first.locator("label span").inner_text().partition("\n")[0]
    opened.page.get_by_role("searchbox").fill(name.upper())
    expect(opened.page.locator(".people li:visible")).to_have_count(1)
    opened.page.get_by_role("searchbox").fill("")
    expect(opened.page.locator(".people li:visible")).to_have_count(rows.count())
