"""Labels of people in a room: short, unique, sorted by French collation."""

import dataclasses
import itertools
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"})
Words = tuple[str, ...]
Organizations = Mapping[UUID, str]  #: whom each person represents, by name; who represents nobody is not in it


@dataclasses.dataclass(frozen=True)
class Label:
    """The label of a person in a room."""

    member_id: UUID
    label: str


def labels_of(names: Mapping[UUID, str], organizations_of: Callable[[Sequence[UUID]], Organizations]) -> list[Label]:
    """The labels of these people, each another than all others, sorted.

    First name and initial are enough for most ("Marie T."). Where two have the same, as many letters of the last name
    follow as it takes ("Marie Tr."), or the whole name; where that is the same, whom they represent in brackets; and
    only then a number, by their ids. ``organizations_of`` is asked once at most, about those of the same name.
    """
    people: dict[Words, list[UUID]] = defaultdict(list)
    spelled: dict[Words, Words] = {}
    for member_id in sorted(names):
        words = tuple(unicodedata.normalize("NFC", names[member_id]).split())
        folded = tuple(word.casefold() for word in words)
        people[folded].append(member_id)
        spelled.setdefault(folded, words)
    namesakes = [member_id for alike in people.values() if len(alike) > 1 for member_id in alike]
    organizations = organizations_of(namesakes) if namesakes else {}
    shorts = _shortened(spelled)
    labels = [
        Label(member_id, label)
        for folded, alike in people.items()
        for member_id, label in zip(alike, _bracketed(shorts[folded], alike, organizations), strict=True)
    ]
    return sorted(labels, key=lambda each: sort_key(each.label))


def _shortened(names: Mapping[Words, Words]) -> dict[Words, str]:
    """For each name, folded, as few letters as tell it apart from the others."""
    by_first: dict[str, list[Words]] = defaultdict(list)
    for folded in names:
        by_first[folded[0]].append(folded)
    shorts = {}
    for alike in by_first.values():
        count = Counter(map(_last, alike))
        letters = _letters(sorted(count))
        for folded in alike:
            is_shared = count[_last(folded)] > 1
            shorts[folded] = " ".join(names[folded]) if is_shared else _short(names[folded], letters[_last(folded)])
    return shorts


def _last(words: Words) -> str:
    return words[-1] if len(words) > 1 else ""


def _short(words: Words, letters: int) -> str:
    """The first name and so many letters of the last: Marie T., Marie Tr., Marie Tremblay."""
    first, last = words[0], _last(words)
    if not last:
        return first
    told = last[0].upper() + last[1:letters]
    return f"{first} {told}" if 1 < len(last) <= letters else f"{first} {told}."


def _letters(ordered: Sequence[str]) -> dict[str, int]:
    """Return the number of letters that make each last name unique; all of them where it is a prefix of another."""
    letters = dict.fromkeys(ordered, 1)
    for one, other in itertools.pairwise(ordered):
        same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
        letters[one], letters[other] = max(letters[one], same + 1), max(letters[other], same + 1)
    return letters


def _bracketed(short: str, alike: Sequence[UUID], organizations: Organizations) -> list[str]:
    """The labels of people of one name: by whom they represent, and numbered where that is the same."""
    if len(alike) == 1:
        return [short]
    represented = [organizations.get(member_id, "") for member_id in alike]
    seen: dict[str, int] = defaultdict(int)
    labels = []
    for organization in represented:
        seen[organization] += 1
        number = str(seen[organization]) if represented.count(organization) > 1 else ""
        inside = ", ".join(filter(None, (organization, number)))
        labels.append(f"{short} ({inside})" if inside else short)
    return labels


def sort_key(text: str) -> tuple[str, tuple[str, ...], str]:
    """Return the French collation key of a text: letters first, then accents from the end, then small before capital.

    Cote, côte, coté, côté (CAN/CSA Z243.4.1); œ counts as oe. Digits and signs stand as Unicode has them.
    """
    letters: list[str] = []
    accents: list[str] = []
    for each in unicodedata.normalize("NFD", text.translate(_LIGATURES)):
        if unicodedata.combining(each) and accents:
            accents[-1] += each
        else:
            letters.append(each)
            accents.append("")
    plain = "".join(letters)
    return plain.casefold(), tuple(reversed(accents)), plain.swapcase()


def fold(text: str) -> str:
    """Return the letters of a text as a search compares them: without accents, case and ligatures."""
    decomposed = unicodedata.normalize("NFD", text.translate(_LIGATURES))
    return "".join(each for each in decomposed if not unicodedata.combining(each)).casefold()
