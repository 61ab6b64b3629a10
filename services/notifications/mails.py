"""A message becomes a mail: words from templates, in the member's language, and for meetings a calendar entry."""

import dataclasses
import re
from binascii import b2a_qp
from collections.abc import Sequence
from email.headerregistry import Address
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from chassis import clock
from chassis.settings import Settings
from pratique.events import notifications as events
from pratique.events.meetings import MeetingDescribed, Mode
from pratique.events.membership import Locale
from pratique.value import hints_of
from services.notifications import wording
from services.notifications.calendar_entry import Entry, write_entry
from services.notifications.decisions import MessageContext
from services.notifications.kinds import KINDS
from services.notifications.models import ContactCard, MeetingCard, MeetingWords, Sealed
from services.notifications.post import Mail
from words.catalogue import say_in, sentences

TEMPLATES = Path(__file__).parent / "templates"


#: Seven bits, so that every server takes it and no line is longer than one may be.
_POLICY = EmailPolicy(linesep="\r\n", cte_type="7bit")
_SHORT_NAME = 50  #: signs that fit in a line beside a greeting
_SHORT = 70  #: signs that fit in a line beside the name of their header
_ALWAYS = b"MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
#: What differs among those who get the same mail, and signs that stand for it; no word holds one of these.
_STAND_INS = {
    "name": "\x01",
    "survey_url": "\x02",
    "results_url": "\x03",
    "sign_in_url": "\x04",
    "invitation_url": "\x05",
}
_SHORT_SENDER = 70  #: signs of a sender's name that mail programs show
_SHORT_THEMES = 100  #: signs of themes that a calendar shows in one line

#: What ``MeetingDescribed`` says in words, which templates may show.
_TEXTS = [name for name, hint in hints_of(MeetingDescribed).items() if hint in (str, str | None, tuple[str, ...])]

#: Spaces, and what breaks lines, headers or databases: controls, separators, halves of surrogates.
_GAPS = re.compile("[ \\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]+")
#: What nobody sees and yet turns text around, hides in it, or parts it: no word needs it.
_UNSEEN = re.compile(
    "[\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"
    "\\U000e0000-\\U000e007f]"
)
#: Where mail programs find an address in a text, and make a link of it.
_JOINTS = re.compile(r"(?<=\S)(?:(?=[.@])|(?<=:)(?=[/\w]))(?=\S\S)")


_BREAKS = re.compile("[ \\n]+")  #: between the words of a template


class Said(str):
    """Words that somebody wrote. In HTML no mail program finds an address in them: it is parted where one would be."""

    __slots__ = ()

    def __html__(self) -> Markup:
        """These words, escaped, with places at which a line may be broken in what could be an address."""
        return Markup("<wbr>").join(_JOINTS.split(str(self)))


class Written(NamedTuple):
    """The words of a mail."""

    subject: str
    text: str
    html: str
    entry: str  #: what the calendar entry says of the meeting; empty where there is none


class Unwritable(Exception):
    """No mail can be written to this address; trying again will not help. The message says why, without it."""


@dataclasses.dataclass(frozen=True)
class Letterhead:
    """The settings that all mails of a deployment share."""

    mail_from: str  #: "Pratique <pratique@example.org>"
    public_url: str  #: how people reach the gateway, without a slash at the end
    threshold: int = 5  #: answers below which no results are told

    @classmethod
    def of(cls, settings: Settings) -> "Letterhead":
        """As these settings have it."""
        return cls(settings.mail_from, settings.public_url, settings.k_scores)

    @cached_property
    def sender(self) -> Address:
        """The sender."""
        name, address = parseaddr(self.mail_from)
        return _address(name, address)


