"""``python -m tests.faults.model.broken``: does the model notice?

Each fault is made in a copy of the code, and run until the model objects.

A row says which file is changed, what stands there, and what is put in its place. The copy is thrown away. Before all,
a copy without any fault is run, to which the model must not object. An inbox that looks nothing up is not among the
faults: nothing follows from it that anyone could see, and ``points/test_what_is_heard_again_changes_nothing.py`` shows
why.
"""

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import click

from tests.repository.source import PACKAGES, ROOT, module_of

COPIED = (*PACKAGES, "tests")  #: all that is ours: the model stands on the harness, and that on the operators' program
STEPS = 100  #: of an example
FAULTLESS_EXAMPLES = 2  #: of the copy in which nothing was changed; enough to see that it runs
_FORK = get_context("fork")
#: What our code needs and takes long to import, once for all faults.
_LIBRARIES = (
    "hypothesis.stateful",
    "sqlalchemy.orm",
    "alembic.runtime.environment",
    "eventlet",
    "kombu",
    "amqp",
    "icalendar",
    "jinja2",
)


@dataclass(frozen=True)
class Fault:
    """A change by which the code is wrong."""

    name: str
    file: str
    before: str
    after: str

    def make(self, folder: Path) -> None:
        """Make it in a copy of the code.

        Raises:
            ValueError: its file is not among what is copied, or no longer says once what is to be changed.
        """
        path = folder / self.file
        if self.file.partition("/")[0] not in COPIED or not path.is_file():
            raise ValueError(f"{self.name}: {self.file} is not in the copy, which has {', '.join(COPIED)}")
        text = path.read_text(encoding="utf-8")
        if text.count(self.before) != 1:
            raise ValueError(f"{self.name}: {self.file} no longer says {self.before!r} once")
        path.write_text(text.replace(self.before, self.after), encoding="utf-8")


FAULTS = [
    Fault(
        "the relay clears what was not confirmed",
        "chassis/messaging/relay.py",
        "            self._publisher.publish(messages)\n",
        "            try:\n                self._publisher.publish(messages)\n"
        "            except NotConfirmed:\n                pass\n",
    ),
    Fault(
        "a failed batch is dropped",
        "chassis/messaging/inbox.py",
        "park(opened, envelope, raw[envelope.id], words_of(error))",
        "pass",
    ),
    Fault(
        "copies take what is older",
        "chassis/storage/bulk.py",
        "is_newer = table.c[conflict.newest] < statement.excluded[conflict.newest]",
        "is_newer = table.c[conflict.newest] != statement.excluded[conflict.newest]",
    ),
    Fault(
        "whoever was excused is asked",
        "pratique/events/meetings.py",
        "_THERE = frozenset({AttendanceState.ATTENDED,",
        "_THERE = frozenset({AttendanceState.EXCUSED, AttendanceState.ATTENDED,",
    ),
    Fault(
        "facilitators are asked",
        "services/evaluation/models/surveys.py",
        "return role is MeetingRole.PARTICIPANT and state.was_there",
        "return state.was_there",
    ),
    Fault(
        "whoever answered in the room is asked",
        "services/evaluation/reactions.py",
        "        if survey.id in secrets and markers[survey.id]:\n",
        "        if False:\n",
    ),
    Fault(
        "a closing that follows a correction forgets it",
        "services/evaluation/models/attendance.py",
        "Attendance.version > version)",
        "Attendance.version > version + 10**6)",
    ),
    Fault(
        "the reminder is not decided again",
        "services/evaluation/reactions.py",
        "    missing = _unanswered(transaction, survey, list_eligible(transaction, survey.meeting_id))\n"
        "    transaction.publish(survey.remind(",
        "    missing = list_eligible(transaction, survey.meeting_id)\n    transaction.publish(survey.remind(",
    ),
    Fault(
        "a revoked invitation is mailed",
        "services/notifications/decisions.py",
        "context.revoked_version >= message.source_version:",
        "False:",
    ),
    Fault(
        "a reminder follows the invitation at once",
        "services/notifications/decisions.py",
        "if other and other.state is State.SENT and (other.settled_at or now) > now - REMIND_NO_SOONER:",
        "if False:",
    ),
    Fault(
        "a mail whose sender died is lost",
        "services/notifications/delivery.py",
        "MAX_INTERRUPTIONS = 2",
        "MAX_INTERRUPTIONS = 1",
    ),
    Fault(
        "a mail whose sender died is sent again and again",
        "services/notifications/delivery.py",
        "MAX_INTERRUPTIONS = 2",
        "MAX_INTERRUPTIONS = 4",
    ),
    Fault(
        "the threshold is four",
        "services/evaluation/models/releases.py",
        "votes.genuine < thresholds.scores",
        "votes.genuine < thresholds.scores - 1",
    ),
    Fault(
        "answers of people who were not there count",
        "services/evaluation/reactions.py",
        "    return min(marked, answered)\n",
        "    return answered\n",
    ),
    Fault(
        "nobody is asked about a meeting that nobody closes",
        "services/evaluation/reactions.py",
        '    due.plan(transaction, "ask_anyway", survey.id, max(event.ends_at, event.wrap_up_at) + ASK_ANYWAY_AFTER)\n',
        "",
    ),
    Fault(
        "nothing is said of whoever turns out not to have been there",
        "services/evaluation/reactions.py",
        "        transaction.publish(survey.revoke(event.member_id))\n",
        "        pass\n",
    ),
    Fault(
        "the log keeps whom a closed survey asked",
        "services/evaluation/reactions.py",
        "    outbox.forget(transaction, ASKING, survey_id)\n",
        "",
    ),
    Fault(
        "notifications keeps whom a closed survey asked",
        "services/notifications/reactions/evaluation.py",
        "transaction.execute(delete(Message).where(Message.id.in_(asked.order_by(Message.id).with_for_update())))\n",
        "pass\n",
    ),
    Fault(
        "due work is done and not marked as done",
        "chassis/scheduling/due.py",
        'transaction.execute(update(DUE).where(mine).values(state="done", error=None))',
        "pass",
    ),
    Fault(
        "a ballot can be cast twice",
        "services/evaluation/commands.py",
        "    if transaction.scalar(select(exists().where(Sheet.survey_id == survey.id, Sheet.mark == mark))):\n",
        "    if False:\n",
    ),
    Fault(
        "two ballots of one person can be taken",
        "services/evaluation/commands.py",
        "    elif marker.ballot_mark != mark:\n",
        "    elif False:\n",
    ),
    Fault(
        "a ballot that was taken in vain is never given back",
        "services/evaluation/models/ballots.py",
        "    if open_ones and count_sheets",
        "    if False and count_sheets",
    ),
    Fault(
        "a ballot is given back though answers may have come of it",
        "services/evaluation/models/ballots.py",
        "    if open_ones and count_sheets(session, survey_id) == len(markers) - len(open_ones):",
        "    if open_ones:",
    ),
    Fault(
        "a ballot of the room lives for ever",
        "services/evaluation/models/tokens.py",
        "AFTER_CLOSING_FOR = timedelta(minutes=15)",
        "AFTER_CLOSING_FOR = timedelta(days=200)",
    ),
    Fault(
        "rows stand in the order in which they came",
        "services/evaluation/models/ballots.py",
        "    rows = [dict(each._mapping) for each in transaction.execute(some)]\n    gone",
        "    rows = []\n    gone",
    ),
    Fault(
        "secrets outlive their survey",
        "services/evaluation/models/ballots.py",
        " = (Sheet, Marker, SurveyKey)",
        " = (Sheet, Marker)",
    ),
    Fault(
        "a cancelled meeting is still announced",
        "services/notifications/decisions.py",
        "    template, end = context.message.template, context.end\n",
        "    template, end = context.message.template, None\n",
    ),
    Fault(
        "closing twice announces twice",
        "services/meetings/models/meetings.py",
        "        if self.closed_at is not None:\n            return []\n",
        "",
    ),
    Fault(
        "a correction has the version of the one before",
        "services/meetings/models/roll.py",
        "if is_closed or not marked:",
        "if not marked:",
    ),
]  # fmt: skip


