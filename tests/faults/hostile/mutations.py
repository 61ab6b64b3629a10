"""Valid requests, changed in one to three places by a seed; the same seed and number make the same change."""

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from tests.faults.hostile.valid import Request

#: What may stand where a value is expected, of whatever type.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**18, -(10**30), 1e308, 10**4000, "", " ", "null", "a" * 70_000, "\x00", "a\nb: c",
    "\ud800", "\u202eevil", "\u2028", "💥" * 300, "é́" * 90, "'; drop table member; --", "{{7*7}}", "${7*7}", "<script>",
    "../../etc/passwd", "%00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z",
    "2026-03-12T14:00:00", "00000000-0000-0000-0000-000000000000", "\u0660" * 4, "America/../UTC", "a@b", "@", [], {},
    [[]], ["a"] * 6000, {"$ref": "#"}, {"": {"": {"": None}}}, {"__class__": "x", "session": 1}, [None, {}, [1]],
)  # fmt: skip
HEADERS: dict[bytes, tuple[bytes, ...]] = {
    b"If-Match": (b"*", b'"1"', b'"x"', b'W/"1"', b'"99999999999999999"', b'"-1"', b'"1", "2"', b'"', b"\xff"),
    b"If-None-Match": (b"*", b'"1"', b"W/", b'"' * 50),
    b"Accept": (b"text/html", b"application/json;q=0", b"*/*;q=nan", b";;,", b"application/problem+json"),
    b"Accept-Language": (b"en", b"en;q=-1,fr;q=9", b"\xff", b"zz-" * 500, b";q="),
    b"Authorization": (b"", b"Bearer", b"Bearer prt_000000000000_" + b"A" * 43, b"Basic Og==", b"Digest x"),
    b"Content-Type": (
        b"",
        b"text/plain",
        b"application/json; charset=latin-1",
        b"multipart/form-data; boundary=x",
        b"a/b/c",
    ),
    b"Content-Encoding": (b"gzip", b"br"),
    b"Content-Length": (b"0", b"5", b"-1", b"1, 1", b"99999999"),
    b"Transfer-Encoding": (b"chunked", b"identity"),
    b"Connection": (b"close", b"keep-alive", b"upgrade", b"Host"),
    b"Expect": (b"100-continue", b"a miracle"),
    b"Host": (b"", b"a b", b"[::1", b"evil.example"),
    b"Cookie": (b"a=b", b"=;=;\xff", b"a" * 7000),
    b"Range": (b"bytes=0-0", b"bytes=9-1", b"lines=1"),
    b"X-Forwarded-For": (b"", b"::", b"999.1.1.1", b"," * 500),
}
SEGMENTS = ("", ".", "..", "%2e%2e", "%2F", "%00", "%ff", "%c0%ae", "%zz", "a" * 3000, "\u202e", "%0d%0aX:y", "*", "'",
            "null", "-1", "00000000-0000-0000-0000-000000000000", "{id}", "%F0%9F%92%A5", "?a", "//")  # fmt: skip
QUERIES = ("limit=0", "limit=501", "limit=-1", "limit=1e3", "limit=" + "9" * 5000, "limit=%C2%B2", "after=",
           "after=%00", "after=" + "a" * 2000, "after=%ff", "lang=xx", "lang=%ff", "a" * 5000, "&&=&", "limit=1&limit",
           "after=[]", "after=00000000-0000-0000-0000-000000000000", "after=2026-03-12T14:00:00%2B00:00")  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "BREW")
LITERALS = (
    b"NaN",
    b"-Infinity",
    b"1e400",
    b"9" * 10_000,
    b"[" * 5000,
    b"01",
    b"'a'",
    b'"\\ud83d"',
    b'"\x01"',
    b'"\xff"',
    b"",
)


def mutant(requests: Sequence[Request], seed: int, number: int) -> tuple[str, bytes]:
    """What was changed, and the bytes to send."""
    chance = random.Random(f"{seed}/{number}")
    request = copy.deepcopy(chance.choice(requests))
    request.headers.append((b"X-Forwarded-For", f"198.18.{number // 200 % 256}.{number % 200}".encode()))
    names = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        change = chance.choice(_CHANGES_WITH_BODY if request.document is not None else _CHANGES)
        names.append(change.__name__.strip("_"))
        change(request, chance)
    raw = request.raw()
    if chance.random() < 0.15:
        names.append("bytes")
        raw = _scratched(raw, chance)
    return "+".join(names), raw


