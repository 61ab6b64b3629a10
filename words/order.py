"""The order of names, as French dictionaries and the phone book sort them: accents count only between equals."""

import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

Named = TypeVar("Named")
_JOINED = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "’": "'"})


def sort_key(name: str) -> tuple[str, str, str]:
    """Return what names are sorted by: letters, then accents from the end (cote, côte, coté, côté), then capitals."""
    folded = unicodedata.normalize("NFD", name.casefold().translate(_JOINED))
    letters = "".join([each for each in folded if not unicodedata.combining(each)])
    return letters, _accents(folded), name


def in_order(named: Iterable[Named], name: Callable[[Named], str]) -> list[Named]:
    """Return these in the order of their names."""
    return sorted(named, key=lambda each: sort_key(name(each)))


def _accents(folded: str) -> str:
    """The accents of each letter, the last letter first, as dictionaries of Québec compare them."""
    of_letters: list[str] = []
    for each in folded:
        if unicodedata.combining(each) and of_letters:
            of_letters[-1] += each
        else:
            of_letters.append(" ")
    return "".join(reversed(of_letters))
