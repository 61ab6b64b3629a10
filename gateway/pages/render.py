"""Makes a page: a template with its texts, and the headers that keep it private."""

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from werkzeug.wrappers import Response

from gateway.pages.texts import TEXTS

_HERE = Path(__file__).parent
_STYLE = (_HERE / "style.css").read_text(encoding="utf-8")
#: What a template has beside the style of all: bytes that no other page carries.
_OWN_STYLES = {"results": (_HERE / "results.css").read_text(encoding="utf-8")}
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address holds the secret of the link
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def page(template: str, locale: str, status: int = 200, **values: Any) -> Response:
    """The template in this language. ``values`` are shown escaped."""
    sheet = _STYLE + _OWN_STYLES.get(template, "")
    style = Markup(sheet)  # noqa: S704  (our own files, no user's text)
    html = _TEMPLATES.get_template(f"{template}.html").render(locale=locale, text=TEXTS[locale], style=style, **values)
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{_hash(sheet)}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    response.headers["Content-Language"] = locale
    return response


@functools.cache
def _hash(sheet: str) -> str:
    return base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()


def message_of(title: str, words: str, locale: str, status: int = 200) -> Response:
    """A page that says these words under this title."""
    return page("message", locale, status, title=title, words=words, incident="", back=False, home=False, way_on="")


def message(name: str, locale: str, status: int = 200, **values: Any) -> Response:
    """A page that says one thing; ``name`` is the key of its sentence."""
    texts = TEXTS[locale]
    title = texts.get(f"{values.pop('title', name)}_title", "")
    shown = {"incident": "", "back": False, "home": False, "way_on": "", **values}
    return page("message", locale, status, title=title, words=texts[name], **shown)
