"""Named points at the boundaries of input and output, where a test may end the process.

``PRATIQUE_CRASH_AT=inbox.committed`` ends the process, as kill -9 would, the first time it passes there. Unset, as
it always is outside of tests, a point costs one comparison.
"""

import os
import signal

_crash_at = os.environ.get("PRATIQUE_CRASH_AT")


def crashpoint(name: str) -> None:
    """End the process here if the environment names this point; otherwise nothing."""
    if _crash_at is not None and name == _crash_at:
        os.kill(os.getpid(), signal.SIGKILL)
