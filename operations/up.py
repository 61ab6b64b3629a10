"""Everything in this one process, with a sample network, for whoever wants to see it: ``make run``."""

import errno
import fcntl
import shlex
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import demo as sample
from chassis import green
from chassis.crashpoint import crashpoint
from chassis.runtime import service_runner, topology
from chassis.runtime.readiness import readiness
from chassis.settings import SERVICES, STORES, Settings
from chassis.storage import migrate
from chassis.storage.store import Store
from demo.play import play
from demo.story import Story
from gateway.auth import create_token
from operations import composition
from operations.health_checks import address_file
from pratique.errors import Conflict, Unavailable

_READY_S = 300.0  #: on a machine that does much else; a second where it does not
_OURS = (
    "*.sqlite*",
    "mail",
    "token*",
    "seal_key",
    "lock",
    "address",
    "sample.*",
)  #: what is ours in the folder of --data


def up(settings: Settings) -> None:
    """Start all services and the gateway on the embedded bus, load the sample once, and stay until Ctrl-C.

    Raises:
        Conflict: another process works in the same folder, or listens on the port.
        Unavailable: something did not become ready.
    """
    console = Console(highlight=False)
    with _alone_in(settings.data_dir):
        _close_to_others(settings.data_dir, console)
        _must_be_free(settings)
        try:
            with _heeding_ctrl_c() as heed:
                is_first = _prepare(settings, console, heed)
                _must_be_free(settings)
                _stay(settings, console, is_first, heed)
        except KeyboardInterrupt:  # before _stay listens to signals by itself
            console.print("Stopped. A sample that was not yet whole is loaded anew at the next start.")
            return
    console.print("Stopped. What was committed is kept.")


