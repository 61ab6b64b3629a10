"""Hands mails over: to a mail server by SMTP, or into files where there is none."""

import os
import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from chassis import clock
from chassis.crashpoint import crashpoint
from chassis.settings import Missing

CONNECT_S = 10.0  #: the server has so long for each answer but the last
ACCEPT_S = 60.0  #: and so long to take a mail it has received whole; servers look for viruses then
IDLE_S = 20.0  #: a connection that nobody used for so long is closed

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Mail:
    """One mail to one person, ready to go."""

    id: str  #: what stands before the @ of its Message-ID
    recipient: str  #: the bare address
    written_at: datetime
    content: bytes  #: as RFC 5322 has it; lines end with CR LF


Answer = tuple[int, bytes]  #: of a mail server: code and words


class NotSent(Exception):
    """The server would not take it now, or is away; nothing was sent, so try again later."""

    def __init__(self, error: str, is_away: bool = False) -> None:
        super().__init__(error)
        self.is_away = is_away  #: whether the next mail would fare no better


class Refused(Exception):
    """The server refused this mail for good; do not send it again."""


class Unknown(Exception):
    """The server had the whole mail and did not say whether it took it; it may arrive."""


class Post(Protocol):
    """A way out for mails; used by one sender at a time."""

    def send(self, mail: Mail) -> None:
        """Hand over one mail to its one recipient; when this returns, somebody else answers for it.

        Raises:
            NotSent, Refused, Unknown: see there.
        """

    def rest(self) -> None:
        """There is nothing to send at the moment."""


