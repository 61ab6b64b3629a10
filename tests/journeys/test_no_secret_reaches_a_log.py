"""Real processes at the level of debugging, through good ways and bad: what they print holds no secret and no name."""

import contextlib
import email
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.settings import SERVICES
from chassis.testing import open_at
from tests import servers as private
from tests.journeys.life import filled, mail_server
from tests.running import until
from tests.servers.process import free_port

pytestmark = pytest.mark.real
HOME = Path(__file__).parents[2]
#: `pratique`, but everything that any library says at any level is printed too.
WORDY = "from chassis import log; log.configure.__defaults__ = ('json', None, 1); from operations import main; main()"
NAME, ADDRESS, THEME = "Zéphyrine Quatresous", "zephyrine.q@example.org", "Le sujet indiscret"
WRONG = {"broker": "wrongbrokerpw7", "store": "wrongstorepw7", "smtp": "wrongsmtppw7", "token": "W" * 43}


class Processes:
    """Whatever is run, with all that it printed."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self.environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME), **environ}
        self._log = folder / "printed"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[bytes]:
        """``pratique ARGUMENTS``, running."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", WORDY, *arguments], env=self.environ | environ, stdout=log, stderr=log
            )
        self.running.append(process)
        return process

    def run(self, *arguments: str, **environ: str) -> int:
        """The exit code of ``pratique ARGUMENTS``."""
        return self.start(*arguments, **environ).wait(180)

    def printed(self) -> str:
        """Everything, of all of them."""
        return self._log.read_text()


@pytest.fixture
def processes(fresh: private.Fresh, tmp_path: Path) -> Iterator[Processes]:
    smtp, port = free_port(), free_port()
    environ = fresh.environ() | {
        "PRATIQUE_HTTP_PORT": str(port),
        "PRATIQUE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PRATIQUE_SMTP_URL": f"smtp://127.0.0.1:{smtp}",
    }
    made = Processes(environ, tmp_path)
    with mail_server(smtp, tmp_path / "maildir"):
        yield made
    for process in made.running:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(30)


