"""The private servers of the tests: found, installed, isolated from each other, and ended with us."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest
from kombu import Connection, Queue

from tests import servers as private
from tests.harness.waiting import PATIENCE_S
from tests.servers import __main__ as verbs
from tests.servers import install, newer
from tests.servers.find import PROGRAMS, find

HOME = Path(__file__).parents[2]


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which neither server is installed; the folder is where it would be looked for."""
    monkeypatch.setenv("PRATIQUE_SERVER_FOLDERS", str(tmp_path / "*"))
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def _install_program(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


def test_missing_servers_are_named_in_one_line(bare_machine: Path) -> None:
    words = private.why_skipped()
    assert words.startswith("RabbitMQ and PostgreSQL are not installed")
    assert "apt install rabbitmq-server postgresql" in words
    assert "\n" not in words


def test_only_the_server_that_is_missing_is_named(bare_machine: Path) -> None:
    _install_program(bare_machine / "bin", "initdb", "postgres")
    assert private.why_skipped().startswith("RabbitMQ is not installed")


def test_nothing_is_skipped_when_both_are_installed(bare_machine: Path) -> None:
    _install_program(bare_machine / "bin", "initdb", "postgres", "rabbitmq-server", "rabbitmqctl", "epmd")
    assert private.why_skipped() == ""


def test_the_newest_version_is_taken(bare_machine: Path) -> None:
    _install_program(bare_machine / "9", "postgres")
    _install_program(bare_machine / "15", "postgres")
    assert find("postgres") == bare_machine / "15" / "postgres"


def test_where_installing_is_impossible_tests_are_skipped_and_make_goes_on(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert verbs.ensure() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert "so what needs real servers is not tested" in lines[0]


def test_with_ci_a_missing_server_is_a_failure(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert verbs.ensure() == 1


@pytest.fixture
def debian(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bare machine is Debian, we are root, and its apt-get installs both servers and tries to start them."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(install, "OS_RELEASE", bare_machine / "os-release")
    monkeypatch.setattr(install, "POLICY", bare_machine / "policy-rc.d")
    (bare_machine / "os-release").write_text('ID=linuxmint\nID_LIKE="ubuntu debian"\n')
    programs = " ".join(f"{bare_machine}/bin/{name}" for names in PROGRAMS.values() for name in names)
    (bare_machine / "apt-get").write_text(
        f"#!/bin/sh\n[ $1 = update ] && echo 'Get:1 http://deb.example.org' && exit\n"
        f"mkdir {bare_machine}/bin && for each in {programs}; do touch $each; chmod +x $each; done\n"
        f"{bare_machine}/policy-rc.d; echo Setting up with policy $?; echo chatter\n"
    )
    (bare_machine / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(bare_machine), prepend=":")
    return bare_machine


def test_on_debian_root_installs_them_and_sees_progress_and_no_daemon_starts(
    debian: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert verbs.ensure() == 0
    assert private.missing() == []
    lines = capfd.readouterr().out.splitlines()
    assert "  Setting up with policy 101" in lines
    assert "  Get:1 http://deb.example.org" in lines
    assert "chatter" not in "".join(lines)
    assert not (debian / "policy-rc.d").exists()


def test_an_installation_that_fails_is_said_and_fails_under_ci(
    debian: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (debian / "apt-get").write_text("#!/bin/sh\necho E: no network\nexit 100\n")
    assert verbs.ensure() == 0
    out = capfd.readouterr().out
    assert "E: no network" in out
    assert out.splitlines()[-1].endswith("it was not installed now because apt-get failed.")
    monkeypatch.setenv("CI", "true")
    assert verbs.ensure() == 1


def test_other_distributions_are_left_alone(debian: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (debian / "os-release").write_text("ID=fedora\n")
    assert verbs.ensure() == 0
    assert capfd.readouterr().out.strip().endswith("because this is neither Debian nor Ubuntu.")


def test_a_policy_that_the_machine_has_is_kept(debian: Path) -> None:
    (debian / "policy-rc.d").write_text("#!/bin/sh\nexit 7\n")
    (debian / "policy-rc.d").chmod(0o755)
    assert verbs.ensure() == 0
    assert (debian / "policy-rc.d").read_text() == "#!/bin/sh\nexit 7\n"


def test_a_run_without_servers_skips_what_is_marked_real_and_fails_it_under_ci(tmp_path: Path) -> None:
    """The tests of that run lie outside of the house, whose files others read meanwhile."""
    inner = tmp_path / "test_inner.py"
    inner.write_text("import pytest\n@pytest.mark.real\ndef test_real(): pass\ndef test_asking(fresh): pass\n")
    options = ["-c", HOME / "pyproject.toml", "--rootdir", HOME, "-p", "no:cacheprovider", "-p", "tests.conftest"]
    for ci, outcome in {"": "2 skipped", "true": "2 errors"}.items():
        env = {**os.environ, "PRATIQUE_SERVER_FOLDERS": str(tmp_path), "CI": ci, "PYTHONPATH": str(HOME)}
        command = [sys.executable, "-W", "ignore", "-m", "pytest", "-q", *map(str, options), str(inner)]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert outcome in done.stdout, done.stdout + done.stderr
        assert "RabbitMQ and PostgreSQL are not installed" in done.stdout


@pytest.mark.real
def test_each_test_gets_an_empty_broker_and_empty_stores(servers: private.Servers) -> None:
    first, second = servers.fresh(is_migrated=False), servers.fresh(is_migrated=False)
    with Connection(first.broker_url) as one, Connection(second.broker_url) as other:
        Queue("mine", durable=True, queue_arguments={"x-queue-type": "quorum"})(one.default_channel).declare()
        with pytest.raises(other.channel_errors):
            Queue("mine", durable=True)(other.default_channel).queue_declare(passive=True)
    assert set(first.store_urls) == {"membership", "meetings", "evaluation", "notifications", "gateway"}
    assert not set(first.store_urls.values()) & set(second.store_urls.values())


@pytest.mark.real
def test_a_store_is_closed_to_the_role_of_another(servers: private.Servers) -> None:
    url = servers.fresh(is_migrated=False).store_urls["meetings"].replace("postgresql+psycopg2", "postgresql")
    psycopg2.connect(url).close()
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(url.replace("//meetings:", "//evaluation:"))


@pytest.mark.real
def test_databases_are_removed_although_someone_is_connected(servers: private.Servers) -> None:
    fresh = servers.fresh(is_migrated=False)
    url = fresh.store_urls["meetings"].replace("postgresql+psycopg2", "postgresql")
    connection = psycopg2.connect(url)
    fresh.discard()
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        psycopg2.connect(url)
    connection.close()


@pytest.mark.real
def test_servers_that_crash_come_back_with_their_data(servers: private.Servers) -> None:
    fresh = servers.fresh(is_migrated=False)
    url = fresh.store_urls["meetings"].replace("postgresql+psycopg2", "postgresql")
    with psycopg2.connect(url) as connection:
        connection.cursor().execute("create table kept (id int)")
    connection.close()
    servers.database.restart()
    with psycopg2.connect(url) as connection:
        connection.cursor().execute("select * from kept")
    connection.close()


@pytest.mark.real
@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="asks /proc which processes are left")
def test_servers_end_with_a_test_run_that_is_killed() -> None:
    program = (
        "import time\nfrom tests import servers\nboth = servers.Servers()\nboth.start()\n"
        "print(both.folder, flush=True)\ntime.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], cwd=HOME, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    folder = child.stdout.readline().strip()
    assert len(_processes_in(folder)) > 3
    child.kill()
    child.communicate(timeout=PATIENCE_S)
    end = time.monotonic() + PATIENCE_S
    while (_processes_in(folder) or Path(folder).exists()) and time.monotonic() < end:
        time.sleep(0.1)
    assert not _processes_in(folder)
    assert not Path(folder).exists()


def _processes_in(folder: str) -> list[str]:
    """The ids of the processes that work in this folder."""
    found = []
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if str(cwd.readlink()).startswith(folder):
                found.append(cwd.parent.name)
    return found


def test_where_the_newest_servers_cannot_be_had_one_line_says_why(
    debian: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert newer.main([]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "The newest servers cannot be tried: installing packages needs root"
    )
