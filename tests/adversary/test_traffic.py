"""A4, A5 and A6: counters, what the broker carries, and the logs of others, while people answer."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY, generate_latest

from tests.adversary import mentions
from tests.adversary.network import ROOM, Copy, Hit, Message
from tests.adversary.scenarios import BORED, PLEASED
from tests.adversary.surveys import COMMENT, Evening, Simulator, Survey

REMARK = "remark 917 on the first part"
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{30,}")


@dataclass
class Watched:
    """An evening at which three answer in the room and two by mail."""

    survey: Survey
    messages: list[Message]
    hits: list[Hit]
    copies: list[Copy] = field(default_factory=list)


@pytest.fixture(scope="module")
def watched(simulator: Simulator) -> Watched:
    there = [each.id for each in simulator.people[:8]]
    with simulator.evening(0) as evening:
        evening.begin(there)
        evening.answer_in_room(there[0], {**PLEASED, COMMENT: REMARK})
        for one in there[1:3]:
            evening.answer_in_room(one, BORED)
        evening.close()
        evening.go_to(evening.at(hours=2))
        for one in there[3:5]:
            evening.answer_by_link(one, {**BORED, COMMENT: f"{REMARK}, too"})
        copy = simulator.network.copy()
        network = simulator.network
        return Watched(evening.survey, list(network.messages), list(network.hits), [copy])


# What the broker carries.


def test_the_broker_carries_no_answer_and_no_name_beside_an_rpc(simulator: Simulator, watched: Watched) -> None:
    rpc = [each for each in watched.messages if each.exchange == "nameko-rpc"]
    assert len(rpc) > 20
    names = mentions.Names(watched.survey)
    for each in rpc:
        text = each.body.decode("latin-1")
        carried = [text, *(_decoded(word) for word in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", text))]
        assert not any(word in one for one in carried for word in (REMARK, "satisfaction", watched.survey.room_code))
        assert names.in_text(text + str(each.properties)) == set()


def test_the_broker_sees_no_method_of_rpc(watched: Watched) -> None:
    """To whom a request goes must be seen, by which method not."""
    keys = {
        each.routing_key for each in watched.messages if each.exchange == "nameko-rpc" and "reply_to" in each.properties
    }
    assert len({each.partition(".")[0] for each in keys}) == len(keys)
    text = b"".join(each.body for each in watched.messages if each.exchange == "nameko-rpc")
    assert not any(word in text for word in (b"ballot", b"slip", b"kwargs"))


def test_long_and_short_answers_have_one_length_on_the_broker(simulator: Simulator) -> None:
    told = []
    for sheet in ({"satisfaction": 1}, {**PLEASED, COMMENT: "word " * 300}):
        with simulator.evening(0) as evening:
            evening.begin([each.id for each in simulator.people[:6]])
            before = len(simulator.network.messages)
            evening.answer_in_room(simulator.people[0].id, sheet)
            told.append([(len(each.body), each.exchange) for each in simulator.network.messages[before:]])
    assert told[0] == told[1]


def test_the_broker_sees_no_difference_between_a_link_that_is_spent_and_one_that_is_not(simulator: Simulator) -> None:
    """Nor in the room between a name that was taken and one that was not: each page asks for the same first."""
    there = [each.id for each in simulator.people[:6]]
    with simulator.evening(0) as evening:
        evening.begin(there)
        room = f"/r/{evening.room_code}"
        evening.answer_in_room(there[0], BORED)
        in_room = [carried(evening, "POST", room, data={"member": str(one)}) for one in there[:2]]
        evening.close()
        links = [evening.link_of(one) for one in there[1:3]]
        evening.answer_by_link(there[1], BORED)
        by_link = [carried(evening, "GET", f"/s/{link}") for link in links]
    assert in_room[0] == in_room[1]
    assert by_link[0] == by_link[1]
    assert len(by_link[0]) == len(in_room[0]) == 6  # three questions to services, each with its answer


def carried(evening: Evening, method: str, path: str, **options: Any) -> list[tuple[str, int]]:
    """What the broker carries for one page: to whom, and how long it is."""
    before = len(evening.network.messages)
    evening.network.ask(method, path, **options)
    return [(each.routing_key, len(each.body)) for each in evening.network.messages[before:]]


def test_a_private_event_is_as_long_whether_two_or_eight_are_to_be_asked(simulator: Simulator) -> None:
    lengths = set()
    for answering in (0, 6):
        there = [each.id for each in simulator.people[:8]]
        with simulator.evening(0) as evening:
            evening.begin(there)
            for one in there[:answering]:
                evening.answer_in_room(one, BORED)
            evening.close()
            asked = [each for each in simulator.network.messages if each.routing_key == "SurveyInvitationsIssued"]
            lengths |= {(len(asked), len(each.body)) for each in asked}
    assert len(lengths) == 1


def test_invitations_are_announced_also_where_nobody_is_left_to_be_asked(simulator: Simulator) -> None:
    kinds = []
    for answering in (6, 2):
        there = [each.id for each in simulator.people[:6]]
        with simulator.evening(0) as evening:
            evening.begin(there)
            for one in there[:answering]:
                evening.answer_in_room(one, BORED)
            evening.close()
            evening.let_it_close()
            private = [each for each in simulator.network.messages if each.exchange == "evaluation.private"]
            kinds.append([(each.routing_key, len(each.body), each.at) for each in private])
    assert kinds[0] == kinds[1]


# Counters.


@pytest.fixture
def room(simulator: Simulator) -> Iterator[Evening]:
    with simulator.evening(0) as evening:
        evening.begin([each.id for each in simulator.people[:8]])
        yield evening


def test_no_counter_tells_an_answer_from_a_look_at_the_questions(room: Evening) -> None:
    """Read before and after each request, as whoever scrapes quickly can: what is counted moves alike, or not."""
    there = room.survey.there
    moved = []
    for act in (
        lambda: room.network.ask("GET", f"/r/{room.room_code}", ROOM),
        lambda: room.network.ask("GET", f"/v1/rooms/{room.room_code}", ROOM),
        lambda: room.answer_in_room(there[0], BORED),
    ):
        before = _counted()
        act()
        after = _counted()
        moved.append({name for name, value in after.items() if value != before.get(name)})
    assert moved[2] <= moved[0] | moved[1]


# The logs of others.


def test_no_path_holds_a_ballot_or_its_person(watched: Watched) -> None:
    names = mentions.Names(watched.survey)
    people = [
        hit for hit in watched.hits if hit.path.startswith(("/s/", "/r/", "/v1/ballots", "/v1/answers", "/v1/rooms"))
    ]
    assert len(people) > 8
    assert [hit.path for hit in people if names.in_text(hit.path)] == []
    assert [hit.path for hit in people if hit.path.startswith("/v1/ballots/")] == []


def test_nothing_in_a_path_is_the_key_of_a_row(watched: Watched) -> None:
    """Neither as it is nor hashed in one of the usual ways."""
    words = {word for hit in watched.hits for word in _OPAQUE.findall(hit.path)}
    digests = {
        hashlib.new(kind, word.encode()).digest() for word in words for kind in ("sha256", "sha1", "md5", "blake2b")
    }
    held = [each for rows in watched.copies[0].tables.values() for row in rows for each in row.values()]
    assert not digests & {each for each in held if isinstance(each, bytes)}
    assert not {each.hex() for each in digests} & {each for each in held if isinstance(each, str)}


def test_a_mailed_link_names_nobody(simulator: Simulator, watched: Watched) -> None:
    tokens = [word for hit in watched.hits if hit.path.startswith("/s/") for word in _OPAQUE.findall(hit.path)]
    assert len(tokens) == 2
    ids = {each.id.bytes for each in simulator.people} | {_bytes(watched.survey.survey_id)}
    for each in tokens:
        raw = base64.urlsafe_b64decode(each + "=" * (-len(each) % 4))
        assert not any(id in raw for id in ids)


def _bytes(id: UUID | None) -> bytes:
    assert id is not None
    return UUID(hex=id.hex).bytes


def _decoded(word: str) -> str:
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4)).decode("latin-1")
    except ValueError:
        return ""


def _counted() -> dict[str, str]:
    """All series but those by which a slow machine, and not an act, may differ: how long something took."""
    lines = generate_latest(REGISTRY).decode().splitlines()
    named = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: value for name, _, value in named if name.startswith("pratique_") and "le=" not in name}