@click.command()
@click.option("--only", multiple=True, help="Faults with these words in their name.")
@click.option("--examples", default=200, help="How many to run before giving up.")
@click.option("--seed", default=1, help="The first example follows from it.")
def main(only: tuple[str, ...], examples: int, seed: int) -> None:
    """Say for each fault after how many examples it was noticed, and by what; 1 if one was not."""
    for library in _LIBRARIES:
        import_module(library)
    faultless = _run_in_a_copy(None, FAULTLESS_EXAMPLES, seed)
    if faultless["error"]:
        sys.exit(f"without any fault the model objects:\n{faultless['error']}")
    missed = 0
    for fault in [each for each in FAULTS if not only or any(words in each.name for words in only)]:
        seen = _run_in_a_copy(fault, examples, seed)
        missed += not seen["error"]
        words = seen["error"].splitlines()[0][:120] if seen["error"] else "NOT NOTICED"
        print(f"{fault.name}: {seen['examples']} examples, {seen['steps']} steps: {words}", flush=True)
    sys.exit(1 if missed else 0)


def _run_in_a_copy(fault: Fault | None, examples: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        for package in COPIED:
            shutil.copytree(ROOT / package, Path(folder, package), ignore=shutil.ignore_patterns("__pycache__"))
        if fault:
            fault.make(Path(folder))
        mine, theirs = _FORK.Pipe(duplex=False)
        child = _FORK.Process(target=_run_there, args=(folder, fault, examples, seed, theirs))
        child.start()
        theirs.close()
        seen: dict[str, Any] = mine.recv()
        child.join()
        return seen


def _run_there(folder: str, fault: Fault | None, examples: int, seed: int, report: Connection) -> None:
    """In a process that has libraries, and none of our code but this."""
    os.chdir(folder)
    sys.path[:] = [folder, *(each for each in sys.path if Path(each or ".").resolve() not in (ROOT, Path(folder)))]
    for name in _ours():
        del sys.modules[name]
    run_batch = import_module("tests.faults.model.batches").run_batch
    seen = run_batch(seed, examples, STEPS, True)
    if fault and module_of(ROOT / fault.file) not in sys.modules:
        raise RuntimeError(f"{fault.name}: the model never imports {fault.file}")
    for name in _ours():
        path = getattr(sys.modules[name], "__file__", None)
        if path and not Path(path).is_relative_to(folder):
            raise RuntimeError(f"{name} is not the copy's, but {path}")
    report.send({key: seen[key] for key in ("error", "examples", "steps", "cpu_s")})


def _ours() -> list[str]:
    """Return the names of the modules imported so far that a copy replaces."""
    return [name for name in sys.modules if name.partition(".")[0] in COPIED]


if __name__ == "__main__":
    main()
