"""The guards themselves: each sees what it is there to see."""

from collections.abc import Iterator

import pytest

from tests.browser.axe import violations
from tests.browser.chromium import PHONE
from tests.browser.html import Validator
from tests.browser.keyboard import walk
from tests.browser.site import Site
from tests.browser.window import Window, Windows

SOUND = """<!doctype html><html lang="en"><head><title>A page</title></head>
<body><main><h1>A page</h1><p><a href="/x">A link</a></p></main></body></html>"""


@pytest.fixture
def opened(windows: Windows) -> Iterator[Window]:
    """A window of no site: whatever it asks is foreign."""
    with windows.lend("http://127.0.0.1:9", "en", PHONE) as made:
        yield made


def shown(opened: Window, old: str = "", new: str = "") -> Window:
    opened.page.set_content(SOUND.replace(old, new))
    return opened


def test_nothing_is_found_in_a_sound_page(opened: Window, html: Validator) -> None:
    page = shown(opened).page
    assert (violations(page), walk(page).unseen, html.faults(SOUND), opened.faults) == ([], [], [], [])


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("<h1>", '<h1 style="color: #999; background: #fff">', "color-contrast"),
        ('lang="en"', "", "html-has-lang"),
        ("A link", "", "link-name"),
        ("</h1>", '</h1><input type="text" id="code">', "label"),
    ],
)
def test_axe_sees_who_is_shut_out(opened: Window, old: str, new: str, rule: str) -> None:
    assert [each.partition(":")[0] for each in violations(shown(opened, old, new).page)] == [rule]


def test_html_that_a_browser_would_mend_is_seen(html: Validator) -> None:
    assert any("close-order" in each for each in html.faults(SOUND.replace("</a></p>", "</p></a>")))


def test_a_focus_that_nobody_sees_is_seen(opened: Window) -> None:
    walked = walk(shown(opened, "<a ", '<a style="outline: 0" ').page)
    assert len(walked.unseen) == 1


def test_what_tab_does_not_come_to_is_seen(opened: Window) -> None:
    trap = '<main onkeydown="event.preventDefault()"><a href="/y">Another</a>'
    walked = walk(shown(opened, "<main>", trap).page)
    assert sorted(walked.reached) != sorted(walked.expected)


@pytest.mark.parametrize("broken", ['<img src="http://example.org/x.png" alt="">', "<script>throw Error('x')</script>"])
def test_what_is_asked_of_others_and_what_fails_is_seen(opened: Window, broken: str) -> None:
    assert shown(opened, "</main>", f"{broken}</main>").faults


def test_a_window_that_is_lent_again_knows_nothing_of_whoever_had_it(windows: Windows, network: Site) -> None:
    with windows.lend(network.origin, "fr", PHONE) as first:
        network.sign_in(first, "member")
        first.page.evaluate("console.error('late')")
    with windows.lend(network.origin, "fr", PHONE) as again:
        again.page.goto("/home")
        assert (again is first, "/sign-in?" in again.page.url, again.faults) == (True, True, [])
