"""One process with all services on the embedded bus; prints how many milliseconds each reaction took."""

from chassis import green
from chassis.storage.store import open_store
from operations import composition

green.patch()

import os  # noqa: E402  (green threads come first, as in every process that serves)
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import eventlet  # noqa: E402
from eventlet.event import Event as Signal  # noqa: E402

from chassis import settings  # noqa: E402
from chassis.runtime import service_runner  # noqa: E402
from chassis.runtime.container import ServiceRuntime  # noqa: E402
from chassis.storage import migrate  # noqa: E402
from tests.bench.closings import closings  # noqa: E402
from tests.bench.side import HOME  # noqa: E402


def main(data: Path) -> None:
    """Publish closings one by one, each when the one before was reacted to and a moment has passed."""
    chosen = settings.embedded(HOME, data)
    for name in settings.SERVICES:
        opened = open_store(chosen, name)
        migrate.migrate(opened, composition.migrations_of(name))
        opened.close()
    reacted: dict[object, Signal] = {}

    def observe(what: str, name: str, envelopes: Sequence[Any]) -> None:
        if (what, name) == ("reacted", "evaluation"):
            for envelope in envelopes:
                reacted[envelope.event.subject].send(time.perf_counter())

    made = service_runner.make_runner(chosen, composition.service_classes(settings.SERVICES), observe)
    made.start()
    meetings = next(each for each in service_runner.containers(made) if each.service_name == "meetings")
    opened = next(each.store for each in meetings.extensions if isinstance(each, ServiceRuntime))
    eventlet.sleep(1)
    for envelope in closings(int(os.environ["BENCH_COUNT"]), datetime.now(UTC)):
        reacted[envelope.event.subject] = Signal()
        with opened.begin() as session:
            session.publish(envelope.event)
        committed_at = time.perf_counter()
        with eventlet.Timeout(10):
            print((reacted[envelope.event.subject].wait() - committed_at) * 1000, flush=True)
        eventlet.sleep(0.2)
    made.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        main(Path(folder))
