"""Chromium of the distribution, driven by Playwright; no browser is downloaded, and no other machine is reached."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from tests.harness.waiting import PATIENCE_S
from tests.servers.find import find_browser

PATIENCE_MS = PATIENCE_S * 1000  #: Playwright's own would be 30 seconds for an action and 5 for an expectation

#: Nothing has an address but this machine: what a page asks of a third party fails, and is told as a fault.
_ALONE = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",)


@dataclass(frozen=True)
class Device:
    """Size of a window, and whether it is held in the hand."""

    name: str
    width: int
    height: int
    is_phone: bool

    @property
    def viewport(self) -> ViewportSize:
        """The window as Playwright takes it."""
        return {"width": self.width, "height": self.height}


PHONE = Device("phone", 390, 844, is_phone=True)
LAPTOP = Device("laptop", 1280, 800, is_phone=False)
DEVICES = (PHONE, LAPTOP)
LOCALES = ("fr", "en")
SCHEMES = ("light", "dark")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium for the length of a ``with`` block; ``find_browser`` must find one."""
    path = find_browser()
    assert path is not None
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ALONE))
        try:
            yield browser
        finally:
            browser.close()
