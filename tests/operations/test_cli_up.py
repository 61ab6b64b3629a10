"""`pratique up` as somebody meets it who tries it: in the way of another, interrupted, started again."""

import contextlib
import fcntl
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import weakref
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import demo as sample
from chassis import settings
from chassis.messaging import outbox
from chassis.settings import Settings
from chassis.storage.store import open_store
from demo.network import Network
from operations import composition, up
from pratique.errors import Conflict
from pratique.requests.membership import PutCommunity
from tests.harness.migrations import migrate_all
from tests.harness.waiting import PATIENCE_S, PROGRAM_S
from tests.servers.process import free_port

CLASSES = composition.service_classes(settings.SERVICES)
HOME = Path(__file__).parents[2]
UP = [sys.executable, "-c", "from operations import main; main()", "--data"]
INTERRUPTED = "Stopped. A sample that was not yet whole is loaded anew at the next start."


class Trial:
    """A folder, a port, and whatever is started there."""

    def __init__(self, folder: Path) -> None:
        self.settings = settings.embedded(HOME, folder / "var")
        self.port = free_port()
        self.started: list[subprocess.Popen[str]] = []
        self._log = folder / "log"

    def start(self) -> subprocess.Popen[str]:
        """Start it as `make run` does."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PRATIQUE_")}
        env = inherited | {"PRATIQUE_HTTP_PORT": str(self.port), "PRATIQUE_HOME": str(HOME), "PYTHONPATH": str(HOME)}
        with self._log.open("w") as log:
            command = [*UP, str(self.settings.data_dir), "up"]
            started = subprocess.Popen(command, env=env, cwd=HOME, text=True, stdout=log, stderr=log)
        self.started.append(started)
        return started

    def said(self) -> str:
        """What it has said, warnings of libraries at its start left out."""
        return self._log.read_text().rpartition("import eventlet\n")[2]

    def until(self, is_so: Callable[[], object]) -> None:
        """Wait for it while the process lives."""
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            assert self.started[-1].poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.05)


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    """An empty folder and a free port."""
    made = Trial(tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.wait(30)


def _interrupt(done: int, total: int) -> None:
    if done == 2:
        raise KeyboardInterrupt


def test_a_port_that_is_taken_is_one_sentence_that_names_the_setting(trial: Trial) -> None:
    with socket.create_server(("127.0.0.1", trial.port)):
        assert trial.start().wait(PROGRAM_S) == 1
    assert re.fullmatch(rf"Port {trial.port} .* another program listens there.*PRATIQUE_HTTP_PORT.*\n", trial.said())
    assert not list(trial.settings.data_dir.glob("*.sqlite"))


def test_a_port_that_cannot_be_is_one_sentence(trial: Trial) -> None:
    trial.port = 70000
    assert trial.start().wait(PROGRAM_S) == 2
    assert re.fullmatch(r"PRATIQUE_HTTP_PORT is '70000'; it must be a whole number from 1 to 65535.*\n", trial.said())


def test_the_command_that_it_names_looks_after_it_at_its_port_and_in_its_folder(trial: Trial) -> None:
    """Typed as it is told, in another terminal, where PRATIQUE_HTTP_PORT is not set."""
    found_first_community(trial)
    trial.start()
    trial.until(lambda: "Ctrl-C stops it" in trial.said())
    (told,) = re.findall(r"Look after it with: +\S*pratique (.*)", trial.said())
    env = {name: value for name, value in os.environ.items() if not name.startswith("PRATIQUE_")}
    command = [*UP[:-1], *shlex.split(told), "--json"]
    done = subprocess.run(command, env=env, cwd=HOME, capture_output=True, text=True, timeout=PROGRAM_S, check=False)
    words = {finding["subject"]: finding["words"] for finding in json.loads(done.stdout)["findings"]}
    assert words["gateway"] == f"ready at http://127.0.0.1:{trial.port}"
    assert str(trial.settings.mail_dir) in words["mail"]


def _open_to_others(folder: Path) -> list[Path]:
    """Which files and folders others may read; one that goes while it works, as a journal does, is passed over."""
    found = []
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            found += [path] if path.stat().st_mode & 0o077 else []
    return found


def test_whatever_it_leaves_is_closed_to_others_also_where_it_was_open_before(trial: Trial) -> None:
    folder = trial.settings.data_dir
    old = folder / "mail" / "cur" / "old.eml"
    old.parent.mkdir(parents=True)
    old.write_text("To: someone@example.org")
    (folder / "token").write_text("prt_old_one")
    for path in (folder, folder / "mail", old.parent, old, folder / "token"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    trial.start()
    trial.until((folder / "gateway.sqlite").exists)
    assert _open_to_others(folder) == []
    said = r"Others on this machine could read 5 files and folders in .*/; now they cannot\.\n"
    assert re.search(said, trial.said())


def test_a_folder_that_holds_other_things_is_left_to_who_made_it(trial: Trial) -> None:
    folder = trial.settings.data_dir
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "letters.txt").write_text("not ours")
    (folder / "letters.txt").chmod(0o644)
    trial.start()
    trial.until((folder / "gateway.sqlite").exists)
    assert _open_to_others(folder) == [folder, folder / "letters.txt"]


def test_a_second_one_in_the_same_folder_is_refused(trial: Trial) -> None:
    folder = trial.settings.data_dir
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert trial.start().wait(PROGRAM_S) == 1
    assert re.fullmatch(r"Another `pratique up` works in .*--data FOLDER up\n", trial.said())


def test_ctrl_c_while_the_sample_is_loaded_ends_with_a_sentence_and_no_error(trial: Trial) -> None:
    started = trial.start()
    trial.until((trial.settings.data_dir / "sample.unfinished").exists)
    started.send_signal(signal.SIGINT)
    assert started.wait(PROGRAM_S) == 0
    assert trial.said().splitlines()[-1] == INTERRUPTED


def test_half_a_sample_is_never_taken_for_a_whole_one(trial: Trial) -> None:
    chosen = trial.settings
    migrate_all(chosen)
    with pytest.raises(KeyboardInterrupt):
        sample.load(chosen, CLASSES, _interrupt)
    assert sample.is_loaded(chosen, CLASSES)  # its first community is there, and not much else

    sample.discard_unfinished(chosen)

    migrate_all(chosen)
    assert not sample.is_loaded(chosen, CLASSES)
    with pytest.raises(KeyboardInterrupt):
        sample.load(chosen, CLASSES, _interrupt)  # and no Conflict: it begins anew


def test_what_is_whole_is_kept(trial: Trial) -> None:
    chosen = found_first_community(trial)
    sample.discard_unfinished(chosen)
    assert sample.is_loaded(chosen, CLASSES)


def test_a_sample_is_known_when_its_events_have_served_their_time(trial: Trial) -> None:
    chosen = found_first_community(trial)
    opened = open_store(chosen, "membership")
    with opened.begin() as session:
        assert outbox.prune(session, timedelta(days=-1)) > 0
    opened.close()

    assert sample.is_loaded(chosen, CLASSES)
    with pytest.raises(Conflict):
        sample.load(chosen, CLASSES)


def found_first_community(trial: Trial) -> Settings:
    """The least that counts as a loaded sample, so that a start takes seconds."""
    chosen = trial.settings
    migrate_all(chosen)
    words = {"name": "Familles", "purpose": "Aider", "kind": "open", "locale": "fr", "timezone": "America/Toronto"}
    with Network(chosen, CLASSES) as network:
        network.do(PutCommunity, community_id=str(sample.community_id("familles")), **words)
        network.settle()
    return chosen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_on_what_is_there_takes_seconds_and_a_signal_ends_it_well(trial: Trial, number: signal.Signals) -> None:
    found_first_community(trial)
    started = trial.start()
    trial.until(lambda: "Ctrl-C stops it" in trial.said())
    assert "Loading" not in trial.said()
    page = re.search(r"http://\S+/mails\b", trial.said())
    assert page is not None
    with urllib.request.urlopen(page[0], timeout=PATIENCE_S) as answer:
        assert answer.status == 200
    started.send_signal(number)
    assert started.wait(PROGRAM_S) == 0
    assert trial.said().splitlines()[-1] == "Stopped. What was committed is kept."


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_that_python_drops_while_it_collects_garbage_is_heeded_at_the_next_step() -> None:
    class Garbage:
        pass

    garbage = Garbage()
    with up._heeding_ctrl_c() as heed:
        reference = weakref.ref(garbage, lambda _: signal.raise_signal(signal.SIGINT))
        heed()
        del garbage
        assert reference() is None
        with pytest.raises(KeyboardInterrupt):
            heed()


def test_ctrl_c_before_all_is_ready_ends_it_well_too(trial: Trial) -> None:
    found_first_community(trial)
    started = trial.start()
    trial.until(lambda: "Preparing" in trial.said())
    time.sleep(0.3)  # anywhere between the stores and the welcome
    started.send_signal(signal.SIGINT)
    assert started.wait(PROGRAM_S) == 0
    assert trial.said().splitlines()[-1].startswith("Stopped")
