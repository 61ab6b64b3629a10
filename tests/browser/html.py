"""HTML as html-validate reads it: in one process of Playwright's node, page after page."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import playwright

from tests.harness.npm import from_npm

PACKAGES = ("html-validate@11.21.1",)
#: The one that comes with Playwright: html-validate wants a newer one than Debian has.
NODE = Path(playwright.__file__).parent / "driver" / "node"
SCRIPT = Path(__file__).with_name("validate.mjs")


class Validator:
    """A running html-validate."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def faults(self, source: str) -> list[str]:
        """Return what is wrong with a page, each with its line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(source) + "\n")
        self._process.stdin.flush()
        return cast(list[str], json.loads(self._process.stdout.readline()))


@contextmanager
def validator(folder: Path) -> Iterator[Validator]:
    """An html-validate for the length of a ``with`` block, in a folder where it finds its packages."""
    packages = from_npm("npm-html", PACKAGES, "no page was read by html-validate")
    (folder / "node_modules").symlink_to(packages / "node_modules")
    script = shutil.copy(SCRIPT, folder)
    command = [str(NODE), script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as node:
        try:
            yield Validator(node)
        finally:
            node.terminate()
