"""Keyboard: what Tab comes to, and whether one sees where one is."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.harness.waiting import PATIENCE_S

#: What Tab must come to. Of radio buttons of one name it comes to one.
_REACHABLE = """
() => {
  const names = new Set(), found = []
  const kinds = "a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex='0']"
  for (const each of document.querySelectorAll(kinds)) {
    if (each.disabled || each.tabIndex < 0 || !each.checkVisibility()) continue
    if (each.type === "radio") {
      if (names.has(each.name)) continue
      names.add(each.name)
    }
    found.push(each)
  }
  const id = each => each.type === "radio" ? `radio ${each.name}` : each.outerHTML.slice(0, 100)
  return found.map(id)
}
"""
#: Where the focus is, and whether the page looks otherwise there than without it; the place in the order is kept.
#: A field for a day or an hour has parts, and would begin anew if it lost the focus: there an outline is looked for.
#: A frame looks as what is focused in it does; what it shows is walked by itself.
#: A browser without a bar of its own goes on from the end of a page at its beginning.
_FOCUSED = """
() => {
  const it = document.activeElement
  if (!it || it === document.body || it === document.documentElement) return null
  if (it !== walked.at(-1)) {
    if (walked.includes(it)) return null
    walked.push(it)
  }
  if (it.tagName === "IFRAME") return {name: it.outerHTML.slice(0, 100), is_seen: true, is_in_view: true}
  const chain = [it, it.parentElement, it.parentElement.parentElement]
  const look = () => chain.map(each => {
    const style = getComputedStyle(each)
    return [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow].join(" ")
  }).join("; ")
  const box = it.getBoundingClientRect(), focused = look(), has_parts = ["date", "time"].includes(it.type)
  if (!has_parts) it.blur()
  const blurred = has_parts ? focused.replace(/solid|auto/, "none") : look()
  if (!has_parts) it.focus({preventScroll: true})
  return {
    name: it.type === "radio" ? `radio ${it.name}` : it.outerHTML.slice(0, 100),
    is_seen: focused !== blurred,
    is_in_view: box.bottom > 0 && box.top < innerHeight,
  }
}
"""


#: Where a page focuses a field by itself, Tab would go on from there; where what had the focus is gone, it goes on.
_TO_THE_BEGINNING = """() => {
    const first = document.createElement("span");
    first.tabIndex = -1;
    document.body.prepend(first);
    first.focus();
    first.remove();
    scrollTo(0, 0);
    window.walked = [];
}"""


MOST_PARTS = 5  #: of a field: month, day, year, and what opens the calendar


@dataclass(frozen=True)
class Walk:
    """What Tab came to, in order, and at which of these one did not see it."""

    expected: list[str]
    reached: list[str]
    unseen: list[str]


def _focused(page: Page, is_at_the_end: bool) -> Any:
    """Where the focus is; None if it left the page.

    Into a frame and out of it, it passes between two processes, which takes as long as the machine is busy.
    """
    looks = 1 if len(page.frames) == 1 else 20 if is_at_the_end else int(PATIENCE_S * 10)
    for _ in range(looks):
        if at := page.evaluate(_FOCUSED):
            return at
        page.wait_for_timeout(100)
    return None


def walk(page: Page) -> Walk:
    """Press Tab from the beginning of the page until it comes out at the end."""
    expected: list[str] = page.evaluate(_REACHABLE)
    page.evaluate(_TO_THE_BEGINNING)
    reached: list[str] = []
    unseen: list[str] = []
    for _ in range(MOST_PARTS * len(expected) + 2):
        page.keyboard.press("Tab")
        at = _focused(page, is_at_the_end=set(expected) <= set(reached))
        if at is None:
            break
        if reached[-1:] == [at["name"]] and re.search('type="(date|time)"|^<iframe', at["name"]):
            continue  # the next part of the same field or frame
        reached.append(at["name"])
        if not (at["is_seen"] and at["is_in_view"]):
            unseen.append(at["name"])
    return Walk(expected, reached, unseen)
