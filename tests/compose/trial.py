"""Steps of the trial: what docs/operate.md tells an operator to do, and what must be true after each."""

import base64
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pika

from tests.compose import page
from tests.compose.engine import Engine
from tests.compose.network import Network, eventually

OPERATOR = "docker compose run --rm operator "
PORT = 8000
PEOPLE, IN_ROOM = 8, 3
#: What an operator writes into .env, as its comments ask.
DOT_ENV = {
    "PRATIQUE_PUBLIC_URL": f"http://127.0.0.1:{PORT}",
    "PRATIQUE_MAIL_FROM": "Pratique <pratique@example.org>",
    "PRATIQUE_SECRETS": "./secrets",
}
#: More than the container of RabbitMQ could hold in memory, in messages of the size of our events.
MESSAGES, MESSAGE_BYTES = 150_000, 4_000


class Trial:
    """One deployment, from its first start to its end."""

    def __init__(self, found: Engine) -> None:
        self.engine = found
        self.network: Network
        self.seen: set[str] = set()  #: mails that asked about meetings before the newest

    def type(self, text: str, timeout_s: float = 600) -> str:
        """Type these lines into a shell in the checkout; what was printed. They must succeed."""
        done = self.engine.run(text, timeout_s)
        assert done.returncode == 0, f"{text}\nended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
        return done.stdout

    def operator(self, arguments: str) -> str:
        """What a command of the operator's program prints."""
        return self.type(OPERATOR + arguments)

    def start(self) -> None:
        """Start as the page says; the doctor is content."""
        copy, secrets, up, doctor, token = page.lines("Start")
        self.type(copy)
        for name, value in DOT_ENV.items():
            self.type(f"sed -i 's|^{name}=.*|{name}={value}|' .env")
        self.type(secrets)
        self.type("docker compose build", 900)  # `up` would take an image that is left of another trial
        self.type(up, 900)
        self.type(doctor)
        assert self.type(token).strip()
        token = self.operator("token create trial --scope '*'").strip()
        self.network = Network(self.engine, PORT, token)

    def live(self) -> None:
        """Live the main job: a meeting is closed, and those who have not answered are asked once."""
        network = self.network
        network.found(PEOPLE)
        self.hold()

    def hold(self) -> dict[str, str]:
        """Hold a meeting to its end, and return the mails that ask about it."""
        network, before = self.network, set(self.network.asked())
        meeting_id = network.meet(IN_ROOM)
        network.close(meeting_id)
        missing = len(network.community.member_ids) - IN_ROOM

        def new() -> dict[str, str]:
            return {id: link for id, link in network.asked().items() if id not in before}

        eventually("everyone who has not answered is asked", lambda: len(new()) >= missing)
        asked = new()
        assert len(asked) == missing, f"{len(asked)} are asked, not {missing}"
        network.answer(token=next(iter(asked.values())))
        return asked

    def rest(self) -> None:
        """Tell what health checks cost while nothing happens, and what the broker's container counts."""
        print(f"    all containers at rest: {self.cost_at_rest(60):.1f} % of a core", flush=True)
        print(f"    RabbitMQ: {self.threads('rabbitmq')} threads", flush=True)

    def cost_at_rest(self, seconds: int) -> float:
        """Per cent of a core that all containers, with their health checks, use."""
        before = self.processor_s()
        time.sleep(seconds)  # nothing is waited for: this is what is measured
        return 100 * (self.processor_s() - before) / seconds

    def processor_s(self) -> float:
        """Seconds of processor time that all containers have used, as their cgroups count it."""
        return sum(int(self.type(_USED.format(id=id))) for id in self.type("docker compose ps --quiet").split()) / 1e9

    def threads(self, service: str) -> int:
        """How many threads a container has."""
        (id,) = self.type(f"docker compose ps --quiet {service}").split()
        return int(self.type(_THREADS.format(id=id)))

    def read_the_manual(self) -> None:
        """Run what the page says of dead letters, the audit, and of publishing again."""
        for line in [*page.lines("Dead letters")[:2], *page.lines("The audit"), *page.lines("The audit", 1)]:
            self.type(line)

    def scale(self) -> None:
        """Scale as the page says; the documented upgrade leaves it so."""
        self.type(page.blocks("Scaling")[0])
        _, build, up = page.lines("Upgrades")
        self.type(f"{build} && {up}", 900)
        assert len(self.type("docker compose ps --quiet evaluation").split()) == 3
        self.hold()

    def measure(self) -> None:
        """Read metrics from a container on the network, as a Prometheus would that is put there."""
        token = self.type("cat secrets/metrics_token").strip()
        for target, header in (("meetings:9100", f"Bearer {token}"), ("gateway:8000", f"Bearer {self.network.token}")):
            assert "# HELP" in self.fetch(f"http://{target}/metrics", header), target
        assert "401" in self.fetch("http://meetings:9100/metrics", ""), "a service's metrics are for nobody else"
        basic = "Basic " + base64.b64encode(f"prometheus:{token}".encode()).decode()
        assert "rabbitmq_identity_info" in self.fetch("http://rabbitmq.inside:15692/metrics", basic)
        assert "401" in self.fetch("http://rabbitmq.inside:15692/metrics", ""), "RabbitMQ's metrics are for nobody else"
        self.operator("doctor")

    def fetch(self, url: str, authorization: str) -> str:
        """What an address says to a container on the inner network that is none of the project's."""
        program = (
            "import sys, urllib.request, urllib.error\n"
            "request = urllib.request.Request(sys.argv[1])\n"
            "if sys.argv[2]: request.add_header('Authorization', sys.argv[2])\n"
            "try: print(urllib.request.urlopen(request, timeout=10).read().decode())\n"
            "except urllib.error.HTTPError as error: print(error.code)"
        )
        command = ["docker", "run", "--rm", "--network=pratique_inside", "python:3.13-slim", "python", "-c", program]
        done = self.engine.run([*command, url, authorization])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def integrate(self) -> None:
        """Give an integrator its user as the page says, change it and remove it."""
        for line in page.lines("Integrators"):
            said = self.type(line.replace("integrator remove acme", "integrator remove acme --yes"))
            if line.endswith("--events MeetingClosed,SurveyOpened"):
                assert re.fullmatch(r"amqp://integrator\.acme:\w+@rabbitmq:5672/%2F\n", said), said

    def integrate_by_tls(self) -> None:
        """Offer the broker by TLS as the page says; a program elsewhere reads what was given to it."""
        self.type(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=broker.example.org "
            "-addext subjectAltName=DNS:broker.example.org -keyout secrets/broker_key -out secrets/broker_certificate "
            "&& chmod 444 secrets/broker_key"
        )
        for line in page.settings("Integrators"):
            name = line.partition("=")[0]
            self.type(f"sed -i '/^{name}=/d' .env && printf '%s\\n' '{line}' >> .env")
        self.type("docker compose up --detach --wait")
        url = self.operator("integrator add remote --events MeetingClosed").strip()
        parts = urlsplit(url)
        assert (parts.scheme, parts.hostname, parts.port) == ("amqps", "broker.example.org", 5671), parts.hostname
        self.hold()
        context = ssl.create_default_context(cadata=self.type("cat secrets/broker_certificate"))
        parameters = pika.ConnectionParameters(
            "127.0.0.1",
            5671,
            credentials=pika.PlainCredentials(parts.username, parts.password),
            ssl_options=pika.SSLOptions(context, "broker.example.org"),
        )
        with pika.BlockingConnection(parameters) as connection:
            channel = connection.channel()
            _, _, body = eventually("it hears of the closing", lambda: self.taken(channel))
        assert json.loads(body)["type"].endswith("MeetingClosed.v1"), body
        self.operator("integrator remove remote --yes")

    @staticmethod
    def taken(channel: Any) -> Any:
        """A message of the integrator's queue; None if there is none."""
        message = channel.basic_get("integrator.remote.events", auto_ack=True)
        return message if message[0] is not None else None

    def press(self) -> None:
        """Publish more than RabbitMQ may hold in memory while nobody reads; it does not die."""
        with self.no_restart("rabbitmq"):
            program = PRESS.format(count=MESSAGES, size=MESSAGE_BYTES)
            command = ["docker", "compose", "run", "--rm", "--entrypoint", "python", "operator", "-c", program]
            done = self.engine.run(command, 1200)
            assert "33554432" in self.type(_LOG_SIZE), "quorum queues keep more of their log than there is memory"
            assert (done.returncode, done.stdout.strip()) == (0, "enough"), done.stdout + done.stderr[-2000:]
        self.hold()

    @contextmanager
    def no_restart(self, service: str) -> Iterator[None]:
        """Within the block the container of a service is never started again."""
        (id,) = self.type(f"docker compose ps --quiet {service}").split()
        inspect = ["docker", "inspect", "--format={{.RestartCount}} {{.State.StartedAt}} {{.State.OOMKilled}}", id]
        before = self.engine.run(inspect).stdout
        yield
        assert self.engine.run(inspect).stdout == before

    def change_passwords(self) -> None:
        """Change a store's, a service's and the administrator's password by the page, with a file that is another."""
        for name in ("meetings_url", "broker_meetings_url", "broker_url"):
            before = self.type(f"cat secrets/{name}")
            self.type(f"rm -f secrets/{name}")  # as editors do that write a new file
            self.type(page.lines("Start")[1])
            assert self.type(f"cat secrets/{name}") != before
        self.type(page.blocks("Changing a secret")[0], 900)
        self.hold()

    def save_and_restore(self) -> None:
        """Make a backup in an unlucky moment, lose what came after, and restore it by the page: nobody is forgotten."""
        network = self.network
        self.seen = set(network.asked())
        self.type("docker compose stop evaluation")  # as if its dump were made just before it hears of the closing
        meeting_id = network.meet_and_close()
        self.type(page.blocks("Backups")[0])
        folder, *files = self.type("stat --format=%a backup backup/*").split()
        assert (folder, set(files)) == ("700", {"600"})
        self.type("docker compose up --detach --wait")
        asked = self.all_are_asked()

        self.type("docker compose exec -T notifications sh -c 'rm -r /var/lib/pratique/mail/*'")
        self.type(page.blocks("Backups")[1], 900)
        assert set(self.all_are_asked()) == set(asked), "what is mailed again has its former Message-ID"
        assert network.survey(meeting_id)["state"] == "open"
        network.answer(token=next(iter(asked.values())))  # a link that was mailed before the loss works
        self.hold()

    def all_are_asked(self) -> dict[str, str]:
        """Wait until each person is asked about the newest meeting; mails about it, by Message-ID."""
        before, people = self.seen, self.network.community.member_ids

        def new() -> dict[str, str]:
            return {id: link for id, link in self.network.asked().items() if id not in before}

        eventually("all are asked", lambda: len(new()) >= len(people))
        return new()

    def end(self) -> None:
        """Take it down, with what it kept."""
        self.type("docker compose down --volumes --timeout 20")
        assert self.type("docker ps --all --quiet --filter label=com.docker.compose.project=pratique") == ""


