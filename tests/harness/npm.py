"""Packages from npm, by exact version, installed once into the virtual environment; without npm their tests skip.

Under CI they fail instead.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from tests.servers.find import is_compulsory

_QUIET = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--save=false")


def from_npm(name: str, packages: Sequence[str], what_is_skipped: str) -> Path:
    """Return the folder of this name with the packages in its ``node_modules``; skip the test if they cannot be had.

    ``what_is_skipped`` is a sentence without its full stop. Under CI it fails instead, whatever could not be had.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        _go_without(f"node and npm are not installed; {what_is_skipped}")
    folder = Path(sys.prefix) / name
    listed = folder / "installed.json"
    if not listed.exists() or json.loads(listed.read_text()) != list(packages):
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        command = ["npm", "install", *_QUIET, *packages]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            _go_without(f"npm could not install {', '.join(packages)}: {done.stderr.strip()[:200]}")
        listed.write_text(json.dumps(packages))
    return folder


def _go_without(words: str) -> NoReturn:
    """Skip the test; fail it where nothing may be missing."""
    if is_compulsory():
        pytest.fail(words, pytrace=False)
    pytest.skip(words)
