"""Mails that have left: where servers and services keep them, and how their reader and a calendar see them."""

import email.policy
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from icalendar import Calendar

from tests.harness.waiting import PATIENCE_S, is_listening, until

LINK = re.compile(r"/s/([A-Za-z0-9_-]{20,})")


class MailFolder:
    """Folder of mails, one a file: a maildir, or the one that services write to where there is no mail server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, EmailMessage] = {}

    def paths(self) -> list[Path]:
        """Return the files of whole mails, oldest first."""
        found = [each for each in self._folder.rglob("*") if each.is_file() and each.parent.name != "tmp"]
        whole = [each for each in found if each.suffix != ".part"]
        return sorted(whole, key=lambda each: (each.stat().st_mtime_ns, each.name))

    def mails(self) -> list[EmailMessage]:
        """Return all mails, oldest first."""
        return [self._read.get(path) or self._read.setdefault(path, parsed(path.read_bytes())) for path in self.paths()]


def parsed(content: bytes) -> EmailMessage:
    """Return a mail as its reader's program has it."""
    return BytesParser(EmailMessage, policy=email.policy.default).parsebytes(content)


@contextmanager
def mail_server(port: int, maildir: Path) -> Iterator[Path]:
    """A real SMTP server in a process of its own, which keeps what it accepts in a maildir."""
    command = [sys.executable, "-W", "ignore", "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "-c", "aiosmtpd.handlers.Mailbox", str(maildir)])
    try:
        until(lambda: is_listening(port), what="the mail server")
        yield maildir
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def text_of(mail: EmailMessage) -> str:
    """Return the plain text."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: EmailMessage) -> str:
    """Return the page."""
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def asks(mail: EmailMessage) -> bool:
    """Return whether it leads to a survey."""
    return "/s/" in text_of(mail)


def link_in(mail: EmailMessage) -> str:
    """Return the token of the survey link in a mail."""
    found = LINK.search(text_of(mail))
    assert found, "a mail asks and has no link"
    return found[1]


def everything_in(mail: EmailMessage) -> str:
    """Return headers and all parts, decoded."""
    parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    return "\n".join([*map(str, mail.values()), *map(str, parts)])


def calendar_of(mail: EmailMessage) -> tuple[str, Any]:
    """Return the method of the calendar part, and its one entry."""
    part = next(each for each in mail.walk() if each.get_content_type() == "text/calendar")
    calendar = Calendar.from_ical(part.get_content())
    (entry,) = calendar.walk("VEVENT")
    assert part.get_param("method") == str(calendar["METHOD"])
    return str(calendar["METHOD"]), entry
