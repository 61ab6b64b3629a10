"""``python launch.py run meetings``: what ``pratique run meetings`` does, with a clock that moves from outside.

The file that ``FAULTS_CLOCK`` names holds by how many seconds the clock is off; it is read at start and at each
SIGWINCH, which a process that does not listen for it yet passes over. Works with the code of any version.
"""

import ctypes
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

_PDEATHSIG = 1


def follow_the_clock(path: Path) -> None:
    """Keep the clock of this process as far off as the file says."""
    from chassis import clock

    off = timedelta()

    def look(*_: object) -> None:
        nonlocal off
        set_to = timedelta(seconds=float(path.read_text() or 0))
        clock.move(set_to - off)
        off = set_to

    signal.signal(signal.SIGWINCH, look)
    look()


if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)  # nothing is left running when whoever started us is killed
    follow_the_clock(Path(os.environ["FAULTS_CLOCK"]))
    from operations import main

    main()
