"""Room codes are limited by address: whoever guesses is stopped, whoever is right passes, links are not counted."""

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from werkzeug.test import create_environ
from werkzeug.wrappers import Request

from chassis import clock
from chassis.settings import Missing, load
from gateway.limits import KNOWN_FOR, LOOKED_UP, REMEMBERED, WINDOW, WRONG_TOLD, Allowance, RateLimiter, client_address
from pratique.errors import NotFound, TooManyTries, Unavailable
from pratique.testing import AT
from tests.gateway.conftest import IDENTIFIED, make_gate

WRONG = NotFound("This opens no survey.")
RIGHT = "K7MQ2PXY"
MEMBER = "00000000-0000-4000-8000-00000000000a"
BY_CODE = [
    ("GET", "/v1/rooms/{}", {}),
    ("POST", "/v1/ballots", {"json": {"room_code": "{}", "member_id": MEMBER}}),
    ("GET", "/r/{}", {}),
    ("POST", "/r/{}", {}),
]
each_door = pytest.mark.parametrize(("method", "path", "options"), BY_CODE)


@pytest.fixture
def room(gate):
    """The gateway before one room whose survey is open."""

    def looked_up(room_code, **rest):
        if room_code.replace("-", "").upper() != RIGHT:
            raise WRONG
        return IDENTIFIED | {"survey_id": "s", "member_ids": [], "ballot_id": "b", "questions": []}

    for rpc in ("identify_survey", "get_room", "read_questions", "open_ballot"):
        gate.peer.answers[f"evaluation.{rpc}"] = looked_up
    gate.peer.says("membership.list_labels", [])
    return gate


def enter(gate, method, path, options, code, **more):
    """The status that this code is answered with at this door."""
    options = {name: {key: text.format(code) for key, text in value.items()} for name, value in options.items()}
    return gate.ask(method, path.format(code), **options, **more).status_code


def guess(gate, number, address="192.0.2.1"):
    """The statuses of so many wrong codes from one address."""
    place = {"environ_base": {"REMOTE_ADDR": address}}
    return [gate.ask("GET", f"/v1/rooms/WRONG{each}", **place).status_code for each in range(number)]


@each_door
def test_the_twenty_first_wrong_code_of_a_minute_hears_429(room, method, path, options):
    with clock.fixed(AT):
        codes = [enter(room, method, path, options, f"WRONG{each}") for each in range(WRONG_TOLD + 1)]
        assert codes == [404] * WRONG_TOLD + [429]
        clock.move(WINDOW)
        assert enter(room, method, path, options, "WRONG") == 404


@each_door
def test_a_joker_on_the_room_s_network_does_not_stop_who_has_the_right_code(room, method, path, options):
    with clock.fixed(AT):
        guess(room, LOOKED_UP - 1, address="127.0.0.1")
        assert enter(room, method, path, options, RIGHT) in (200, 201, 422)
        guess(room, 10, address="127.0.0.1")
        assert enter(room, method, path, options, RIGHT) in (200, 201, 422)


def test_beyond_the_ceiling_only_codes_that_were_right_there_are_looked_up(room):
    with clock.fixed(AT):
        guess(room, LOOKED_UP)
        asked = len(room.peer.asked)
        assert guess(room, 5) == [429] * 5
        place = {"environ_base": {"REMOTE_ADDR": "192.0.2.1"}}
        assert room.ask("GET", f"/r/{RIGHT}", **place).status_code == 429
        assert len(room.peer.asked) == asked
        clock.move(WINDOW)
        assert room.ask("GET", f"/r/{RIGHT}", **place).status_code == 200
        guess(room, LOOKED_UP)
        assert room.ask("GET", f"/r/{RIGHT[:4].lower()}-{RIGHT[4:]}", **place).status_code == 200  # as some write it
        clock.move(KNOWN_FOR)
        guess(room, LOOKED_UP)
        assert room.ask("GET", f"/r/{RIGHT}", **place).status_code == 429


def test_links_are_never_limited(gate):
    for rpc in ("identify_survey", "read_questions", "open_ballot"):
        gate.peer.says(f"evaluation.{rpc}", WRONG)
    with clock.fixed(AT):
        for _ in range(LOOKED_UP + 50):
            assert gate.ask("POST", "/v1/ballots", json={"token": "x"}).status_code == 404
        for method in ("GET", "POST"):
            assert gate.ask(method, "/s/x").status_code == 404


