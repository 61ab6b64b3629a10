"""The audit of dependencies tells three things apart: nothing known, something known, and not asked."""

import json
import subprocess

import pytest

from tests.repository.advisories import HARMLESS, LOCK, SECONDS, Ask, audit, main
from tests.repository.source import ROOT

CLEAN = {"name": "kombu", "version": "5.6.0", "vulns": []}
WEAK = {"name": "jinja2", "version": "3.1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.9"], "aliases": []}]}


def says(*packages: object, error: str = "") -> Ask:
    """What pip-audit writes, in the form of its version 2."""
    text = json.dumps({"dependencies": packages, "fixes": []}) if packages else ""
    return lambda: subprocess.CompletedProcess([], 1, text, error)


def fails(error: Exception) -> Ask:
    def ask() -> subprocess.CompletedProcess[str]:
        raise error

    return ask


def test_a_known_weakness_fails_and_is_named_with_its_remedy() -> None:
    code, words = audit(says(CLEAN, WEAK), is_strict=False)
    assert code == 1
    assert "jinja2 3.1.0: PYSEC-1, mended in 3.1.9" in words


def test_no_known_weakness_passes() -> None:
    assert audit(says(CLEAN), is_strict=True) == (0, "No known weakness in 1 locked packages")


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (
            says(error="WARNING: x\nERROR: HTTPSConnectionPool(host='advisories.example', port=443): Max retries"),
            "HTTPSConnection",
        ),
        (says(), "it says nothing"),
        (says(CLEAN, {"name": "nameko", "skip_reason": "not found"}), "1 of 2 packages were skipped, nameko first"),
        (fails(FileNotFoundError()), "pip-audit is not installed"),
        (fails(subprocess.TimeoutExpired("pip-audit", SECONDS)), "no answer within"),
    ],
)
def test_an_audit_that_was_not_made_is_said_in_one_line_and_fails_only_who_insists(ask: Ask, why: str) -> None:
    code, words = audit(ask, is_strict=False)
    assert (code, len(words.splitlines())) == (0, 1)
    assert words.startswith("The audit of dependencies was not made: ")
    assert why in words
    assert audit(ask, is_strict=True)[0] == 1


def test_what_is_judged_harmless_has_its_reason() -> None:
    assert all(len(why) > 20 for why in HARMLESS.values())


def test_the_checks_of_every_submission_include_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert makefile.count("-m tests.repository.advisories\n") == 1
    assert makefile.count("-m tests.repository.advisories --strict\n") == 1
    assert LOCK == ROOT / "requirements-bench.lock"
    assert callable(main)
