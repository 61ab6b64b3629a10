"""Importing opens nothing and asks for no setting; who may know nameko is few."""

import subprocess
import sys

import pytest

from tests.harness.waiting import PROGRAM_S
from tests.repository.source import ROOT, module_of, sources

#: Modules by package, each package after those it stands on: the layers of import-linter's contract, from the ground.
PACKAGES = [
    [module for path in sources(name) if not (module := module_of(path)).endswith("__main__")]
    for name in ("pratique", "chassis", "words", "services", "gateway", "demo", "operations")
]
HEAVY = {"sqlalchemy", "nameko", "eventlet", "psycopg2", "alembic", "werkzeug"}

#: Imports each module in a process of its own, forked from one that holds other people's libraries and the packages
#: below its own, which cannot import from above.
EACH_ALONE = """
import importlib, os, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import alembic, apispec, eventlet.wsgi, kombu, marshmallow, nameko.containers, nameko.runners, psycopg2, sqlalchemy.orm
failed = []
for package in sys.argv[2:]:
    for module in package.split(","):
        child = os.fork()
        if child == 0:
            try:
                importlib.import_module(module)
            except BaseException as error:
                print(f"{module}: {error!r}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            failed.append(module)
    if failed:
        sys.exit(1)
    for module in package.split(","):
        importlib.import_module(module)
"""
LOADED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
importlib.import_module(sys.argv[2])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing in its environment."""
    command = [sys.executable, "-c", program, str(ROOT), *arguments]
    return subprocess.run(command, env={}, cwd="/", capture_output=True, text=True, timeout=PROGRAM_S, check=False)


def test_every_module_is_imported_without_any_setting() -> None:
    assert all(PACKAGES)
    done = run(EACH_ALONE, *map(",".join, PACKAGES))

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("module", ["pratique.event", "pratique.events", "pratique.subscribe", "pratique.testing"])
def test_integrators_get_no_database_and_no_framework(module: str) -> None:
    done = run(LOADED, module)

    assert done.returncode == 0, done.stderr
    assert "marshmallow" in done.stdout.split()
    assert HEAVY & set(done.stdout.split()) == set()
