"""Container engine for the trial: the one that answers here, or one of its own in namespaces, made from packages."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.compose import rootfs
from tests.compose.rootfs import Impossible

HERE = Path(__file__).parent
PROJECT = "pratique"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
#: What the stand-ins are called, and by which part of images/Dockerfile each is made.
STAND_INS = {
    "python:3.13-slim": "python",
    "postgres:17-alpine": "postgres",
    "rabbitmq:4.3-management-alpine": "rabbitmq",
}


class Engine:
    """Runs commands where an engine answers them, in the folder of the trial's checkout."""

    def __init__(self, checkout: Path, prefix: Sequence[str] = ()) -> None:
        """``prefix`` enters the namespaces of an engine of our own."""
        self.checkout, self._prefix = checkout, tuple(prefix)

    def start(self, command: Sequence[str] | str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start a command, or a text for the shell, in the checkout."""
        words = ["sh", "-ec", command] if isinstance(command, str) else list(command)
        settings = {"PATH": os.environ["PATH"], "HOME": str(self.checkout), **(env or {})}
        entered = ["env", "-i", f"--chdir={self.checkout}", *(f"{key}={value}" for key, value in settings.items())]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*self._prefix, *entered, *words], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )

    def run(
        self, command: Sequence[str] | str, timeout_s: float = 600, env: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command, or a text for the shell, in the checkout, and return what it said."""
        process = self.start(command, env)
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            return subprocess.CompletedProcess(command, 124, out, f"{err}\nstill running after {timeout_s:.0f} s")
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def bytes_of(self, command: Sequence[str]) -> bytes:
        """What a command writes that is no text."""
        entered = ["env", "-i", f"--chdir={self.checkout}", f"PATH={os.environ['PATH']}", f"HOME={self.checkout}"]
        return subprocess.run([*self._prefix, *entered, *command], capture_output=True, check=True).stdout

    def import_image(self, tar: Sequence[str], tag: str) -> "subprocess.CompletedProcess[bytes]":
        """Make an image of what a command outside of the engine writes as an archive."""
        with subprocess.Popen(tar, stdout=subprocess.PIPE) as archive:
            command = [*self._prefix, "docker", "import", "-", tag]
            return subprocess.run(command, stdin=archive.stdout, capture_output=True, check=False)


def answers() -> bool:
    """Return whether an engine with Compose answers on this machine."""
    if shutil.which("docker") is None:
        return False
    return all(
        subprocess.run(["docker", *words], capture_output=True, check=False).returncode == 0
        for words in (["info"], ["compose", "version"])
    )


@contextlib.contextmanager
def engine(folder: Path, checkout: Path) -> Iterator[Engine]:
    """Give the engine that answers here, or one of our own that ends with the block.

    Raises:
        Impossible: there is none, or what it runs already would be in the way.
    """
    if answers():
        yield _checked(Engine(checkout))
        return
    root = rootfs.make(folder)
    name = rootfs.fill_index(root, (checkout / "requirements.lock").read_text())
    with _own(root, folder, checkout) as found:
        _make_images(found, root, name)
        _discard(found)  # what a trial that was interrupted has left
        yield found


def _checked(found: Engine) -> Engine:
    """Return it if nothing of a deployment is in it that the trial would end."""
    for kind in ("container", "volume"):
        given = found.run(["docker", kind, "ls", "--quiet", f"--filter=label=com.docker.compose.project={PROJECT}"])
        if given.stdout.strip():
            raise Impossible(
                f"A {kind} of the project {PROJECT} is in this engine, and the trial would remove it. "
                "Run the trial on another machine, or take the project down first."
            )
    return found


def _discard(found: Engine) -> None:
    """Remove what is left of the project in an engine of our own."""
    of_project = f"--filter=label=com.docker.compose.project={PROJECT}"
    for kind, remove in (("container", ["rm", "--force"]), ("volume", ["rm"]), ("network", ["rm"])):
        if names := found.run(["docker", kind, "ls", "--quiet", *["--all"] * (kind == "container"), of_project]).stdout:
            found.run(["docker", kind, *remove, *names.split()])


@contextlib.contextmanager
def _own(root: Path, folder: Path, checkout: Path) -> Iterator[Engine]:
    state = folder / "state"
    state.mkdir(exist_ok=True)
    log = folder / "dockerd.log"
    spaces = ["--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation=private"]
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["unshare", *spaces, "sh", str(HERE / "namespace.sh"), str(root), str(state), str(checkout)],
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        pid = _child_of(process)
        made = Engine(checkout, ["nsenter", f"--target={pid}", "--mount", "--net", "--uts", "--ipc", "--pid", "--root"])
        end = time.monotonic() + 60
        while made.run(["docker", "info"]).returncode:
            if process.poll() is not None or time.monotonic() > end:
                raise Impossible(f"The engine did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.5)
        enter_network(pid)
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)  # and with it, by --kill-child, all that runs in its namespaces
        process.wait(30)


def _child_of(process: "subprocess.Popen[bytes]") -> int:
    """Return the id of the one process that unshare has forked."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    end = time.monotonic() + 20
    while not (found := children.read_text().split()):
        if process.poll() is not None or time.monotonic() > end:
            raise Impossible("This kernel lets nobody make namespaces: start Docker, or use another machine.")
        time.sleep(0.1)
    return int(found[0])


def enter_network(pid: int) -> None:
    """Let this process reach the ports that the engine publishes; it leaves this machine's network for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/net").open("rb") as file:
        if libc.setns(file.fileno(), _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "setns")


def _make_images(found: Engine, root: Path, name: str) -> None:
    """Import the root filesystem, unless this very one is there, and give it the names of the images it stands for."""
    if found.run(["docker", "image", "inspect", f"pratique-trial:{name}"]).returncode:
        print("importing the stand-in images", file=sys.stderr)
        leave = ("./var/lib/docker", "./proc", "./sys", "./run", "./tmp", "./var/cache/apt", "./var/lib/apt/lists")
        tar = [
            "tar",
            "--create",
            "--numeric-owner",
            *(f"--exclude={path}/*" for path in leave),
            f"--directory={root}",
            ".",
        ]
        imported = found.import_image(tar, f"pratique-trial:{name}")
        if imported.returncode:
            raise Impossible(f"The stand-in images cannot be imported: {imported.stderr.decode()}")
    found.run(["docker", "tag", f"pratique-trial:{name}", "pratique-trial:root"])
    images = found.checkout / "tests/compose/images"
    for tag, target in STAND_INS.items():
        built = found.run(["docker", "build", "--quiet", f"--target={target}", f"--tag={tag}", str(images)])
        if built.returncode:
            raise Impossible(f"The stand-in for {tag} cannot be built: {built.stderr}")