def write_mail(context: MessageContext, letterhead: Letterhead) -> Mail:
    """The mail of a message that is to be sent: text, HTML and, before a meeting, its calendar entry.

    ``context`` must have what ``decide`` asks for. Nothing is fetched from elsewhere, or tells that the mail was read.

    Raises:
        Unwritable: the address is malformed.
    """
    contact, meeting, sealed = context.contact, context.meeting, context.sealed
    if contact is None or sealed is None:
        raise AssertionError("decide() lets no message through without its cards")
    words = words_of(context, letterhead)
    written = fill_in(context.message.template, words)
    sender, recipient = sender_of(context, letterhead), _address(contact.name, sealed.address or contact.email)
    now = clock.now().replace(microsecond=0)
    head = [
        _header("From", str(sender)),
        addressed_to(recipient),
        *_replies_to(context),
        _header("Subject", written.subject),
        _header("Date", format_datetime(now)),
        f"Message-ID: <{context.message.mail_id}@{sender.domain}>\r\n".encode("ascii"),
        *([f"References: <{meeting.meeting_id}@{sender.domain}>\r\n".encode("ascii")] if meeting else []),
        _ALWAYS,
        f"Content-Language: {contact.locale.value}\r\n".encode("ascii"),
    ]
    bodies = [_body("text/plain", written.text), _body("text/html", written.html)]
    method = KINDS[context.message.template].calendar
    if method is None or meeting is None:
        body = _several("alternative", bodies)
    else:
        told = _entry(context, meeting, words | {"entry": written.entry}, sender, recipient)
        entry = _quoted(write_entry(told, method).decode())
        bodies.append(_part(f"text/calendar; method={method}", entry))
        disposition = f'Content-Disposition: attachment; filename="{method.lower()}.ics"\r\n'
        body = _several("mixed", [_several("alternative", bodies), _part("application/ics", entry, disposition)])
    return Mail(context.message.mail_id, recipient.addr_spec, now, b"".join([*head, body]))


def words_of(context: MessageContext, letterhead: Letterhead) -> dict[str, object]:
    """Return the variables of the template; ``context`` must have what ``decide`` asks for."""
    if context.contact is None or context.sealed is None:
        raise AssertionError("decide() lets no message through without its cards")
    return _variables(context, context.contact, context.sealed, letterhead)


def sender_of(context: MessageContext, letterhead: Letterhead) -> Address:
    """The network's address, under the name of the communities that the mail is about.

    Under the network's own name where there are none, where theirs are too long to be shown, or where one looks like
    an address, which it is not.
    """
    sender, name = letterhead.sender, ""
    if context.contact and context.communities:
        name = _line(wording.listing(context.communities, context.contact.locale))
    is_shown = 0 < len(name) <= _SHORT_SENDER and not re.search(r"@|://|\bwww\.", name)
    return Address(name, sender.username, sender.domain) if is_shown else sender


def _replies_to(context: MessageContext) -> list[bytes]:
    """The header that leads an answer to whoever leads the meeting; none where nobody does, or whose mail it is."""
    lead = _lead_of(context)
    if lead is None:
        return []
    try:
        return [_header("Reply-To", str(_address(lead.name, lead.email)))]
    except Unwritable:
        return []


def _lead_of(context: MessageContext) -> ContactCard | None:
    """Whom the recipient can write to about the meeting: whoever leads it, unless that is themself."""
    lead, contact = context.lead, context.contact
    is_oneself = lead is not None and contact is not None and lead.member_id == contact.member_id
    return lead if context.kind.answers_go_to_lead and not is_oneself else None


def addressed_to(recipient: Address) -> bytes:
    """The header that says whom it is for, with its end. One that needs no folding is not parsed for it."""
    words = str(recipient)
    is_plain = words.isascii() and len(words) <= _SHORT
    return f"To: {words}\r\n".encode("ascii") if is_plain else _folded("To", words)


def _body(content_type: str, text: str) -> bytes:
    """A part of a mail, with its headers."""
    return _part(content_type, _quoted(text))


def _part(content_type: str, lines: bytes, more: str = "") -> bytes:
    """The same of encoded lines. Put together by hand (RFC 2045): the library would parse each header anew."""
    head = f'Content-Type: {content_type}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n{more}\r\n'
    return head.encode("ascii") + lines


def _quoted(text: str) -> bytes:
    """The text as quoted-printable has it."""
    return b2a_qp(text.replace("\r\n", "\n").encode()).replace(b"\n", b"\r\n")


