"""Every page that people can come upon: fit for everyone, valid, light and alone, in French and in English."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize
from werkzeug.routing import Map

from gateway.app import routes_of
from gateway.routes import Media
from tests.browser.axe import violations
from tests.browser.chromium import LAPTOP, LOCALES, PHONE, SCHEMES
from tests.browser.html import Validator
from tests.browser.keyboard import walk
from tests.browser.person import Person
from tests.browser.site import Site
from tests.browser.visit import Visit
from tests.browser.visits import NO_PAGES, VISITS
from tests.browser.window import Window, window
from tests.harness.runtimes import embedded_settings
from tests.servers import HOME

NARROW: ViewportSize = {"width": 320, "height": 640}  #: 1280 pixels, four times as large
LEAST_TARGET = 44  #: pixels, for what a finger must meet
_EACH = [pytest.param((visit, locale), id=f"{visit}-{locale}") for visit in VISITS for locale in LOCALES]


@pytest.fixture(scope="module", params=_EACH)
def arrival(request: pytest.FixtureRequest, browser: Browser, network: Site) -> Iterator[tuple[Visit, Window]]:
    """A page on a phone, at which each test below looks, and which it leaves as it is."""
    visit, locale = request.param
    with window(browser, network.origin, locale, PHONE) as opened:
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


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(opened: Window, scheme: str) -> None:
    opened.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert violations(opened.page) == []


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
    kinds = "button:not([aria-hidden]), label:has(input), summary, nav a, textarea, input[type=text], input[type=email]"
    targets = opened.page.locator(kinds)
    boxes = [(each.bounding_box(), each.inner_text()[:60]) for each in targets.all()]
    assert [(box, text) for box, text in boxes if box and min(box["width"], box["height"]) < LEAST_TARGET] == []


def test_tab_comes_to_everything_and_one_sees_where_one_is(opened: Window) -> None:
    walked = walk(opened.page)
    assert sorted(walked.reached) == sorted(walked.expected)
    assert walked.unseen == []


def test_it_weighs_little(visit: Visit, opened: Window) -> None:
    assert 0 < opened.weight <= visit.most_bytes


def test_nobody_else_is_asked_and_the_console_stays_empty(opened: Window) -> None:
    assert opened.faults == []


@pytest.mark.parametrize("visit", VISITS, ids=str)
def test_it_is_the_same_without_script(visit: Visit, browser: Browser, network: Site) -> None:
    with window(browser, network.origin, "fr", LAPTOP, has_script=False) as opened:
        visit.arrive(Person(opened), network)
        assert opened.document.status == visit.status
        assert Person(opened).language == "fr"
        assert opened.faults == []
