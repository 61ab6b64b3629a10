"""One browser and one site for all tests here, started for the first that asks."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import IS_ALONE
from tests.browser.chromium import chromium
from tests.browser.html import Validator, validator
from tests.browser.site import Site, site
from tests.servers.find import is_compulsory, why_no_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    if not IS_ALONE:
        pytest.skip("pages are tested in a browser by a pytest of their own: pytest tests/browser")
    if words := why_no_browser():
        if is_compulsory():
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def network(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The sample network; it takes long, so the browser is asked for first."""
    with site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validator]:
    """The reader of HTML."""
    with validator(tmp_path_factory.mktemp("html")) as started:
        yield started
