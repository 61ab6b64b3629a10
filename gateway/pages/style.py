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
_PIECES = ("tokens", "page", "form", "scale", "table", "chart", "mail", "app", "wall")
_EVERY = ("tokens", "page")
#: What a public page carries where it has no form: every byte of it travels with every view.
_OF_TEMPLATE = {
    "message": _EVERY,
    "end": _EVERY,
    "help": _EVERY,
    "privacy": _EVERY,
    "accessibility": _EVERY,
    "questions": (*_EVERY, "form", "scale"),
    "results": (*_EVERY, "table"),
    "mail": (*_EVERY, "form", "mail"),
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
def linked(stem: str = "style") -> str:
    """Return the address of the whole sheet, or of the script; another has another, so that browsers keep each."""
    return f"/static/{_name(stem)}"


def show_static(context: RequestContext) -> Response:
    """Return the whole sheet, or the script, to be kept."""
    stem = context.path["name"].partition(".")[0]
    if stem not in _FILES or context.path["name"] != _name(stem):
        raise NotFound("There is no such file; load the page again.")
    response = Response(_content(stem), content_type=f"{_FILES[stem][1]}; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


#: How each file that is linked ends, and its media type.
_FILES = {"style": ("css", "text/css"), "script": ("js", "text/javascript")}


@cache
def _name(stem: str) -> str:
    return f"{stem}.{hashlib.sha256(_content(stem).encode()).hexdigest()[:16]}.{_FILES[stem][0]}"


@cache
def _content(stem: str) -> str:
    return _joined(_PIECES) if stem == "style" else (_HERE.parent / "script.js").read_text(encoding="utf-8")


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
        "Read the style sheet or the script of the pages, which never change under their names",
        act=show_static,
        operation="show_static",
        media=Media.CSS,
    ),
)
