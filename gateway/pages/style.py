"""The style sheet: pieces on named tokens. Public pages carry what they need of it, signed-in pages link all of it."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from werkzeug.wrappers import Response

from gateway.routes import Media, RequestContext, Route
from pratique.errors import NotFound

_HERE = Path(__file__).parent / "css"
_PIECES = ("tokens", "page", "form", "table", "chart", "mail", "app")
_EVERY = ("tokens", "page")
#: What a public page carries where it has no form: every byte of it travels with every view.
_OF_TEMPLATE = {
    "message": _EVERY,
    "help": _EVERY,
    "privacy": _EVERY,
    "accessibility": _EVERY,
    "results": (*_EVERY, "table"),
    "mail": (*_EVERY, "mail"),
    "mails": (*_EVERY, "mail"),
    "invitation": (*_EVERY, "form", "mail"),
}
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_GAP = re.compile(r"\s+")
_AROUND = re.compile(r" ?([{};,>]) ?")


def sheet_of(template: str) -> str:
    """Return the style that a page of this template carries."""
    return _joined(_OF_TEMPLATE.get(template, (*_EVERY, "form")))


def hash_of(sheet: str) -> str:
    """Return how the policy of a page names a style that stands in it."""
    return base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()


@cache
def linked() -> str:
    """Return the address of the whole sheet; another sheet has another, so that browsers may keep it for ever."""
    return f"/static/{_name()}"


def show_style(context: RequestContext) -> Response:
    """Return the whole sheet, to be kept."""
    if context.path["name"] != _name():
        raise NotFound("There is no such file; load the page again.")
    response = Response(_joined(_PIECES), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@cache
def _name() -> str:
    return f"style.{hashlib.sha256(_joined(_PIECES).encode()).hexdigest()[:16]}.css"


@cache
def _joined(pieces: tuple[str, ...]) -> str:
    return "".join([_shrunk((_HERE / f"{piece}.css").read_text(encoding="utf-8")) for piece in pieces])


def _shrunk(css: str) -> str:
    """The same without comments, and without the spaces that say nothing."""
    css = _AROUND.sub(r"\1", _GAP.sub(" ", _COMMENT.sub("", css)))
    return css.replace(": ", ":").replace(";}", "}").strip()


ROUTES = (
    Route(
        "GET",
        "/static/<name>",
        "Read the style sheet of the pages, which never changes under its name",
        act=show_style,
        operation="show_style",
        media=Media.CSS,
    ),
)
