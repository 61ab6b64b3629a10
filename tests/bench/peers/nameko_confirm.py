"""The peer for the relay: nameko's own Publisher as it comes, which waits for a confirm after each message.

Reads bodies from BENCH_BODIES (one to a line) and prints how many it published per second. It has them in memory and
deletes nothing, which our relay must do in its store besides.
"""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402  (after monkey_patch, as in every nameko process)
import time  # noqa: E402
from pathlib import Path  # noqa: E402

from nameko.amqp.publish import Publisher  # noqa: E402

from pratique.event import CONTENT_TYPE  # noqa: E402
from tests.bench.closings import EXCHANGE, ROUTING_KEY  # noqa: E402


def main() -> None:
    """Publish them all, each confirmed before the next."""
    bodies = Path(os.environ["BENCH_BODIES"]).read_bytes().splitlines()
    publisher = Publisher(os.environ["BENCH_BROKER_URL"])
    as_it_is = {"content_type": CONTENT_TYPE, "content_encoding": "utf-8"}  # bytes already: nothing to serialize
    publisher.publish(bodies[0], exchange=EXCHANGE, routing_key=ROUTING_KEY, **as_it_is)  # connects
    started = time.perf_counter()
    for body in bodies[1:]:
        publisher.publish(body, exchange=EXCHANGE, routing_key=ROUTING_KEY, **as_it_is)
    print((len(bodies) - 1) / (time.perf_counter() - started), flush=True)


if __name__ == "__main__":
    main()
