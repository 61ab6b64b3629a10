"""Validation errors of one command, each at its field, reported together."""

import re
import unicodedata
from types import TracebackType
from typing import Any, Self

from pratique.errors import Invalid

MAX_REPORTED = 50  #: errors reported in one answer; whoever mends these sees the rest

_FILLERS = "\u115f\u1160\u3164\uffa0"  #: letters that are blank, by which words that look alike can differ
_JOINERS = "\u200c\u200d"  #: some scripts and emoji cannot be written without them
_JOINED_FROM = "\u0590"  #: the first script, by code point, that joins its letters: no European one does
#: Ends of names that mail programs take for a site's, without www. or a path after them: the common ones that are no
#: word which follows a full stop where someone forgot the space ("M.De Koninck").
_SITES = "com|org|net|info|biz|edu|gov|ca|fr|quebec|eu|uk|ch|ru|cn|io|co|app|dev|link|xyz|site|online|shop|top"
#: What mail programs make clickable, in words that were folded: a scheme, www., name.tld/, a site's name, an address.
_ADDRESS = re.compile(
    rf"""://
    | \bmailto:
    | (?<![a-z0-9])www\d?\.
    | [^\W_]\.[^\W\d_]{{2,}}(:\d+)?/
    | [^\W_]\.({_SITES}|xn--[a-z0-9-]+)\b
    | [^\s@]@[^\s@]*\.[^\W\d_]""",
    re.VERBOSE,
)


class ValidationErrors:
    """Errors found in one command; leaving the ``with`` block raises them together as Invalid, if there are any.

    Every pointer is a JSON pointer into the command's fields (``/entries/3/member_id``). How long a text may be is
    checked before, by the annotations of the command.
    """

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None and self._found:
            reported = dict(list(self._found.items())[:MAX_REPORTED])
            raise Invalid(" ".join(dict.fromkeys(list(reported.values())[:3])), reported)

    def add(self, pointer: str, sentence: str) -> None:
        """Keep that the field at ``pointer`` cannot be as it is; the first error of a field is the one reported."""
        self._found.setdefault(pointer, sentence)

    def check_line(self, pointer: str, text: str, *, required: bool = True, mailed: bool = False) -> None:
        """Require one line, not blank if it is required.

        What is ``mailed`` under our name holds no address of the web or of mail, for programs make that clickable.
        """
        self._check_words(pointer, text, required, "")
        if mailed:
            self._check_no_address(pointer, text)

    def check_text(self, pointer: str, text: str, *, required: bool = True, mailed: bool = False) -> None:
        """Require text of any number of lines; else as ``check_line``."""
        self._check_words(pointer, text, required, "\n\r\t")
        if mailed:
            self._check_no_address(pointer, text)

    def _check_words(self, pointer: str, text: str, required: bool, allowed: str) -> None:
        field = pointer.strip("/")
        if required and not text.strip():
            self.add(pointer, f"{field} is empty; write something there.")
        elif any(is_control(each) and each not in allowed for each in text):
            self.add(pointer, f"{field} holds control characters or line breaks; leave them out.")
        elif has_hidden(text):
            self.add(
                pointer,
                f"{field} holds characters that nobody sees, which turn the direction of writing or hide between "
                "letters; copying brings them along, so type it anew.",
            )

    def _check_no_address(self, pointer: str, text: str) -> None:
        if has_address(text):
            field = pointer.strip("/")
            self.add(
                pointer,
                f"{field} holds an address of the web or of mail, which a mail would make clickable; say it in words. "
                "Where to join a meeting online belongs in its link, and a person's address in their email.",
            )


def pointers(messages: Any, at: str = "") -> dict[str, str]:
    """Return marshmallow's nested messages as {JSON pointer: sentence}."""
    if isinstance(messages, dict):
        found: dict[str, str] = {}
        for key, inner in messages.items():
            step = str(key).replace("~", "~0").replace("/", "~1")  # RFC 6901
            found |= pointers(inner, at if key == "_schema" else f"{at}/{step}")
        return found
    return {at or "/": " ".join(str(message) for message in messages)}


def is_control(character: str) -> bool:
    """Return whether this could break a line, a header or a database: controls, separators, halves of surrogates."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def has_hidden(text: str) -> bool:
    """Return whether it holds what nobody sees: turns of direction, joints of no width, blanks that count as letters.

    A joiner passes between two characters of a script that joins its letters, and in emoji.
    """
    beside = zip(" " + text, text, text[1:] + " ", strict=False)
    return any(
        each in _FILLERS
        or (
            unicodedata.category(each) == "Cf"
            and not (each in _JOINERS and before >= _JOINED_FROM and after >= _JOINED_FROM)
        )
        for before, each, after in beside
    )


def has_address(text: str) -> bool:
    """Return whether mail programs would make something of it clickable: an address of the web or of mail."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u3002", ".")
    return any(_ADDRESS.search(each) for each in (text.lower(), folded))
