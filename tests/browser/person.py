"""Person with a browser: what they type, choose and press, found by what they see and not by how it is made."""

import re

from playwright.sync_api import Locator

from pratique.events.membership import Locale
from tests.browser.window import Window
from tests.harness.waiting import until
from words.catalogue import Sentences, sentences

SWITCH = {"fr": "English", "en": "Français"}  #: how each page offers the other language


class Person:
    """Somebody before a window."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    @property
    def words(self) -> Sentences:
        """The sentences of pages in the language of the one that is shown."""
        return sentences(Locale(self.language or self.window.locale))

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

    def opens(self, path: str) -> bool:
        """Follow an address, and return whether one's role opens the page; one that does not says why."""
        self.open(f"{path}?lang={self.window.locale}")
        is_shut = self.window.document.status == 403
        assert is_shut == (self.heading == self.words("Your role does not open this page"))
        return not is_shut

    def wait_for(self, path: str) -> None:
        """Follow an address until one's role opens the page; a new one does so within moments."""
        until(lambda: self.opens(path), every_s=0.2, what=f"the opening of {path}")

    def press(self, is_checked: bool = True) -> None:
        """Press the button of the page's last form; a browser may leave it to us to check what was typed."""
        if not is_checked:
            self._main.locator("form").last.evaluate("form => { form.noValidate = true }")
        with self.page.expect_navigation():
            self._main.locator("form button").last.click()

    def follow(self, link: str) -> None:
        """Follow the first link whose name begins so; names are said in English and read in the person's language."""
        with self.page.expect_navigation():
            self._main.get_by_role("link", name=self._beginning(link)).first.click()

    def push(self, button: str) -> None:
        """Press the button of this name."""
        with self.page.expect_navigation():
            self._main.get_by_role("button", name=self.words(button), exact=True).click()

    def field(self, label: str) -> Locator:
        """Return what is typed into, chosen or ticked, by how its label begins."""
        return self._main.get_by_label(self._beginning(label)).and_(self.page.locator("input, select, textarea"))

    def reads(self, sentence: str, **values: object) -> bool:
        """Return whether the page says this."""
        return " ".join(self.words(sentence, **values).split()) in " ".join(self.text.split())

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

    def _beginning(self, words: str) -> re.Pattern[str]:
        return re.compile(rf"^\s*{re.escape(self.words(words))}(?!\w)")