def _several(subtype: str, parts: Sequence[bytes]) -> bytes:
    """Parts in a mail, or in a part of one. Quoted-printable never holds ``=_``, so the boundary stands alone."""
    head = f'Content-Type: multipart/{subtype}; boundary="=_{subtype}"\r\n'.encode("ascii")
    boundary = f"\r\n--=_{subtype}".encode("ascii")
    return head + b"".join([boundary + b"\r\n" + part for part in parts]) + boundary + b"--\r\n"


def fill_in(template: events.Template, words: dict[str, object]) -> Written:
    """The same as ``render``, which is asked once for all mails that differ by their name and link alone."""
    if len(str(words["name"])) > _SHORT_NAME:
        return render(template, words)  # its line may have to be broken
    signs = {name: sign for name, sign in _STAND_INS.items() if words[name]}  # what is empty stays so: templates look
    shared = tuple((name, value) for name, value in words.items() if name not in signs)
    subject, text, html, entry = _form(template, shared)
    for name, sign in signs.items():
        value = str(words[name])
        text, html, entry = (
            text.replace(sign, value),
            html.replace(sign, escape(words[name])),
            entry.replace(sign, value),
        )
    return Written(subject, text, html, entry)


@lru_cache(maxsize=256)
def _form(template: events.Template, shared: tuple[tuple[str, object], ...]) -> Written:
    return render(template, {**_STAND_INS, **dict(shared)})


def render(template: events.Template, words: dict[str, object]) -> Written:
    """The words of a template in ``words["locale"]``; a word that is missing is an error."""
    locale = Locale(str(words["locale"]))
    as_text = _template(template, locale, "txt")
    context = as_text.new_context(words)
    subject = _line("".join(as_text.blocks["subject"](context)))
    text = as_text.render(words).strip() + "\n"
    entry = "".join(as_text.blocks["entry"](context)).strip() if "entry" in as_text.blocks else ""
    html = _template(template, locale, "html").render(words | {"subject": subject})
    return Written(subject, text, html, entry)


def _variables(
    context: MessageContext, contact: ContactCard, sealed: Sealed, letterhead: Letterhead
) -> dict[str, object]:
    """Return the variables of a template. Text that somebody wrote is ``Said``."""
    locale, notice, message = contact.locale, context.notice, context.message
    variables: dict[str, object] = {
        "locale": locale.value,
        "name": _said(contact.name),
        **_secret_links(message.template, sealed.token, letterhead.public_url),
        "results_url": f"{letterhead.public_url}/results/{context.results_link}" if context.results_link else "",
        "invitation_url": f"{letterhead.public_url}/i/{context.invitation_link}" if context.invitation_link else "",
        "closes": wording.moment(message.relevant_until, contact.timezone, locale),
        "threshold": wording.number(letterhead.threshold, locale),
        "responses_count": notice.responses_count if notice else None,
        "withheld_reason": notice.withheld_reason if notice else None,
        "replaced_by": _said(sealed.replaced_by),
    }
    return variables | (_of_meeting(context, context.meeting, contact) if context.meeting else {})


def _secret_links(template: events.Template, token: str, url: str) -> dict[str, object]:
    """Return the links that end in the secret of a message's box: empty where it has none."""
    name, path = ("sign_in_url", "sign-in") if template is events.Template.SIGN_IN else ("survey_url", "s")
    links: dict[str, object] = {"survey_url": "", "sign_in_url": ""}
    return links | ({name: f"{url}/{path}/{token}"} if token else {})


