"""``python -m tests.servers``: start both until Ctrl-C; ``--install``: make sure that the tests can start them."""

import sys
import time

from tests import servers
from tests.servers import install


def ensure() -> int:
    """Install what is missing if that is possible; otherwise say in one line what is skipped. The exit code."""
    if not servers.missing():
        return 0
    obstacle = install.why_not()
    if not obstacle and not install.install():
        obstacle = "apt-get failed"
    words = servers.why_skipped()
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
    sys.exit(ensure() if "--install" in sys.argv[1:] else hold())
