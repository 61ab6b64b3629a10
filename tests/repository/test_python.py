"""``make`` says which versions of Python it takes, refuses older ones, and warns of newer ones."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.repository.source import ROOT

SUPPORTED = [(3, 11), (3, 12), (3, 13), (3, 14)]


def make(folder: Path, version: tuple[int, int]) -> subprocess.CompletedProcess[str]:
    """Make a virtual environment, ``python3`` being one that takes itself for this version, and makes none."""
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.version_info = ({version[0]}, {version[1]}, 0)\n")
    python = folder / "python3"
    python.write_text(
        "#!/bin/sh\n"
        f'case "$1" in -m) mkdir -p "$3" ;; --version) echo Python {version[0]}.{version[1]}.0 ;;\n'
        f'*) PYTHONPATH={folder} exec {sys.executable} "$@" ;; esac\n'
    )
    python.chmod(0o755)
    command = ["make", "--no-print-directory", f"PYTHON={python}", f"VENV={folder / 'venv'}", f"{folder}/venv/python"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", SUPPORTED, ids=str)
def test_a_supported_python_is_taken_without_a_word(tmp_path: Path, version: tuple[int, int]) -> None:
    done = make(tmp_path, version)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Making a virtual environment")
    assert (tmp_path / "venv/python").exists()


def test_a_newer_python_is_taken_with_a_warning(tmp_path: Path) -> None:
    done = make(tmp_path, (3, 15))

    assert done.returncode == 0
    assert "is Python 3.15.0: Pratique is tested on Python 3.11 to 3.14, and may not work on a newer one" in done.stdout
    assert (tmp_path / "venv/python").exists()


def test_an_older_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = make(tmp_path, (3, 10))

    assert done.returncode == 2
    assert "Pratique needs Python 3.11 to 3.14" in done.stdout
    assert not (tmp_path / "venv").exists()


def test_pip_takes_what_make_takes_and_the_pages_say_so() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    words = "Python 3.11, 3.12, 3.13 or 3.14"

    assert project["requires-python"] == ">=3.11"
    classifiers = [f"Programming Language :: Python :: {major}.{minor}" for major, minor in SUPPORTED]
    assert project["classifiers"] == classifiers
    for page in "README.md", "docs/start.md":
        assert words in (ROOT / page).read_text(encoding="utf-8"), page