def test_links_work_where_somebody_guesses_codes(room):
    room.peer.says("evaluation.open_ballot", {"ballot_id": "b", "survey_id": "s", "questions": []})
    with clock.fixed(AT):
        guess(room, LOOKED_UP + 1, address="127.0.0.1")
        assert room.ask("POST", "/v1/ballots", json={"token": "x"}).status_code == 201


def test_a_whole_room_behind_one_address_is_never_slowed(room):
    with clock.fixed(AT):
        for _ in range(LOOKED_UP + 50):
            assert room.ask("GET", f"/v1/rooms/{RIGHT}").status_code == 200


def test_wrong_codes_at_one_door_count_at_the_others(room):
    with clock.fixed(AT):
        guess(room, WRONG_TOLD, address="127.0.0.1")
        assert room.ask("GET", "/r/WRONG").status_code == 429
        assert room.ask("POST", "/v1/ballots", json={"room_code": "WRONG", "member_id": MEMBER}).status_code == 429


def test_others_are_not_slowed_by_one_who_guesses(room):
    with clock.fixed(AT):
        assert guess(room, WRONG_TOLD + 1, "192.0.2.1")[-1] == 429
        assert guess(room, 1, "192.0.2.2") == [404]


def test_a_made_up_forwarded_address_does_not_help_a_guesser(room):
    with clock.fixed(AT):
        codes = [
            room.ask("GET", "/v1/rooms/A", headers={"X-Forwarded-For": f"192.0.2.{each}"}).status_code
            for each in range(WRONG_TOLD + 1)
        ]
    assert codes[-1] == 429


def test_behind_a_proxy_of_ours_its_word_counts_and_no_other(store):
    gate = make_gate(store, trusted_proxies=(ip_network("127.0.0.0/8"),))
    gate.peer.says("evaluation.get_room", WRONG)
    with clock.fixed(AT):
        codes = [
            gate.ask("GET", "/v1/rooms/A", headers={"X-Forwarded-For": f"10.0.0.{each}, 192.0.2.7"}).status_code
            for each in range(WRONG_TOLD + 1)
        ]
        assert codes[-1] == 429
        other = gate.ask("GET", "/v1/rooms/A", headers={"X-Forwarded-For": "192.0.2.8"})
    assert other.status_code == 404


@pytest.mark.parametrize(
    ("remote", "forwarded", "networks", "address"),
    [
        ("192.0.2.1", "", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "10.0.0.0/8", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9, 203.0.113.5", "10.0.0.0/8", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.9, 203.0.113.5", "10.0.0.0/8,203.0.113.5/32", "198.51.100.9"),
        ("10.0.0.1", "198.51.100.9, 10.7.7.7", "10.0.0.0/8", "198.51.100.9"),
        ("10.0.0.1", "10.9.9.9", "10.0.0.0/8", "10.9.9.9"),
        ("fd00::1", "198.51.100.9", "fd00::/8", "198.51.100.9"),
        ("::ffff:10.0.0.1", "198.51.100.9", "10.0.0.0/8", "198.51.100.9"),
        ("2001:db8:1:2:aaaa::1", "", "", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", "", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9, <script>", "10.0.0.0/8", "unknown"),
    ],
)
def test_an_address_is_told_as_far_as_it_can_be_believed(remote, forwarded, networks, address):
    environ = create_environ(environ_base={"REMOTE_ADDR": remote}, headers={"X-Forwarded-For": forwarded})
    trusted = load({"PRATIQUE_BROKER_URL": "amqp://x", "PRATIQUE_TRUSTED_PROXIES": networks}).trusted_proxies
    assert client_address(Request(environ), trusted) == address


def test_no_proxy_is_believed_unless_its_network_is_named():
    assert load({"PRATIQUE_BROKER_URL": "amqp://x"}).trusted_proxies == ()
    named = load({"PRATIQUE_BROKER_URL": "amqp://x", "PRATIQUE_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8"})
    assert named.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize("text", ["1", "2", "proxy", "10.0.0.1/8", "10.0.0.0/8;fd00::/8"])
