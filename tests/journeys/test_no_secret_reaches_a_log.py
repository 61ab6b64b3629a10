"""Real processes at the level of debugging, through good ways and bad: what they print holds no secret and no name."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.settings import SERVICES
from chassis.testing import open_at
from tests import servers as private
from tests.harness.client import HttpClient, RetryingClient
from tests.harness.mails import MailFolder, asks, link_in, mail_server, text_of
from tests.harness.people import ZONE, filled
from tests.harness.waiting import PATIENCE_S, PROGRAM_S, is_ready, until
from tests.servers.process import free_port

pytestmark = pytest.mark.real
HOME = Path(__file__).parents[2]
#: `pratique`, but everything that any library says at any level is printed too.
WORDY = "from chassis import log; log.configure.__defaults__ = ('json', None, 1); from operations import main; main()"
NAME, ADDRESS, THEME = "Zéphyrine Quatresous", "zephyrine.q@example.org", "Le sujet indiscret"
WRONG = {"broker": "wrongbrokerpw7", "store": "wrongstorepw7", "smtp": "wrongsmtppw7", "token": "W" * 43}
PAGE = {"Accept": "text/html"}
NOT_YET = (404, 422)  #: what is asked of a service that has not heard of the community, or of the wrap-up, passes


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
        return self.start(*arguments, **environ).wait(PROGRAM_S)

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
        env=processes.environ, capture_output=True, text=True, timeout=PROGRAM_S, check=True,
    )  # fmt: skip
    client = HttpClient(int(processes.environ["PRATIQUE_HTTP_PORT"]), made.stdout.strip(), timeout_s=PATIENCE_S)
    secrets["a token"] = client.token.split("_", 2)[2]
    until(lambda: is_ready(client.port), every_s=0.2)
    secrets |= _live_through_a_meeting(client, tmp_path / "maildir")
    secrets |= _sign_in(client, tmp_path / "maildir")
    _ask_what_cannot_be(client, secrets)
    _break_a_table(client, fresh, processes)
    lost = processes.printed().count("lost the broker")
    fresh.servers.rabbitmqctl("close_all_connections", "-p", fresh.vhost, "a test")
    until(lambda: processes.printed().count("lost the broker") > lost, every_s=0.2)
    main.send_signal(signal.SIGTERM)
    assert main.wait(PATIENCE_S) == 0
    printed = processes.printed()
    assert '"level": "debug"' in printed, "debugging is on"
    assert "UndefinedTable" in printed, "the failure is told"
    assert len(printed.splitlines()) > 100
    found = {what: _line_of(secret, printed) for what, secret in secrets.items() if secret in printed}
    assert found == {}
    assert len(secrets) >= 15


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
    assert processes.run("migrate", "meetings", PRATIQUE_STORE_MEETINGS=malformed) == 2  # refused with the settings
    until(lambda: "lost the broker" in processes.printed(), every_s=0.2)
    lasting.send_signal(signal.SIGTERM)
    assert lasting.wait(PATIENCE_S) == 0


def _live_through_a_meeting(client: HttpClient, maildir: Path) -> dict[str, str]:
    """Let six people meet, one answer in the room and one by a link, and return the secrets that this made."""
    patient = RetryingClient(lambda: client, passing=NOT_YET)
    community, meeting, members = str(uuid4()), str(uuid4()), [str(uuid4()) for _ in range(6)]
    client.put_community(community, name=f"Cercle de {NAME}", purpose=THEME)
    for number, member in enumerate(members):
        client.put_member(member, f"{NAME} {number}", email=f"{number}.{ADDRESS}")
        client.add_to_community(community, member)
    words = {"themes": [THEME], "link": f"https://meet.example.org/{THEME}"}
    patient.put_meeting(meeting, community, starts_at=datetime.now(UTC), **words)
    client.start(meeting)
    patient.record_attendance(meeting, dict.fromkeys(members, "attended"))
    client.wrap_up(meeting)
    code = str(patient.survey(meeting)["room_code"])
    in_room = _answer(client, room_code=code, member_id=members[0])
    client.request("GET", f"/v1/rooms/{code}")
    client.request("GET", f"/r/{code}", headers=PAGE)
    client.close(meeting)
    link = until(lambda: _link(maildir), every_s=0.2)
    client.request("GET", f"/s/{link}", headers=PAGE)
    return {"a room's code": code, "a link": link, "a ballot": in_room, "another": _answer(client, token=link)}


def _sign_in(client: HttpClient, maildir: Path) -> dict[str, str]:
    """Sign in by a mailed link, in good ways and bad, and return the secrets of that."""
    form = {"Content-Type": "application/x-www-form-urlencoded", **PAGE}
    assert client.request("POST", "/sign-in", f"email=0.{ADDRESS}", form).status == 200
    assert client.request("POST", "/sign-in", f"email=nobody.{ADDRESS}", form).status == 200
    path = until(lambda: _sign_in_path(maildir), every_s=0.2)
    client.request("GET", path, headers=PAGE)
    entered = client.request("POST", path, "", form)
    cookie = entered.headers["Set-Cookie"].partition(";")[0]
    signed_in = PAGE | {"Cookie": cookie}
    home = client.request("GET", "/home", headers=signed_in)
    assert (entered.status, home.status, NAME in home.text) == (303, 200, True)
    token = re.findall(r'name="form_token" value="([^"]+)"', home.text)[0]
    assert client.request("POST", path, "", form).status == 404
    assert client.request("POST", "/account/sign-out", "form_token=x", form | signed_in).status == 403
    assert client.request("GET", f"/home?{cookie}", headers={"Cookie": cookie + "x", **PAGE}).status == 303
    return {
        "a link to sign in": path.rpartition("/")[2],
        "a session": cookie.partition("=")[2].split("_", 2)[2],
        "a form's token": token,
    }


def _sign_in_path(maildir: Path) -> str:
    texts = (text_of(mail) for mail in MailFolder(maildir).mails())
    return next((found[0] for text in texts if (found := re.findall(r"/sign-in/\S+", text))), "")


def _answer(client: HttpClient, **who: str) -> str:
    """Ask for two ballots, send one twice and the other once; return the ballot that was taken."""
    ballot, other = client.ballot(**who), client.ballot(**who)
    sent = [client.request("POST", "/v1/answers", filled(each, 4)).status for each in (ballot, ballot, other)]
    assert sent == [204, 410, 409]
    return str(ballot["ballot_id"])


def _link(maildir: Path) -> str:
    """Return the token in some survey's mail; empty while there is none."""
    return next((link_in(mail) for mail in MailFolder(maildir).mails() if asks(mail)), "")


