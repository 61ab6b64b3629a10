"""A process that serves is green from its first line, and says nothing about it."""

import os
import subprocess
import sys

from tests.servers import HOME


def test_becoming_green_says_nothing_on_any_python() -> None:
    program = "from chassis import green; green.patch(); green.patch()"
    environ = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}  # eventlet asks it
    done = subprocess.run([sys.executable, "-c", program], cwd=HOME, env=environ, capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
