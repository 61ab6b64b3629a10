"""Person with a browser: what they type, choose and press, found by what they see and not by how it is made."""

from playwright.sync_api import Locator

from tests.browser.window import Window

SWITCH = {"fr": "English", "en": "Français"}  #: how each page offers the other language


class Person:
    """Somebody before a window."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    @property
    def heading(self) -> str:
        """The page's one heading of the first level."""
        return self.page.locator("h1").inner_text()

    @property
    def text(self) -> str:
        """All that is to be read."""
        return self.page.locator("main").inner_text()

    @property
    def language(self) -> str | None:
        """The language that the page says it is in."""
        return self.page.locator("html").get_attribute("lang")

    def open(self, path: str) -> None:
        """Follow an address."""
        self.page.goto(path)

    def press(self, is_checked: bool = True) -> None:
        """Press the button of the page's last form; a browser may leave it to us to check what was typed."""
        if not is_checked:
            self._main.locator("form").last.evaluate("form => { form.noValidate = true }")
        with self.page.expect_navigation():
            self._main.locator("form button").last.click()

    def sign_out(self) -> None:
        """Press the button by which whoever is signed in leaves, on top of each page."""
        with self.page.expect_navigation():
            self.page.locator("header form button").click()

    def type(self, words: str) -> None:
        """Type into the page's one field."""
        self._main.get_by_role("textbox").fill(words)

    def choose_name(self, member_id: str, label: str) -> None:
        """Choose oneself among those who attend; look for one's name where it is not among the first."""
        oneself = self._main.locator(f"input[value='{member_id}']")
        if oneself.count() == 0:
            self._main.get_by_role("searchbox").fill(label)
            with self.page.expect_navigation():
                self._main.locator("form button").first.click()
        oneself.check()

    def rate(self, value: int) -> None:
        """Answer every question that has a scale."""
        for each in self._main.locator(f"input[type=radio][value='{value}']").all():
            each.check()

    def comment(self, words: str) -> None:
        """Answer every question that leaves room to write."""
        for each in self._main.locator("textarea").all():
            each.fill(words)

    def answers(self) -> tuple[list[str], list[str]]:
        """Return what the page holds of one's answers: what is chosen, and what is written."""
        chosen = [each.get_attribute("value") or "" for each in self._main.locator("input:checked").all()]
        return chosen, [each.input_value() for each in self._main.locator("textarea").all()]

    def switch_language(self) -> None:
        """Ask for the same page in the other language."""
        with self.page.expect_navigation():
            self.page.get_by_text(SWITCH[self.language or "fr"], exact=True).click()

    def asks(self) -> bool:
        """Return whether the page asks a question or a name."""
        return self._main.locator("form input[type=radio], form textarea").count() > 0

    @property
    def _main(self) -> Locator:
        return self.page.locator("main")
