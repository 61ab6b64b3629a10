"""``python -m tests``: the whole suite in five parts side by side, each a pytest of its own with its own servers.

Options are pytest's and go to all. The exit code is 0 only if all passed.
"""

import subprocess
import sys
from threading import Thread

#: About as long as each other, but for the browser's, which needs a pytest of its own and ends first. More than there
#: are cores: each waits at times, for a process to start, a fault to pass or a page to be drawn.
PARTS = {
    "journeys": ["tests/journeys", "tests/repository"],
    "faults": ["tests/faults"],
    "browser": ["tests/browser"],
    "chassis": ["tests/chassis", "tests/bench"],
}
PARTS["the rest"] = ["tests", *(f"--ignore={folder}" for folders in PARTS.values() for folder in folders)]


def _run(part: str, options: list[str]) -> int:
    """One part, each line of it under its name; its exit code."""
    command = [sys.executable, "-m", "pytest", *PARTS[part], *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pytest:
        assert pytest.stdout is not None
        for line in pytest.stdout:
            print(f"{part}: {line}", end="", flush=True)
    return pytest.returncode


def main(options: list[str]) -> int:
    """All parts; 0 only if all passed."""
    codes: list[int] = []
    threads = [Thread(target=lambda part=part: codes.append(_run(part, options))) for part in PARTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0 if codes == [0] * len(PARTS) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
