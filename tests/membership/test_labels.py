"""How people are named in a room: short, each another than all others, and in French order."""

import itertools
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.labels import labels_of, sort_key


def labels(names: Sequence[str], organizations: Sequence[str] = ()) -> list[str]:
    """The labels of people of these names, in the order of the names."""
    ids = [UUID(int=number) for number in range(1, len(names) + 1)]
    represented = {id: name for id, name in zip(ids, organizations, strict=False) if name}
    told = labels_of(
        dict(zip(ids, names, strict=True)),
        lambda asked: {id: name for id, name in represented.items() if id in asked},
    )
    by_id = {each.member_id: each.label for each in told}
    return [by_id[id] for id in ids]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Amina Koné", "Amina K."),
        ("Jean-Pierre de la Tour", "Jean-Pierre T."),
        ("Élodie", "Élodie"),
        ("  Louis   roy ", "Louis R."),
        ("Mei O", "Mei O."),
        ("李 小龍", "李 小."),
    ],
)
def test_a_first_name_and_an_initial_are_enough(name: str, label: str) -> None:
    assert labels([name]) == [label]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Marie Tremblay", "Marie Thibault"], ["Marie Tr.", "Marie Th."]),
        (["Marie Tremblay", "Marie Thibault", "Marie Roy"], ["Marie Tr.", "Marie Th.", "Marie R."]),
        (["Marie Thibault", "Marie Thibodeau", "marie tremblay"], ["Marie Thiba.", "Marie Thibo.", "marie Tr."]),
        (["Louis Roy", "Louis Royer"], ["Louis Roy", "Louis Roye."]),
        (["Louis T", "Louis Tremblay"], ["Louis T.", "Louis Tr."]),
        (["Jean Tour", "Jean de la Tour"], ["Jean Tour", "Jean de la Tour"]),
        (["Zoé", "Zoé Roy"], ["Zoé", "Zoé R."]),
        (["Zoe Roy", "Zoé Roy"], ["Zoe R.", "Zoé R."]),
        (["Marie Te", "Marie Té"], ["Marie Te", "Marie Té"]),
    ],
)
def test_more_letters_of_the_last_name_tell_apart(names: list[str], expected: list[str]) -> None:
    assert labels(names) == expected


def test_people_of_one_name_are_told_apart_by_whom_they_represent_and_only_then_by_a_number() -> None:
    names = ["Marie Tremblay", "marie  tremblay", "Marie Thibault", "Marie Tremblay", "Marie Tremblay"]

    assert labels(names, ["Maison", "Centre", "Maison", "Maison", ""]) == [
        "Marie Tr. (Maison, 1)",
        "Marie Tr. (Centre)",
        "Marie Th.",
        "Marie Tr. (Maison, 2)",
        "Marie Tr.",
    ]
    assert labels(["Marie Tremblay"] * 2) == ["Marie T. (1)", "Marie T. (2)"]


FRENCH = [
    ["cote", "côte", "coté", "côté"],
    ["Coe", "cœur", "coexister", "Cof"],
    ["amina K.", "Élodie R.", "Emma B.", "Étienne A.", "Œdipe S.", "Zoé T."],
    ["eve", "Eve", "ève", "Ève"],
    ["Ça", "Cab"],
    ["Marie R.", "Marie-Ève A.", "Mario B."],
]


@pytest.mark.parametrize("ordered", FRENCH, ids=lambda ordered: ordered[0])
def test_people_stand_in_the_order_of_french_dictionaries(ordered: list[str]) -> None:
    for shuffled in itertools.islice(itertools.permutations(ordered), 200):
        assert sorted(shuffled, key=sort_key) == ordered


def test_labels_come_sorted() -> None:
    names = {UUID(int=number): name for number, name in enumerate(["Zoé T", "Élodie", "amina K", "Emma B"], 1)}

    assert [each.label for each in labels_of(names, lambda _: {})] == ["amina K.", "Élodie", "Emma B.", "Zoé T."]


WORDS = st.text(st.sampled_from("abÀàéßTRro'-"), min_size=1, max_size=4).filter(lambda word: word[0].isalpha())
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@given(st.lists(st.tuples(NAMES, st.sampled_from(["", "Maison", "Centre"])), max_size=12))
def test_no_two_people_have_one_label(people: list[tuple[str, str]]) -> None:
    told = labels([name for name, _ in people], [organization for _, organization in people])

    assert len({label.casefold() for label in told}) == len(people)


def test_five_thousand_people_of_one_first_name_are_named_at_once() -> None:
    told = labels([f"Personne N{number}" for number in range(5000)])

    assert len(set(told)) == 5000
    assert told[0] == "Personne N0"
