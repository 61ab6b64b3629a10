"""Reads what a client sent: a JSON body that fits its schema, If-Match, the place in a list, the language."""

import functools
import json
import re
from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.wrappers import Request

from chassis.validation import pointers
from gateway.schemas import most_parts
from pratique.errors import Invalid, Stale
from pratique.events.membership import Locale
from pratique.request import Body

MAX_BODY_BYTES = 1_000_000  #: where a token is asked for
PUBLIC_BODY_BYTES = 32_768  #: where anyone may call: 2,000 characters of a comment fit, however they are written
MAX_DEPTH = 10  #: brackets within brackets; no body has more than four
SPARE_PARTS = 100  #: strings and brackets beyond those that fit, so that who sends a few too many names hears which
MAX_AFTER = 1000  #: characters of a cursor


def read_body(request: Request, body: type[Body] | None) -> dict[str, Any]:
    """Return the body as plain JSON that fits its schema. Without one, only no body or ``{}`` fits.

    Where the schema requires no field, a request without a body is one with ``{}``.

    Raises:
        UnsupportedMediaType: it is not called application/json.
        BadRequest: it is no JSON, or has far more parts than the schema has room for; it is not parsed then.
        RequestEntityTooLarge: it has more bytes than the route takes.
        Invalid: it does not fit; with a JSON pointer to each bad field.
    """
    raw = request.get_data()
    if not raw and (body is None or not is_required(body)):
        return {}
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("Send the body as application/json, in UTF-8.")
    _check_parts(raw, _room_of(body or Body))
    document = _decoded(raw)
    if not isinstance(document, dict):
        raise Invalid("The body must be a JSON object.", {"/": "not an object"})
    return _fitted(document, body or Body)


def is_required(body: type[Body]) -> bool:
    """Return whether a body must be sent: whether its schema requires any field."""
    return any(field.required for field in body.schema.fields.values())


def _fitted(document: dict[str, Any], body: type[Body]) -> dict[str, Any]:
    try:
        fitted: dict[str, Any] = body.schema.dump(body.schema.load(document))
    except ValidationError as error:
        raise Invalid("Some of what was sent cannot be read.", pointers(error.messages)) from error
    return fitted


_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(?::[0-9]*)?")
#: One part of JSON: a string, ended or not, or a bracket. Possessive, so that nothing is read twice.
_PART = re.compile(rb'"(?:[^"\\]++|\\[\s\S])*+"?|[\[\]{}]')


def _most_parts_of(body: Any) -> int:
    return most_parts(body.schema) + SPARE_PARTS


_room_of: Callable[[Any], int] = functools.cache(_most_parts_of)


def _check_parts(raw: bytes, most: int) -> None:
    """Look at the parts one by one, and no further than ``most`` of them.

    Raises:
        BadRequest: there are more, or they stand too deep within each other.
    """
    depth = 0
    for number, part in enumerate(_PART.finditer(raw), 1):
        first = raw[part.start()]
        depth += (first in b"[{") - (first in b"]}")
        if number > most or depth > MAX_DEPTH:
            raise BadRequest("The body has far more names, or brackets within brackets, than can be read here.")


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is no JSON: {error.msg}, at character {error.pos}.") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest(
            "The body is JSON of a kind that is refused: too deep, a number that is none, or a name twice."
        ) from error


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number in JSON")


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a name twice in one object, of which two readers could take either (RFC 8259, 4)")
    return found


def read_host(request: Request) -> str | None:
    """The Host in small letters, without its port; empty if it is no name nor address; None without the header."""
    host = request.environ.get("HTTP_HOST")
    if host is None:
        return None
    found = _HOST.fullmatch(host)
    return found["name"].lower() if found else ""


def read_if_match(request: Request) -> int | None:
    """The version that If-Match names; None without the header, and 0 for ``*``, which is whatever version there is.

    Raises:
        Stale: it names no version, so none can match.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header:
        return None
    if header == "*":
        return 0
    tag = header[1:-1]
    if header != f'"{tag}"' or not (tag.isascii() and tag.isdigit() and tag[0] != "0" and len(tag) < 10):
        raise Stale("If-Match names no ETag that was ever given; read it again and send the ETag that you get.")
    return int(tag)


def read_page(request: Request) -> dict[str, Any]:
    """``after`` and ``limit`` of the query, for the service to check further.

    Raises:
        Invalid: the limit is no whole number from 1 to 500, or after is no cursor.
    """
    page: dict[str, Any] = {}
    limit, after = request.args.get("limit"), request.args.get("after")
    if limit is not None:
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:6]) <= 500):
            raise Invalid("A page holds 1 to 500 rows.", {"/limit": "must be a whole number from 1 to 500"})
        page["limit"] = int(limit)
    if after is not None:
        if not 0 < len(after) <= MAX_AFTER or not after.isprintable() or "\ufffd" in after:
            raise Invalid("Take after from the Link header of the page before.", {"/after": "no cursor"})
        page["after"] = after
    return page


def read_query(request: Request, query: type[Body]) -> dict[str, Any]:
    """Return what the query says of the fields that its schema names; others in it are none of ours.

    Raises:
        Invalid: it does not fit; with a pointer to each bad parameter.
    """
    asked = {name: request.args[name] for name in query.schema.fields if name in request.args}
    return _fitted(asked, query)


def read_locale(request: Request, own: Locale | None = None) -> Locale:
    """The language to answer in: ``?lang=``, then the person's ``own``, then Accept-Language, then French."""
    asked = request.args.get("lang", "").lower()
    if asked in tuple(Locale):
        return Locale(asked)
    if own is not None:
        return own
    for tag, quality in request.accept_languages:  # best first; en-CA is English enough
        language = tag.split("-")[0].lower()
        if quality > 0 and language in tuple(Locale):
            return Locale(language)
    return Locale.FR
