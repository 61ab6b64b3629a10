"""Accessibility as axe-core sees it: WCAG 2.2 AA, and the practices that it calls good."""

from importlib.resources import files

from playwright.sync_api import Page

#: axe-core itself (MPL-2.0), as the package carries it.
_SOURCE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """
async tags => {
  const options = {runOnly: {type: "tag", values: tags}, preload: false, resultTypes: ["violations"]}
  const {violations} = await axe.run(document, options)
  return violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 120)}: ${rule.help}`))
}
"""


def violations(page: Page) -> list[str]:
    """Return what a page fails, as it is shown now."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(_SOURCE)
    found: list[str] = page.evaluate(_RUN, _RULES)
    return found
