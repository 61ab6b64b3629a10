"""Every page that people can come upon: fit for everyone, valid, light and alone, in French and in English."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import ViewportSize
from werkzeug.routing import Map

from gateway.app import routes_of
from gateway.routes import Media
from tests.browser.axe import violations, violations_of_colours
from tests.browser.chromium import LAPTOP, LOCALES, PHONE
from tests.browser.html import Validator
from tests.browser.keyboard import walk
from tests.browser.person import Person
from tests.browser.site import Site
from tests.browser.visit import Visit
from tests.browser.visits import NO_PAGES, VISITS
from tests.browser.window import Window, Windows
from tests.harness.runtimes import embedded_settings
from tests.servers import HOME

NARROW: ViewportSize = {"width": 320, "height": 640}  #: 1280 pixels, four times as large
LEAST_TARGET = 44  #: pixels, for what a finger must meet
_TOO_SMALL = """
least => {
  const fields = "textarea, input[type=text], input[type=email]"
  const kinds = `button:not([aria-hidden]), label:has(input), summary, nav a, ${fields}`
  const found = [...document.querySelectorAll(kinds)].map(each => [each, each.getBoundingClientRect()])
  const shown = found.filter(([, box]) => box.width && box.height)
  const small = shown.filter(([, box]) => Math.min(box.width, box.height) < least)
  return small.map(([each]) => each.outerHTML.slice(0, 100))
}
"""
_EACH = [pytest.param((visit, locale), id=f"{visit}-{locale}") for visit in VISITS for locale in LOCALES]


@pytest.fixture(scope="module", params=_EACH)
def arrival(request: pytest.FixtureRequest, windows: Windows, network: Site) -> Iterator[tuple[Visit, Window]]:
    """A page on a phone, at which each test below looks, and which it leaves as it is."""
    visit, locale = request.param
    with windows.lend(visit.origin(network), locale, PHONE) as opened:
        visit.arrive(Person(opened), network)
        yield visit, opened


@pytest.fixture
def visit(arrival: tuple[Visit, Window]) -> Visit:
    """The way to the page."""
    return arrival[0]


@pytest.fixture
def opened(arrival: tuple[Visit, Window]) -> Window:
    """The window that shows it."""
    return arrival[1]


def test_every_route_that_gives_a_page_is_visited() -> None:
    routes = [route for route in routes_of(embedded_settings(HOME)) if route.media is Media.HTML and route.status < 300]
    visited = {visit.route for visit in VISITS} | set(NO_PAGES)
    assert {(route.method, route.template) for route in routes} - visited == set()


def test_the_page_is_the_one_that_the_visit_names(visit: Visit, opened: Window, network: Site) -> None:
    urls = Map([route.rule() for route in network.page_routes()], merge_slashes=False)
    assert (opened.document.status, opened.route(urls)) == (visit.status, visit.route)


def test_it_says_its_language_and_has_one_heading_and_a_title(opened: Window) -> None:
    person = Person(opened)
    assert person.language == opened.locale
    assert opened.page.locator("h1").count() == 1
    assert person.heading.strip()
    assert opened.page.title().strip()


def test_axe_finds_nothing(opened: Window) -> None:
    assert violations(opened.page) == []


def test_axe_finds_nothing_in_the_dark_nor_in_colours_that_a_reader_forces(opened: Window) -> None:
    opened.page.emulate_media(color_scheme="dark")
    in_the_dark = violations_of_colours(opened.page)
    opened.page.emulate_media(color_scheme="light", forced_colors="active")
    assert (in_the_dark, violations_of_colours(opened.page)) == ([], [])
    opened.page.emulate_media(forced_colors="none")


def test_it_is_valid_html_without_style_attributes_or_scripts(visit: Visit, opened: Window, html: Validator) -> None:
    """But for one file of ours on pages that save as one goes."""
    assert html.faults(opened.source) == []
    linked = r'<script src="/static/script\.\w+\.js" defer></script>'
    assert len(re.findall(linked, opened.source)) == visit.has_script
    assert re.findall(r"\sstyle=|<script|\son\w+=", re.sub(linked, "", opened.source)) == []


def test_nothing_is_wider_than_320_pixels(opened: Window) -> None:
    opened.page.set_viewport_size(NARROW)
    width = opened.page.evaluate("document.scrollingElement.scrollWidth")
    opened.page.set_viewport_size(PHONE.viewport)
    assert width <= NARROW["width"]


def test_buttons_and_choices_are_large_enough_for_a_finger(opened: Window) -> None:
    assert opened.page.evaluate(_TOO_SMALL, LEAST_TARGET) == []


def test_tab_comes_to_everything_and_one_sees_where_one_is(opened: Window) -> None:
    walked = walk(opened.page)
    assert sorted(walked.reached) == sorted(walked.expected)
    assert walked.unseen == []


def test_it_weighs_little(visit: Visit, opened: Window) -> None:
    assert 0 < opened.weight <= visit.most_bytes


def test_nobody_else_is_asked_and_the_console_stays_empty(opened: Window) -> None:
    assert opened.faults == []


@pytest.mark.parametrize("visit", VISITS, ids=str)
def test_it_is_the_same_without_script(visit: Visit, windows: Windows, network: Site) -> None:
    with windows.lend(visit.origin(network), "fr", LAPTOP, has_script=False) as opened:
        visit.arrive(Person(opened), network)
        assert opened.document.status == visit.status
        assert Person(opened).language == "fr"
        assert opened.faults == []
