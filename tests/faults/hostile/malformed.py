"""Requests that are none, and requests whose body is none: each with the statuses that may answer it.

An empty tuple of statuses means that the connection may also be closed without a word. Nothing here may change a thing.
"""

import gzip
import json
from collections.abc import Iterator
from typing import NamedTuple

#: A change that whoever reads bodies and heads otherwise than the gateway would smuggle in.
SMUGGLED = (
    b"PUT /v1/organizations/11111111-1111-4111-8111-111111111111 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
)


class Sent(NamedTuple):
    """What is sent on one connection."""

    name: str
    raw: bytes
    statuses: tuple[int, ...]  #: of the first answer
    answers: int = 1  #: how many may come at most; what follows a bad head or body is no request


def of_heads(token: str) -> Iterator[Sent]:
    """Request lines, targets, headers and framings that RFC 9112 forbids, or that only few servers stand."""
    change = SMUGGLED + token.encode() + b"\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"
    change += b'{"name":"x"}'
    yield from _lines()
    yield from _targets()
    yield from _headers()
    for name, framing, status in _framings():
        head = b"POST /v1/ballots HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        yield Sent(f"framing {name}", head + framing + change, (status,))
    yield Sent(
        "a header without a colon hides the length", b"GET / HTTP/1.1\r\nHost: localhost\r\nbroken\r\n" + change, (400,)
    )
    yield Sent("a folded line hides a request", b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n " + change, (400,))
    cut = change.partition(b"Content-Length")[0]
    yield Sent("a head that is cut short after a line", cut, (400,))
    yield Sent("a head that is cut short in a line", cut[:-9], (400,))
    yield Sent("a body that is cut short", change[:-1], (408,))
    yield Sent("a body after HEAD", b"HEAD / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nGET / HT", (408,))


def _lines() -> Iterator[Sent]:
    end = b"\r\nHost: localhost\r\n\r\n"
    for name, line, statuses in (
        ("nothing", b"", ()),
        ("an empty line", b"\r\n", (400,)),
        ("a word", b"GET", (400,)),
        ("of HTTP/0.9", b"GET /", (400,)),
        ("of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM", (505,)),
        ("of HTTP/9.9", b"GET / HTTP/9.9", (505,)),
        ("of HTTP/1", b"GET / HTTP/1", (400,)),
        ("of another protocol", b"GET / RTSP/1.0", (400,)),
        ("with two spaces", b"GET  / HTTP/1.1", (400,)),
        ("with a tab", b"GET\t/\tHTTP/1.1", (400,)),
        ("with a space in the target", b"GET /v1/communities /x HTTP/1.1", (400,)),
        ("with spaces that only Unicode knows", b"GET\xa0/\x85HTTP/1.1", (400,)),
        ("with NUL", b"GET /\x00 HTTP/1.1", (400,)),
        ("with an escape", b"GET /\x1b[2J HTTP/1.1", (400,)),
        ("with a bare CR", b"GET / HTTP/1.1\rHost: y", (400,)),
        ("with a method of odd characters", b"G(T / HTTP/1.1", (400,)),
        ("with an unknown method", b"BREW /v1/communities HTTP/1.1\r\nConnection: close", (405,)),
        ("with a method of 7 KB", b"G" * 7000 + b" / HTTP/1.1\r\nConnection: close", (405,)),
        ("of 20 KB", b"GET /" + b"a" * 20_000 + b" HTTP/1.1", (414,)),
        ("of a megabyte", b"a" * 1_000_000, (414,)),
        ("in binary", bytes(range(256)) * 4, (400,)),
        ("of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 50, (400,)),
        ("of SOCKS", b"\x05\x01\x00", (400,)),
        ("of SMTP", b"EHLO x", (400,)),
    ):
        yield Sent(f"a first line {name}", line + (end if line else b""), statuses)


def _targets() -> Iterator[Sent]:
    for target, statuses in (
        (b"http://elsewhere.example/v1/communities", (401,)),
        (b"http://elsewhere.example?x", (200,)),
        (b"ftp://elsewhere.example/", (400,)),
        (b"elsewhere.example:443", (400,)),
        (b"*", (404,)),
        (b"//elsewhere.example/..", (404,)),
        (b"/../../etc/passwd", (404,)),
        (b"/mails/..%2f..%2fgateway.sqlite", (404,)),
        (b"/mails/%2e%2e", (404,)),
        (b"/s/%00", (404,)),
        (b"/s/%0d%0aFORGED: yes", (400,)),
        (b"/s/%0d%0aSet-Cookie:%20forged=1", (404,)),
        (b"/v1/communities/%0aFORGED", (404,)),
        (b"/s/%ff%fe", (404,)),
        (b"/s/%c0%ae%c0%ae", (404,)),
        (b"/s/\xc3\xa9\xff", (404,)),
        (b"/s/%zz%", (404,)),
        (b"/r/%F0%9D%95%AC%E2%80%AE", (404,)),
        (b"/?lang=%ff%00&lang=" + b"&" * 6000, (200,)),
        (b"/v1/communities;x=y", (404,)),
        (b"/V1/communities", (404,)),
        (b"/v1/communities/", (404,)),
        (b"/v1/%63ommunities", (401,)),
    ):
        head = b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        yield Sent(f"a target {target[:60]!r}", head, statuses)
    yield Sent("CONNECT", b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,))
    yield Sent("TRACE", b"TRACE /v1/communities HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\n\r\n", (405,))


def _headers() -> Iterator[Sent]:
    bad, fine = (400,), (200,)
    for name, lines, statuses in (
        ("without Host", b"", bad),
        ("with two Hosts", b"Host: localhost\r\nHost: y\r\n", bad),
        ("with an odd Host", b"Host: ][\xff'\"<script>:99999\r\n", (421,)),
        ("with an empty Host", b"Host:\r\n", (421,)),
        ("folded", b"Host: localhost\r\nA: b\r\n c\r\n", bad),
        ("that begin folded", b" Host: localhost\r\n", bad),
        ("without a name", b"Host: localhost\r\n: b\r\n", bad),
        ("with a space before the colon", b"Host: localhost\r\nContent-Length : 40\r\n", bad),
        ("with NUL", b"Host: localhost\r\nA: b\x00c\r\n", bad),
        ("with a bare CR", b"Host: localhost\r\nA: b\rContent-Length: 40\r\n", bad),
        ("with a name in Unicode", "Host: localhost\r\nÉ: b\r\n".encode(), bad),
        ("with a mailbox's first line", b"From someone\r\nHost: localhost\r\n", bad),
        ("of 20 KB in one", b"Host: localhost\r\nA: " + b"a" * 20_000 + b"\r\n", (431,)),
        ("by the thousand", b"Host: localhost\r\n" + b"A: b\r\n" * 5000, (431,)),
        ("of 100 KB in many", b"Host: localhost\r\n" + (b"A: " + b"a" * 7000 + b"\r\n") * 15, (431,)),
        ("with bytes above ASCII", b"Host: localhost\r\nUser-Agent: \xff\xfe\r\n", fine),
        (
            "with an underscore for a dash",
            b"Host: localhost\r\nContent_Length: 40\r\nTransfer_Encoding: chunked\r\n",
            fine,
        ),
        ("with cookies by the hundred", b"Host: localhost\r\nCookie: " + b'a=\xff"; ' * 500 + b"\r\n", fine),
        (
            "with a garbled Accept",
            b"Host: localhost\r\nAccept: ;q=x,,*/,/;q=9e999\r\nAccept-Language: ;;q=nan,-,\xff\r\n",
            (200, 406),
        ),
        (
            "with garbled conditions",
            b'Host: localhost\r\nIf-None-Match: ",W/\r\nRange: bytes=9-1,-\r\nIf-Modified-Since: \xff\r\n',
            fine,
        ),
        ("that forward without end", b"Host: localhost\r\nX-Forwarded-For: " + b"::1%\xff," * 900 + b"\r\n", fine),
        (
            "that would change the protocol",
            b"Host: localhost\r\nConnection: upgrade\r\nUpgrade: websocket, h2c\r\n",
            fine,
        ),
        ("with another method", b"Host: localhost\r\nX-HTTP-Method-Override: DELETE\r\n", fine),
    ):
        yield Sent(f"headers {name}", b"GET / HTTP/1.1\r\n" + lines + b"\r\n", statuses)
    for value in (
        b"Bearer",
        b"Bearer \xff",
        b"bearer prt__",
        b"Basic \x80",
        b"Bearer " + b"a" * 8000,
        b"Bearer a, Bearer b",
    ):
        head = b"GET /v1/communities HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + value + b"\r\n\r\n"
        yield Sent(f"a token {value[:20]!r}", head, (401,))


def _framings() -> Iterator[tuple[str, bytes, int]]:
    for value in (b"-5", b"+5", b"0x10", b"1_0", b"5,5", b"5 5", b"", b"\xb2", b"1e3", b"9" * 5000 + b"x"):
        yield f"of length {value[:20]!r}", b"Content-Length: " + value + b"\r\n\r\n", 400
    yield "of two lengths", b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n", 400
    yield "of a length that is too large", b"Content-Length: 999999999999999999\r\n\r\n", 413
    yield "of 23 digits", b"Content-Length: 99999999999999999999999\r\n\r\n", 400
    yield "of 5,000 digits", b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400
    yield "of a length and chunks", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400
    yield "of chunks and a length", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400
    for coding in (b"chunked", b"gzip, chunked", b"xchunked", b"identity", b"", b"chunked\r\nTransfer-Encoding: x"):
        yield f"of coding {coding!r}", b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n", 411
    for name, chunks in (
        ("of a bad size", b"zz\r\nab\r\n0\r\n\r\n"),
        ("of a negative size", b"-1\r\n\r\n"),
        ("of a huge size", b"ffffffffffffffffffff\r\n"),
        ("with an extension of 100 KB", b"1;" + b"a" * 100_000 + b"\r\na\r\n0\r\n\r\n"),
        ("with trailers", b"0\r\nContent-Length: 40\r\nHost: y\r\n\r\n"),
        ("without end", b"1\r\na\r\n" * 2000),
    ):
        yield f"of chunks {name}", b"Transfer-Encoding: chunked\r\n\r\n" + chunks, 411


def of_bodies() -> Iterator[tuple[str, str, bytes, tuple[int, ...]]]:
    """Name, media type, body and statuses; each is no body for any route."""
    yes, bad, unfit = "application/json", (400,), (422,)
    for name, body, statuses in (
        ("nothing", b"", bad),
        ("NaN", b'{"name":NaN}', bad),
        ("Infinity", b'{"name":-Infinity}', bad),
        ("1e400", b'{"name":1e400}', unfit),
        ("a number of a million digits", b'{"name":' + b"9" * 900_000 + b"}", bad),
        ("a depth of 100,000", b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}", bad),
        ("a depth of 500", b'{"name":' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}", bad),
        ("an array of many", b'{"name":[' + b"1," * 450_000 + b"1]}", unfit),
        ("an array", b"[]", unfit),
        ("null", b"null", unfit),
        ("a name said twice", b'{"name":"a","name":"b"}', bad),
        ("half a character", b'{"name":"\\ud800"}', unfit),
        ("half a character as a name", b'{"\\udfff":1}', unfit),
        ("control characters", json.dumps({"name": "a\x00\x1b[2J\r\n"}).encode(), unfit),
        ("lines by other names", json.dumps({"name": "a\u2028b\u0085c"}).encode(), unfit),
        ("many unknown names", json.dumps({str(number): 1 for number in range(20_000)}).encode(), bad),
        ("an unknown name of 500 KB", json.dumps({"a" * 500_000: 1}).encode(), unfit),
        ("a mark of byte order", b'\xef\xbb\xbf{"name":"a"}', bad),
        ("UTF-16", '{"name":"é"}'.encode("utf-16"), bad),
        ("Latin-1", b'{"name":"\xe9"}', bad),
        ("overlong UTF-8", b'{"name":"\xc0\xae"}', bad),
        ("cut short", b'{"name":', bad),
        ("two documents", b"{}{}", bad),
        ("a comment", b"/**/{}", bad),
        ("a packed bomb", gzip.compress(b"0" * 50_000_000), bad),
    ):
        yield f"a body: {name}", yes, body, statuses
    for kind in ("text/plain", "application/xml", "", "application/json; charset=utf-16", "multipart/form-data", ";;="):
        yield f"a body called {kind!r}", kind, b'{"name":"a"}', (415,)
