"""The mails of the embedded mode, where they become files and reach nobody: which there are, and each as one reads it.

Only there are these pages routed. Whoever reads them may use the links, as whoever has the files may.
"""

import heapq
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_binary_file, policy
from email.message import EmailMessage, Message
from pathlib import Path

from icalendar import Calendar
from werkzeug.wrappers import Response

from gateway.pages import survey
from gateway.pages.render import message, page
from gateway.reading import read_locale
from gateway.routes import Media, RequestContext, Route
from pratique.errors import DomainError, NotFound
from words.catalogue import N_, sentences

PAGE = 25  #: mails on one page

_NAME = re.compile(
    r"\d{8}T\d{6}Z-[0-9a-f-]{36}\.eml"
)  # as notifications names them: the order of names is that of time
_LINK = re.compile(r"(https?://[^\s<>«»\"]*[^\s<>«»\".,;:!?)])")


@dataclass(frozen=True)
class Mail:
    """One file."""

    name: str
    parsed: EmailMessage

    @property
    def to(self) -> str:
        """The recipients."""
        return str(self.parsed["To"] or "")

    @property
    def sender(self) -> str:
        """From whom."""
        return str(self.parsed["From"] or "")

    @property
    def subject(self) -> str:
        """The subject."""
        return str(self.parsed["Subject"] or "")

    @property
    def locale(self) -> str:
        """The language in which it is written."""
        return str(self.parsed["Content-Language"] or "")

    @property
    def sent_at(self) -> str:
        """The instant of sending, in the zone of this machine, since it is this machine's user who reads it."""
        at = getattr(self.parsed["Date"], "datetime", None)
        return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if isinstance(at, datetime) else ""

    @property
    def meeting(self) -> str:
        """The conversation that it belongs to: all mails about a meeting have one; empty if it is about none."""
        return str(self.parsed["References"] or "")

    @property
    def reply_to(self) -> str:
        """To whom an answer goes, if not to the sender."""
        return str(self.parsed["Reply-To"] or "")

    def headers(self) -> str:
        """Its headers, decoded, a line each."""
        return "\n".join(f"{name}: {value}" for name, value in self.parsed.items())

    def html(self) -> str:
        """The text for those who see HTML; empty if there is none."""
        body = self.parsed.get_body(("html",))
        return str(body.get_content()) if body is not None else ""

    def calendar(self) -> str:
        """The calendar entry as it was sent; empty if there is none."""
        part = self._calendar_part()
        content = part.get_payload(decode=True) if part is not None else b""
        return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""

    def pieces(self) -> list[tuple[str, bool]]:
        """The text for those who see no HTML, in pieces; True marks a link."""
        body = self.parsed.get_body(("plain",))
        text = str(body.get_content()) if body is not None else ""
        return [(piece, number % 2 == 1) for number, piece in enumerate(_LINK.split(text)) if piece]

    def entry(self) -> "Entry | None":
        """The calendar entry; None if there is none."""
        part = self._calendar_part()
        return _read_entry(part.get_payload(decode=True)) if part is not None else None

    def _calendar_part(self) -> Message | None:
        return next((part for part in self.parsed.walk() if part.get_content_type() == "text/calendar"), None)


@dataclass(frozen=True)
class Entry:
    """A calendar entry, in words."""

    method: str  #: REQUEST or CANCEL
    summary: str
    span: str  #: 2026-03-12 14:00 – 2026-03-12 15:00
    zone: str
    place: str
    link: str


def list_mails(context: RequestContext) -> Response:
    """Show which mails there are, the newest first, those about one meeting together."""
    locale, folder = read_locale(context.request), context.app.settings.mail_dir
    names = _newest(folder, context.request.args.get("after", ""))
    found = [mail for mail in (_find(folder, name) for name in names[:PAGE]) if mail is not None]
    older = names[PAGE - 1] if len(names) > PAGE else ""
    groups, title = _by_meeting(found), sentences(locale)(N_("Emails that were sent"))
    return page("mails", locale, title=title, groups=groups, older=older, folder=folder)


