"""Processes that end: killed at any moment, at a named point of their code, or told to stop while they work."""

import random
import re
import time
from collections.abc import Iterator

from chassis.settings import SERVICES
from tests.faults.chaos.registry import fault
from tests.faults.chaos.replica import Replica
from tests.faults.chaos.system import SENDERS, System
from tests.harness.waiting import until
from tests.servers import HOME

POINT_S = 20.0  #: so long a process may take to pass the point at which it is to end
#: Points that are passed whenever meetings are closed; others need something overdue or parked.
BUSY = ("rpc.", "relay.", "inbox.claimed", "inbox.before_commit", "inbox.committed", "consumer.", "mail.")

OF_THE_GATEWAY = ("rpc.asked", "rpc.replied")
REACTING = ["evaluation", "notifications"]


def points() -> list[str]:
    """The names of the points in the code that the driver's work passes."""
    sources = [*(HOME / "pratique").rglob("*.py"), *(HOME / "services").rglob("*.py")]
    named = {name for path in sources for name in re.findall(r'crashpoint\("([a-z_.]+)"\)', path.read_text())}
    return sorted(name for name in named if name.startswith(BUSY))


def let_start(system: System, chance: random.Random, *replicas: Replica) -> None:
    """Wait until these work again, or in one of four cases let the next fault come while they start."""
    if chance.random() < 0.75:
        system.wait_until_ready(*replicas)


@fault("a replica killed", is_telling=True)
def kill_a_replica(system: System, chance: random.Random) -> Iterator[str]:
    """Kill -9 of one process of any service, or of a gateway."""
    replica = chance.choice(system.replicas)
    if replica.service == "notifications":
        system.allow_copies(SENDERS)
    replica.kill()
    yield str(replica)
    let_start(system, chance, replica)


@fault("both replicas killed")
def kill_both(system: System, chance: random.Random) -> Iterator[str]:
    """A service is away for as long as it takes to start it again."""
    service = chance.choice(SERVICES)
    if service == "notifications":
        system.allow_copies(2 * SENDERS)
    for replica in system.of(service):
        replica.kill()
    yield service
    let_start(system, chance, *system.of(service))


@fault("ended at a named point", is_telling=True)
def end_at_a_point(system: System, chance: random.Random) -> Iterator[str]:
    """Between commit and publish, publish and mark, commit and acknowledge, the mail server's yes and its record."""
    point = chance.choice(points())
    services = {"mail": ["notifications"], "rpc": ["meetings"]}.get(point.partition(".")[0], REACTING)
    replica = chance.choice(system.of(*(["gateway"] if point in OF_THE_GATEWAY else services)))
    if replica.service == "notifications":
        system.allow_copies(2 * SENDERS)
    replica.restart(PRATIQUE_CRASH_AT=point)
    began = replica.starts
    yield f"{replica} at {point}"
    try:
        until(lambda: replica.starts > began, POINT_S, 0.1, point)
        system.points_passed[point] += 1
    except TimeoutError:  # the other replica does all the work: then it goes on without the point
        replica.restart()
    let_start(system, chance, replica)


@fault("SIGTERM under load", is_telling=True)
def terminate(system: System, chance: random.Random) -> Iterator[str]:
    """A process is told to stop: it ends by itself in time, with code 0, and cuts no answer short."""
    replica = chance.choice([*system.of("gateway"), chance.choice(system.replicas)])
    if not replica.is_running or not replica.is_ready():  # what has not started has no handler to drain with
        system.wait_until_ready(replica)
    stop(system, replica)
    yield str(replica)
    replica.start()
    let_start(system, chance, replica)


def stop(system: System, replica: Replica) -> None:
    """Tell it to stop, and complain of whatever that breaks."""
    began = time.monotonic()
    code, seconds = replica.terminate()
    system.drains.append(seconds)
    if code != 0:
        system.complaints.append(f"{replica} ended with {code} after SIGTERM, {seconds:.1f} s later")
    if replica.service == "gateway":
        with system.record.lock:
            cut = [words for at, port, words in system.record.cut if at >= began and port == replica.port]
        system.complaints += [f"{replica} cut an answer short while it drained: {words}" for words in cut]