def _ask_what_cannot_be(client: HttpClient, secrets: dict[str, str]) -> None:
    """Bad requests that carry secrets where they should not be."""
    link, ballot, code = (secrets[name] for name in ("a link", "a ballot", "a room's code"))
    for token in (f"prt_000000000000_{WRONG['token']}", WRONG["token"], client.token + "x", client.token[:-1] + "_"):
        assert replace(client, token=token).request("GET", "/v1/communities").status == 401
    assert client.request("PUT", f"/v1/members/{uuid4()}", json.dumps({"name": NAME}).encode()[:-3]).status == 400
    assert client.request("PUT", f"/v1/members/{uuid4()}", {"name": NAME, "email": f"{NAME}<{ADDRESS}>"}).status == 422
    for path in (
        f"/v1/communities?token={link}",
        f"/s/{link}x",
        f"/s/{link}/x",
        f"/r/{code}X",
    ):
        client.request("GET", path, headers=PAGE)
    client.request("POST", f"/s/{link}", b"ballot=" + ballot.encode(), PAGE)
    client.request("POST", "/v1/answers", {"ballot_id": ballot, "answers": [{"question": THEME, "value": NAME}]})
    client.request("POST", "/v1/answers", {"ballot_id": ballot + "x", "answers": []})
    client.request("GET", f"/v1/answers?ballot_id={ballot}")
    client.request("PUT", f"/v1/ballots/{ballot}", {})


def _break_a_table(client: HttpClient, fresh: private.Fresh, processes: Processes) -> None:
    """Failures that nobody foresaw, with the person's data at hand when they happen."""
    for name, table in (("membership", "member"), ("evaluation", "marker"), ("notifications", "contact_card")):
        opened = open_at(name, fresh.store_urls[name])
        with opened.begin() as session:
            if session.scalar(text("select to_regclass(:table)"), {"table": table}) is not None:
                session.execute(text(f"alter table {table} rename to gone"))
        opened.close()
    card = {"name": NAME, "email": ADDRESS, "locale": "fr", "timezone": ZONE}
    assert client.request("PUT", f"/v1/members/{uuid4()}", card).status == 500
    opened = open_at("membership", fresh.store_urls["membership"])
    with opened.begin() as session:
        session.execute(text("alter table gone rename to member"))
    opened.close()
    answer = client.request("PUT", f"/v1/members/{uuid4()}", card)
    assert answer.status == 201  # its private event meets a broken store
    until(lambda: "MemberContactChanged.v1 failed; it is tried again later" in processes.printed(), every_s=0.2)
