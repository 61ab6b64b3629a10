"""Mails as a browser shows them in the embedded mode: in a frame of their page, where nothing of them runs."""

from collections.abc import Iterator

import pytest

from tests.browser.axe import violations
from tests.browser.chromium import PHONE, SCHEMES
from tests.browser.keyboard import walk
from tests.browser.person import Person
from tests.browser.site import Site
from tests.browser.window import Window, Windows

FRAME = "iframe"
HEADING = "page-has-heading-one:"  #: of a mail it is the subject, which stands above what it says


@pytest.fixture
def opened(windows: Windows, network: Site) -> Iterator[Window]:
    """The newest mail, on a phone."""
    with windows.lend(network.origin, "fr", PHONE) as made:
        Person(made).open("/mails")
        with made.page.expect_navigation():
            made.page.locator("main ol a").first.click()
        yield made


def test_the_page_of_a_mail_shows_it_as_it_was_sent(opened: Window) -> None:
    shown = opened.page.frame_locator(FRAME).locator("main")
    assert shown.inner_text().strip()
    assert opened.faults == []


def test_a_link_in_a_mail_opens_beside_the_page(opened: Window) -> None:
    with opened.page.expect_popup() as beside:
        opened.page.frame_locator(FRAME).locator("main a[href*='/i/'], main a").first.click()
    assert beside.value.url
    assert opened.page.locator(FRAME).count() == 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_everyone_can_read_and_use_it(opened: Window, scheme: str) -> None:
    Person(opened).open(opened.page.locator(FRAME).get_attribute("src") or "")
    source = opened.source
    opened.page.goto("about:blank")  # where it is shown nothing runs, nor does what looks at it
    opened.page.set_content(source)
    opened.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    found = [each for each in violations(opened.page) if not each.startswith(HEADING)]
    assert found == []
    walked = walk(opened.page)
    assert sorted(walked.reached) == sorted(walked.expected)
    assert walked.unseen == []
    assert opened.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE.viewport["width"]
    assert opened.faults == []
