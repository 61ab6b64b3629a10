"""What is wrong with what was sent, field by field, told all at once."""

import unicodedata
from types import TracebackType
from typing import Self

from pratique import clock
from pratique.errors import Invalid

MAX_TOLD = 50  #: faults told in one answer; who mends these sees the rest


class Faults:
    """Collect the faults of one command; leaving the ``with`` block raises them together as Invalid, if there are any.

    Every pointer is a JSON pointer into the command's arguments (``/entries/3/member_id``).
    """

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None and self._found:
            told = dict(list(self._found.items())[:MAX_TOLD])
            raise Invalid(" ".join(dict.fromkeys(list(told.values())[:3])), told)

    def add(self, pointer: str, sentence: str) -> None:
        """Remember that the field at ``pointer`` cannot be as it is; the first fault of a field is the one told."""
        self._found.setdefault(pointer, sentence)

    def line(self, pointer: str, text: str, at_most: int, required: bool = True) -> None:
        """Expect one line of at most ``at_most`` characters, not blank if it is required."""
        self._words(pointer, text, at_most, required, "")

    def text(self, pointer: str, text: str, at_most: int, required: bool = True) -> None:
        """Expect text of any number of lines, with at most ``at_most`` characters, not blank if it is required."""
        self._words(pointer, text, at_most, required, "\n\r\t")

    def zone(self, pointer: str, name: str) -> None:
        """Expect the name of an IANA time zone."""
        try:
            clock.known_zone(name, pointer)
        except Invalid as error:
            self.add(pointer, error.message)

    def _words(self, pointer: str, text: str, at_most: int, required: bool, allowed: str) -> None:
        field = pointer.strip("/")
        if required and not text.strip():
            self.add(pointer, f"{field} is empty; write something there.")
        elif len(text) > at_most:
            self.add(pointer, f"{field} has {len(text)} characters; at most {at_most} are allowed.")
        elif any(is_control(each) and each not in allowed for each in text):
            self.add(pointer, f"{field} holds control characters or line breaks; leave them out.")


def is_control(character: str) -> bool:
    """Whether this could break a line, a mail's header or a database: controls, separators, halves of surrogates."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
