"""Whatever one role has of a survey is the same, whoever answered and whatever they said: word for word, and in length.

Two surveys are played that differ in one secret alone. Ids and proofs that are chance are taken out, nothing else.
"""

from collections.abc import Mapping

import pytest

from tests.adversary.surveys import Evening, Sheet, Simulator
from tests.adversary.twins import Transcript, play, transcripts

ROLES = [
    "facilitator",
    "coordinator",
    "administrator of the network",
    "member",
    "integrator",
    "reader of logs",
    "administrator of the broker",
    "holder while open",
    "holder afterwards",
    "holder while open with key",
    "holder afterwards with key",
]
#: Two answers of which one is short and one long, so that lengths would tell.
CURT: Sheet = {"satisfaction": 2, "free_to_speak": 1, "would_come_again": False}
FULL: Sheet = {
    "satisfaction": 5,
    "objectives_reached": 5,
    "useful_for_work": 4,
    "free_to_speak": 5,
    "would_come_again": True,
    "what_should_change": "More time for the second part, and less for the first.",
}
MIDDLING: Sheet = {"satisfaction": 4, "objectives_reached": 3, "free_to_speak": 4, "would_come_again": True}

Pair = Mapping[str, tuple[Transcript, Transcript]]


@pytest.fixture(scope="module")
def swapped_sheets(simulator: Simulator) -> Pair:
    """Two people in the room, and two by mail, have each other's answers."""
    a, b, c, d, *others = [each.id for each in simulator.people[:9]]
    rest = dict.fromkeys(others[:4], MIDDLING)
    first = play(simulator, {a: CURT, b: FULL, **rest}, {c: CURT, d: FULL}, there=[a, b, c, d, *others])
    one = transcripts(simulator, first)
    second = play(simulator, {a: FULL, b: CURT, **rest}, {c: FULL, d: CURT}, there=[a, b, c, d, *others])
    other = transcripts(simulator, second)
    return {role: (one[role], other[role]) for role in ROLES}


@pytest.fixture(scope="module")
def swapped_people(simulator: Simulator) -> Pair:
    """One of two answers in the room, and one of two by mail; in the other survey the other of them does.

    The attendance of all four is corrected and restored meanwhile.
    """
    a, b, c, d, *others = [each.id for each in simulator.people[:9] if each.locale == "fr"]
    others += [each.id for each in simulator.people[9:13]]
    rest = dict.fromkeys(others, MIDDLING)
    everyone = [a, b, c, d, *others]
    first = play(simulator, {a: FULL, **rest}, {c: CURT}, there=everyone, corrected=[a, b, c, d])
    one = transcripts(simulator, first)
    second = play(simulator, {b: FULL, **rest}, {d: CURT}, there=everyone, corrected=[a, b, c, d])
    other = transcripts(simulator, second)
    return {role: (one[role], other[role]) for role in ROLES}


@pytest.fixture(scope="module")
def same_twice(simulator: Simulator) -> Pair:
    """Nothing differs but chance."""
    everyone = [each.id for each in simulator.people[:9]]
    told = []
    for _ in range(2):
        survey = play(
            simulator,
            dict.fromkeys(everyone[:4], MIDDLING),
            {everyone[4]: CURT, everyone[5]: FULL},
            there=everyone,
            corrected=everyone[3:7],
        )
        told.append(transcripts(simulator, survey))
    return {role: (told[0][role], told[1][role]) for role in ROLES}


@pytest.fixture(scope="module")
def swapped_people_otherwise(simulator: Simulator) -> Pair:
    """As before, but that the meeting is closed two days late, and the addresses of all four change meanwhile."""
    a, b, c, d, *others = [each.id for each in simulator.people[:9] if each.locale == "fr"]
    others += [each.id for each in simulator.people[9:13]]
    rest, everyone, told = dict.fromkeys(others, MIDDLING), [a, b, c, d, *others], []

    def move(evening: Evening) -> None:
        for one in (a, b, c, d):
            evening.change_address(one, f"{one.hex[:6]}@new.example")
        evening.network.settle()

    for in_room, by_mail in ((a, c), (b, d)):
        survey = play(
            simulator, {in_room: FULL, **rest}, {by_mail: CURT}, there=everyone, meanwhile=move, is_closed_late=True
        )
        told.append(transcripts(simulator, survey))
    return {role: (told[0][role], told[1][role]) for role in ROLES}


@pytest.fixture(scope="module")
def swapped_people_with_passes(simulator: Simulator) -> Pair:
    """Everyone who is there holds a pass; one of two answers with it in the room, and in the other survey the other."""
    a, b, c, d, *others = [each.id for each in simulator.people[:9] if each.locale == "fr"]
    others += [each.id for each in simulator.people[9:13]]
    rest, everyone, told = dict.fromkeys(others, MIDDLING), [a, b, c, d, *others], []
    for in_room, by_mail in ((a, c), (b, d)):
        survey = play(simulator, {in_room: FULL, **rest}, {by_mail: CURT}, there=everyone, with_passes=True)
        told.append(transcripts(simulator, survey))
    return {role: (told[0][role], told[1][role]) for role in ROLES}


@pytest.fixture(scope="module")
def swapped_sheets_with_passes(simulator: Simulator) -> Pair:
    """Two people with passes have each other's answers."""
    a, b, *others = [each.id for each in simulator.people[:9]]
    rest, told = dict.fromkeys(others[:4], MIDDLING), []
    for sheets in ({a: CURT, b: FULL}, {a: FULL, b: CURT}):
        survey = play(simulator, {**sheets, **rest}, {}, there=[a, b, *others], with_passes=True)
        told.append(transcripts(simulator, survey))
    return {role: (told[0][role], told[1][role]) for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_chance_alone_makes_no_difference(same_twice: Pair, role: str) -> None:
    """Without this, the others would prove nothing."""
    one, other = same_twice[role]
    assert _differences(one, other) == []


@pytest.mark.parametrize("role", ROLES)
def test_who_said_what_changes_nothing_that_a_role_has(swapped_sheets: Pair, role: str) -> None:
    one, other = swapped_sheets[role]
    assert _differences(one, other) == []


@pytest.mark.parametrize("role", [each for each in ROLES if "while open" not in each])
def test_who_answered_changes_nothing_that_a_role_has(swapped_people: Pair, role: str) -> None:
    one, other = swapped_people[role]
    assert _differences(one, other) == []


@pytest.mark.parametrize("role", [each for each in ROLES if "while open" not in each])
def test_nor_does_it_where_a_meeting_is_left_open_and_addresses_change(
    swapped_people_otherwise: Pair, role: str
) -> None:
    one, other = swapped_people_otherwise[role]
    assert _differences(one, other) == []


@pytest.mark.parametrize("role", ROLES)
def test_of_those_who_hold_passes_nobody_learns_who_said_what(swapped_sheets_with_passes: Pair, role: str) -> None:
    one, other = swapped_sheets_with_passes[role]
    assert _differences(one, other) == []


@pytest.mark.parametrize("role", [each for each in ROLES if "while open" not in each])
def test_of_those_who_hold_passes_nobody_learns_who_answered(swapped_people_with_passes: Pair, role: str) -> None:
    one, other = swapped_people_with_passes[role]
    assert _differences(one, other) == []


def _differences(one: Transcript, other: Transcript) -> list[str]:
    only = [f"first: {each[:400]}" for each in one - other] + [f"second: {each[:400]}" for each in other - one]
    return sorted(only)[:12]
