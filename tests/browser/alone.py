"""``python -m tests.browser.alone FOLDER PORT``: a gateway to which no service answers, and whose store has no tables.

It shows what people see where a service is away, and where something is broken.
"""

import eventlet

eventlet.monkey_patch()  # before any import that takes a lock or a socket

import dataclasses  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from chassis import settings  # noqa: E402
from chassis.runtime import service_runner  # noqa: E402
from operations import composition  # noqa: E402


def serve(folder: Path, port: int) -> None:
    """Run the gateway and nothing else, until it is ended."""
    chosen = settings.embedded(settings.home(), folder)
    url = f"http://127.0.0.1:{port}"
    chosen = dataclasses.replace(chosen, http_port=port, public_url=url)
    service_runner.run(chosen, composition.service_classes(["gateway"]))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