class Client:
    """Asks the gateway over HTTP; refusals are answers too."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, object]:
        """Status and JSON, or what else came."""
        sent = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"}
        if path.startswith(("/s/", "/r/")):
            headers["Accept"] = "text/html"
        if sent is None and method in ("PUT", "POST"):
            sent = b""
        try:
            with urlopen(Request(self.url + path, sent, headers, method=method), timeout=60) as answer:
                return answer.status, _read(answer.read())
        except HTTPError as refused:
            with refused:
                return refused.code, _read(refused.read())


def _read(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


def test_passwords_tokens_codes_ballots_names_and_addresses_stay_out_of_everything_that_is_printed(
    processes: Processes, fresh: private.Fresh, tmp_path: Path
) -> None:
    secrets = {
        "the seal key": processes.environ["PRATIQUE_SEAL_KEY"],
        "the broker's password": fresh.servers.broker.password,
        "the database's password": fresh.servers.database.password,
        "a name": NAME,
        "an address": ADDRESS,
        "a theme": THEME,
    } | {f"a wrong password of the {what}": word for what, word in WRONG.items()}
    _meet_what_is_away_or_refuses(processes, fresh)
    assert processes.run("migrate") == 0
    main = processes.start("run", *SERVICES, "gateway")
    made = subprocess.run(
        [sys.executable, "-c", "from operations import main; main()", "token", "create", "x", "--scope", "*"],
        env=processes.environ, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    client = Client(processes.environ["PRATIQUE_PUBLIC_URL"], token := made.stdout.strip())
    secrets["a token"] = token.split("_", 2)[2]
    until(lambda: _is_ready(client), every_s=0.2)
    secrets |= _live_through_a_meeting(client, tmp_path / "maildir")
    _ask_what_cannot_be(client, secrets)
    _break_a_table(client, fresh, processes)
    lost = processes.printed().count("lost the broker")
    fresh.servers.rabbitmqctl("close_all_connections", "-p", fresh.vhost, "a test")
    until(lambda: processes.printed().count("lost the broker") > lost, every_s=0.2)
    main.send_signal(signal.SIGTERM)
    assert main.wait(60) == 0
    printed = processes.printed()
    assert '"level": "debug"' in printed, "debugging is on"
    assert "UndefinedTable" in printed, "the failure is told"
    assert len(printed.splitlines()) > 100
    found = {what: _line_of(secret, printed) for what, secret in secrets.items() if secret in printed}
    assert found == {}
    assert len(secrets) >= 12


def _line_of(secret: str, printed: str) -> str:
    return next(line for line in printed.splitlines() if secret in line)[:400]


def _meet_what_is_away_or_refuses(processes: Processes, fresh: private.Fresh) -> None:
    """Wrong passwords, and servers that are not there."""
    broker, store = fresh.broker_url, fresh.store_urls["meetings"]
    refused = {
        "PRATIQUE_BROKER_URL": re.sub(r":[^:@]+@", f":{WRONG['broker']}@", broker),
        "PRATIQUE_STORE_MEETINGS": re.sub(r":[^:@]+@", f":{WRONG['store']}@", store),
        "PRATIQUE_SMTP_URL": f"smtp://mailer:{WRONG['smtp']}@127.0.0.1:9",
    }
    away = {name: re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:9", value) for name, value in refused.items()}
    lasting = processes.start("run", "meetings", **refused)
    assert processes.run("migrate", "--wait", "0", **refused) == 1
    assert processes.run("migrate", "meetings", **away | {"PRATIQUE_STORE_MEETINGS": store}) == 1
    assert processes.run("doctor", **away) == 1
    malformed = f"postgresql+psycopg2://meetings:{WRONG['store']}@[x/m"
    assert processes.run("migrate", "meetings", PRATIQUE_STORE_MEETINGS=malformed) == 1
    until(lambda: "lost the broker" in processes.printed(), every_s=0.2)
    lasting.send_signal(signal.SIGTERM)
    assert lasting.wait(60) == 0


def _is_ready(client: Client) -> bool:
    try:
        return client.ask("GET", "/readyz")[0] == 200
    except OSError:
        return False


def _live_through_a_meeting(client: Client, maildir: Path) -> dict[str, str]:
    """A community of six meets; one answers in the room, one by the link of their mail. The secrets that this made."""
    community, meeting, members = str(uuid4()), str(uuid4()), [str(uuid4()) for _ in range(6)]
    zone = "America/Toronto"
    words = {"name": f"Cercle de {NAME}", "purpose": THEME, "kind": "individuals", "locale": "fr", "timezone": zone}
    client.ask("PUT", f"/v1/communities/{community}", words)
    for number, member in enumerate(members):
        card = {"name": f"{NAME} {number}", "email": f"{number}.{ADDRESS}", "locale": "fr", "timezone": zone}
        client.ask("PUT", f"/v1/members/{member}", card)
        client.ask("PUT", f"/v1/communities/{community}/memberships/{member}", {"capacity": "individual"})
    now = datetime.now(UTC)
    plan = {
        "community_ids": [community], "kind": "meeting", "mode": "online", "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=1)).isoformat(), "timezone": zone, "themes": [THEME], "link": f"https://meet.example.org/{THEME}",
    }  # fmt: skip
    until(lambda: client.ask("PUT", f"/v1/meetings/{meeting}", plan)[0] == 201, every_s=0.2)
    client.ask("POST", f"/v1/meetings/{meeting}/start")
    roll = {"entries": [{"member_id": member, "state": "attended"} for member in members]}
    until(lambda: client.ask("PUT", f"/v1/meetings/{meeting}/attendance", roll)[0] == 200, every_s=0.2)
    client.ask("POST", f"/v1/meetings/{meeting}/wrap-up")
    until(lambda: client.ask("GET", f"/v1/meetings/{meeting}/survey")[0] == 200, every_s=0.2)
    survey = client.ask("GET", f"/v1/meetings/{meeting}/survey")[1]
    assert isinstance(survey, dict)
    code = str(survey["room_code"])
    in_room = _answer(client, room_code=code, member_id=members[0])
    client.ask("GET", f"/v1/rooms/{code}")
    client.ask("GET", f"/r/{code}")
    client.ask("POST", f"/v1/meetings/{meeting}/close")
    link = until(lambda: _link(maildir), every_s=0.2)
    client.ask("GET", f"/s/{link}")
    return {"a room's code": code, "a link": link, "a ballot": in_room, "another": _answer(client, token=link)}


def _answer(client: Client, **who: str) -> str:
    """Ask for two ballots, send one twice and the other once; the ballot that was taken."""
    status, ballot = client.ask("POST", "/v1/ballots", {"locale": "fr", **who})
    assert (status, isinstance(ballot, dict)) == (201, True), ballot
    assert isinstance(ballot, dict)
    _, other = client.ask("POST", "/v1/ballots", {"locale": "fr", **who})
    assert isinstance(other, dict)
    sent = [client.ask("POST", "/v1/answers", filled(each, 4))[0] for each in (ballot, ballot, other)]
    assert sent == [204, 410, 409]
    return str(ballot["ballot_id"])


def _link(maildir: Path) -> str:
    """The token in some survey's mail; empty while there is none."""
    for path in maildir.rglob("*"):
        if path.is_file() and path.parent.name != "tmp":
            mail = email.message_from_bytes(path.read_bytes())
            for part in mail.walk():
                body = part.get_payload(decode=True)
                if isinstance(body, bytes) and (found := re.search(rb"/s/([\w.-]{20,})", body)):
                    return found[1].decode()
    return ""


