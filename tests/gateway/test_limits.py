"""Guessing is slowed by address; whoever is right never counts."""

from datetime import timedelta

import pytest
from werkzeug.test import create_environ
from werkzeug.wrappers import Request

from gateway.limits import ADDRESSES, FAILURES, Tries, client_address
from pratique import clock
from pratique.errors import NotFound, TooManyTries
from pratique.settings import load
from pratique.testing import AT

WRONG = NotFound("This opens no survey.")
GUESSES = [
    ("GET", "/v1/rooms/{}", {}, "evaluation.get_room"),
    ("POST", "/v1/ballots", {"json": {"token": "x"}}, "evaluation.open_ballot"),
    ("PUT", "/v1/ballots/{}", {"json": {"answers": []}}, "evaluation.cast_ballot"),
    ("GET", "/s/{}", {}, "evaluation.read_questions"),
    ("POST", "/s/{}", {}, "evaluation.read_questions"),
    ("GET", "/r/{}", {}, "evaluation.get_room"),
    ("POST", "/r/{}", {}, "evaluation.get_room"),
]


@pytest.mark.parametrize(("method", "path", "options", "rpc"), GUESSES)
def test_the_eleventh_wrong_guess_of_a_minute_waits(gate, method, path, options, rpc):
    gate.peer.says(rpc, WRONG)
    with clock.fixed(AT):
        for guess in range(FAILURES):
            assert gate.ask(method, path.format(guess), **options).status_code == 404
        asked = len(gate.peer.asked)
        slowed = gate.ask(method, path.format("right"), **options)
        assert (slowed.status_code, slowed.headers["Retry-After"]) == (429, "60")
        assert len(gate.peer.asked) == asked
        clock.move(timedelta(minutes=1))
        assert gate.ask(method, path.format("right"), **options).status_code == 404


def test_a_whole_room_behind_one_address_is_never_slowed(gate):
    gate.peer.says("evaluation.get_room", {"survey_id": "s", "member_ids": []})
    gate.peer.says("membership.list_labels", [])
    with clock.fixed(AT):
        for _ in range(60):
            assert gate.ask("GET", "/v1/rooms/K7MQ2P").status_code == 200


def test_failures_at_one_door_count_at_the_others(gate):
    gate.peer.says("evaluation.get_room", WRONG)
    with clock.fixed(AT):
        for _ in range(FAILURES):
            gate.ask("GET", "/v1/rooms/AAAAAA")
        assert gate.ask("POST", "/v1/ballots", json={"token": "x"}).status_code == 429


def test_others_are_not_slowed_by_one_who_guesses(gate):
    gate.peer.says("evaluation.get_room", WRONG)
    with clock.fixed(AT):
        for _ in range(FAILURES + 1):
            gate.ask("GET", "/v1/rooms/AAAAAA", environ_base={"REMOTE_ADDR": "192.0.2.1"})
        other = gate.ask("GET", "/v1/rooms/AAAAAA", environ_base={"REMOTE_ADDR": "192.0.2.2"})
        assert other.status_code == 404


def test_a_made_up_forwarded_address_does_not_help_a_guesser(gate):
    gate.peer.says("evaluation.get_room", WRONG)
    with clock.fixed(AT):
        codes = [
            gate.ask("GET", "/v1/rooms/A", headers={"X-Forwarded-For": f"192.0.2.{guess}"}).status_code
            for guess in range(FAILURES + 1)
        ]
    assert codes[-1] == 429


def test_behind_a_proxy_of_ours_its_word_counts_and_no_other(proxied):
    proxied.peer.says("evaluation.get_room", WRONG)
    with clock.fixed(AT):
        codes = [
            proxied.ask("GET", "/v1/rooms/A", headers={"X-Forwarded-For": f"10.0.0.{guess}, 192.0.2.7"}).status_code
            for guess in range(FAILURES + 1)
        ]
        assert codes[-1] == 429
        other = proxied.ask("GET", "/v1/rooms/A", headers={"X-Forwarded-For": "192.0.2.8"})
    assert other.status_code == 404


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "address"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", 0, "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9, 203.0.113.5", 1, "203.0.113.5"),
        ("10.0.0.1", "198.51.100.9, 203.0.113.5", 2, "198.51.100.9"),
        ("10.0.0.1", "198.51.100.9", 3, "198.51.100.9"),
        ("2001:db8:1:2:aaaa::1", "", 0, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", 0, "192.0.2.1"),
        ("10.0.0.1", "<script>", 1, "unknown"),
    ],
)
def test_an_address_is_told_as_far_as_it_can_be_believed(remote, forwarded, proxies, address):
    environ = create_environ(environ_base={"REMOTE_ADDR": remote}, headers={"X-Forwarded-For": forwarded})
    assert client_address(Request(environ), proxies) == address


def test_the_number_of_proxies_is_a_setting_and_none_by_default():
    assert load({"PRATIQUE_BROKER_URL": "amqp://x"}).trusted_proxies == 0
    assert load({"PRATIQUE_BROKER_URL": "amqp://x", "PRATIQUE_TRUSTED_PROXIES": "2"}).trusted_proxies == 2


def test_memory_is_bounded_and_the_newest_failures_are_kept():
    tries = Tries()
    with clock.fixed(AT):
        for number in range(ADDRESSES + 5):
            tries.fail(f"a{number}")
        for _ in range(FAILURES):
            tries.fail("last")
        assert len(tries) == ADDRESSES
        with pytest.raises(TooManyTries):
            tries.check("last")
