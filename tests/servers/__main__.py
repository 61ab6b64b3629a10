"""``python -m tests.servers``: start both until Ctrl-C; ``--install``: make sure that the tests can start them.

``--install-browser`` sees to Chromium in the same way.
"""

import sys
import time
from collections.abc import Callable, Sequence

from tests import servers
from tests.servers import install
from tests.servers.find import why_no_browser


def ensure() -> int:
    """Install the servers if they are missing and that is possible; otherwise say what is skipped. The exit code."""
    return _ensure(servers.why_skipped, install.SERVERS, "RabbitMQ and PostgreSQL")


def ensure_browser() -> int:
    """Install Chromium in the same way. The exit code."""
    return _ensure(why_no_browser, install.BROWSER, "Chromium")


def _ensure(why_skipped: Callable[[], str], packages: Sequence[str], what: str) -> int:
    if not why_skipped():
        return 0
    obstacle = install.why_not()
    if not obstacle and not install.install(packages, what):
        obstacle = "apt-get failed"
    words = why_skipped()
    if not words:
        return 0
    print(f"{words}; it was not installed now because {obstacle}." if obstacle else f"{words}.", flush=True)
    return 1 if servers.is_compulsory() else 0


def hold() -> int:
    """Start both, say how to reach them, and keep them until Ctrl-C; for working on Pratique by hand."""
    with servers.started() as running:
        for name, value in running.fresh().environ().items():
            print(f"export {name}={value}", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    verbs = {"--install": ensure, "--install-browser": ensure_browser}
    sys.exit(max(verbs[each]() for each in sys.argv[1:]) if sys.argv[1:] else hold())
