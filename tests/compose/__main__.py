"""``make compose``: docker-compose.yml and docs/operate.md, tried in a container engine.

Exit code 0: all is as the page says. 1: something is not. 2: there is no engine, and none could be made.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.compose import engine, trial
from tests.compose.rootfs import Impossible

HOME = Path(__file__).parents[2]


def main() -> int:
    """Run all steps, or those whose names contain a word; the exit code."""
    parser = argparse.ArgumentParser(prog="make compose", description=__doc__)
    parser.add_argument(
        "--engine",
        type=Path,
        default=Path("/var/tmp/pratique-engine"),
        help="where an engine of our own is kept; 4 GB",
    )
    parser.add_argument(
        "--only", default="", help="beside the start and the main job, only steps whose names contain this"
    )
    given = parser.parse_args()
    given.engine.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="checkout-", dir=given.engine) as folder:
        checkout = Path(folder)
        _copy(checkout)
        try:
            with engine.engine(given.engine, checkout) as found:
                return _try(trial.Trial(found), given.only)
        except Impossible as error:
            print(error, file=sys.stderr)
            return 2


def _copy(checkout: Path) -> None:
    """Copy what is tracked, or would be: the trial makes secrets and backups beside it."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=HOME, capture_output=True, check=True).stdout.decode().split("\0")
    for name in names:
        if name and (HOME / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HOME / name, checkout / name)


def _try(tried: trial.Trial, only: str) -> int:
    failed = 0
    for name, step in trial.steps(tried):
        if only and only not in name and name not in trial.ALWAYS:
            continue
        begun = time.monotonic()
        try:
            step()
        except Exception as error:  # noqa: BLE001  (told, and the rest is taken down)
            failed += 1
            words = str(error) if isinstance(error, AssertionError) and str(error) else traceback.format_exc()
            print(f"FAILED  {name}\n{words}", flush=True)
            if name == trial.FIRST:
                print(tried.engine.run("docker compose logs --tail 40").stdout)
                tried.end()
                break
        else:
            print(f"ok      {name} ({time.monotonic() - begun:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