def test_what_names_no_network_is_refused_with_what_to_write(text):
    with pytest.raises(Missing, match=r"PRATIQUE_TRUSTED_PROXIES .* for instance 10\.0\.0\.0/8,fd00::/8"):
        load({"PRATIQUE_BROKER_URL": "amqp://x", "PRATIQUE_TRUSTED_PROXIES": text})


ADDRESSES = some.sampled_from(["a", "b"])
STEPS = some.lists(
    some.tuples(
        ADDRESSES,
        some.one_of(
            some.tuples(some.just("guess"), some.integers(1, LOOKED_UP + 100)),
            some.tuples(some.just("move"), some.integers(1, 4000)),
            some.tuples(some.just("enter"), some.just(0)),
            some.tuples(some.just("fail"), some.integers(1, 30)),
        ),
    ),
    max_size=12,
)


def try_once(tries, address, code, error=None):
    """What one code comes to: passed, told (404), slowed (looked up, 429) or barred (not looked up)."""
    looked_up = []
    try:
        with tries.attempt(address, code):
            looked_up.append(True)
            if error:
                raise error
    except NotFound:
        return "told"
    except TooManyTries:
        return "slowed" if looked_up else "barred"
    except Unavailable:
        return "failed"
    return "passed"


@given(STEPS)
def test_whatever_happens_no_address_has_more_looked_up_and_no_known_code_is_barred(steps):
    tries, known_at, wrong_at = RateLimiter(), dict[Any, Any](), dict[str, list[Any]]({"a": [], "b": []})
    with clock.fixed(AT):
        for address, (act, number) in steps:
            now = clock.now()
            if act == "move":
                clock.move(timedelta(seconds=number))
            elif act == "guess":
                for each in range(number):
                    came_to = try_once(tries, address, f"WRONG{each}", WRONG)
                    wrong_at[address] += [now] * (came_to != "barred")
            elif act == "fail":  # a service that is away says nothing about a code
                for _ in range(number):
                    assert try_once(tries, address, "ANY", Unavailable("away")) in ("failed", "barred")
            else:
                came_to = try_once(tries, address, RIGHT)
                fresh = [at for at in wrong_at[address] if now - at < WINDOW]
                if address in known_at and now - known_at[address] < KNOWN_FOR:
                    assert came_to == "passed"
                assert came_to == "passed" or len(fresh) >= LOOKED_UP
                if came_to == "passed":
                    known_at[address] = now
    for times in wrong_at.values():
        for at in times[::50]:
            within = [each for each in times if timedelta(0) <= each - at < WINDOW]
            assert len(within) <= 2 * LOOKED_UP  # two windows can touch one minute


def test_memory_is_bounded_and_nothing_is_kept_of_who_only_was_right_but_for_an_hour():
    tries = RateLimiter()
    with clock.fixed(AT):
        for number in range(REMEMBERED + 5):
            try_once(tries, f"a{number}", "WRONG", WRONG)
            try_once(tries, f"b{number}", RIGHT)
        assert REMEMBERED < len(tries) <= 2 * REMEMBERED
        clock.move(KNOWN_FOR)
        try_once(tries, "c", RIGHT)
        assert len(tries) <= REMEMBERED + 1


@given(some.lists(some.tuples(ADDRESSES, some.integers(0, 90)), max_size=60))
def test_an_allowance_is_used_up_in_its_window_and_whole_in_the_next(steps):
    """Against a list of all that was taken: never more than three in a minute that begins with the first."""
    allowance = Allowance(3, timedelta(minutes=1))
    began, taken = dict[str, datetime](), dict[str, int]()
    with clock.fixed(AT):
        for key, seconds in steps:
            clock.move(timedelta(seconds=seconds))
            if key not in began or clock.now() - began[key] >= timedelta(minutes=1):
                began[key], taken[key] = clock.now(), 0
            taken[key] += 1
            assert allowance.take(key) == (taken[key] <= 3)


def test_an_allowance_remembers_so_many_and_forgets_the_oldest_first():
    allowance = Allowance(1, timedelta(minutes=1))
    with clock.fixed(AT):
        for number in range(REMEMBERED + 1):
            assert allowance.take(str(number))
        assert len(allowance) == REMEMBERED
        assert not allowance.take(str(REMEMBERED))
        assert allowance.take("0")
