"""A mail server that can be told to misbehave while it runs, in a process of its own.

``Mailserver`` starts it and tells it how to behave (``Behaviour``); it keeps what it took, by Message-ID and recipient.
"""

import asyncio
import contextlib
import dataclasses
import json
import subprocess
import sys
import threading
from collections import Counter
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from tests.servers.process import free_port

STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "text")


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """What it does; by default it takes every mail at once."""

    is_away: bool = False  #: connections are refused
    refuses_at: str = ""  #: the stage (``STAGES``) at which it says ``reply``
    reply: str = "451 4.3.0 try again later"
    only: str = ""  #: the one recipient whom ``refuses_at`` concerns, from rcpt on; all if empty
    delay_s: float = 0.0  #: before each reply
    answers_after_s: float = 0.0  #: it takes the mail at once, and says so only after this
    hangs_up: str = ""  #: "amid" the text; "after" it, untaken; or "taken": it took the mail and never says so
    is_greylisting: bool = False  #: the first try for each recipient is refused for now
    connections: int = 1000  #: at once; more are told to come later
    cuts_off: bool = True  #: whatever is connected when it begins to behave like this, as a restart does


class _Site:
    """All connections of the server, and what it took."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.open: set[Any] = set()
        self.taken: list[tuple[str, str]] = []
        self.known: set[str] = set()

    def refuses(self, stage: str, recipient: str = "") -> bool:
        """Whether this stage ends with a no."""
        only = self.behaviour.only
        return self.behaviour.refuses_at == stage and only in ("", recipient)

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:
        """Greet, or refuse to."""
        if self.refuses("ehlo"):
            return [self.behaviour.reply]
        session.host_name = hostname
        return responses

    async def handle_HELO(self, server: Any, session: Any, envelope: Any, hostname: str) -> str:
        """Refuse those too who try the older greeting."""
        session.host_name = hostname
        return self.behaviour.reply if self.refuses("ehlo") else "250 mail.example"

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Take the sender, or refuse it."""
        if self.refuses("mail"):
            return self.behaviour.reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Take the recipient, or refuse them."""
        is_new = address not in self.known
        self.known.add(address)
        if self.refuses("rcpt", address):
            return self.behaviour.reply
        if self.behaviour.is_greylisting and is_new:
            return "451 4.7.1 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take the mail, or refuse it, or leave the client in the dark."""
        (recipient,) = envelope.rcpt_tos
        if self.refuses("text", recipient):
            return self.behaviour.reply
        if self.behaviour.hangs_up != "after":
            self.taken.append((BytesHeaderParser().parsebytes(envelope.content)["Message-ID"], recipient))
        if self.behaviour.hangs_up:
            server.transport.abort()
        await asyncio.sleep(self.behaviour.answers_after_s)
        return "250 taken"


class _Connection(SMTP):
    """One connection."""

    def __init__(self, site: _Site) -> None:
        super().__init__(site, hostname="mail.example")
        self._site = site

    def connection_made(self, transport: Any) -> None:
        """Count it."""
        self._site.open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self._site.open.discard(self.transport)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        site = self._site
        if site.refuses("connect") or len(site.open) > site.behaviour.connections:
            await self.push(site.behaviour.reply if site.refuses("connect") else "421 4.7.0 too many connections")
            self.transport.close()
            return
        await super()._handle_client()

    async def push(self, status: Any) -> None:
        """Say something, as slowly as it was told to."""
        await asyncio.sleep(self._site.behaviour.delay_s)
        await super().push(status)

    async def smtp_DATA(self, arg: str) -> None:
        """Let the text come, or cut it off."""
        (recipient,) = self.envelope.rcpt_tos or [""]
        if self._site.refuses("data", recipient):
            await self.push(self._site.behaviour.reply)
        elif self._site.behaviour.hangs_up == "amid":
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
        else:
            await super().smtp_DATA(arg)


async def _serve(port: int) -> None:
    """Obey the lines on standard input, each a Behaviour or a question, until it ends."""
    loop, site = asyncio.get_running_loop(), _Site()
    listening: Any = None
    orders: asyncio.Queue[str] = asyncio.Queue()

    def listen_to_orders() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(orders.put_nowait, line)
        loop.call_soon_threadsafe(orders.put_nowait, "")

    threading.Thread(target=listen_to_orders, daemon=True).start()
    while line := await orders.get():
        if line.strip() != "report":
            site.behaviour = Behaviour(**json.loads(line))
            for transport in list(site.open) if site.behaviour.cuts_off else ():
                transport.abort()
            if listening and site.behaviour.is_away:
                listening.close()
                listening = None
            if not listening and not site.behaviour.is_away:
                listening = await loop.create_server(lambda: _Connection(site), "127.0.0.1", port)
        print(json.dumps(site.taken), flush=True)


class Mailserver:
    """The server's process, and what one asks of it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        command = [sys.executable, "-W", "ignore", "-m", __name__, str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.behave()

    def behave(self, **how: Any) -> None:
        """From now on, behave like this."""
        self._order(json.dumps(dataclasses.asdict(Behaviour(**how))))

    def taken(self) -> Counter[tuple[str, str]]:
        """How often it took each (Message-ID, recipient)."""
        return Counter((message_id, recipient) for message_id, recipient in self._order("report"))

    def _order(self, line: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._process.communicate(timeout=30)
        self._process.kill()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
