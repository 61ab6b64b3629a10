"""The whole network in one process on SQLite, as ``pratique up`` runs it, but without its sample.

``python -m tests.faults.hostile.serve FOLDER PORT`` writes FOLDER/token, then serves until SIGTERM. Its log is JSON
on standard output, as in earnest.
"""

import eventlet

eventlet.monkey_patch()  # before any import that takes a lock or a socket

import dataclasses  # noqa: E402
import sys  # noqa: E402
from ipaddress import ip_network  # noqa: E402
from pathlib import Path  # noqa: E402

from chassis import log, settings  # noqa: E402
from chassis.runtime import service_runner  # noqa: E402
from gateway.auth import create_token  # noqa: E402
from operations import composition  # noqa: E402
from tests.harness.runtimes import migrated_stores  # noqa: E402


def serve(folder: Path, port: int) -> None:
    """Make the stores and a token for everything, and run all services and the gateway."""
    chosen = dataclasses.replace(
        settings.embedded(settings.home(), folder),
        http_port=port,
        public_url=f"http://127.0.0.1:{port}",
        # so that a client can come from many addresses, and guessing is not what stops it
        trusted_proxies=(ip_network("127.0.0.0/8"),),
        log_format="json",
    )
    log.configure(chosen.log_format)
    with migrated_stores(chosen) as stores, stores["gateway"].begin() as session:
        (folder / "token").write_text(create_token(session, "hostile", ["*"]))
    service_runner.run(chosen, composition.service_classes([*settings.SERVICES, "gateway"]))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