def _value(request: Request, chance: random.Random) -> None:
    node, places = request.document, []
    stack = [node]
    while stack:
        node = stack.pop()
        inner = list(node.items() if isinstance(node, dict) else enumerate(node))
        places += [(node, key) for key, _ in inner]
        stack += [value for _, value in inner if isinstance(value, dict | list)]
    if not places:
        return
    node, key = chance.choice(places)
    deed = chance.randrange(8)
    if deed == 0 and isinstance(node, dict):
        del node[key]
    elif deed == 1 and isinstance(node, dict):
        node[chance.choice(("unknown", "if_version", "session", "", "\x00", "é", "meeting_id"))] = chance.choice(VALUES)
    elif deed == 2 and isinstance(node, list):
        node.extend(node * chance.choice((1, 60, 6000)))
    elif deed == 3:
        node[key] = [node[key]]
    elif deed == 4 and isinstance(node[key], str):
        node[key] = chance.choice(("", node[key] * 50, node[key].upper(), node[key] + "\x00", node[key][:-1]))
    else:
        node[key] = copy.deepcopy(chance.choice(VALUES))


def _literal(request: Request, chance: random.Random) -> None:
    text = json.dumps(request.document).encode()
    marks = [at for at, byte in enumerate(text) if byte == ord(":")]
    at = chance.choice(marks) + 1 if marks else 0
    request.body = text[:at] + chance.choice(LITERALS) + text[at:] if chance.random() < 0.3 else (
        text[:at] + chance.choice(LITERALS) + b"}"
    )  # fmt: skip


def _header(request: Request, chance: random.Random) -> None:
    name = chance.choice(list(HEADERS))
    if chance.random() < 0.7:
        request.headers = [each for each in request.headers if each[0] != name]
    request.headers.insert(chance.randrange(len(request.headers) + 1), (name, chance.choice(HEADERS[name])))


def _missing(request: Request, chance: random.Random) -> None:
    if request.headers:
        del request.headers[chance.randrange(len(request.headers))]


def _segment(request: Request, chance: random.Random) -> None:
    parts = request.path.split("/")
    parts[chance.randrange(1, len(parts))] = chance.choice(SEGMENTS)
    request.path = "/".join(parts)


def _query(request: Request, chance: random.Random) -> None:
    request.path += ("&" if "?" in request.path else "?") + chance.choice(QUERIES)


def _method(request: Request, chance: random.Random) -> None:
    request.method = chance.choice(METHODS)


def _form(request: Request, chance: random.Random) -> None:
    value = str(chance.choice(VALUES))[:5000].encode("utf-8", "surrogatepass")
    name = chance.choice(("member", "step", "ballot", "q.satisfaction", "q.comment", "q.", "q.\x00"))
    pair = quote(name).encode() + b"=" + quote(value).encode()
    request.body = b"&".join([request.body or b"", pair] * chance.choice((1, 1, 1, 400)))


_CHANGES: tuple[Callable[[Request, random.Random], None], ...] = (
    _header, _header, _missing, _segment, _segment, _query, _method, _form)  # fmt: skip
_CHANGES_WITH_BODY = (_value, _value, _value, _value, _value, _literal, _header, _missing, _segment, _query, _method)


def _scratched(raw: bytes, chance: random.Random) -> bytes:
    """Some bytes flipped, doubled, dropped or put in."""
    for _ in range(chance.choice((1, 1, 3, 10))):
        at, length = chance.randrange(len(raw) + 1), chance.choice((1, 1, 4, 64))
        piece = chance.choice(
            (b"", b"\r\n", b"\x00", b"\n", b":", b" ", raw[at : at + length] * 2, chance.randbytes(length))
        )
        raw = raw[:at] + piece + raw[at + (length if chance.random() < 0.6 else 0) :]
    return raw