def _ask_what_cannot_be(client: Client, secrets: dict[str, str]) -> None:
    """Bad requests that carry secrets where they should not be."""
    link, ballot, code = (secrets[name] for name in ("a link", "a ballot", "a room's code"))
    for token in (f"prt_000000000000_{WRONG['token']}", WRONG["token"], client.token + "x", client.token[:-1] + "_"):
        assert client.ask("GET", "/v1/communities", token=token)[0] == 401
    assert client.ask("PUT", f"/v1/members/{uuid4()}", json.dumps({"name": NAME}).encode()[:-3])[0] == 400
    assert client.ask("PUT", f"/v1/members/{uuid4()}", {"name": NAME, "email": f"{NAME}<{ADDRESS}>"})[0] == 422
    for path in (
        f"/v1/communities?token={link}",
        f"/s/{link}x",
        f"/s/{link}/x",
        f"/r/{code}X",
    ):
        client.ask("GET", path)
    client.ask("POST", f"/s/{link}", b"ballot=" + ballot.encode())
    client.ask("POST", "/v1/answers", {"ballot_id": ballot, "answers": [{"question": THEME, "value": NAME}]})
    client.ask("POST", "/v1/answers", {"ballot_id": ballot + "x", "answers": []})
    client.ask("GET", f"/v1/answers?ballot_id={ballot}")
    client.ask("PUT", f"/v1/ballots/{ballot}", {})


def _break_a_table(client: Client, fresh: private.Fresh, processes: Processes) -> None:
    """Failures that nobody foresaw, with the person's data at hand when they happen."""
    for name, table in (("membership", "member"), ("evaluation", "marker"), ("notifications", "contact_card")):
        opened = open_at(name, fresh.store_urls[name])
        with opened.begin() as session:
            if session.scalar(text("select to_regclass(:table)"), {"table": table}) is not None:
                session.execute(text(f"alter table {table} rename to gone"))
        opened.close()
    card = {"name": NAME, "email": ADDRESS, "locale": "fr", "timezone": "America/Toronto"}
    assert client.ask("PUT", f"/v1/members/{uuid4()}", card)[0] == 500
    opened = open_at("membership", fresh.store_urls["membership"])
    with opened.begin() as session:
        session.execute(text("alter table gone rename to member"))
    opened.close()
    assert client.ask("PUT", f"/v1/members/{uuid4()}", card)[0] == 201  # its private event meets a broken store
    until(lambda: "MemberContactChanged.v1 failed; it is tried again later" in processes.printed(), every_s=0.2)
