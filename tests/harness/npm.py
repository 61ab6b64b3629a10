"""Packages from npm, by exact version, installed once into the virtual environment; without npm their tests skip."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.servers.find import is_compulsory

_QUIET = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--save=false")


def from_npm(name: str, packages: Sequence[str], what_is_skipped: str) -> Path:
    """Return the folder of this name with the packages in its ``node_modules``; skip the test if they cannot be had.

    ``what_is_skipped`` is a sentence without its full stop. Under CI a package that npm could not bring is a failure.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip(f"node and npm are not installed; {what_is_skipped}")
    folder = Path(sys.prefix) / name
    listed = folder / "installed.json"
    if not listed.exists() or json.loads(listed.read_text()) != list(packages):
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        command = ["npm", "install", *_QUIET, *packages]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode and not is_compulsory():
            pytest.skip(f"npm could not install {', '.join(packages)}: {done.stderr.strip()[:200]}")
        assert done.returncode == 0, done.stderr
        listed.write_text(json.dumps(packages))
    return folder
