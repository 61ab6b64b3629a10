"""The front page: it asks for the code that the room was shown, and leads on to the room."""

import re

from werkzeug.wrappers import Response

from gateway.pages.render import page
from gateway.pages.survey import page_route
from gateway.reading import read_locale
from gateway.routes import RequestContext
from words.catalogue import N_, sentences

MAX_CODE = 40  #: characters, with what groups them

_BETWEEN = re.compile(r"[\s.·-]+")  #: how people group the characters of a code


def show_index(context: RequestContext) -> Response:
    """Ask for the code that the room was shown, and say what this is."""
    return _index(context)


def ask_code(context: RequestContext) -> Response:
    """Ask for the code; what the address of a room is without it."""
    return _index(context)


def enter_room(context: RequestContext) -> Response:
    """Lead on to the room of the code that was typed, however its characters are grouped; the room says if it is none.

    The code is in the body, so that it stands in no log of a proxy.
    """
    typed = context.request.form.get("code", "")[:MAX_CODE]
    code = _BETWEEN.sub("", typed).upper()
    if not code.isascii() or not code.isalnum():
        return _index(context, 422, typed)
    response = Response(status=303, headers={"Location": f"/r/{code}?lang={read_locale(context.request)}"})
    response.headers["Cache-Control"] = "no-store"
    return response


def _index(context: RequestContext, status: int = 200, typed: str = "") -> Response:
    locale, has_mails = read_locale(context.request), context.app.settings.is_embedded
    return page(
        "index",
        locale,
        status,
        title=sentences(locale)(N_("Enter the code of the room")),
        typed=typed,
        wrong=status != 200,
        is_error=status != 200,
        has_mails=has_mails,
    )


ROUTES = (
    page_route("GET", "/", "Ask for a room's code, and say what this is", show_index),
    page_route("GET", "/r/", "Ask for a room's code", ask_code),
    page_route("POST", "/r/", "Lead on to the room of a code", enter_room, status=303),
)
