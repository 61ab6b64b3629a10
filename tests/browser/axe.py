"""Accessibility as axe-core sees it: WCAG 2.2 AA, and the practices that it calls good."""

from importlib.resources import files

from playwright.sync_api import Page

#: axe-core itself (MPL-2.0), as the package carries it.
_SOURCE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_OF_COLOURS = ["color-contrast", "link-in-text-block"]  #: the rules of its category "color" that speak of AA or less
#: axe asks what fills letters, which Chromium tells as if a reader forced no colours; ours is always ``color``.
_AS_PAINTED = """
() => {
  const of = CSSStyleDeclaration.prototype.getPropertyValue
  CSSStyleDeclaration.prototype.getPropertyValue = function (name) {
    return of.call(this, name === "-webkit-text-fill-color" ? "color" : name)
  }
}
"""
#: A frame of ours holds a mail and lets no script run, axe's neither.
_RUN = """
async runOnly => {
  const options = {runOnly, iframes: false, preload: false, resultTypes: ["violations"], reporter: "no-passes"}
  const {violations} = await axe.run(document, options)
  return violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 120)}: ${rule.help}`))
}
"""


def violations(page: Page) -> list[str]:
    """Return what a page fails, as it is shown now."""
    return _run(page, "tag", _RULES)


def violations_of_colours(page: Page) -> list[str]:
    """Return what a page fails in its present colours, where all else was looked at in others."""
    return _run(page, "rule", _OF_COLOURS)


def _run(page: Page, kind: str, values: list[str]) -> list[str]:
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(_SOURCE)
        page.evaluate(_AS_PAINTED)
    found: list[str] = page.evaluate(_RUN, {"type": kind, "values": values})
    return found
