"""Deliberate faults can still be made, and one of them is noticed; all of them are run by hand."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.model.broken import COPIED, FAULTS, Fault
from tests.repository.source import ROOT


def copied(file: str, folder: Path) -> Path:
    """A copy of one file of ours, where a copy of all would have it."""
    path = folder / file
    path.parent.mkdir(parents=True)
    path.write_text((ROOT / file).read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_a_fault_changes_stands_there_once(fault: Fault, tmp_path: Path) -> None:
    path = copied(fault.file, tmp_path)

    fault.make(tmp_path)

    assert ast.dump(ast.parse(path.read_text(encoding="utf-8"))) != ast.dump(ast.parse((ROOT / fault.file).read_text()))


def test_a_fault_outside_of_what_is_copied_is_refused(tmp_path: Path) -> None:
    copied("docs/reliability.md", tmp_path)
    for file in ("docs/reliability.md", "pratique/no_such_module.py"):
        with pytest.raises(ValueError, match="is not in the copy"):
            Fault("elsewhere", file, "crash", "crush").make(tmp_path)


def test_all_that_is_ours_is_copied() -> None:
    assert {path.parent.name for path in ROOT.glob("[a-z]*/*.py")} == set(COPIED)


def test_a_fault_is_noticed_and_a_copy_without_one_is_not() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.faults.model.broken", "--only", "secrets outlive"]
    done = subprocess.run([*command, "--examples", "50"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "a closed survey keeps traces" in done.stdout