def show_mail(context: RequestContext) -> Response:
    """Show one mail as it was sent: in HTML and text, with its headers, and what it tells a calendar."""
    locale, mail = read_locale(context.request), _named(context)
    pieces, entry = mail.pieces(), mail.entry()
    response = page("mail", locale, title=mail.subject, mail=mail, pieces=pieces, entry=entry)
    response.headers["Content-Security-Policy"] += "; frame-src 'self'"
    return response


def show_html(context: RequestContext) -> Response:
    """Show the HTML of one mail within its page: nothing of it runs, and it fetches nothing.

    Its links open beside the page. That is all that is added to what was sent.
    """
    html = _named(context).html()
    if not html:
        raise NotFound("This mail has no HTML.")
    response = Response(html.replace("<head>", '<head><base target="_blank">', 1), mimetype="text/html")
    response.headers.update(
        {
            "Content-Security-Policy": "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
            "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
    )
    return response


def _named(context: RequestContext) -> Mail:
    """The mail that the path names.

    Raises:
        NotFound: there is none.
    """
    name = context.path["name"]
    mail = _find(context.app.settings.mail_dir, name) if _NAME.fullmatch(name) else None
    if mail is None:
        raise NotFound("There is no such mail.")
    return mail


def _by_meeting(mails: Sequence[Mail]) -> list[tuple[str, str, list[Mail]]]:
    """The mails of a page by what they are about: the subject of the oldest, its language, and the mails.

    What is about no meeting comes last, under no subject.
    """
    groups: dict[str, list[Mail]] = {}
    for mail in mails:
        groups.setdefault(mail.meeting, []).append(mail)
    others = groups.pop("", [])
    told = [(group[-1].subject, group[-1].locale, group) for group in groups.values()]
    return told + ([("", "", others)] if others else [])


def refuse(context: RequestContext, error: DomainError) -> Response:
    """The page that tells this error to a person."""
    if isinstance(error, NotFound):
        return message("mail_unknown", read_locale(context.request), 404)
    return survey.refuse(context, error)


def _newest(folder: Path, after: str) -> Sequence[str]:
    """The names of one page and one more; looks at names only, so that a folder may be big."""
    try:
        with os.scandir(folder) as entries:
            names = (entry.name for entry in entries if _NAME.fullmatch(entry.name))
            return heapq.nlargest(PAGE + 1, (name for name in names if not after or name < after))
    except FileNotFoundError:
        return []


def _find(folder: Path, name: str) -> Mail | None:
    """The mail in this file of the folder; None if it is gone, or leads out of the folder."""
    try:
        with open(folder / name, "rb", opener=_here_only) as file:
            parsed = message_from_binary_file(file, policy=policy.default)
    except OSError:
        return None
    return Mail(name, parsed)


def _here_only(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _read_entry(content: object) -> Entry | None:
    """Read ``text/calendar``; None if it cannot be read."""
    try:
        calendar = Calendar.from_ical(content if isinstance(content, bytes) else b"")
    except ValueError:
        return None
    for event in calendar.walk("VEVENT"):
        starts_at, ends_at = event.decoded("dtstart"), event.decoded("dtend")
        return Entry(
            method=str(calendar.get("method", "")),
            summary=str(event.get("summary", "")),
            span=f"{starts_at:%Y-%m-%d %H:%M} – {ends_at:%Y-%m-%d %H:%M}",
            zone=str(event["dtstart"].params.get("TZID", "UTC")),
            place=str(event.get("location", "")),
            link=str(event.get("url", "")),
        )
    return None


ROUTES = tuple(
    Route("GET", path, summary, act=act, operation=act.__name__, media=Media.HTML, refuse=refuse)
    for path, summary, act in (
        ("/mails", "Show which mails were sent, in the embedded mode", list_mails),
        ("/mails/<name>", "Show one of these mails", show_mail),
        ("/mails/<name>/html", "Show the HTML of one of these mails", show_html),
    )
)
