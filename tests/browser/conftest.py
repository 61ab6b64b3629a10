"""One browser and one site for all tests here, started for the first that asks."""

from collections.abc import Iterator

import pytest

from tests.browser import IS_ALONE
from tests.browser.chromium import DEVICES, LOCALES, Device, chromium
from tests.browser.html import Validator, validator
from tests.browser.person import Person
from tests.browser.site import Site, site
from tests.browser.window import Windows
from tests.servers.find import is_compulsory, why_no_browser


@pytest.fixture(scope="session")
def windows() -> Iterator[Windows]:
    """Windows of a headless Chromium."""
    if not IS_ALONE:
        pytest.skip("pages are tested in a browser by a pytest of their own: pytest tests/browser")
    if words := why_no_browser():
        if is_compulsory():
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
    with chromium() as started:
        yield Windows(started)


@pytest.fixture(scope="session")
def network(windows: Windows, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The sample network; it takes long, so the browser is asked for first."""
    with site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validator]:
    """The reader of HTML."""
    with validator(tmp_path_factory.mktemp("html")) as started:
        yield started


@pytest.fixture(
    params=[pytest.param((locale, each), id=f"{locale}-{each.name}") for locale in LOCALES for each in DEVICES]
)
def look(request: pytest.FixtureRequest) -> tuple[str, Device]:
    """A language, and the device in which it is read."""
    locale, device = request.param
    return locale, device


@pytest.fixture
def person(look: tuple[str, Device], windows: Windows, network: Site) -> Iterator[Person]:
    """Somebody whose browser runs no script, as the promise is; nothing foreign is asked, and nothing goes wrong."""
    with windows.lend(network.origin, *look, has_script=False) as opened:
        yield Person(opened)
        assert opened.faults == []


@pytest.fixture
def staff(look: tuple[str, Device], windows: Windows, network: Site) -> Iterator[Person]:
    """Somebody who facilitates or coordinates, in a browser as people have it; likewise."""
    with windows.lend(network.origin, *look) as opened:
        yield Person(opened)
        assert opened.faults == []
