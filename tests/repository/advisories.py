"""``python -m tests.repository.advisories``: whether a locked dependency has a known weakness, as ``make check`` asks.

pip-audit asks PyPI. Where nobody answers, one line says that the audit was not made, and why; with ``--strict``
(``make audit``, or CI_AUDIT=1) that is a failure too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[2] / "requirements-bench.lock"  #: which holds whatever the other locks hold
SECONDS = 60  #: the whole audit; it takes some ten the first time, and two from the cache
#: Advisories that do not reach us: id -> why. Each is looked at again when its package is upgraded.
HARMLESS: Mapping[str, str] = {}
Ask = Callable[[], subprocess.CompletedProcess[str]]


def ask() -> subprocess.CompletedProcess[str]:
    """Let pip-audit compare the lock with the advisories; nothing is installed or resolved.

    Raises:
        subprocess.TimeoutExpired: it took too long.
        OSError: it is not here.
    """
    command = [Path(sys.executable).with_name("pip-audit"), "--requirement", LOCK, "--no-deps", "--disable-pip"]
    options = ["--format", "json", "--progress-spinner", "off", "--timeout", "5"]
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=SECONDS, check=False)


def audit(ask: Ask, is_strict: bool) -> tuple[int, str]:
    """The exit code and what to say."""
    try:
        done = ask()
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return _not_made(f"no answer within {SECONDS} s", is_strict)
    except OSError:
        return _not_made("pip-audit is not installed", is_strict)
    except (ValueError, KeyError, TypeError):
        words = " ".join((done.stderr.strip().splitlines() or ["it says nothing"])[-1].split())
        return _not_made(words[:200], is_strict)
    unseen = [each["name"] for each in packages if "skip_reason" in each]
    if unseen:
        return _not_made(f"{len(unseen)} of {len(packages)} packages were skipped, {unseen[0]} first", is_strict)
    found = [
        f"{each['name']} {each['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions']) or 'none'}"
        for each in packages
        for weakness in each["vulns"]
        if weakness["id"] not in HARMLESS
    ]
    if found:
        return 1, "Known weaknesses in what is locked:\n  " + "\n  ".join(found)
    return 0, f"No known weakness in {len(packages)} locked packages"


def _not_made(why: str, is_strict: bool) -> tuple[int, str]:
    return int(is_strict), f"The audit of dependencies was not made: {why}. `make audit` insists on it"


def main(arguments: Sequence[str]) -> int:
    """Say it, and return the exit code."""
    code, words = audit(ask, "--strict" in arguments or os.environ.get("CI_AUDIT") == "1")
    print(words, file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