class SmtpPost:
    """Sends to a mail server, over one connection that is kept and opened again when it has died.

    ``smtp://`` encrypts where the server offers it, ``smtps://`` always. A password travels over verified encryption
    only, or on this very machine; without one, encryption is taken as it comes, as mail servers do among themselves.
    """

    def __init__(self, url: str, mail_from: str, *, connect_s: float = CONNECT_S, accept_s: float = ACCEPT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise Missing("PRATIQUE_SMTP_URL must look like smtp://user:password@host:587 or smtps://host.")
        self._host, self._is_tls = parts.hostname, parts.scheme == "smtps"
        self._port = parts.port or (465 if self._is_tls else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = parseaddr(mail_from)[1]
        self._domain = self._sender.rpartition("@")[2]  # how we greet; the machine's own name may need a slow look-up
        self._connect_s, self._accept_s = connect_s, accept_s
        self._connection: smtplib.SMTP | None = None
        self._used_at = clock.now()

    def send(self, mail: Mail) -> None:
        """Hand over one mail; a connection that died since the last one is opened again."""
        is_fresh = self._connection is None
        try:
            connection = self._connection or self._connect()
            try:
                answers = self._announce(connection, mail.recipient)
            except (smtplib.SMTPServerDisconnected, OSError):
                if is_fresh:
                    raise
                self._drop()
                connection = self._connect()
                answers = self._announce(connection, mail.recipient)
            self._hand_over(connection, mail, answers)
        except smtplib.SMTPResponseException as error:
            self._drop()
            raise NotSent(_said(error.smtp_code, error.smtp_error), is_away=True) from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise NotSent(f"{type(error).__name__}: {error}", is_away=True) from error
        self._used_at = clock.now()

    def rest(self) -> None:
        """Close the connection when nobody has used it for a while."""
        if self._connection and (clock.now() - self._used_at).total_seconds() > IDLE_S:
            self.close()

    def close(self) -> None:
        """Say goodbye to the server."""
        connection, self._connection = self._connection, None
        if connection:
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()

    def _connect(self) -> smtplib.SMTP:
        if self._is_tls:
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, self._domain, timeout=self._connect_s, context=context
            )
        else:
            connection = smtplib.SMTP(self._host, self._port, self._domain, timeout=self._connect_s)
        self._connection = connection
        connection.ehlo_or_helo_if_needed()
        is_private = self._is_tls or self._host in _LOOPBACK
        if not self._is_tls and connection.has_extn("starttls"):
            connection.starttls(context=_verified() if self._user and not is_private else _unverified())
            connection.ehlo()
            is_private = True
        if self._user and not is_private:
            raise smtplib.SMTPNotSupportedError(
                "the server offers no encryption, so the password stays here; use smtps:// or a server with STARTTLS"
            )
        if self._user:
            connection.login(self._user, self._password)
        return connection

    def _announce(self, connection: smtplib.SMTP, recipient: str) -> list[Answer]:
        """The answers to who writes, to whom, and that the mail follows; a no may be the last of them.

        All in one go where the server can take that (RFC 2920), which spares two round trips of each mail.
        """
        commands, answers = [f"MAIL FROM:<{self._sender}>", f"RCPT TO:<{recipient}>", "DATA"], list[Answer]()
        is_pipelined = connection.has_extn("pipelining")
        if is_pipelined:
            connection.send("".join(f"{command}\r\n" for command in commands))
        for command in commands:
            answers.append(connection.getreply() if is_pipelined else connection.docmd(command))
            code, _ = answers[-1]
            if code == 421 or (code >= 400 and not is_pipelined):
                break
        return answers

    def _hand_over(self, connection: smtplib.SMTP, mail: Mail, answers: list[Answer]) -> None:
        sender, recipient, go_on = answers + [answers[-1]] * (3 - len(answers))
        if sender[0] != 250:  # it is about us, and not about the recipient: never for good
            raise smtplib.SMTPResponseException(*sender)
        if recipient[0] not in (250, 251) and go_on[0] == 354:  # nobody is to get it, and yet it waits for a mail
            connection.docmd(".")
        self._expect((250, 251), recipient, mail.recipient)
        self._expect((354,), go_on, mail.recipient)
        try:
            connection.send(_transparent(mail.content))
            crashpoint("mail.handed_over")
            self._wait(connection, self._accept_s)
            answer = connection.getreply()
            self._wait(connection, self._connect_s)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise Unknown(f"the connection was lost before the server's last word: {type(error).__name__}") from error
        self._expect((250,), answer, mail.recipient)

    def _expect(self, codes: tuple[int, ...], answer: Answer, recipient: str) -> None:
        """Go on if the server agrees; otherwise leave the connection ready for the next mail, and say no."""
        code, words = answer
        if code in codes:
            return
        if code == 421:  # it is closing the connection
            raise smtplib.SMTPResponseException(code, words)
        said = _said(code, words).replace(recipient, "(the address)")
        try:
            if self._connection:
                self._connection.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()
        raise Refused(said) if code >= 500 else NotSent(said)

    def _wait(self, connection: smtplib.SMTP, timeout_s: float) -> None:
        if connection.sock:
            connection.sock.settimeout(timeout_s)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()


class FilePost:
    """Writes mails as files, which mail programs open, for the embedded mode; whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, mail: Mail) -> None:
        """Leave ``<time>-<id>.eml`` in the folder; only this user may read it, since links in it are secret."""
        path = self._folder / f"{mail.written_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{mail.id}.eml"
        unfinished = (
            self._folder / f"{mail.id}.part"
        )  # the same whenever it is tried, so that nothing is left lying about
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with open(unfinished, "wb", opener=_privately) as file:
                file.write(mail.content)
            crashpoint("mail.handed_over")
            unfinished.replace(path)
        except OSError as error:
            raise NotSent(f"no mail can be written into {self._folder}: {error.strerror}", is_away=True) from error

    def rest(self) -> None:
        """Nothing is kept open."""


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())}"[:500]


def _transparent(body: bytes) -> bytes:
    """The mail as it goes over the wire: dots at the beginning of lines doubled, and the final dot (RFC 5321 4.5.2)."""
    ended = body if body.endswith(b"\r\n") else body + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", ended) + b".\r\n"


def _verified() -> ssl.SSLContext:
    return ssl.create_default_context()


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
