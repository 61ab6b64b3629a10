"""One seed: start everything, close meetings, break things by the schedule, mend, come to rest, compare."""

import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.chaos import late_deliveries, oracle
from tests.faults.chaos.driver import Api
from tests.faults.chaos.quiescence import NotQuiescent, settle
from tests.faults.chaos.record import make_meetings
from tests.faults.chaos.registry import CannotBe, Fault, schedule
from tests.faults.chaos.system import System, built
from tests.harness.waiting import PROGRAM_S, until
from tests.servers import Servers

CIRCLES, MEMBERS = 6, 5
BETWEEN = (5, 25)  #: closings between two faults, at least
PATIENCE_S = 30.0  #: and no longer than this without any
Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What became of one seed."""

    seed: int
    verdict: oracle.Verdict = field(default_factory=oracle.Verdict)
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    cannot: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    restarts: int = 0
    seconds: float = 0.0
    rest_s: float = 0.0
    has_week: bool = True  #: whether the week after it is run, too
    week_s: float = 0.0  #: that it took
    logs: Path | None = None


def run_seed(
    servers: Servers, seed: int, closings: int, rate: float, faults: Sequence[Fault], tell: Tell, has_week: bool = True
) -> Outcome:
    """Live through one seed and judge it, and the week after it; the logs of a seed that failed are kept."""
    outcome, began = Outcome(seed, has_week=has_week), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"pratique-faults-{seed}-"))
    folder.chmod(0o755)
    with built(servers, folder, rate, seed) as system:
        with system.running():
            tell(f"seed {seed}: {len(system.replicas)} processes are ready after {time.monotonic() - began:.0f} s")
            _live(system, outcome, closings, faults, tell)
        outcome.restarts, outcome.remarks = system.supervisor.restarts, [*_remarks(system), *system.repairs]
    outcome.seconds, outcome.logs = time.monotonic() - began, folder
    if not outcome.verdict.failures:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        folder.rmdir()
    return outcome


def _live(system: System, outcome: Outcome, closings: int, faults: Sequence[Fault], tell: Tell) -> None:
    chance = random.Random(outcome.seed)
    circles = system.driver.found(CIRCLES, MEMBERS, outcome.seed)
    meetings = list(make_meetings(chance, circles, closings))
    system.servers.broker.write_down_queues()
    began = time.monotonic()
    system.driver.start(meetings)
    try:
        _inflict(system, outcome, faults, random.Random(outcome.seed), tell)
        until(lambda: system.driver.is_done, 2 * PROGRAM_S, 0.2, "the driver")
        closed, seconds = len(system.record.acknowledged), time.monotonic() - began
        tell(f"seed {outcome.seed}: {closed} closed in {seconds:.0f} s; now it comes to rest")
        system.wait_until_ready()
        outcome.rest_s = settle(system)
        for mend in system.when_at_rest:
            mend()
        if system.when_at_rest:
            settle(system)
    except (TimeoutError, NotQuiescent, RuntimeError, subprocess.TimeoutExpired) as error:
        outcome.verdict.failures.append(str(error)[-1500:])
        tell(f"seed {outcome.seed}: {type(error).__name__}: {str(error)[-1500:]}")  # what follows may fail for it
        system.driver.stop()
    ports = [each.port for each in system.of("gateway")]
    api = Api(ports, system.token, system.record, random.Random(0))
    verdict = oracle.judge(system, api)
    verdict.failures = [*outcome.verdict.failures, *system.driver.failures, *verdict.failures]
    outcome.verdict, outcome.answers = verdict, system.record.answers
    if outcome.has_week and not verdict.failures:  # what was wrong before would be told again in other words
        began = time.monotonic()
        verdict.failures += late_deliveries.run_week(system, api, outcome.seed)
        outcome.week_s = time.monotonic() - began


def _wait_for_work(system: System, count: int) -> None:
    """Let so many meetings be closed first: on a slow machine faults alone would be all that happens."""
    enough, end = len(system.record.acknowledged) + count, time.monotonic() + PATIENCE_S
    while len(system.record.acknowledged) < enough and time.monotonic() < end and not system.driver.is_done:
        time.sleep(0.1)


def _remarks(system: System) -> list[str]:
    remarks = list(system.remarks)
    if system.points_passed:
        remarks.append(f"ended at {', '.join(f'{name} ({n})' for name, n in sorted(system.points_passed.items()))}")
    if system.drains:
        remarks.append(f"{len(system.drains)} stopped by SIGTERM, the slowest in {max(system.drains):.1f} s")
    return remarks


def _inflict(system: System, outcome: Outcome, faults: Sequence[Fault], chance: random.Random, tell: Tell) -> None:
    """One fault after the other, until every meeting is closed."""
    began = time.monotonic()
    for fault, before_s, lasts_s in schedule(list(faults), chance) if faults else ():
        time.sleep(before_s)
        _wait_for_work(system, chance.randint(*BETWEEN))
        if system.driver.is_done:
            return
        try:
            with fault.inflict(system, chance) as words:
                closed = len(system.record.acknowledged)
                tell(
                    f"seed {outcome.seed}: {time.monotonic() - began:4.0f} s, {closed:5d} closed: {fault.name}: {words}"
                )
                time.sleep(lasts_s)
        except CannotBe as error:
            outcome.cannot[fault.name] = str(error)
            continue
        outcome.faults[fault.name] += 1
