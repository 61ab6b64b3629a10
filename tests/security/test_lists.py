"""Each row of OWASP's lists is answered in docs/security.md, by tests that exist or by a reason."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.source import ROOT, name_of, sources

PAGE = ROOT / "docs" / "security.md"
#: OWASP API Security Top 10 of 2023, and chapters V7 and V3.3 of OWASP ASVS 5.0: how many rows each section has.
SECTIONS = {"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2, "3.3": 5}
ROWS = [f"API{number}" for number in range(1, 11)] + [
    f"{each}.{row + 1}" for each, n in SECTIONS.items() for row in range(n)
]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
#: What opens a connection or starts a program, and why it goes nowhere that somebody outside named.
CONNECTS = {
    "services/notifications/post.py": "the mail server of the settings",
    "chassis/runtime/probe.py": "its own health, on this machine",
    "chassis/http/web.py": "listens",
    "chassis/messaging/broker.py": "the broker of the settings",
    "operations/health_checks.py": "what the settings name, for whoever types the command",
    "operations/management.py": "the broker of the settings, for whoever types the command",
    "operations/up.py": "looks for a free port on this machine",
    "demo/play.py": "the network that is being tried",
}
_CONNECTING = re.compile(
    r"(urllib\.request|urllib3|http\.client|requests|httpx|aiohttp|socket|smtplib|ftplib|subprocess)$"
)


def rows() -> dict[str, list[str]]:
    """The cells of each row, by its number."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cell[0].split()[0].split(":")[0]: cell[1:] for cell in cells if re.match(r"(API)?\d", cell[0])}


def test_every_row_of_the_lists_is_answered_and_no_other() -> None:
    assert list(rows()) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_what_we_do_and_which_test_shows_it_or_why_it_does_not_apply(row: str) -> None:
    what, shown = rows()[row]
    assert len(what) > 20
    named = _NAMED.findall(shown)
    assert named or shown.startswith(("Does not apply", "Not done")), "name a test, or say why there is none"
    for path, test in named:
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(), test


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from [node.module, *(f"{node.module}.{each.name}" for each in node.names)]


def test_no_connection_goes_where_somebody_outside_says() -> None:
    """API7: whatever could fetch what somebody names would have to be one of these, each of which has its reason."""
    packages = ("gateway", "services", "chassis", "words", "pratique", "operations", "demo")
    found = {name_of(path) for path in sources(*packages) if any(map(_CONNECTING.match, imports(path)))}
    assert found == CONNECTS.keys()
