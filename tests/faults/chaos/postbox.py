"""``python -m tests.faults.chaos.postbox PORT FILE``: a mail server that writes a line for each mail it has taken."""

import asyncio
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

_ID = re.compile(rb"^Message-ID:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Taken:
    """One mail that the server has said 250 to."""

    to: str
    id: str  #: the part of Message-ID before the @


def taken(path: Path) -> list[Taken]:
    """Every mail so far, in the order in which they came."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [Taken(**json.loads(line)) for line in lines]


class _Writing:
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Note the mail, then say yes: what the sender may believe is written."""
        found = _ID.search(envelope.content)
        mail = Taken(envelope.rcpt_tos[0], found[1].decode() if found else "")
        self._file.write(json.dumps(mail.__dict__) + "\n")
        return "250 OK"


async def _serve(port: int, path: Path) -> None:
    handler = _Writing(path)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
