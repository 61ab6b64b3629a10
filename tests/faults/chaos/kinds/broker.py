"""The broker: killed, stopped, cut off, full, and robbed of a queue."""

import random
import signal
import time
from collections.abc import Iterator
from datetime import timedelta

from amqp.exceptions import NotFound

from chassis import clock
from tests.bench.environment import broker
from tests.faults.chaos.registry import fault
from tests.faults.chaos.system import System
from tests.harness.waiting import until


@fault("broker killed", is_telling=True)
def kill_broker(system: System, chance: random.Random) -> Iterator[str]:
    """Kill -9, and started again on the same disk."""
    began = time.monotonic()
    system.servers.broker.restart(signal.SIGKILL)
    yield f"kill -9, back after {time.monotonic() - began:.0f} s"


@fault("broker stopped and started")
def restart_broker(system: System, chance: random.Random) -> Iterator[str]:
    """As an upgrade of the broker would."""
    began = time.monotonic()
    system.servers.broker.restart(signal.SIGTERM)
    yield f"SIGTERM, back after {time.monotonic() - began:.0f} s"


@fault("broker hangs", lasts_s=(2, 8))
def pause_broker(system: System, chance: random.Random) -> Iterator[str]:
    """Connections stay open and nothing answers."""
    system.servers.broker.pause()
    yield "SIGSTOP"
    system.servers.broker.resume()


@fault("broker's connections closed")
def close_connections(system: System, chance: random.Random) -> Iterator[str]:
    """All of them, by an operator."""
    system.servers.rabbitmqctl("close_all_connections", "--vhost", system.fresh.vhost, "by an operator")
    yield "all of them"


@fault("memory alarm", lasts_s=(2, 8))
def alarm(system: System, chance: random.Random) -> Iterator[str]:
    """The broker blocks whoever publishes."""
    try:
        system.servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1MB")
        yield "publishers are blocked"
    finally:
        system.servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1GB")


@fault("queue deleted")
def delete_queue(system: System, chance: random.Random) -> Iterator[str]:
    """A queue is deleted under its consumers, with what waits in it.

    The service declares it anew by itself. What lay in it, or was published before that, is gone from the broker: that
    is not mended by itself, and the operator says ``pratique republish``.
    """
    queue = chance.choice(["evaluation", "notifications", "meetings"])
    since = clock.now() - timedelta(minutes=30)
    system.servers.rabbitmqctl("--vhost", system.fresh.vhost, "delete_queue", queue)
    yield queue
    until(lambda: _is_declared(system, queue), every_s=0.1, what=f"the queue {queue} to be declared anew")
    said = system.operator("republish", "--since", since.isoformat())
    system.repairs.append(f"pratique republish after the queue {queue} was deleted: {' '.join(said.split())}")


def _is_declared(system: System, queue: str) -> bool:
    with broker(system.fresh.broker_url) as connection:
        try:
            return int(connection.channel().queue_declare(queue, passive=True).consumer_count) > 0
        except NotFound:
            return False