@contextmanager
def _heeding_ctrl_c() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C raise KeyboardInterrupt within, and let the function that is given raise it for one that was dropped.

    Python drops what is raised while it collects garbage, so the function is called between steps.
    """
    presses: list[int] = []

    def press(number: int, frame: object) -> None:
        presses.append(number)
        raise KeyboardInterrupt

    def heed() -> None:
        if presses:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield heed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder: two processes would each send what the other's services wait for."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                f"Another `pratique up` works in {folder}/. Stop it first, or give this one a folder of its own: "
                "pratique --data FOLDER up"
            ) from error
        yield


def _close_to_others(folder: Path, console: Console) -> None:
    """Narrow what an earlier version or another hand has left open to other users of this machine."""
    entries = list(folder.iterdir())
    ours = [path for path in entries if any(path.match(pattern) for pattern in _OURS)]
    if len(ours) == len(entries):  # else it is a folder for other things too, and who enters it is not ours to say
        ours.append(folder)
    ours += [path for inner in entries if inner.name == "mail" for path in inner.rglob("*")]
    wide = [path for path in ours if not path.is_symlink() and path.stat().st_mode & 0o077]
    for path in wide:
        path.chmod(path.stat().st_mode & 0o700)
    if wide:
        words = f"Others on this machine could read {len(wide)} files and folders in {folder}/; now they cannot."
        console.print(words, soft_wrap=True)


def _must_be_free(settings: Settings) -> None:
    """Refuse a port on which we could not listen, before anything is begun."""
    port = settings.http_port
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.http_host, port))
    except (OSError, OverflowError) as error:
        why = "another program listens there" if getattr(error, "errno", None) == errno.EADDRINUSE else str(error)
        raise Conflict(
            f"Port {port} of {settings.http_host} cannot be had: {why}. "
            "Choose another by PRATIQUE_HTTP_PORT, for instance: PRATIQUE_HTTP_PORT=8080 make run"
        ) from error


def _prepare(settings: Settings, console: Console, heed: Callable[[], None]) -> bool:
    """Bring the stores up to date, with the whole sample in them; returns whether it had to be loaded."""
    console.print(f"Preparing the stores in {settings.data_dir}/")
    sample.discard_unfinished(settings)
    for name in STORES:
        opened = Store(name, settings.store_url(name))
        migrate.migrate(opened, composition.migrations_of(name))
        opened.close()
        heed()
    if sample.is_loaded(settings, composition.service_classes(SERVICES)):
        return False
    _load_sample(settings, console, heed)
    return True


def _stay(settings: Settings, console: Console, is_first: bool, heed: Callable[[], None]) -> None:
    """Run everything until a signal says stop; meanwhile tell what there is."""
    story = Story(console)
    classes = composition.service_classes(STORES)
    topology.declare(settings, classes)  # or who starts first would publish to queues that are not there yet
    made = service_runner.make_runner(settings, classes, story.observe)
    started = green.Event()

    def welcome() -> None:
        started.wait()
        try:
            with green.Timeout(_READY_S):
                while not all(all(readiness(each).values()) for each in service_runner.containers(made)):
                    green.sleep(0.02)
        except green.Timeout as late:
            raise Unavailable(f"Not everything was ready within {_READY_S:.0f} s; start it again.") from late
        token = _token(settings)
        address_file(settings).write_text(f"http://{settings.http_host}:{settings.http_port}", encoding="utf-8")
        if is_first:
            story.is_told = True
            play(f"http://{settings.http_host}:{settings.http_port}", token, console.print)
            green.sleep(0.5)  # so that the last reactions are told before what follows
            story.is_told = False
        _tell(settings, token, console)

    welcoming = green.spawn(welcome)

    def stop() -> None:
        welcoming.kill()  # or it would go on asking what is gone
        started.wait()  # what is half started cannot be stopped
        made.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: green.spawn_n(stop))
    heed()
    made.start()
    started.send()
    with suppress(green.GreenletExit):
        welcoming.wait()
    made.wait()


def _load_sample(settings: Settings, console: Console, heed: Callable[[], None]) -> None:
    bar = Progress(
        TextColumn("Loading two years of a sample network"), BarColumn(), TimeElapsedColumn(), console=console
    )

    def progress(done: int, total: int) -> None:
        heed()
        bar.update(task, completed=done, total=total)

    with bar:
        task = bar.add_task("load", total=None)
        sample.load(settings, composition.service_classes(SERVICES), progress)


def _token(settings: Settings) -> str:
    """The bearer token for trying the API on this machine, made once and kept beside the stores."""
    path = settings.data_dir / "token"
    if not path.exists():
        opened = Store("gateway", settings.store_url("gateway"))
        with opened.begin() as session:
            text = str(create_token(session, "sample", ["*"]))
        opened.close()
        unfinished = path.with_suffix(".part")
        unfinished.touch(mode=0o600)
        unfinished.write_text(text, encoding="utf-8")
        crashpoint("token.before_keep")
        unfinished.replace(path)  # whole or not at all: an empty file would be taken for a token
    return path.read_text(encoding="utf-8")


def _program(settings: Settings) -> str:
    """Return how to call the program from here: ``make run`` keeps the program in .venv, which is on nobody's path."""
    kept = Path(".venv/bin/pratique")
    program = str(kept) if kept.exists() else "pratique"
    return program if settings.data_dir == Path("var") else f"{program} --data {shlex.quote(str(settings.data_dir))}"


def _sign_in_links(settings: Settings) -> str:
    """A line for each of the sample's people as whom one may look around; heeded under this machine's names alone."""
    url = f"http://{settings.http_host}:{settings.http_port}/sign-in/as"
    people = sample.list_people_to_be(settings, composition.service_classes(SERVICES))
    shown = [
        (role, people[role]) for role in ("facilitator", "coordinator", "member", "network_admin") if role in people
    ]
    return "".join(
        [f"  As a {role.replace('_', ' ') + ':':<15}{url}/{settings.seal.link('sign-in', id)}\n" for role, id in shown]
    )


def _tell(settings: Settings, token: str, console: Console) -> None:
    url, community = settings.public_url, sample.community_id("familles")
    console.print(
        f"\n[bold]Pratique is up.[/bold] Open {url}/ in a browser, or a page where you are signed in:\n\n"
        f"{_sign_in_links(settings)}\n"
        "Or ask the API:\n\n"
        f"  curl -H 'Authorization: Bearer {token}' {url}/v1/communities\n"
        f"  curl -H 'Authorization: Bearer {token}' {url}/v1/communities/{community}/meetings\n\n"
        f"  Emails that were sent: {url}/mails (files in {settings.mail_dir}/)\n"
        f"  The API's description: {url}/openapi.json\n"
        f"  Look after it with:    {_program(settings)} --embedded doctor\n\n"
        "Ctrl-C stops it; the data stays, and the next start takes seconds.",
        soft_wrap=True,
    )
