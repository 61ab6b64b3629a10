"""Named points at the boundaries of input and output, where a test may end the process.

``PRATIQUE_CRASH_AT=inbox.committed`` ends the process, as kill -9 would, the first time it passes there. Unset, as
it always is outside of tests, a point costs one comparison. docs/reliability.md says what happens at each.
"""

import os
import signal

at = os.environ.get("PRATIQUE_CRASH_AT")  #: the point at which this process ends


def crashpoint(name: str) -> None:
    """End the process here if this is the point; otherwise nothing."""
    if at is not None and name == at:
        os.kill(os.getpid(), signal.SIGKILL)
