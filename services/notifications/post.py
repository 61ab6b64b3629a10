"""Hands mails over: to a mail server by SMTP, or into files where there is none."""

import os
import re
import smtplib
import ssl
from datetime import UTC
from email.message import EmailMessage
from email.policy import Policy
from email.utils import parseaddr, parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from pratique import clock
from pratique.crashpoint import crashpoint
from pratique.settings import Missing

CONNECT_S = 10.0  #: the server has so long for each answer but the last
ACCEPT_S = 60.0  #: and so long to take a mail it has received whole; servers look for viruses then
IDLE_S = 20.0  #: a connection that nobody used for so long is closed

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


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

    def send(self, mail: EmailMessage) -> None:
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

    def send(self, mail: EmailMessage) -> None:
        """Hand over one mail; a connection that died since the last one is opened again."""
        is_fresh = self._connection is None
        try:
            connection = self._connection or self._connect()
            try:
                self._begin(connection)
            except (smtplib.SMTPServerDisconnected, OSError):
                if is_fresh:
                    raise
                self._drop()
                connection = self._connect()
                self._begin(connection)
            self._hand_over(connection, mail)
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

    def _begin(self, connection: smtplib.SMTP) -> None:
        """Say who writes. A refusal here is about us, and not about the recipient: it is never for good."""
        code, words = connection.mail(self._sender)
        if code != 250:
            raise smtplib.SMTPResponseException(code, words)

    def _hand_over(self, connection: smtplib.SMTP, mail: EmailMessage) -> None:
        recipient = mail["To"].addresses[0].addr_spec
        self._expect((250, 251), connection.rcpt(recipient), recipient)
        self._expect((354,), connection.docmd("DATA"), recipient)
        try:
            connection.send(_transparent(mail.as_bytes(policy=_on_the_wire(mail.policy))))
            crashpoint("mail.handed_over")
            self._wait(connection, self._accept_s)
            answer = connection.getreply()
            self._wait(connection, self._connect_s)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise Unknown(f"the connection was lost before the server's last word: {type(error).__name__}") from error
        self._expect((250,), answer, recipient)

    def _expect(self, codes: tuple[int, ...], answer: tuple[int, bytes], recipient: str) -> None:
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

    def send(self, mail: EmailMessage) -> None:
        """Leave ``<time>-<id>.eml`` in the folder; only this user may read it, since links in it are secret."""
        at = parsedate_to_datetime(mail["Date"]).astimezone(UTC)
        id = mail["Message-ID"].strip("<>").partition("@")[0]
        path = self._folder / f"{at:%Y%m%dT%H%M%SZ}-{id}.eml"
        unfinished = self._folder / f"{id}.part"  # the same whenever it is tried, so that nothing is left lying about
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with open(unfinished, "wb", opener=_privately) as file:
                file.write(mail.as_bytes())
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


@lru_cache
def _on_the_wire(policy: Policy) -> Policy:
    """The policy by which a mail was written, with the line ends of SMTP; kept, for it remembers how headers fold."""
    return policy if policy.linesep == "\r\n" else policy.clone(linesep="\r\n")


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
