"""Makes a page: a template with its words, and the headers that keep it private."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from werkzeug.wrappers import Response

from gateway.pages import style
from gateway.pages.texts import MESSAGES, PROMISE
from pratique.events.membership import Locale
from words import formats
from words.catalogue import say_in, sentences

_TEMPLATES = Path(__file__).parent / "templates"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address may hold the secret of a link
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_POLICY = "default-src 'none'; {style}; {more}form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
#: Controls but tabs and ends of lines, halves of characters, and what is no character (HTML, 13.2.3.5).
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
#: What a template may ask to have written as people write it: ``{{ meeting.starts_at | day(zone) }}``.
#: An instant may be one, or text as services answer it.
_OF_INSTANTS = {
    "day": formats.day,
    "short_day": formats.short_day,
    "hour": formats.hour,
    "near_moment": formats.near_moment,
    "moment": formats.moment,
    "span": formats.span,
}
_FILTERS: Mapping[str, Callable[..., str]] = {
    "calendar_day": formats.calendar_day,
    "figure": formats.figure,
    "listing": formats.listing,
    "quoted": formats.quoted,
    "number": formats.number,
    "decimal": formats.decimal,
    "percent": formats.percent,
    "zone_name": formats.zone_name,
}


class SignedIn(Protocol):
    """Whose page it is."""

    @property
    def name(self) -> str:
        """Their name, as they know it."""

    @property
    def form_token(self) -> str:
        """Proof that a form is of their own page."""


class Link(NamedTuple):
    """A place to go to, in the navigation of a page."""

    href: str
    label: str
    is_here: bool = False


def page(template: str, locale: str, status: int = 200, **values: Any) -> Response:
    """The page of a template for whoever comes, with its style in it. ``values`` are shown escaped."""
    sheet = style.sheet_of(template)
    html = render(template, Locale(locale), style=Markup(sheet), **values)  # noqa: S704  (our own files, no user's text)
    return _response(html, locale, status, f"style-src 'sha256-{style.hash_of(sheet)}'")


def app_page(
    template: str,
    locale: str,
    person: SignedIn,
    status: int = 200,
    *,
    nav: tuple[Link, ...] = (),
    frames: bool = False,
    has_script: bool = False,
    **values: Any,
) -> Response:
    """The page of a template for somebody who is signed in; its style is linked, and kept by the browser.

    Every such template extends ``app.html`` and is given ``title``. With ``frames`` it may show pages of our own, with
    ``has_script`` it saves as one goes; it works without, too.
    """
    linked = {"sheet": style.linked(), "script": style.linked("script") if has_script else ""}
    html = render(template, Locale(locale), person=person, nav=nav, **linked, **values)
    more = "img-src 'self' data:; " + ("frame-src 'self'; " if frames else "")
    more += "script-src 'self'; connect-src 'self'; " if has_script else ""
    return _response(html, locale, status, "style-src 'self'", more)


def part(template: str, locale: str, **values: Any) -> Response:
    """A part of a page of somebody who is signed in, for the script of that page."""
    return _response(render(template, Locale(locale), **values), locale, 200, "style-src 'none'")


def render(template: str, locale: Locale, **values: Any) -> str:
    """Return the HTML of a template in this language."""
    shown = {"locale": locale.value, "is_error": False, **values}
    return _environment(locale).get_template(f"{template}.html").render(shown)


def message(name: str, locale: str, status: int = 200, **values: Any) -> Response:
    """A page that says one thing, by its name in ``MESSAGES``."""
    _, (title, words) = sentences(Locale(locale)), MESSAGES[name]
    shown = {"incident": "", "home": False, "way_on": "", **values}
    return page("message", locale, status, title=_(title), words=_(words), **shown)


@cache
def _environment(locale: Locale) -> Environment:
    """The templates in one language."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=_without_controls,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    say_in(made, locale)
    made.globals["promise"] = PROMISE
    made.filters.update({name: partial(act, locale=locale) for name, act in _FILTERS.items()})
    made.filters.update({name: _of_instants(act, locale) for name, act in _OF_INSTANTS.items()})
    return made


def _without_controls(value: object) -> object:
    """Return what is written into a page, without the characters that HTML allows in none."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return type(value)(_NO_TEXT.sub("", value))  # text stays text, and markup of ours stays markup


def _of_instants(act: Callable[..., str], locale: Locale) -> Callable[..., str]:
    """The same for what services answer: instants as text, the zone as the last that is given."""

    def told(*instants: Any) -> str:
        *ends, zone = instants
        return act(*[datetime.fromisoformat(each) if isinstance(each, str) else each for each in ends], zone, locale)

    return told


def _response(html: str, locale: str, status: int, style_source: str, more: str = "") -> Response:
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = _POLICY.format(style=style_source, more=more)
    response.headers["Content-Language"] = locale
    return response