#: Of one container: nanoseconds of processor time, and its threads. In the first and in the second version of cgroups.
_USED = (
    "cat /sys/fs/cgroup/cpuacct/docker/{id}/cpuacct.usage 2>/dev/null || "
    "awk '/^usage_usec/ {{print $2 * 1000}}' /sys/fs/cgroup/system.slice/docker-{id}.scope/cpu.stat"
)
_THREADS = (
    "cat /sys/fs/cgroup/pids/docker/{id}/pids.current 2>/dev/null || "
    "cat /sys/fs/cgroup/system.slice/docker-{id}.scope/pids.current"
)
_LOG_SIZE = (
    "docker compose exec -T rabbitmq rabbitmqctl --quiet eval "
    "'maps:get(wal_max_size_bytes, ra_system:fetch(quorum_queues)).'"
)
#: Run in a container of ours, as the broker's administrator; prints how many messages waited in the end.
PRESS = """
import pathlib, time
from kombu import Connection, Queue
url = pathlib.Path('/run/secrets/broker_url').read_text().strip()
queue = Queue('pressed', durable=True, queue_arguments={{'x-queue-type': 'quorum'}})
end, waiting = time.monotonic() + 1000, 0
while waiting < {count} and time.monotonic() < end:
    try:  # RabbitMQ stops who publishes more than it has memory for, until that is on its disk
        with Connection(url) as connection:
            bound = queue(connection.default_channel)
            bound.declare()
            while (waiting := bound.queue_declare(passive=True)[1]) < {count}:
                for _ in range(2000):
                    connection.Producer().publish(b'.' * {size}, exchange='', routing_key='pressed', delivery_mode=2)
    except (OSError, connection.recoverable_connection_errors) as error:
        time.sleep(2)
with Connection(url) as connection:
    queue(connection.default_channel).delete()
print('enough' if waiting >= {count} else waiting)
"""


FIRST, JOB, LAST = "start by the page", "the main job, over HTTP", "down"
ALWAYS = (FIRST, JOB, LAST)  #: what the other steps need before and after them


def steps(trial: Trial) -> list[tuple[str, Callable[[], object]]]:
    """Return the steps, in their order."""
    return [
        (FIRST, trial.start),
        (JOB, trial.live),
        ("what it costs at rest", trial.rest),
        ("dead letters, audit, again", trial.read_the_manual),
        ("metrics, from a container beside it", trial.measure),
        ("integrators", trial.integrate),
        ("an integrator elsewhere, by TLS", trial.integrate_by_tls),
        ("three processes of a service, and an upgrade", trial.scale),
        ("more messages than memory", trial.press),
        ("new passwords", trial.change_passwords),
        ("a backup, restored", trial.save_and_restore),
        (LAST, trial.end),
    ]
