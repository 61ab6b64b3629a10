"""What is no request, or has no body that can be read, is refused in good form and changes nothing."""

import contextlib
import json
import re
from collections.abc import Iterator

import pytest

from tests.faults.hostile.gateway_process import Canary, GatewayProcess, gateway_process
from tests.faults.hostile.malformed import Sent, of_bodies, of_heads
from tests.faults.hostile.verdict import Wrong, judge

ORGANIZATION = "/v1/organizations/22222222-2222-4222-8222-222222222222"


@pytest.fixture(scope="module")
def gateway() -> Iterator[GatewayProcess]:
    """One gateway for all of them: what one of them breaks, the next one sees."""
    with gateway_process() as made:
        yield made


def faults_of(gateway: GatewayProcess, sent: Sent) -> str:
    """What is wrong with the answers to it; empty if nothing."""
    try:
        answers = gateway.tell(sent.raw)
        for answer in answers:
            judge(answer, sent.raw.startswith(b"HEAD "))
    except Wrong as wrong:
        return f"{sent.name}: {wrong}"
    found = [each.status for each in answers]
    is_right = found[0] in sent.statuses if found else not sent.statuses
    return "" if is_right and len(found) <= sent.answers else f"{sent.name}: {found}"


def test_heads_that_are_none_are_refused_and_change_nothing(gateway: GatewayProcess) -> None:
    gateway.client.request("GET", "/v1/communities")  # notes once a day that the token was used
    before, held = gateway.stores.content(), gateway.descriptors()

    with Canary(gateway) as canary:
        faults = [faults_of(gateway, sent) for sent in of_heads(gateway.token)]

    assert not list(filter(None, faults))
    assert gateway.stores.content() == before
    canary.must_be_served()
    gateway.must_let_go(held)


def test_bodies_that_are_none_are_refused_and_change_nothing(gateway: GatewayProcess) -> None:
    gateway.client.request("GET", "/v1/communities")
    before, memory_kb = gateway.stores.content(), gateway.memory_kb()

    with Canary(gateway) as canary:
        faults = [
            faults_of(gateway, Sent(name, _put(gateway.token, kind, body), statuses))
            for name, kind, body, statuses in of_bodies()
        ]

    assert not list(filter(None, faults))
    assert gateway.stores.content() == before
    canary.must_be_served()
    assert gateway.memory_kb() < memory_kb + 60_000  # of 60 MB sent, and 50 more in the bomb


def test_requests_in_a_row_are_answered_in_a_row(gateway: GatewayProcess) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    lost = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
    answers = gateway.tell((one + lost) * 20 + b"nonsense\r\n\r\n" + one)
    assert [each.status for each in answers] == [200, 404] * 20 + [400]


def test_a_body_longer_than_announced_ends_where_it_was_announced(gateway: GatewayProcess) -> None:
    raw = _put(gateway.token, "application/json", b'{"name":1}')
    answers = gateway.tell(raw + b"}}}" + raw)
    assert [each.status for each in answers] == [422, 400]


def test_a_length_with_zeros_before_it_is_that_length(gateway: GatewayProcess) -> None:
    raw = _put(gateway.token, "application/json", b'{"name":1}')
    (answer,) = gateway.tell(raw.replace(b"Content-Length: ", b"Content-Length: " + b"0" * 14))
    assert [each["pointer"] for each in json.loads(answer.body)["errors"]] == ["/name"]


def test_clients_that_vanish_leave_nothing_behind(gateway: GatewayProcess) -> None:
    gateway.client.request("GET", "/v1/communities")
    held, raw = gateway.descriptors(), _put(gateway.token, "application/json", b'{"name":"' + b"a" * 50_000 + b'"}')
    before = gateway.stores.content()
    for length in range(0, len(raw) - 1, 997):
        with contextlib.closing(gateway.connect()) as sock:
            sock.sendall(raw[:length])
            sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER: the close is a reset
    assert gateway.client.request("GET", "/v1/communities").status == 200
    assert gateway.stores.content() == before
    gateway.must_let_go(held)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"&".join(b"q.%d=%%ff%%00" % number for number in range(20_000))),
        ("application/x-www-form-urlencoded", b"q.comment=" + b"%E9" * 100_000),
        ("application/x-www-form-urlencoded; charset=utf-7", b"member=+AGEAYg-&step=answer"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="q.1"\r\n\r\n1\r\n' * 5000),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"A: b\r\n" * 20_000),
        ("multipart/form-data", b"--\r\n"),
        ("multipart/form-data; boundary=" + "b" * 5000, b"--b"),
        ("application/json", b"{}"),
    ],
)
def test_a_form_that_is_none_gets_a_page_or_a_problem(gateway: GatewayProcess, kind: str, body: bytes) -> None:
    gateway.stores.settle()
    before = gateway.stores.content()
    for path in ("/s/nonesuch", "/r/NONESUCH"):  # from an address of its own, for guessing is slowed
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        head += "Origin: https://elsewhere.example\r\nSec-Fetch-Site: cross-site\r\n"
        head += f"X-Forwarded-For: 192.0.2.{len(body) % 251}\r\n\r\n"
        (answer,) = gateway.tell(head.encode() + body)
        judge(answer)
        assert answer.status in (404, 413, 422)
    assert gateway.stores.content() == before


def test_the_log_holds_no_line_that_a_client_wrote_and_no_token(gateway: GatewayProcess) -> None:
    link = "9sXq2mJf0rQ-9sXq2mJf0rQ_aa"
    for target in (
        "/x%0d%0aFORGED%20line",
        "/x%E2%80%A8FORGED%1b[2J",
        f"http://x/s/{link}",
        f"//x//s/{link}",
        f"/s/{link}/x",
        f"/x/{gateway.token}?token={gateway.token}",
        f"/v1/communities?after={gateway.token}",
    ):
        gateway.tell(
            f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {gateway.token}\r\n\r\n".encode()
        )
    gateway.tell(f"FORGED{gateway.token} / HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    lines = gateway.log().splitlines()
    assert all(json.loads(line)["event"] for line in lines), "each line is one of ours"
    assert not [line for line in lines if re.search(r'"event": "FORGED|\\n|incident|Traceback', line)]
    assert gateway.token not in gateway.log()
    assert gateway.token.split("_", 2)[2] not in gateway.log()
    assert link not in gateway.log()


def _put(token: str, kind: str, body: bytes) -> bytes:
    head = f"PUT {ORGANIZATION} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