def _of_meeting(context: MessageContext, meeting: MeetingCard, contact: ContactCard) -> dict[str, object]:
    locale, zone = contact.locale, meeting.timezone
    here, there = (wording.hour(meeting.starts_at, each, locale) for each in (zone, contact.timezone))
    is_elsewhere = meeting.mode is not Mode.IN_PERSON and here != there
    span = wording.span(meeting.starts_at, meeting.ends_at, contact.timezone, locale)
    parts = {meeting.note_taker_id: "note_taker", meeting.facilitator_id: "facilitator"}
    lead, _ = _lead_of(context), sentences(locale)
    return {
        "of_communities": _said(wording.of_communities(context.communities or (), locale)),
        "communities": _said(wording.listing(context.communities or (), locale)),
        "kind": _(wording.KINDS[meeting.kind]),
        "mode": _(wording.MODES[meeting.mode]),
        "meeting_day": wording.day(meeting.starts_at, zone, locale),
        "when": wording.span(meeting.starts_at, meeting.ends_at, zone, locale),
        "when_for_you": span if is_elsewhere else "",
        "part": parts.get(contact.member_id, ""),
        "lead": _said(lead.name) if lead else "",
        **_texts_of(context.words),
    }


def _texts_of(words: MeetingWords | None) -> dict[str, object]:
    """Return the texts of a meeting, by the names that ``MeetingDescribed`` gives them; empty where none are known."""
    described = MeetingDescribed.read(words.described) if words else None
    texts: dict[str, object] = {}
    for name in _TEXTS:
        text = getattr(described, name, None) or ""
        texts[name] = _said(text if isinstance(text, str) else ", ".join(text))
    return texts | {"link": _line(described.link) if described else ""}  # to be followed, so it stays whole


def _entry(
    context: MessageContext, meeting: MeetingCard, words: dict[str, object], organizer: Address, attendee: Address
) -> Entry:
    _ = sentences(Locale(str(words["locale"])))
    themes, summary = str(words["themes"]), f"{words['communities']}, {words['kind']}"
    return Entry(
        meeting_id=meeting.meeting_id,
        sequence=max(meeting.version, context.end.version if context.end else 0),
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        timezone=meeting.timezone,
        summary=_("%(field)s: %(value)s", field=summary, value=_shortened(themes)) if themes else summary,
        description=str(words["entry"]),
        place=str(words["place"]),
        link=str(words["link"]),
        organizer=organizer,
        attendee=attendee,
        stamped_at=clock.now(),
    )


def _shortened(themes: str) -> str:
    """Themes as a calendar can show them in one line."""
    return themes if len(themes) <= _SHORT_THEMES else f"{themes[: _SHORT_THEMES - 1].rstrip()}…"


def _address(name: str, address: str) -> Address:
    """A mailbox that can stand in a header: one line, seven bits, one person."""
    local, _, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError as error:
        raise Unwritable("the domain of the address is malformed") from error
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", local):
        raise Unwritable("the address has signs before its @ that not every mail server takes")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", ascii_domain):
        raise Unwritable("the domain of the address is malformed")
    return Address(_line(name), local, ascii_domain)


def _line(text: str) -> str:
    """One line without controls and unseen signs, whatever a person typed; non-breaking spaces stay."""
    return _GAPS.sub(" ", _UNSEEN.sub("", text)).strip(" ")


def _said(text: str) -> Said:
    """Return text that somebody wrote, in one line."""
    return Said(_line(text))


def _flow(text: str) -> str:
    """A paragraph of plain text in lines of 72; addresses and what non-breaking spaces join stay whole."""
    lines = [""]
    for word in filter(None, _BREAKS.split(text)):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > 72:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\n".join(lines)


def _folded(name: str, value: str) -> bytes:
    """A header as it stands in a mail."""
    return _POLICY.fold_binary(name, _POLICY.header_factory(name, value))


#: The same for what many mails share.
_header = lru_cache(maxsize=512)(_folded)


@lru_cache
def _environment(locale: Locale, kind: str) -> Environment:
    """The templates in one language, for HTML or for text."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=kind == "html",  # noqa: S701  (the other kind is plain text)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    say_in(made, locale)
    made.globals.update(layout=f"layout.{kind}", parts=f"parts.{kind}")
    made.filters["flow"] = _flow
    return made


@lru_cache
def _template(template: events.Template, locale: Locale, kind: str) -> Template:
    return _environment(locale, kind).get_template(f"{template}.jinja")
