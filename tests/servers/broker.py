"""A private RabbitMQ: own node, own port mapper, own data, on loopback only."""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.servers.find import find
from tests.servers.process import Process, free_port

_BATCH = 8  #: virtual hosts made at once, since each call of rabbitmqctl costs more than a second
START_S = 600.0  #: on a machine that does much else; some five seconds where it does not
USER = "pratique"


class Broker:
    """RabbitMQ with the user ``pratique`` and as many empty virtual hosts as tests ask for."""

    def __init__(self, folder: Path, configuration: str = "") -> None:
        """Prepare a node with its data in ``folder``; ``configuration`` are more lines of its rabbitmq.conf."""
        folder.mkdir()
        self.folder, self._configuration = folder, configuration
        self.port, self._dist_port, self._epmd_port = free_port(), free_port(), free_port()
        self.api_port = free_port()
        self.password = secrets.token_hex(8)
        self._vhosts: list[str] = []
        self._made = 0
        self._epmd = Process(folder, "epmd")
        self.server = Process(folder, "rabbitmq")

    def launch(self) -> None:
        """Begin to start; ``wait`` returns when it answers."""
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {self.api_port}\n"
            f"load_definitions = {self._definitions()}\n"
            "disk_free_limit.absolute = 50MB\n"
            "vm_memory_high_watermark.absolute = 1GB\n"
            f"log.console = true\nlog.console.level = warning\nlog.file = false\n{self._configuration}"
        )
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (self.folder / "rabbitmq-env.conf").write_text("")
        self.launch_by([str(find("rabbitmq-server"))], self.env())

    def launch_by(self, command: list[str], env: Mapping[str, str]) -> None:
        """Begin to start by a command and an environment of the caller's."""
        epmd = [str(find("epmd")), "-port", str(self._epmd_port), "-address", "127.0.0.1"]
        self._epmd.start(epmd, self.env())
        self._epmd.wait_for_port(self._epmd_port)
        self.server.start(command, env)

    def wait(self) -> None:
        """Return when clients can connect."""
        self.server.wait_for_port(self.port, START_S)
        end = time.monotonic() + START_S
        while not self._speaks():
            if time.monotonic() > end:
                raise RuntimeError("RabbitMQ listens and does not speak")
            time.sleep(0.1)

    def _speaks(self) -> bool:
        """Whether it answers a client; while it starts it may listen and hang up."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=60) as client:
            client.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(client.recv(8))
        return False

    def rabbitmqctl(self, *arguments: str) -> str:
        """What rabbitmqctl prints when asked this of our node; some 1.5 s each time."""
        command = [str(find("rabbitmqctl")), "--quiet", *arguments]
        done = subprocess.run(
            command, env=self.env(), cwd=self.folder, capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def url(self, vhost: str, user: str = USER) -> str:
        """The AMQP URL of one of its virtual hosts."""
        return f"amqp://{user}:{self.password}@127.0.0.1:{self.port}/{vhost}"

    @property
    def api_url(self) -> str:
        """Where its management answers."""
        return f"http://127.0.0.1:{self.api_port}"

    def fresh_vhost(self) -> str:
        """The name of a virtual host in which there is nothing yet."""
        if not self._vhosts:
            self.rabbitmqctl("import_definitions", str(self._definitions()))
        return self._vhosts.pop(0)

    def write_down_queues(self) -> None:
        """Let it write down which quorum queues it has: 3.10 loses one that it was given just before a kill -9."""
        self.rabbitmqctl("eval", "[dets:sync(Each) || Each <- dets:all()].")

    def restart(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, by default as a crash would, and start it again on the same port with the same data."""
        self.server.stop(number, timeout_s=30)
        self.server.start([str(find("rabbitmq-server"))], self.env())
        self.wait()

    def pause(self) -> None:
        """Let it hang: connections stay open and nothing answers, until ``resume``."""
        self.server.pause()

    def resume(self) -> None:
        """Let it go on."""
        self.server.send(signal.SIGCONT)

    def discard(self) -> None:
        """End it and remove its data."""
        self.server.stop()
        self._epmd.discard()

    def env(self) -> dict[str, str]:
        """The environment of everything that belongs to this node."""
        folder = str(self.folder)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {
            "HOME": folder,  # where the node's cookie is
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"pratique{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/rabbitmq-env.conf",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/config",
            "RABBITMQ_PID_FILE": f"{folder}/rabbitmq.pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2",
        }

    def _definitions(self) -> Path:
        """Write the definitions of the user and of the next batch of virtual hosts."""
        names = [f"t{self._made + each}" for each in range(1, _BATCH + 1)]
        self._made += _BATCH
        self._vhosts += names
        everything = {"user": USER, "configure": ".*", "write": ".*", "read": ".*"}
        path = self.folder / "definitions.json"
        path.write_text(
            json.dumps(
                {
                    "users": [{"name": USER, "password": self.password, "tags": "administrator"}],
                    "vhosts": [{"name": name} for name in names],
                    "permissions": [{"vhost": name, **everything} for name in names],
                }
            )
        )
        return path
