"""`pratique` as it is installed: from a wheel, as integrators have it, and from a checkout, as operators have it."""

import shutil
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.harness.waiting import PROGRAM_S

ROOT = Path(__file__).parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


def run(*command: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing in its environment; it must end with this code."""
    done = subprocess.run(
        [str(each) for each in command], env={}, capture_output=True, text=True, timeout=PROGRAM_S, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment in which `pip install .` was said, without what integrators get from elsewhere."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    ours = [path for path in ROOT.iterdir() if not path.name.startswith(".") and path.name not in ("var", "tests")]
    for path in ours:
        if path.is_dir():
            shutil.copytree(path, source / path.name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(path, source)
    run(*PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    venv.create(folder / "venv", symlinks=True)
    (wheel,) = folder.glob("pratique-*.whl")
    run(*PIP, "--python", folder / "venv/bin/python", "install", "--quiet", "--no-deps", "--no-index", wheel)
    return folder / "venv"


def test_pip_install_brings_the_public_contract_and_nothing_else(installed: Path) -> None:
    (packages,) = installed.glob("lib/python*/site-packages")
    names = {path.name.partition("-")[0] for path in packages.iterdir()} - {"pip", "setuptools", "_distutils_hack"}
    assert names == {"pratique"}
    assert (packages / "pratique" / "py.typed").exists()
    assert (packages / "pratique" / "events" / "meetings.py").exists()


def test_the_command_of_an_integrator_s_install_is_a_sentence(installed: Path) -> None:
    done = run(installed / "bin/pratique", "--help", code=1)
    assert done.stderr.startswith("This is what integrators install: ")
    assert "`make run`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_checkout_whose_dependencies_are_missing_is_a_sentence_that_names_the_first(installed: Path) -> None:
    words = "import sys; sys.path.append(sys.argv[1]); from pratique.__main__ import main; main()"
    done = run(installed / "bin/python", "-c", words, ROOT, code=1)
    assert done.stderr == "The command line needs click, which is not installed; say `pip install -e '.[service]'`.\n"


def test_the_command_of_a_checkout_says_its_help_and_no_warning() -> None:
    done = run(sys.executable, "-m", "pratique", "--help")
    assert done.stdout.startswith("Usage: pratique ")
    assert done.stderr == ""


def test_the_command_is_found_by_its_entry_point() -> None:
    (found,) = distribution("pratique").entry_points.select(group="pratique.command")
    assert (found.name, found.value) == ("main", "operations:main")
