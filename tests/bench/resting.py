"""What a process of ours holds and uses when nothing happens, and after much has happened."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from chassis import settings
from chassis.runtime import topology
from operations import composition
from tests.bench.closings import closings
from tests.bench.environment import Environment, publish, query
from tests.bench.latency import ready
from tests.bench.measure import Stuck
from tests.bench.side import OURS, Side, running
from tests.servers.process import free_port

ALL = (*settings.SERVICES, "gateway")
SETTLE_S = 5  #: after its start a process is at rest
#: Each closing is one event taken and two that follow, written, sent and confirmed.
EVENTS_OF_A_CLOSING = 3
DONE = "select (select count(*) from survey) - (select count(*) from outbox)"


def memory_mb(side: Side) -> float:
    """Resident memory, as the kernel counts it."""
    status = Path(f"/proc/{side.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def cpu_s(side: Side) -> float:
    """Seconds of processor time that it has used, in user and in kernel mode."""
    fields = Path(f"/proc/{side.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def everything(environment: Environment) -> Iterator[Mapping[str, Side]]:
    """All services and the gateway, a process each, ready."""
    fresh = environment.empty()
    environ, ports = fresh.environ() | {"PRATIQUE_HTTP_PORT": str(free_port())}, []
    with ExitStack() as processes:
        sides = {}
        for name in ALL:
            ports.append(int(environ["PRATIQUE_HTTP_PORT"]) if name == "gateway" else free_port())
            health = {} if name == "gateway" else {"PRATIQUE_HEALTH_PORT": str(ports[-1])}
            sides[name] = processes.enter_context(running((*OURS, name), environ | health))
        ready(ports)
        time.sleep(SETTLE_S)
        yield sides


def idle(environment: Environment, seconds: float) -> tuple[Sequence[float], Sequence[float]]:
    """Of each process: megabytes at rest, and per cent of a core that it uses while nothing happens."""
    with everything(environment) as sides:
        before = [cpu_s(side) for side in sides.values()]
        time.sleep(seconds)
        used = [cpu_s(side) - was for side, was in zip(sides.values(), before, strict=True)]
        return [memory_mb(side) for side in sides.values()], [each / seconds * 100 for each in used]


def after(environment: Environment, events: int, steps: int) -> list[float]:
    """Megabytes of evaluation after each of so many equal parts of all events."""
    fresh = environment.empty()
    topology.declare(settings.load(fresh.environ()), composition.service_classes(settings.SERVICES))
    part = events // EVENTS_OF_A_CLOSING // steps
    url, held = fresh.store_urls["evaluation"], []
    with running((*OURS, "evaluation"), fresh.environ()) as side, query(url) as cursor:
        for step in range(1, steps + 1):
            made = closings(part, datetime.now(UTC), seed=step, people=1000)
            publish(fresh.broker_url, "evaluation", [envelope.to_bytes() for envelope in made])
            deadline = time.monotonic() + 300
            while True:
                cursor.execute(DONE)
                if cursor.fetchone()[0] == part * step:
                    break
                if not side.is_alive() or time.monotonic() > deadline:
                    raise Stuck(f"part {step} of {steps} was not handled")
                time.sleep(0.1)
            held.append(memory_mb(side))
    return held
